"""Published ways to invert, written from their authors' papers and programs, with their constants, for inversion.py.

- `projector`, W: NVIDIA's projector (StyleGAN2, arXiv 1912.04958, §5, as in stylegan2-ada-pytorch's projector.py).
- `projector`, W+: the same with a code of its own for each layer (Image2StyleGAN, arXiv 1904.03189, and the option
  --w_plus of rosinality's projector.py, which has all other constants of NVIDIA's): the plain way to W+.
- `pti`: Pivotal Tuning (Roich et al., arXiv 2106.05744): fewer and smaller steps of that projector in W, then all of
  the synthesis network. PTI's settings name a rate of 5e-3 for its projector, which never takes effect there: the
  projector's own 0.01, with its ramps, is what runs, here too.

Three things differ from the originals, for all of them alike. They optimise the noise maps, too, those of PTI's
projector being thrown away afterwards; `face` has them folded into constants, and noise that is fitted to places
of a picture stays there while a face is dragged, so all methods here keep the network's own. Their perceptual
distances (NVIDIA's VGG16; PTI's LPIPS on AlexNet) are replaced by the one that this project minimises, st-lpips-vgg,
in float32, on the picture averaged down to 256 × 256, as theirs is; so what is compared is the ways and not the nets.
PTI shows its network the picture of 1024 × 1024, which costs 16 times as much on a CPU: it, too, gets 256 × 256 here,
and its squared error is that of the full picture."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from photodrag.invert.crop import Crop, view_side, whole_view
from photodrag.invert.perceptual import PerceptualDistance, compare
from photodrag.invert.schedule import learning_rate
from photodrag.invert.tuning import tuned
from photodrag.weights.latent.space import sample_w

SIDE = 256
"""Of what the perceptual distance sees (of small pictures: see crop.view_side)."""


@dataclass(frozen=True)
class ProjectorSettings:
    """NVIDIA's."""

    shared: bool = True
    """One code for all layers, W; otherwise one for each, W+."""
    steps: int = 1000
    lr: float = 0.1
    warm_up: float = 0.05
    cool_down: float = 0.25
    samples: int = 10_000
    """Of z, seed 123, whose mean w is the start."""
    noise: float = 0.05
    """Of normal noise on the code, at first, as a share of the deviation of w; it falls to 0 by a square …"""
    noise_until: float = 0.75
    """… at this share of the steps."""
    seed: int = 303
    """Of that noise (projector.py's own)."""


@dataclass(frozen=True)
class PTISettings:
    """Of the tuning; PIVOT has those of the projection before it."""

    steps: int = 350
    lr: float = 3e-4
    l2: float = 1.0
    """Of the full picture's mean squared error."""
    lpips: float = 1.0
    enough: float = 0.0
    """The perceptual distance at which it ends. PTI's 0.06 is one of LPIPS on AlexNet; as no such number is known for
    the distance that stands for it here, all steps are done, which can only bring it nearer."""


PIVOT = ProjectorSettings(steps=450, lr=0.01, samples=600)


@dataclass(frozen=True, eq=False)
class Seen:
    """What a method has come to: a code [1, num_ws, w_dim], and the network whose picture of it is meant."""

    w_plus: Tensor
    network: nn.Module


def projector(
    generator, crop: Crop, distance: PerceptualDistance, settings: ProjectorSettings = ProjectorSettings()
) -> Iterator[Seen]:
    """The code after every step, as projector.py keeps it: without the noise, and the last one is the result."""
    s = settings
    samples = sample_w(lambda z: generator.mapping(z.to(generator.w_avg.device))[:, 0], generator.z_dim, s.samples)
    mean = samples.mean(0)
    deviation = ((samples - mean).square().sum() / s.samples).sqrt().item()
    w = mean.expand(1, 1 if s.shared else generator.num_ws, -1).clone().requires_grad_()
    adam, random = torch.optim.Adam([w]), torch.Generator().manual_seed(s.seed)
    view = viewed(crop.image)
    target = distance.maps(view)
    for step in range(s.steps):
        t = step / s.steps
        adam.param_groups[0]["lr"] = learning_rate(t, s)
        noise = torch.randn(w.shape, generator=random).to(w) * deviation * noise_scale(t, s)
        with torch.enable_grad():
            image = generator.synthesis((w + noise).expand(1, generator.num_ws, -1).contiguous())
            loss = compare(distance.maps(viewed(image)), target).sum()
        (w.grad,) = torch.autograd.grad(loss, w)
        adam.step()
        yield Seen(w.detach().expand(1, generator.num_ws, -1).clone(), generator)


def noise_scale(t: float, s: ProjectorSettings) -> float:
    """Of the noise on the code, in deviations of w, at the share t of all steps."""
    return s.noise * max(0.0, 1 - t / s.noise_until) ** 2


def pti(
    generator,
    crop: Crop,
    distance: PerceptualDistance,
    pivot: ProjectorSettings = PIVOT,
    settings: PTISettings = PTISettings(),
) -> Iterator[Seen]:
    """The code after every step of the projection, then that code with the network after every step of tuning, which
    is a copy: the generator stays as it is. The copy is one and the same network, and goes on changing."""
    s = settings
    for seen in projector(generator, crop, distance, pivot):
        yield seen
    names = [name for name, _ in generator.named_parameters() if is_tuned(name)]
    network = tuned(generator, {name: torch.zeros_like(generator.get_parameter(name)) for name in names})
    weights = [network.get_parameter(name).requires_grad_() for name in names]
    adam, target = torch.optim.Adam(weights, lr=s.lr), distance.maps(viewed(crop.image))
    for _ in range(s.steps):
        with torch.enable_grad():
            image = network.synthesis(seen.w_plus)
            far = compare(distance.maps(viewed(image)), target).sum()
            loss = s.l2 * (image - crop.image).square().mean() + s.lpips * far
        if far.item() <= s.enough:
            break
        for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.grad = gradient
        adam.step()
        yield Seen(seen.w_plus, network)


def is_tuned(name: str) -> bool:
    """Whether PTI tunes the weight of that name: all of the synthesis; noise maps are no parameters at NVIDIA's."""
    return not name.startswith("mapping") and not name.endswith(".noise")


def viewed(image: Tensor) -> Tensor:
    """What the perceptual distance sees of a picture."""
    return whole_view(image, view_side(SIDE, image.shape[-1]))

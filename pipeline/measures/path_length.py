"""Perceptual path length: how far pictures change where a code moves a little, perceptually (StyleGAN, arXiv
1812.04948, section 4.1), as NVIDIA's programs compute it.

These differ in one thing: where they bring a picture to 256 pixels. StyleGAN's and StyleGAN2's divide the side that it
has after the crop, so that 1024 is compared at 256; stylegan2-ada-pytorch's divides that before it, so that 1024,
cropped, is compared at 128. And in one thing this one differs from both: the noise is the network's constant one, the
same at both ends of a step as there, not drawn anew. Pictures stay float32: a step of 1e-4 is lost in 8 bits."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from photodrag.invert.perceptual import PerceptualDistance
from photodrag.pipeline.measures.kept import sampled
from photodrag.weights import Generator, UserError

PUBLISHED = "lpips-vgg"
"""The distance of all published figures."""
SIDE = 256
"""To which pictures are averaged down."""
SMALLEST = 32
"""Of what is compared: the networks halve it four times, and blur what they have."""
RESAMPLES = 2000
"""Of the bootstrap."""


@dataclass(frozen=True)
class PathLengthSettings:
    """Which path length: the defaults are StyleGAN2's ppl_wfull."""

    space: str = "w"
    """"w", straight lines of mapped codes, or "z", great circles of normalised z."""
    sampling: str = "full"
    """"full": anywhere on the line between two codes, "end": at its beginning."""
    crop: bool = True
    """Whether the middle, where FFHQ's faces are, is compared alone."""
    program: str = "stylegan2"
    """Whose crop and averaging: "stylegan2" (and StyleGAN), or "ada", stylegan2-ada-pytorch."""
    distance: str = PUBLISHED
    """A perceptual distance of `invert.perceptual`; only lpips-vgg compares with published figures."""
    epsilon: float = 1e-4
    seed: int = 0

    @property
    def name(self) -> str:
        """As NVIDIA's programs call it, "ppl_wfull", "ppl_zend"; without the crop "ppl2_wend" is that of StyleGAN2."""
        return f"ppl{'' if self.crop else '2'}_{self.space}{self.sampling}"


@dataclass(frozen=True)
class PathLength:
    """A path length and how sure it is."""

    value: float
    low: float
    high: float
    """Within which it lies with 95 %, by a bootstrap over the pairs."""
    samples: int
    compared_at: int
    """Pixels a side of what was compared."""


@torch.no_grad()
def path_length(
    generator: Generator,
    distance: PerceptualDistance,
    settings: PathLengthSettings = PathLengthSettings(),
    samples: int = 500,
    class_: int | None = None,
    told: Callable[[int, int], object] = lambda done, total: None,
) -> PathLength:
    """The perceptual path length of a generator over so many pairs of codes. class_: of one of its classes; None for
    random ones where it has some.

    Raises UserError for pictures that are too small for the distance."""
    s = settings
    side = compared(torch.empty(1, 1, generator.resolution, generator.resolution), s).shape[-1]
    if side < SMALLEST:
        raise UserError(
            f"The generator's pictures of {generator.resolution} pixels are too small for a perceptual distance: "
            f"{side} pixels would be compared; leave the crop out (--no-crop), or take a larger one."
        )

    def squared_step(number: int) -> Tensor:
        a, b = (compared(generator.synthesis(code), s) for code in ends(generator, s, number, class_))
        return distance(a, b)[0] / s.epsilon**2

    what = {"path_length": asdict(s), "generator": generator.digest, "class": class_}
    distances = sampled(what, samples, squared_step, told).double().numpy()
    low, high = interval(distances, np.random.RandomState(s.seed))
    return PathLength(without_outliers(distances), low, high, samples, side)


def ends(
    generator: Generator, settings: PathLengthSettings, number: int, class_: int | None = None
) -> tuple[Tensor, Tensor]:
    """The two codes [1, num_ws, w_dim] of pair `number`, epsilon apart on the way between two random ones."""
    random, device, s = np.random.RandomState([settings.seed, number]), generator.w_avg.device, settings
    z = torch.from_numpy(random.randn(2, generator.z_dim)).float().to(device)
    t = random.rand() if s.sampling == "full" else 0.0
    c = None
    if generator.c_dim:
        drawn = random.randint(generator.c_dim) if class_ is None else class_
        c = F.one_hot(torch.tensor([drawn, drawn]), generator.c_dim).float().to(device)
    if s.space == "z":
        z = torch.cat([slerp(z[:1], z[1:], at) for at in (t, t + s.epsilon)])
        first, second = generator.mapping(z, c).split(1)
        return first, second
    first, second = generator.mapping(z, c).split(1)
    return torch.lerp(first, second, t), torch.lerp(first, second, t + s.epsilon)


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """The point of share t on the great circle from a to b, [N, d] each, of unit length: NVIDIA's."""
    a, b = F.normalize(a, dim=-1), F.normalize(b, dim=-1)
    cosine = (a * b).sum(-1, keepdim=True)
    angle = t * torch.acos(cosine)
    return F.normalize(a * torch.cos(angle) + F.normalize(b - cosine * a, dim=-1) * torch.sin(angle), dim=-1)


def compared(image: Tensor, settings: PathLengthSettings) -> Tensor:
    """What is compared of a picture [N, C, R, R]: the crop, if there is to be one, averaged down (see the file)."""
    side = image.shape[-1]
    factor = side // SIDE
    if settings.crop:
        c = side // 8
        image = image[:, :, 3 * c : 7 * c, 2 * c : 6 * c]
        factor = factor if settings.program == "ada" else image.shape[-1] // SIDE
    return F.avg_pool2d(image, factor) if factor > 1 else image


def without_outliers(distances: np.ndarray) -> float:
    """The mean of distances [N] from the first percentile to the 99th, these rounded outward, as NVIDIA has it."""
    low = np.percentile(distances, 1, method="lower")
    high = np.percentile(distances, 99, method="higher")
    return float(distances[(distances >= low) & (distances <= high)].mean())


def interval(distances: np.ndarray, random: np.random.RandomState) -> tuple[float, float]:
    """Within which `without_outliers` of distances [N] lies with 95 %: percentiles of a bootstrap."""
    count = len(distances)
    means = [without_outliers(distances[random.randint(count, size=count)]) for _ in range(RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)

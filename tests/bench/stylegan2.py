"""What a full-size StyleGAN2 costs, and what each choice in `weights/networks/modulated.py` is worth.

python tests/bench/stylegan2.py [--rounds N] [--choices [--choice NAME]…]

The network is config-f at 1024² with seeded random weights: a cost depends on sizes alone. Its parts are
given as ratios to a = one full picture with the gradient to its code, and to that of `face`, and beside
the share of multiply-adds that the sizes imply; exit code 1 if features cost more than that allows.
With `--choices`: each choice against what it replaced."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from unittest.mock import patch

import click
import torch
from cost import medians
from torch import Tensor
from torch.nn import functional as F

from photodrag import weights
from photodrag.weights.formats.stylegan2_canonical import build_stylegan2
from photodrag.weights.networks import modulated
from photodrag.weights.networks.modulated import EPSILON, SLOPE, SynthesisLayer, ToRGB
from photodrag.weights.networks.stylegan2 import StyleGAN2

sys.path.append(str(Path(__file__).parents[1] / "weights"))
from plain_stylegan2 import plain_synthesis, random_state

CHANNELS = (512, 512, 512, 512, 512, 256, 128, 64, 32)
ALLOWED = 1.25
"""How much more than its share of multiply-adds features(128) with its gradient may cost."""


def config_f(seed: int = 0) -> dict[str, Tensor]:
    """A state of the size of StyleGAN2's largest, config-f: 1024², eight mapping layers, 512 wide."""
    return random_state(CHANNELS, z_dim=512, w_dim=512, layers=8, seed=seed)


def multiply_adds(generator: StyleGAN2, resolution: int | None = None) -> int:
    """Of the convolutions of a picture, or of features(resolution)."""
    total = 0
    for name, block in generator.synthesis.named_children():
        side = int(name[1:])
        if side <= (resolution or side):
            total += block.conv1.weight.numel() * side**2
            if side > 4:
                total += block.conv0.weight.numel() * (side // 2) ** 2 + 16 * len(block.conv0.weight) * side**2
            if resolution is None:
                total += block.torgb.weight.numel() * side**2
    return total


def forward(picture: Callable[[Tensor], Tensor], w_plus: Tensor) -> None:
    with torch.no_grad():
        picture(w_plus)


def gradient(picture: Callable[[Tensor], Tensor], w_plus: Tensor) -> None:
    w_plus = w_plus.clone().requires_grad_()
    image = picture(w_plus)
    torch.autograd.grad(image, w_plus, torch.ones_like(image))


def parts(rounds: int) -> bool:
    """Print what a picture and its features cost; whether features(128) cost what they may."""
    generator, face = build_stylegan2(config_f(), {}), weights.load("face")
    w_plus = torch.randn(1, generator.num_ws, generator.w_dim, generator=torch.Generator().manual_seed(1))
    w_face = face.w_avg.expand(1, face.num_ws, -1)

    def features(r: int) -> Callable[[Tensor], Tensor]:
        return lambda w_plus: generator.features(w_plus, r)

    spent = medians(
        {
            "picture with gradient (a)": lambda: gradient(generator.synthesis, w_plus),
            "picture": lambda: forward(generator.synthesis, w_plus),
            "features(128) with gradient": lambda: gradient(features(128), w_plus),
            "features(128)": lambda: forward(features(128), w_plus),
            "features(64) with gradient": lambda: gradient(features(64), w_plus),
            "face: picture with gradient": lambda: gradient(face.synthesis, w_face),
            "face: features(128) with gradient": lambda: gradient(lambda w: face.features(w, 128), w_face),
        },
        rounds,
    )
    a, b = spent["picture with gradient (a)"], spent["face: picture with gradient"]
    for name, s in spent.items():
        click.echo(f"{name:36s} {s:7.3f} s {s / a:6.2f} a {s / b:6.2f} of face's picture with gradient")
    whole, part = multiply_adds(generator), multiply_adds(generator, 128)
    share, cost = part / whole, spent["features(128) with gradient"] / a
    good = cost <= ALLOWED * share
    click.echo(f"multiply-adds {whole / 1e9:.1f} G, of features(128) {part / 1e9:.1f} G: a share of {share:.3f}")
    verdict = "allowed" if good else "TOO MUCH"
    click.echo(f"features(128) with gradient costs {cost / share:.2f} of its share; {ALLOWED} {verdict}")
    return good


def modulated_weights(layer: SynthesisLayer, x: Tensor, w: Tensor, noise: bool) -> Tensor:
    """The layer with style and demodulation in the weights, for a batch of one: fewest passes."""
    weight = layer.weight * layer.affine(w)[0, :, None, None]
    weight = weight * (layer.gain * (weight.square().sum((1, 2, 3), keepdim=True) + EPSILON).rsqrt())
    if layer.up:
        x = modulated.smoothed(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), layer.resample_filter)
        x = x.add_((layer.bias * layer.gain)[:, None, None])
    else:
        x = F.conv2d(x, weight, layer.bias * layer.gain, padding=1)
    return F.leaky_relu_(x.add_(layer.noise_const * (layer.noise_strength * layer.gain)), SLOPE)


def gain_apart(layer: SynthesisLayer, x: Tensor, w: Tensor, noise: bool, lean=SynthesisLayer.forward) -> Tensor:
    """The layer with a pass for the gain of its leaky ReLU."""
    with patch.object(layer, "gain", 1.0):
        return lean(layer, x, w, noise) * modulated.CONV_GAIN


def smoothed_by_lines(x: Tensor, kernel: Tensor) -> Tensor:
    """The filter as one pass along rows and one along columns."""
    channels, line = x.shape[1], (kernel.sum(0) * 2).view(1, 1, 1, 4).expand(x.shape[1], -1, -1, -1)
    x = F.conv2d(x, line, padding=(0, 1), groups=channels)
    return F.conv2d(x, line.transpose(2, 3), padding=(1, 0), groups=channels)


def upsampled_with_zeros(x: Tensor, kernel: Tensor) -> Tensor:
    """RGB at twice the side by a filter over zeros between pixels."""
    zeros = x.new_zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3])
    zeros[..., ::2, ::2] = x
    return F.conv2d(F.pad(zeros, (2, 1, 2, 1)), (kernel * 4).expand(x.shape[1], 1, -1, -1), groups=x.shape[1])


def transposed_with_zeros(x: Tensor, weight: Tensor, groups: int = 1, lean=F.conv_transpose2d, **options) -> Tensor:
    """A transposed convolution of stride 2 as a dense one over zeros between pixels; RGB's is left alone."""
    if groups > 1:
        return lean(x, weight, groups=groups, **options)
    zeros = x.new_zeros(*x.shape[:2], 2 * x.shape[2] - 1, 2 * x.shape[3] - 1)
    zeros[..., ::2, ::2] = x
    return F.conv2d(zeros, weight.transpose(0, 1).flip(-2, -1), padding=2)


def phases_in_one(layer: SynthesisLayer, x: Tensor, w: Tensor, noise: bool, lean=SynthesisLayer.forward) -> Tensor:
    """Kernel and filter made one of 6 × 6, its four phases the channels of a dense convolution."""
    if not layer.up:
        return lean(layer, x, w, noise)

    def upsampling(x: Tensor, weight: Tensor, stride: int) -> Tensor:
        filtered = F.conv2d(weight.flatten(0, 1)[:, None], layer.resample_filter[None, None] * 4, padding=3)
        filtered = filtered.view(*weight.shape[:2], 6, 6)
        phases = torch.stack([filtered[..., i::2, j::2] for i in (0, 1) for j in (0, 1)], 2)
        return F.pixel_shuffle(F.conv2d(x, phases.flatten(1, 2).transpose(0, 1).flip(-2, -1), padding=1), 2)

    with (
        patch.object(F, "conv_transpose2d", upsampling),
        patch.object(modulated, "smoothed", lambda x, kernel: x),
    ):
        return lean(layer, x, w, noise)


def rgb_by_activations(layer: ToRGB, x: Tensor, w: Tensor) -> Tensor:
    """RGB with the style on what goes in, as in a batch."""
    style = layer.affine(w) * layer.weight.shape[1] ** -0.5
    return F.conv2d(x * style[..., None, None], layer.weight, layer.bias)


CHOICES: dict[str, Callable[[], AbstractContextManager]] = {
    "style and demodulation in the weights": lambda: patch.object(SynthesisLayer, "forward", modulated_weights),
    "a pass for the gain": lambda: patch.object(SynthesisLayer, "forward", gain_apart),
    "transposed convolution over zeros": lambda: patch.object(F, "conv_transpose2d", transposed_with_zeros),
    "kernel and filter in one, four phases": lambda: patch.object(SynthesisLayer, "forward", phases_in_one),
    "filter by rows, then columns": lambda: patch.object(modulated, "smoothed", smoothed_by_lines),
    "RGB doubled over zeros": lambda: patch("photodrag.weights.networks.stylegan2.upsampled", upsampled_with_zeros),
    "RGB's style on the activations": lambda: patch.object(ToRGB, "forward", rgb_by_activations),
}
ROWS, PLAIN = "not channels-last", "the plain form, grouped, nothing folded"
ALTERNATIVES = (*CHOICES, ROWS, PLAIN)


def choices(rounds: int, names: tuple[str, ...]) -> None:
    """Print what a picture costs by each of these ALTERNATIVES; all must give the same picture."""
    state = config_f()
    generator = build_stylegan2(state, {})
    w_plus = torch.randn(1, generator.num_ws, generator.w_dim, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = generator.synthesis(w_plus)

    def picture_by(name: str) -> Callable[[Tensor], Tensor]:
        if name == PLAIN:
            return lambda w_plus: plain_synthesis(state, w_plus)[0]
        if name == ROWS:
            rows = build_stylegan2(state, {}).to(memory_format=torch.contiguous_format)
            return patch.object(torch, "channels_last", torch.contiguous_format)(rows.synthesis.forward)
        return lambda w_plus: within(CHOICES[name](), w_plus)

    def within(choice: AbstractContextManager, w_plus: Tensor) -> Tensor:
        with choice:
            return generator.synthesis(w_plus)

    for name in names:
        picture = picture_by(name)
        with torch.no_grad():
            off = ((picture(w_plus) - expected).abs().max() / expected.abs().max()).item()
        assert off < 1e-4, f"{name}: another picture, {off}"
        ways = (generator.synthesis, picture)
        work = {(run, way): partial(run, way, w_plus) for run in (forward, gradient) for way in ways}
        lean, other, lean_gradient, other_gradient = medians(work, rounds).values()
        click.echo(f"{name:42s} {other / lean:5.2f} forward {other_gradient / lean_gradient:5.2f} with gradient")


@click.command()
@click.option("--rounds", default=5, show_default=True)
@click.option("--choices", "compare", is_flag=True, help="Compare the choices with what they replaced, some minutes.")
@click.option("--choice", "names", multiple=True, type=click.Choice(ALTERNATIVES), help="With --choices: this one.")
def main(rounds: int, compare: bool, names: tuple[str, ...]) -> None:
    click.echo(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    weights.keep_freed_memory()
    if compare:
        click.echo("time of a picture the other way, in times of one as it is")
        choices(rounds, names or ALTERNATIVES)
    else:
        sys.exit(not parts(rounds))


if __name__ == "__main__":
    main()

"""What a StyleGAN3 costs, against its reference code's own slow path, written plainly from its formulas.

python tests/bench/stylegan3.py [--resolution N] [--config t|r] [--rounds N] [--channel-base N]

The network has seeded random weights: a cost depends on sizes alone. Given are seconds of a picture, and of one with
the gradient to its code, here and in the slow path, their ratios, and what features cost, as a part of the picture,
beside their share of multiply-adds; exit code 1 if the ratio with the gradient, for which a drag waits, is below 3. A
picture alone is bound by its convolutions, which both have (docs/design-notes.md#what-stylegan3-costs)."""

import sys
from collections.abc import Callable
from pathlib import Path

import click
import torch
from cost import medians
from torch import Tensor
from torch.nn import functional as F

from photodrag.weights import keep_freed_memory
from photodrag.weights.formats.families import build
from photodrag.weights.networks.stylegan3 import StyleGAN3

sys.path.append(str(Path(__file__).parents[1] / "weights"))
from plain_stylegan3 import plain_synthesis, random_stylegan3

LEAST = 3.0
"""How much faster a picture with its gradient has to be than in the slow path."""


def forward(picture: Callable[[Tensor], Tensor], w_plus: Tensor) -> None:
    with torch.no_grad():
        picture(w_plus)


def with_gradient(picture: Callable[[Tensor], Tensor], w_plus: Tensor) -> None:
    w_plus = w_plus.clone().requires_grad_()
    torch.autograd.grad(picture(w_plus).square().mean(), w_plus)


@torch.no_grad()
def convolutions(generator: StyleGAN3) -> None:
    """What no resampling can save: the layers' convolutions, of maps of their sizes, and nothing else."""
    for number in range(len(generator.synthesis.names)):
        weight, how = generator.synthesis.layer(number).weight, generator.synthesis.layer(number).how
        side = how.in_size + weight.shape[-1] - 1
        x = torch.ones(1, weight.shape[1], side, side).contiguous(memory_format=torch.channels_last)
        F.conv2d(x, weight)


def multiply_adds(generator: StyleGAN3, last: int) -> int:
    """Of the convolutions and filters up to that layer."""
    total = 0
    for number in range(last + 1):
        layer = generator.synthesis.layer(number)
        how, channels = layer.how, len(layer.weight)
        up = how.high * how.in_size + how.high**2  # outputs of the two passes, each a sum over taps / up
        down = how.high * how.out_size + how.out_size**2 if layer.down_filter.dim() == 1 else how.out_size**2
        taps = how.down_taps if layer.down_filter.dim() == 1 else how.down_taps**2
        total += layer.weight.numel() * how.in_size**2 + channels * (up * how.up_taps // how.up + down * taps)
    return total


@click.command()
@click.option("--resolution", default=256, show_default=True)
@click.option("--config", type=click.Choice(["t", "r"]), default="t", show_default=True)
@click.option("--channel-base", default=16384, show_default=True, help="Of channels; 32768 for published ones of 1024.")
@click.option("--rounds", default=3, show_default=True)
def main(resolution: int, config: str, channel_base: int, rounds: int) -> None:
    keep_freed_memory()
    state, arguments = random_stylegan3(resolution, config, channel_base)
    generator = build(state, arguments)
    assert isinstance(generator, StyleGAN3)
    w_plus = generator.mapping(torch.randn(1, 512, generator=torch.Generator().manual_seed(1)))
    with torch.no_grad():
        ours, (theirs, _) = generator.synthesis(w_plus), plain_synthesis(state, arguments, w_plus)
    print(f"largest difference {(ours - theirs).abs().max():.1e} of {theirs.abs().max():.2f}")
    tasks: dict[str, Callable[[], None]] = {}
    slow_path = lambda w: plain_synthesis(state, arguments, w)[0]  # noqa: E731
    for name, picture in (("here", generator.synthesis), ("slow path", slow_path)):
        tasks[f"{name}, forward"] = lambda picture=picture: forward(picture, w_plus)
        tasks[f"{name}, with gradient"] = lambda picture=picture: with_gradient(picture, w_plus)
    tasks["convolutions alone"] = lambda: convolutions(generator)
    sides = [side for side in (16, 32, 64, 128, 256) if side < resolution]
    for side in sides:
        tasks[f"features {side}"] = lambda side=side: with_gradient(lambda w: generator.features(w, side), w_plus)
    seconds = medians(tasks, rounds)
    for what in ("forward", "with gradient"):
        here, slow = seconds[f"here, {what}"], seconds[f"slow path, {what}"]
        fast = slow / here >= LEAST
        print(f"{what:14} {here:7.3f} s, slow path {slow:7.3f} s: {slow / here:.1f} times as fast")
    alone = seconds["convolutions alone"]
    print(f"convolutions alone {alone:.3f} s, {alone / seconds['slow path, forward']:.2f} of the slow path, forward")
    whole = multiply_adds(generator, len(generator.synthesis.names) - 1)
    for side in sides:
        part = seconds[f"features {side}"] / seconds["here, with gradient"]
        share = multiply_adds(generator, generator.synthesis.layer_at(side)) / whole
        print(f"features({side}) with gradient: {part:.2f} of a picture, {share:.2f} of its multiply-adds")
    sys.exit(not fast)


if __name__ == "__main__":
    main()

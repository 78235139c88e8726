"""What networks that grew from 4 × 4 on have in common (ProGAN, arXiv 1710.10196; StyleGAN, arXiv 1812.04948).

A network in training has a level of detail, `lod`: 0 when it's grown, k while the last k blocks aren't reached yet,
and between two whole numbers the picture of one block fades into that of the next."""

from collections.abc import Iterable
from math import floor

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SPREAD_SIDE = 16
"""Of the maps from which on a kernel is spread (see `doubled`): for smaller ones that takes longer than it saves."""


def doubled(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x [N, in, H, W] with every pixel four times, convolved with weight [out, in, 3, 3]: [N, out, 2H, 2W].

    Of the nine products for a pixel that fall on the same value of x, a kernel of 4 × 4 makes one: a transposed
    convolution of stride 2, with 16 products for each value of x instead of 36."""
    if x.shape[-1] < SPREAD_SIDE:
        return F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), weight, bias, padding=1)
    turned = F.pad(weight.flip(-2, -1), (1, 1, 1, 1))
    rows = turned[:, :, 1:] + turned[:, :, :-1]
    spread = (rows[..., 1:] + rows[..., :-1]).transpose(0, 1)
    return F.conv_transpose2d(x, spread, bias, stride=2, padding=1)


class GrowingBlock(nn.Module):
    """One side of the picture, and the 1 × 1 convolution that makes a picture of it."""

    torgb: nn.Conv2d

    def __init__(self, channels: int, picture_channels: int) -> None:
        super().__init__()
        self.torgb = nn.Conv2d(channels, picture_channels, 1)


def grown(outputs: Iterable[tuple[GrowingBlock, Tensor]], count: int, lod: float) -> Tensor:
    """The picture [N, channels, R, R] of a network of `count` blocks with that level of detail.

    outputs: each block and what it gives, from the first on; none is asked for beyond those that the picture needs."""
    level = min(floor(max(lod, 0)), count - 1)
    faded = max(lod, 0) - level if level < count - 1 else 0.0
    before: Tensor | None = None
    image: Tensor | None = None
    for number, (block, x) in zip(range(count - level), outputs, strict=False):
        left = count - level - 1 - number
        if left == 1 and faded:
            before = block.torgb(x)
        elif left == 0:
            image = block.torgb(x)
    assert image is not None  # count is 1 at least
    if before is not None:
        image = torch.lerp(image, F.interpolate(before, scale_factor=2, mode="nearest"), faded)
    return F.interpolate(image, scale_factor=1 << level, mode="nearest") if level else image


def check_side(resolution: int, count: int) -> int:
    """The number, from 0, of the block of that side. Raises ValueError where none of `count` blocks has it."""
    number = resolution.bit_length() - 3
    if resolution != 4 << max(number, 0) or not 0 <= number < count:
        raise ValueError(f"features are there at 4, 8, … {2 << count}, not at {resolution}")
    return number

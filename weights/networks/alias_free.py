"""The filtered leaky ReLU of StyleGAN3 (arXiv 2106.12423, §3.2), in plain PyTorch.

A non-linearity makes frequencies that its map can't hold. So it is applied at a higher rate: up by a low-pass filter,
leaky ReLU, down by another. The published slow path puts zeros between the samples, convolves what is mostly zeros
with two long filters, and throws away most of what the next two give. Here nothing is computed that isn't used:
up is a transposed convolution, a pass a direction, and down a convolution of that stride. Both are depthwise, which
is fast for channels-last maps. Constant factors ride on the filters. The map at the higher rate is four to sixteen
times as large as the others; where that is much, it is only ever there in strips of rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from photodrag.weights.networks.strips import Strip, by_strips

STRIP_NUMBERS = 1 << 21
"""In a strip of the map at the higher rate, about: what a processor's cache holds."""
KEPT_NUMBERS = 1 << 24
"""In a map at the higher rate that is kept for its gradient, at most: a strip of a larger one is computed once more,
which takes a fourth longer."""


@dataclass(frozen=True)
class Resampling:
    """How a map of `in_size` rows and columns becomes one of `out_size`, through one of a higher rate.

    up, down: factors of the rates; up_taps, down_taps: lengths of the filters, 1 where there is none.
    crop: where, in what the first filter makes of the whole map, the rows start that the second one reads; negative
    where it reads more rows, of zeros."""

    in_size: int
    out_size: int
    up: int
    down: int
    up_taps: int
    down_taps: int
    crop: int

    @classmethod
    def centred(cls, in_size: int, out_size: int, up: int, down: int, up_taps: int, down_taps: int) -> "Resampling":
        """That of StyleGAN3, in which both maps have the same centre (to half a row of the higher rate)."""
        padding = (out_size - 1) * down + 1 - in_size * up + up_taps + down_taps - 2
        return cls(in_size, out_size, up, down, up_taps, down_taps, up_taps - 1 - (padding + up) // 2)

    @property
    def high(self) -> int:
        """Rows of the higher rate that are read."""
        return (self.out_size - 1) * self.down + self.down_taps

    def trimmed(self) -> tuple["Resampling", int]:
        """The same for a map without the rows and columns at each border that nothing reads, and how many those are."""
        last = self.crop + self.high - 1
        above, below = self._first_read(self.crop), self.in_size - 1 - last // self.up
        trim = max(min(above, below), 0)
        return replace(self, in_size=self.in_size - 2 * trim, crop=self.crop - trim * self.up), trim

    def strips(self, count: int) -> Iterator[Strip]:
        """So many strips of the result, and which rows of the map each reads."""
        for number in range(count):
            first, last = self.out_size * number // count, self.out_size * (number + 1) // count
            start = self.crop + first * self.down
            end = self.crop + (last - 1) * self.down + self.down_taps - 1
            yield Strip(first, last, max(self._first_read(start), 0), min(end // self.up + 1, self.in_size))

    def _first_read(self, row: int) -> int:
        """The first row of the map that the first filter takes to that row of the higher rate."""
        return -((self.up_taps - 1 - row) // self.up)


def filtered_leaky_relu(
    x: Tensor, filters: tuple[Tensor, Tensor], how: Resampling, slope: float, gain: float, clamp: float | None
) -> Tensor:
    """x [N, C, in, in], up, leaky ReLU of that slope, times gain, clamped to ± clamp, down: [N, C, out, out].

    filters: up [T], down [T] or [T, T]."""
    part = partial(_rows, how=how, slope=slope, gain=gain, clamp=clamp)
    numbers = x.shape[1] * how.high**2
    is_kept = x.requires_grad and torch.is_grad_enabled() and numbers <= KEPT_NUMBERS
    count = min(-(-numbers // STRIP_NUMBERS), how.out_size)
    if count == 1 or is_kept or x.device.type != "cpu":
        return part(x, filters, Strip(0, how.out_size, 0, how.in_size))
    return by_strips(part, x, filters, how.strips(count))


def _rows(
    x: Tensor, filters: Sequence[Tensor], strip: Strip, how: Resampling, slope: float, gain: float, clamp: float | None
) -> Tensor:
    """From the rows of the map that a strip reads to its rows of the result."""
    up, down = filters
    rows = (strip.last - strip.first - 1) * how.down + how.down_taps
    x = _enlarged(x, up * (how.up * gain), 2, how.up, how.crop + strip.first * how.down - strip.above * how.up, rows)
    x = _enlarged(x, up * how.up, 3, how.up, how.crop, how.high)
    x = clamped(F.leaky_relu_(x, slope), clamp)
    channels, kernel = x.shape[1], down.flip(tuple(range(down.dim()))).to(x.dtype)
    if kernel.dim() == 2:
        return F.conv2d(x, kernel.expand(channels, 1, -1, -1), stride=how.down, groups=channels)
    x = F.conv2d(x, kernel.expand(channels, 1, 1, -1), stride=(1, how.down), groups=channels)
    return F.conv2d(x, kernel[:, None].expand(channels, 1, -1, 1), stride=(how.down, 1), groups=channels)


def clamped(x: Tensor, clamp: float | None) -> Tensor:
    """x, its values clamped to ± clamp if any is beyond. In published networks none is, and to look costs a third of
    what it costs to clamp, and to take a gradient through that more; but on a GPU it would be waited for."""
    if clamp is None:
        return x
    if x.device.type == "cpu":
        low, high = x.detach().permute(0, 2, 3, 1).aminmax()  # as it lies in memory, or it would be copied
        if -clamp <= low and high <= clamp:
            return x
    return x.clamp(-clamp, clamp)


def _enlarged(x: Tensor, kernel: Tensor, axis: int, up: int, crop: int, size: int) -> Tensor:
    """x with a zero or several put after each sample along an axis, convolved with the kernel [T]; of what that gives,
    the `size` samples from `crop` on."""
    channels, along = x.shape[1], axis == 2
    surplus = (x.shape[axis] - 1) * up + len(kernel) - crop - size
    inside = max(min(crop, surplus), 0)  # what both borders lose isn't made
    padding, stride = ((inside, 0), (up, 1)) if along else ((0, inside), (1, up))
    weight = (
        kernel.to(x.dtype).expand(channels, 1, -1)[:, :, :, None]
        if along
        else kernel.to(x.dtype).expand(channels, 1, 1, -1)
    )
    x = F.conv_transpose2d(x, weight, stride=stride, padding=padding, groups=channels)
    if crop == surplus == inside:
        return x
    left, right = inside - crop, inside - surplus
    return F.pad(x, (0, 0, left, right) if along else (left, right))

"""A part of a network in strips of rows, so that its large maps are never there as a whole.

What is computed is the same to the last bit of each row: a strip is read with as many rows around it as its
convolutions reach, and these are dropped behind them. For a gradient nothing within is kept; each strip is computed
once more when its gradient is asked for (Chen et al., arXiv 1604.06174)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Strip:
    """Rows first … last (exclusive) of a result, or of what it is a multiple of, and the rows of the map from which
    they are made: from `above` to `below`."""

    first: int
    last: int
    above: int
    below: int


Part = Callable[[Tensor, Sequence[Tensor], Strip], Tensor]
"""From the rows of x that a strip reads, [N, C, below - above, W], and the other tensors to its rows of the result,
[N, C', k · (last - first), W'], whatever k is."""


def strips_of(rows: int, count: int, reach: int) -> Iterator[Strip]:
    """So many strips of a map with these rows, each read with `reach` rows around it."""
    for number in range(count):
        first, last = rows * number // count, rows * (number + 1) // count
        yield Strip(first, last, max(first - reach, 0), min(last + reach, rows))


def in_strips(part: Part, x: Tensor, others: Sequence[Tensor], count: int, reach: int) -> Tensor:
    """The part's result for x [N, C, H, W], a strip at a time; differentiable once, by x and the others."""
    return by_strips(part, x, others, strips_of(x.shape[2], count, reach))


def by_strips(part: Part, x: Tensor, others: Sequence[Tensor], strips: Iterable[Strip]) -> Tensor:
    """The same for strips that follow one another, whatever each reads."""
    result: Tensor = _InStrips.apply(part, list(strips), x, *others)
    return result


class _InStrips(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, part: Part, strips: list[Strip], x: Tensor, *others: Tensor) -> Tensor:
        ctx.part, ctx.strips = part, strips
        ctx.save_for_backward(x, *others)
        parts = (part(x[:, :, s.above : s.below], others, s) for s in strips)
        first = next(parts)
        if len(strips) == 1:
            return first
        # Each goes into its place at once, for torch.cat would want all of them beside the result.
        scale = first.shape[2] // (strips[0].last - strips[0].first)
        lasting = first.is_contiguous(memory_format=torch.channels_last)
        result = torch.empty(
            (*first.shape[:2], scale * strips[-1].last, first.shape[3]),
            dtype=first.dtype,
            device=first.device,
            memory_format=torch.channels_last if lasting else torch.contiguous_format,
        )
        for s, rows in zip(strips, chain([first], parts), strict=True):
            result[:, :, scale * s.first : scale * s.last] = rows
        return result

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, *others = ctx.saved_tensors
        needed = ctx.needs_input_grad[2:]
        sums = [torch.zeros_like(tensor) if need else None for tensor, need in zip((x, *others), needed, strict=True)]
        scale = gradient.shape[2] // ctx.strips[-1].last
        for s in ctx.strips:
            rows = slice(s.above, s.below)
            given = [x[:, :, rows], *others]
            inputs = [t.detach().requires_grad_(need) for t, need in zip(given, needed, strict=True)]
            # The gradient of the product's sum is that which is given, and PyTorch imports nothing for it (findings/).
            rows_given = gradient[:, :, scale * s.first : scale * s.last]
            with torch.enable_grad():
                total = (ctx.part(inputs[0], inputs[1:], s) * rows_given).sum()
            asked = [t for t, need in zip(inputs, needed, strict=True) if need]
            found = iter(torch.autograd.grad(total, asked))
            for number, into in enumerate(sums):
                if into is not None:
                    (into[:, :, rows] if number == 0 else into).add_(next(found))
        return None, None, *sums

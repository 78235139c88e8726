"""What the reference codes computed of a golden checkpoint, and how near one must come to it."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from photodrag.weights.formats.checkpoint import open_checkpoint
from photodrag.weights.formats.families import Network, build
from photodrag.weights.formats.layouts import to_canonical

TOLERANCE = 3e-5
"""Of max(1, the largest value). An epsilon of 1e-5 for 1e-8 is 1e-4 … 1e-3 off, any other slip 0.1 or more."""


def reference(path: Path) -> dict[str, Tensor]:
    """The arrays beside a checkpoint, by name."""
    arrays = np.load(path.with_suffix(".npz"))
    return {name: torch.from_numpy(arrays[name]) for name in arrays}


def built(path: Path, **arguments: object) -> Network:
    """A checkpoint's network, with other arguments than its own where some are given."""
    state, own = to_canonical(open_checkpoint(path).content)
    return build(state, own | arguments)


def agree(actual: Tensor, expected: Tensor) -> None:
    """Assert that a value is the reference's, of which fewer samples, rows and columns may be kept."""
    actual = as_kept(actual, expected)
    assert actual.shape == expected.shape
    most = TOLERANCE * max(1.0, expected.abs().max().item())
    torch.testing.assert_close(actual, expected, rtol=0, atol=most)


def off(actual: Tensor, expected: Tensor) -> float:
    """The greatest difference from the reference's value, as a part of max(1, the largest)."""
    return float((as_kept(actual, expected) - expected).abs().max() / expected.abs().max().clamp_min(1))


def as_kept(actual: Tensor, expected: Tensor) -> Tensor:
    """Of a value the samples, rows and columns that are kept of the reference's."""
    actual = actual[: len(expected)]
    if expected.shape != actual.shape:
        side = actual.shape[-1]
        kept = sorted({0, 1, 2, side - 3, side - 2, side - 1, *range(0, side, 7)})  # the borders, and some between
        actual = actual[..., kept, :][..., kept]
    return actual

"""Samples of a measure, kept as they come, so that a run that was cut off goes on, and a longer one begins there."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor

from photodrag.invert import tensor_files
from photodrag.invert.cache import key_of
from photodrag.weights import UserError
from photodrag.weights.common.files import cache_folder, make_folder

EVERY = 10.0
"""Seconds between two kept states."""
VERSION = 1
"""To be raised when a sample of the same number means another value."""


def sampled(
    what: dict,
    count: int,
    sample: Callable[[int], Tensor],
    told: Callable[[int, int], object] = lambda done, total: None,
) -> Tensor:
    """Samples 0 … count − 1, one `sample` a number, float32 [count, …]; those that were kept are taken from there.

    what: all that a sample depends on, its number apart; plain values. A cache that can't be written stops nothing."""
    path = path_of(what)
    kept, last = _read(path)[:count], time.monotonic()
    samples = list(kept)
    told(len(samples), count)
    for number in range(len(samples), count):
        samples.append(sample(number).float().cpu())
        told(number + 1, count)
        if time.monotonic() - last >= EVERY:
            _keep(path, samples)
            last = time.monotonic()
    if len(samples) > len(kept):
        _keep(path, samples)
    return torch.stack(samples)


def path_of(what: dict) -> Path:
    """Where samples are kept; it need not be there."""
    return cache_folder("measures") / f"{key_of('measure', VERSION, what)}.safetensors"


def _read(path: Path) -> list[Tensor]:
    try:
        return list(tensor_files.read(path)[0]["samples"])
    except tensor_files.UNREADABLE:
        return []


def _keep(path: Path, samples: list[Tensor]) -> None:
    if len(_read(path)) > len(samples):  # of a longer run
        return
    with suppress(UserError):
        make_folder(path.parent)
        tensor_files.write(path, {"samples": torch.stack(samples)}, {})

"""Inversions that were cut off, by Ctrl-C, kill or power: their last kept state, to go on from."""

import time
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor

from photodrag.invert import tensor_files
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import cache_folder, close_to_others, make_folder

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

EVERY = 10.0
"""Seconds between two kept states, at least …"""
RATE = 4e6
"""… and bytes that are written in each of them, at most: a state of `face` being tuned has 54 MB, one of a StyleGAN2 of
1024 pixels 400 MB …"""
SHARE = 0.05
"""… and the share of the time that may go into writing."""
AGE = 7 * 24 * 3600
"""Seconds after which nobody is taken to come back for one."""

State = TypeVar("State")


@dataclass(frozen=True)
class Unfinished:
    """What is known of an inversion that was cut off."""

    key: str
    """Of the inversion that it will be."""
    size: int
    """Bytes."""
    written: float
    """When its state was kept, in seconds since 1970."""
    path: Path

    @property
    def made(self) -> str:
        """`written` as date and time, ISO 8601, UTC."""
        return datetime.fromtimestamp(self.written, timezone.utc).isoformat(timespec="seconds")


class Checkpointer:
    """Called with every state of a projection or tuning, keeps one now and then under the key of the inversion that it
    will be. A cache that can't be written stops nothing: then there is none to go on from.

    A state may be lost in a power failure, which costs time alone, so writing doesn't wait for the disk. The first one
    that is kept removes those of others that nobody came back for."""

    def __init__(self, key: str):
        self.path, self.last, self.pause, self.kept = _path(key), time.monotonic(), EVERY, False

    def __call__(self, state: "DataclassInstance") -> None:
        """Keep the state, if it is time."""
        began = time.monotonic()
        if began - self.last < self.pause:
            return
        try:
            make_folder(folder(), private=True)
            if not self.kept:
                remove(AGE)
            keep(self.path, state)
            self.kept = True
            self.pause = max(EVERY, self.path.stat().st_size / RATE, (time.monotonic() - began) / SHARE)
        except (UserError, OSError):
            pass
        self.last = time.monotonic()

    def done(self) -> None:
        """Forget the state: the inversion is whole, and kept."""
        _unlink(self.path)


def keep(path: Path, state: "DataclassInstance") -> None:
    """Write a state, a dataclass of numbers, tensors and dicts of tensors. Raises UserError."""
    tensors: dict[str, Tensor] = {}
    facts: dict[str, object] = {}
    for field in fields(state):
        value = getattr(state, field.name)
        if isinstance(value, Tensor):
            tensors[field.name] = value
        elif isinstance(value, dict):
            tensors |= {f"{field.name}/{name}": tensor for name, tensor in value.items()}
            facts[field.name] = {}
        else:
            facts[field.name] = value
    tensor_files.write(path, tensors, facts, lasting=False)


def find(key: str, kind: type[State], device: torch.device) -> State | None:
    """The state of that key and kind (ProjectState, TuneState), its tensors on the device; None where there
    is none that is whole."""
    try:
        tensors, values = tensor_files.read(_path(key))
        for name, tensor in tensors.items():
            field, _, part = name.partition("/")
            if part:
                values[field][part] = tensor.to(device)
            else:
                values[field] = tensor.to(device)
        return kind(**values)
    except tensor_files.UNREADABLE:
        return None


def listing() -> list[Unfinished]:
    """All that were cut off, damaged ones included, the latest first; those that are being made now, too."""
    close_to_others(folder())
    found = []
    for path in folder().glob("*.safetensors"):
        try:
            status = path.stat()
        except OSError:  # another process was quicker
            continue
        found.append(Unfinished(path.stem, status.st_size, status.st_mtime, path))
    return sorted(found, key=lambda state: state.written, reverse=True)


def remove(age: float = 0.0, prefix: str = "") -> tuple[int, int]:
    """Remove the states that are older than `age` seconds and whose keys begin with `prefix`; says how many, and how
    many bytes that freed."""
    old = [state for state in listing() if time.time() - state.written >= age and state.key.startswith(prefix)]
    gone = [state for state in old if _unlink(state.path)]
    return len(gone), sum(state.size for state in gone)


def folder() -> Path:
    """Where the states are kept; it need not exist."""
    return cache_folder("unfinished")


def _path(key: str) -> Path:
    return folder() / f"{key}.safetensors"


def _unlink(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True

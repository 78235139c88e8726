"""Inversions that were cut off, by Ctrl-C, kill or power: their last kept state, to go on from."""

import time
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor

from photodrag.invert import tensor_files
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import cache_folder, make_folder

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

EVERY = 10.0
"""Seconds between two kept states."""
AGE = 30 * 24 * 3600
"""Seconds after which nobody is taken to come back for one."""

State = TypeVar("State")


class Checkpointer:
    """Called with every state of a projection or tuning, keeps one every EVERY seconds under the key of the
    inversion that it will be. A cache that can't be written stops nothing: then there is none to go on from."""

    def __init__(self, key: str):
        self.path, self.last = _path(key), time.monotonic()

    def __call__(self, state: "DataclassInstance") -> None:
        """Keep the state, if it is time."""
        if time.monotonic() - self.last < EVERY:
            return
        try:
            make_folder(folder())
            keep(self.path, state)
        except UserError:
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
    tensor_files.write(path, tensors, facts)


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


def remove(age: float = 0.0) -> int:
    """Remove the states that are older than `age` seconds; says how many bytes that freed."""
    freed = 0
    for path in folder().glob("*.safetensors"):
        try:
            status = path.stat()
        except OSError:  # another process was quicker
            continue
        if time.time() - status.st_mtime >= age and _unlink(path):
            freed += status.st_size
    return freed


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

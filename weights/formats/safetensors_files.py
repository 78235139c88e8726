"""safetensors files from anyone: the library checks much, this the rest."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from photodrag.weights.formats.budget import Budget, damaged

MAX_HEADER = 4 << 20
"""Bytes. The names and shapes of a StyleGAN2's tensors take some ten thousand."""


def looks_like_safetensors(head: bytes) -> bool:
    """Whether a file that starts so is meant to be one: a length in 8 bytes, then a JSON object."""
    return head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 32


def read_safetensors(path: Path, data: memoryview) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors by name, and the metadata.

    Raises Refused where header, shapes and size disagree or are out of all proportion."""
    length = int.from_bytes(data[:8], "little")
    if length > min(MAX_HEADER, len(data) - 8):
        raise damaged("a header longer than the file, or than any needs to be")
    budget = Budget(len(data))
    try:
        with safe_open(path, framework="pt") as file:
            state = {}
            for name in file.keys():  # noqa: SIM118, not a dict
                budget.elements(file.get_slice(name).get_shape())
                state[name] = file.get_tensor(name)
            return state, file.metadata() or {}
    except (SafetensorError, AttributeError, KeyError, ValueError, RuntimeError) as error:
        # The last four from making tensors: of a dtype that this torch lacks, of a shape that it won't have.
        raise damaged("its header and its numbers disagree") from error


def arguments_in(metadata: dict[str, str]) -> dict[str, object]:
    """The constructor's arguments that a file of ours carries: a JSON object under "arguments".
    {} where there are none. Raises Refused for something else there."""
    try:
        arguments = json.loads(metadata.get("arguments", "{}"))
    except (ValueError, RecursionError) as error:
        raise damaged("arguments that are no JSON") from error
    if type(arguments) is not dict:
        raise damaged("arguments without names")
    return arguments

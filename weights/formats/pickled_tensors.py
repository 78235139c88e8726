"""What stands for torch's own functions when a pickle names them: storages of plain numbers, and
tensors that lie in them without overlapping."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from photodrag.weights.formats.budget import Budget, Refused, damaged
from photodrag.weights.formats.placeholders import Global

DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.uint8,  # any other byte than 0 and 1 is no bool
}
STORAGES = dict.fromkeys([f"{module}.{name}" for module in ("torch", "torch.cuda") for name in DTYPES])
"""For `load_pickle`: the storages' classes, which are named and never called."""


@dataclass(frozen=True, eq=False, slots=True)
class Storage:
    """Numbers [n] that tensors lie in; no tensor itself, so that a tensor never lies in another."""

    numbers: Tensor


class Storages:
    """The storages that a file's persistent ids announce, by key, in memory from then on.

    Their numbers stand elsewhere in the file: `fill` each before a tensor is looked at."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.by_key: dict[str, Storage] = {}

    def announce(self, persistent_id: object) -> Storage:
        """The storage of ("storage", class, key, device, n); the old layout adds a view of None."""
        if type(persistent_id) is not tuple:
            raise damaged("a storage of an unknown kind")
        word, kind, key, _, count, *view = persistent_id
        if word != "storage" or type(kind) is not Global or type(key) is not str or view not in ([], [None]):
            raise damaged("a storage of an unknown kind")
        dtype = DTYPES[kind.name]
        if key not in self.by_key:
            if self.budget.elements([count]):
                self.budget.spend(count * dtype.itemsize)
            self.by_key[key] = Storage(torch.empty(count, dtype=dtype))
        numbers = self.by_key[key].numbers
        if numbers.dtype != dtype or len(numbers) != count:
            raise damaged(f"two storages named {key[:20]!a}")
        return self.by_key[key]

    def fill(self, key: str, data: memoryview) -> None:
        """Write the bytes of `data`, little-endian, into the storage."""
        numbers = self.by_key[key].numbers
        if len(data) != len(numbers) * numbers.itemsize:
            raise damaged("a storage of another size than announced")
        if len(data):
            numbers.view(torch.uint8).numpy()[:] = np.frombuffer(data, np.uint8)


def rebuild_tensor(budget: Budget, storage: object, offset: object, size: object, stride: object, *_: object) -> Tensor:
    """`torch._utils._rebuild_tensor_v2`: a view into a storage. Elements may lie anywhere in it, in any
    order, but each has its own place, so that a tensor is never larger than its storage."""
    if type(storage) is not Storage or type(size) is not tuple or type(stride) is not tuple:
        raise damaged("a tensor without numbers")
    if (
        type(offset) is not int
        or len(size) != len(stride)
        or any(type(n) is not int or n < 0 for n in (offset, *stride))
    ):
        raise damaged("a tensor whose strides make no sense")
    count, end = budget.elements(size), 1
    for step, n in sorted(zip(stride, size, strict=True)):
        if n > 1 and count:
            if step < end:
                raise Refused("it holds a tensor whose elements overlap in memory; get it from another source")
            end += step * (n - 1)
    if count and offset + end > len(storage.numbers):
        raise damaged("a tensor larger than its storage")
    return storage.numbers.as_strided(size, stride, offset) if count else storage.numbers.new_empty(size)


def rebuild_parameter(data: object, *_: object) -> Tensor:
    """`torch._utils._rebuild_parameter`: the tensor alone; who trains it says so himself."""
    if not isinstance(data, Tensor):
        raise damaged("a parameter without numbers")
    return data

"""The names that checkpoints' pickles may use, and what is made of each."""

import pickle
from collections import OrderedDict
from functools import partial

from photodrag.weights.formats.budget import Budget, damaged
from photodrag.weights.formats.pickle_machine import scalar_keys
from photodrag.weights.formats.pickled_arrays import numpy_names
from photodrag.weights.formats.pickled_tensors import STORAGES, Storage, Storages, rebuild_parameter, rebuild_tensor
from photodrag.weights.formats.placeholders import Constructor
from photodrag.weights.formats.safe_pickle import load_pickle
from photodrag.weights.formats.tree import check_tree

SHELLS = (
    "torch_utils.",  # NVIDIA's: torch_utils.persistence._reconstruct_persistent_obj, whose source stays a text
    "training.",
    "dnnlib.tflib.network.Network",
    "tfutil.Network",
    "network.Network",
    "torch.nn.",
    "torch.Size",
    "torch.device",
    "argparse.Namespace",  # rosinality's options, in what its training saves
)
"""How the names start that become Shells."""

OLD_TORCH = pickle.PROTO + b"\x02" + pickle.LONG1 + b"\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""How a file by torch.save starts that is no zip archive: a pickle of a magic number."""


def read(
    data: memoryview,
    budget: Budget | None = None,
    persistent: Constructor | None = None,
    start: int = 0,
    lists: bool = False,
) -> tuple[object, int]:
    """What a pickle in `data`, from `start` on, holds, and the byte after it; nothing in it is run.

    lists: whether an array of objects is let in, as the list of them: so numpy keeps a dict in a .npy file.

    Tensors and arrays arrive as torch.Tensor and numpy.ndarray, bytes as views of `data`, objects of the
    classes that checkpoints hold as Shells. The value is a tree, `check_tree` saw to that: it may be
    walked with recursion. Raises Refused for whatever no checkpoint holds."""
    budget = budget or Budget(len(data))
    value, position = load_pickle(data, budget, _names(budget, lists), SHELLS, persistent, start)
    check_tree(value)
    return value, position


def read_old_torch(data: memoryview, budget: Budget | None = None) -> object:
    """What a file by torch.save holds that starts with OLD_TORCH: three small pickles, the value,
    the list of storages' keys, then each storage's length (8 bytes) and numbers.

    Raises Refused as `read` does."""
    budget = budget or Budget(len(data))
    storages, position = _read_header(data, budget)
    value, position = read(data, budget, storages.announce, position)
    _fill(storages, data, budget, position)
    return value


def _load_from_bytes(budget: Budget, data: object) -> Storage:
    """`torch.storage._load_from_bytes`: one storage, as a file by torch.save within the file. Nothing
    but the storage's class can be named in there."""
    if not isinstance(data, bytes | memoryview):
        raise damaged("a storage without numbers")
    data = memoryview(data)
    storages, position = _read_header(data, budget)
    storage, position = load_pickle(data, budget, STORAGES, (), storages.announce, position)
    if type(storage) is not Storage:
        raise damaged("a storage without numbers")
    _fill(storages, data, budget, position)
    return storage


def _read_header(data: memoryview, budget: Budget) -> tuple[Storages, int]:
    """No storages yet, where the file has a header of the old layout, and the byte after the header."""
    if data[: len(OLD_TORCH)] != OLD_TORCH:
        raise damaged("a storage that torch.save didn't write")
    _, position = load_pickle(data, budget, {}, start=len(OLD_TORCH))  # the layout's version; there was only one
    facts, position = load_pickle(data, budget, {}, start=position)
    if type(facts) is not dict or facts.get("little_endian") is not True:
        raise damaged("its numbers are not in the usual order")
    return Storages(budget), position


def _fill(storages: Storages, data: memoryview, budget: Budget, position: int) -> None:
    """Give the storages their numbers, from the list of keys at `position` on."""
    keys, position = load_pickle(data, budget, {}, start=position)
    if type(keys) is not list or set(scalar_keys(keys)) != storages.by_key.keys():
        raise damaged("other storages than announced")
    for key in keys:
        position += 8  # the length, which the announcement gave, too
        end = position + storages.by_key[key].numbers.nbytes
        storages.fill(key, data[position:end])
        position = end


def _names(budget: Budget, lists: bool) -> dict[str, Constructor | None]:
    return {
        **STORAGES,
        **numpy_names(budget, lists),
        "torch._utils._rebuild_tensor_v2": partial(rebuild_tensor, budget),
        "torch._utils._rebuild_parameter": rebuild_parameter,
        "torch.storage._load_from_bytes": partial(_load_from_bytes, budget),
        "collections.OrderedDict": partial(_empty, OrderedDict),
        "dnnlib.util.EasyDict": partial(_empty, dict),
        "builtins.set": _set,
        "builtins.bytes": partial(_empty, bytes),
        "__builtin__.set": _set,  # so called under protocol 2
        "__builtin__.bytes": partial(_empty, bytes),
    }


def _empty(kind: type, *arguments: object) -> object:
    """A new dict or the like; what it holds follows, checked by the machine."""
    if arguments:
        raise damaged("a dict made of something else than its entries")
    return kind()


def _set(members: object) -> set[object]:
    if type(members) is not list:
        raise damaged("a set without members")
    return set(scalar_keys(members))

"""What stands for numpy's own functions when a pickle names them: arrays and scalars of plain numbers."""

from functools import partial

import numpy as np

from photodrag.weights.formats.budget import Budget, damaged
from photodrag.weights.formats.placeholders import Constructor, Global, Pending, Shell

# numpy's codes of plain numbers: kind and bytes.
CODES = {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"}
NDARRAY = Global("numpy", "ndarray")
MODULES = ("numpy.core", "numpy._core")
"""Before numpy 2 and since."""


def numpy_names(budget: Budget, lists: bool = False) -> dict[str, Constructor | None]:
    """For `load_pickle`: the names that pickled arrays and scalars use.

    An array arrives as numpy.ndarray in native byte order, a scalar as numpy.generic; an array of objects, where
    `lists` lets it in, as the list of them."""
    names: dict[str, Constructor | None] = {
        "numpy.ndarray": None,
        "numpy.dtype": _dtype,
        "_codecs.encode": partial(_encode, budget),
    }
    for module in MODULES:
        names[f"{module}.multiarray._reconstruct"] = partial(_reconstruct, budget, lists)
        names[f"{module}.multiarray.scalar"] = partial(_scalar, budget)
        names[f"{module}.numeric._frombuffer"] = partial(_frombuffer, budget)
    return names


def _dtype(*arguments: object) -> Shell:
    """Inert like any other object; `plain_dtype` reads it."""
    return Shell("numpy", "dtype", arguments)


def _encode(budget: Budget, text: object, encoding: object) -> bytes:
    """`_codecs.encode`: bytes, as the pickles of protocol 2 spell them."""
    if type(text) is not str or encoding != "latin1":
        raise damaged("bytes that are none")
    budget.spend(len(text))
    return text.encode("latin1")


def _reconstruct(budget: Budget, lists: bool, kind: object, shape: object, code: object) -> Pending:
    """`multiarray._reconstruct`: an empty array; its state follows."""
    if kind != NDARRAY:
        raise damaged("an array of an unknown class")

    def finish(state: object) -> np.ndarray | list[object]:
        if type(state) is not tuple:
            raise damaged("an array without numbers")
        _, shape, dtype, in_columns, data = state
        if type(in_columns) is not bool:
            raise damaged("an array in an unknown order")
        if lists and type(data) is list and type(dtype) is Shell and dtype.arguments[:1] == ("O8",):
            return data
        return _array(budget, data, dtype, shape, "F" if in_columns else "C")

    return Pending(finish)


def _frombuffer(budget: Budget, data: object, dtype: object, shape: object, order: object) -> np.ndarray:
    """`numeric._frombuffer`: an array under protocol 5."""
    return _array(budget, data, dtype, shape, order)


def _scalar(budget: Budget, dtype: object, data: object) -> np.generic:
    """`multiarray.scalar`: one number with a numpy type."""
    return _array(budget, data, dtype, (1,), "C")[0]


def _array(budget: Budget, data: object, dtype: object, shape: object, order: object) -> np.ndarray:
    """The array of that shape, in native byte order, with its own copy of the numbers."""
    stored = plain_dtype(dtype)
    if type(data) is str:  # of Python 2
        data = _encode(budget, data, "latin1")
    if not isinstance(data, bytes | memoryview) or type(shape) is not tuple or order not in ("C", "F"):
        raise damaged("an array of something else than numbers")
    count = budget.elements(shape)
    if len(data) != count * stored.itemsize:
        raise damaged("an array whose shape disagrees with its numbers")
    budget.spend(len(data))
    numbers = np.empty(count, stored)
    numbers.view(np.uint8)[:] = np.frombuffer(data, np.uint8) if count else 0
    if stored == np.bool_:
        numbers = numbers.view(np.uint8) != 0  # any other byte than 0 and 1 is no bool
    return numbers.astype(stored.newbyteorder("="), copy=False).reshape(shape, order="F" if order == "F" else "C")


def plain_dtype(shell: object) -> np.dtype:
    """The dtype that a pickle describes. Raises Refused for all but plain numbers: objects, records, texts."""
    if type(shell) is not Shell or (shell.module, shell.name) != ("numpy", "dtype") or shell.arguments[0] not in CODES:
        raise damaged("an array of something else than numbers")
    state = (3, "=", None, None, None) if shell.state is None else shell.state
    if type(state) is not tuple:
        raise damaged("an array of something else than numbers")
    _, order, *parts = state
    if order not in ("<", ">", "=", "|") or parts[:3] != [None, None, None]:
        raise damaged("an array of something else than numbers")
    return np.dtype(shell.arguments[0]).newbyteorder(order)

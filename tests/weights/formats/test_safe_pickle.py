"""What the restricted reading of pickles makes of harmless ones: what Python, numpy and torch make of them."""

import argparse
import io
import pickle
import sys
import types
from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from photodrag.weights.formats.pickled import read, read_old_torch
from photodrag.weights.formats.placeholders import Shell

PROTOCOLS = (2, 3, 4, 5)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=300)
)
VALUES = st.recursive(
    SCALARS | st.sets(SCALARS, max_size=4),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(SCALARS, inner, max_size=5)
        | st.dictionaries(SCALARS, inner, max_size=5).map(OrderedDict)
    ),
    max_leaves=30,
)
DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")


def reading(value: object, protocol: int = 4) -> object:
    """The value, pickled and read again."""
    data = pickle.dumps(value, protocol)
    got, end = read(memoryview(data))
    assert end == len(data)
    return got


def same_types(a: object, b: object) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return all(same_types(*pair) for key in a for pair in [(a[key], b[key])])
    return not isinstance(a, list | tuple) or all(map(same_types, a, b))


@settings(derandomize=True, deadline=None, max_examples=200, database=None)
@given(VALUES, st.sampled_from(PROTOCOLS))
def test_plain_values_come_back(value, protocol):
    got = reading(value, protocol)
    assert got == value
    assert same_types(got, value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_bytes_come_back(protocol):
    assert list(reading([b"", b"\x00\xff" * 500], protocol)) == [b"", b"\x00\xff" * 500]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_come_back(dtype, protocol):
    numbers = (np.arange(24) % 5).astype(dtype).reshape(2, 3, 4)
    cases = [numbers, np.asfortranarray(numbers), numbers[:, 1], numbers[:0], numbers[0, 0, 1:2].reshape(())]
    cases += [numbers.astype(numbers.dtype.newbyteorder(">"))]
    for case, got in zip(cases, reading(cases, protocol), strict=True):
        assert type(got) is np.ndarray
        assert got.dtype == numbers.dtype
        assert got.dtype.isnative
        np.testing.assert_array_equal(got, case)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_array_that_occurs_twice_is_one(protocol):
    numbers = np.arange(5.0)
    first, second = reading([numbers, {"again": numbers}], protocol)
    assert first is second["again"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_numpy_scalars_come_back(protocol):
    for value in (np.float32(0.17), np.float64(-1e300), np.int64(-5), np.bool_(True)):
        got = reading(value, protocol)
        assert type(got) is type(value)
        assert got == value


def test_arrays_of_before_numpy_2():
    data = pickle.dumps([np.arange(3.0), np.float32(2.5)], 2).replace(b"numpy._core.", b"numpy.core.")
    array, scalar = read(memoryview(data))[0]
    np.testing.assert_array_equal(array, np.arange(3.0))
    assert scalar == np.float32(2.5)


def tensors() -> dict[str, torch.Tensor]:
    """Of every type, and lying in their storages in every honest way."""
    numbers = torch.arange(24.0).reshape(2, 3, 4)
    names = ("float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8")
    return {name: numbers.to(getattr(torch, name)) for name in names} | {
        "transposed": numbers.transpose(0, 2),
        "channels last": numbers[None].to(memory_format=torch.channels_last),
        "column": numbers[:, :, 1],
        "end": numbers[1, 2, 3:],
        "number": torch.tensor(0.5),
        "empty": numbers[:0],
        "of one": torch.ones(1, 1).expand(1, 1),
        "parameter": torch.nn.Parameter(numbers),
    }


def assert_equal_tensors(got: dict, expected: dict) -> None:
    assert list(got) == list(expected)
    for name, tensor in expected.items():
        assert type(got[name]) is torch.Tensor
        assert got[name].dtype == tensor.dtype
        assert not got[name].requires_grad
        assert torch.equal(got[name], tensor.detach()), name


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_tensors_come_back(protocol):
    assert_equal_tensors(reading(tensors(), protocol), tensors())


def test_tensors_come_back_from_old_torch_files():
    file = io.BytesIO()
    torch.save(tensors(), file, _use_new_zipfile_serialization=False)
    assert_equal_tensors(read_old_torch(memoryview(file.getvalue())), tensors())


def test_bools_come_back_as_bytes():
    assert torch.equal(reading(torch.tensor([True, False])), torch.tensor([1, 0], dtype=torch.uint8))


def test_storage_that_two_tensors_share_is_read_once():
    whole = torch.arange(6.0)
    file = io.BytesIO()
    torch.save([whole, whole[2:]], file, _use_new_zipfile_serialization=False)
    first, second = read_old_torch(memoryview(file.getvalue()))
    second[0] = 9
    assert first.tolist() == [0, 1, 9, 3, 4, 5]


def test_state_dict_of_a_module():
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    got = reading(module.state_dict(), 2)
    assert type(got) is OrderedDict
    assert_equal_tensors(got, module.state_dict())
    assert not vars(got)  # _metadata was not taken over


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_whole_module_is_shells(protocol):
    linear = torch.nn.Linear(2, 3)
    got = reading(torch.nn.Sequential(linear), protocol)
    assert (got.module, got.name, got.arguments) == ("torch.nn.modules.container", "Sequential", ())
    inner = got.state["_modules"]["0"]
    assert (type(inner), inner.name) == (Shell, "Linear")
    assert_equal_tensors(inner.state["_parameters"], linear._parameters)


def test_options_are_a_shell():
    got = reading(argparse.Namespace(size=256, name="a"))
    assert (got.name, got.state) == ("Namespace", {"size": 256, "name": "a"})


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_easy_dict_is_a_dict(protocol, monkeypatch):
    class EasyDict(dict):
        __module__, __qualname__ = "dnnlib.util", "EasyDict"

    for name in ("dnnlib", "dnnlib.util"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    sys.modules["dnnlib.util"].EasyDict = EasyDict
    data = pickle.dumps(EasyDict(psi=0.5), protocol)
    monkeypatch.delitem(sys.modules, "dnnlib.util")
    got, _ = read(memoryview(data))
    assert (type(got), got) == (dict, {"psi": 0.5})


def test_shells_have_no_attributes_of_the_pickles_choice():
    shell = Shell("training.networks", "Generator", (), {"__reduce__": 1, "state": 2})
    assert not hasattr(shell, "__dict__")
    assert not callable(shell)

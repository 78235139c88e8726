"""ProGANs of the code that used Theano: pickles as Python 2 wrote them, of networks whose pictures are known."""

import io
import pickle
import struct
from typing import ClassVar

import numpy as np
import pytest
from reference import agree, reference

from photodrag import weights
from photodrag.weights import UserError
from photodrag.weights.formats.checkpoint import open_checkpoint
from photodrag.weights.formats.families import build
from photodrag.weights.formats.layouts import identify, to_canonical

FILES = "progan-tf-64.pkl", "progan-tf-32-growing.pkl"
SCALE = np.float32(0.37)


class Network:
    """As the class `network.Network` of that code is pickled."""

    __module__ = "network"

    def __init__(self, **state):
        self.__dict__.update(state)


class Python2Pickler(pickle._Pickler):
    """cPickle of Python 2 by protocol 2: texts and bytes are both strings of bytes."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_string(self, value):
        data = value if isinstance(value, bytes) else value.encode("latin1")
        short = len(data) < 256
        self.write(
            pickle.SHORT_BINSTRING + bytes([len(data)]) if short else pickle.BINSTRING + struct.pack("<i", len(data))
        )
        self.write(data)
        self.memoize(value)

    dispatch[str] = dispatch[bytes] = save_string

    def save_global(self, value, name=None):
        module, name = value.__module__, name or value.__qualname__
        self.write(pickle.GLOBAL + f"{module.replace('numpy._core', 'numpy.core')}\n{name}\n".encode())
        self.memoize(value)

    dispatch[type] = save_global
    dispatch[type(len)] = dispatch[type(lambda: 0)] = save_global


def pickled(value: object) -> bytes:
    file = io.BytesIO()
    Python2Pickler(file, protocol=2).dump(value)
    return file.getvalue()


def stored(name: str, weight: np.ndarray) -> np.ndarray:
    """A TensorFlow variable as Theano's layer has it, scaled: convolutions there turn their kernels."""
    used = weight * np.float32({"ToRGB": 1, "Dense": 2**0.5 / 4}.get(name, 2**0.5))
    if name == "Dense":  # [in, out · 16]
        return (used * used.shape[0] ** -0.5).reshape(len(used), -1, 4, 4).transpose(1, 0, 2, 3)
    if name == "Conv0_up":  # [h, w, out, in], and turned already
        return (used * (9 * used.shape[3]) ** -0.5).transpose(2, 3, 0, 1)
    used = used * np.prod(used.shape[:3]) ** -0.5
    return used[0, 0] if name == "ToRGB" else used[::-1, ::-1].transpose(3, 2, 0, 1)


@pytest.fixture(params=FILES)
def known(request, golden) -> tuple[dict, dict]:
    """The state of the same network as the Theano code kept it, and what it draws."""
    averaged = open_checkpoint(golden / request.param).content[2].state
    variables = {name: np.asarray(value) for name, value in averaged["variables"]}
    blocks = sum(name.startswith("ToRGB") for name in variables) // 2
    names = ["4x4/Dense", "4x4/Conv"]
    for i in range(1, blocks):
        names += [f"{4 << i}x{4 << i}/{conv}" for conv in ("Conv0", "Conv1")]
    names = [name if f"{name}/weight" in variables else f"{name}_up" for name in names]
    values = []
    for name in [*names, *(f"ToRGB_lod{i}" for i in range(blocks))]:
        weight = stored(name.split("/")[-1].partition("_lod")[0], variables[f"{name}/weight"])
        values += [np.ascontiguousarray(weight / SCALE, np.float32), np.asarray(SCALE), variables[f"{name}/bias"]]
    spec = {"func": "G_paper", "num_channels": 3, "resolution": 2 << blocks, "label_size": 0, "fmap_max": 256}
    source = "raise SystemExit('run')\n" * 20
    state = {"build_func_spec": spec, "build_module_src": source, "param_values": values}
    state["toplevel_params"] = {"cur_lod": np.asarray(np.float32(variables["lod"]))}
    expected, level = reference(golden / request.param), f"_lod{float(variables['lod']):.2f}"
    return state, expected | {"image": expected["image" + level * bool(variables["lod"] > 0)]}


def checkpoint(state: dict, **changes: object) -> bytes:
    """(G, D, Gs), of which the last one has that state."""
    other = {**state, "param_values": [value * 0 for value in state["param_values"]]}
    return pickled((Network(**other), Network(**other), Network(**{**state, **changes})))


def test_pictures_agree(known, tmp_path, empty_cache):
    state, expected = known
    (tmp_path / "theano.pkl").write_bytes(checkpoint(state))
    generator = weights.load(tmp_path / "theano.pkl")
    assert identify(open_checkpoint(tmp_path / "theano.pkl").content) == "theano"
    agree(generator.synthesis(generator.mapping(expected["z"])), expected["image"])


def test_without_factors(known, tmp_path):
    """As networks without use_wscale are kept."""
    state, expected = known
    rows = zip(*[iter(state["param_values"])] * 3, strict=True)
    values = [value for weight, scale, bias in rows for value in (weight * scale, bias)]
    spec = state["build_func_spec"] | {"use_wscale": False}
    (tmp_path / "theano.pkl").write_bytes(checkpoint(state, param_values=values, build_func_spec=spec))
    generator = build(*to_canonical(open_checkpoint(tmp_path / "theano.pkl").content))
    agree(generator.synthesis(generator.mapping(expected["z"])), expected["image"])


def test_refused(known, tmp_path):
    state, _ = known
    spec, values = state["build_func_spec"], state["param_values"]
    for changes, told in [
        ({"build_func_spec": spec | {"func": "G_mnist_mode_recovery"}}, "argument func is 'G_mnist_mode_recovery'"),
        ({"build_func_spec": spec | {"label_size": 10}}, "argument label_size is '10'"),
        ({"build_func_spec": spec | {"tanh_at_end": 1.0}}, "argument tanh_at_end"),
        ({"build_func_spec": None}, "it lacks the arguments"),
        ({"param_values": values[:-1]}, "are not those of a whole number of blocks"),
        ({"param_values": [*values[:-3], "text", *values[-2:]]}, "one of its values is no number"),
        ({"param_values": [values[0], values[0], *values[2:]]}, "the factor of one of its weights is no number"),
        ({"param_values": [np.ones(3, np.float32), *values[1:]]}, "b4.dense.weight"),
        ({"param_values": values * 30}, "are not those of a whole number of blocks"),
        ({"toplevel_params": {"cur_lod": np.float32(-1)}}, "argument lod is '-1.0'"),
        ({"toplevel_params": {"cur_lod": values[0]}}, "argument lod is"),
    ]:
        (tmp_path / "theano.pkl").write_bytes(checkpoint(state, **changes))
        with pytest.raises(UserError, match=told):
            build(*to_canonical(open_checkpoint(tmp_path / "theano.pkl").content))


@pytest.mark.parametrize("end", [20, 3000, -5])
def test_cut_off(known, tmp_path, end):
    (tmp_path / "theano.pkl").write_bytes(checkpoint(known[0])[:end])
    with pytest.raises(UserError, match="was not opened"):
        open_checkpoint(tmp_path / "theano.pkl")


def test_a_string_that_is_no_array_s_numbers(known, tmp_path):
    data = checkpoint(known[0])
    numbers = np.asarray(SCALE).tobytes()
    wrong = data.replace(pickle.SHORT_BINSTRING + b"\x04" + numbers, pickle.SHORT_BINSTRING + b"\x03" + numbers[:3])
    assert wrong != data
    (tmp_path / "theano.pkl").write_bytes(wrong)
    with pytest.raises(UserError, match="shape disagrees with its numbers"):
        open_checkpoint(tmp_path / "theano.pkl")

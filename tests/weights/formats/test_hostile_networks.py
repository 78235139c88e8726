"""Checkpoints that open, and whose content means harm: each ends in a sentence, in little time and memory."""

import copy
import random
import tracemalloc

import numpy as np
import pytest
import torch
from plain_stylegan2 import random_state

from photodrag.weights import UserError
from photodrag.weights.formats.budget import Refused
from photodrag.weights.formats.checkpoint import open_checkpoint
from photodrag.weights.formats.families import FAMILIES, build
from photodrag.weights.formats.layouts import identify, to_canonical
from photodrag.weights.formats.placeholders import Global, Shell
from photodrag.weights.formats.stylegan2_canonical import build_stylegan2
from photodrag.weights.formats.tree import MAX_DEPTH, check_tree
from photodrag.weights.latent.space import latent_space

FILES = (
    "nvidia-ada-conditional-16.pkl",
    "nvidia-sg3repo-stylegan2-32.pkl",
    "legacy-tf-16.pkl",
    "rosinality-16.pt",
    "nvidia-sg3t-64.pkl",
    "nvidia-sg3r-64.pkl",
    "stylegan1-tf-128.pkl",
    "progan-tf-32-growing.pkl",
    "rosinality-stylegan1-128.model",
)
NVIDIA = "torch_utils.persistence", "_reconstruct_persistent_obj"
TENSORFLOW = "dnnlib.tflib.network", "Network"
ODD = [
    *(None, True, 0, -1, 2**63 - 1, 1.5, float("nan"), "", "x", "\udc80\x1b[2J", "y" * 300, b"abc"),
    *((), (1,), [], [1], {}, {1: 2}, {"a": None}, set(), {1}),
    *(np.zeros(3, np.float32), np.zeros((2, 2), np.int64), np.float32(3), np.zeros(0), np.zeros(())),
    *(torch.zeros(3), torch.zeros(()), torch.zeros(2, 0), torch.zeros(1).long(), torch.full((2, 2), torch.inf)),
    *(Shell(*NVIDIA, ({},)), Shell(*NVIDIA, ({"state": {}},)), Shell(*TENSORFLOW, (), {}), Shell("a", "b")),
    Global("a", "b"),
]
"""What an opened pickle may hold anywhere."""


def children(node: object) -> list[tuple[object, object]]:
    if isinstance(node, dict):
        return list(node.items())
    if isinstance(node, list | tuple):
        return list(enumerate(node))
    return [("arguments", node.arguments), ("state", node.state)] if isinstance(node, Shell) else []


def paths(node: object, path: tuple = ()) -> list[tuple]:
    return [path] + [below for key, child in children(node) for below in paths(child, (*path, key))]


def changed(node: object, path: tuple, value: object) -> object:
    """The tree with another value in one place."""
    if not path:
        return value
    key, *rest = path
    new = list(node) if isinstance(node, tuple) else copy.copy(node)
    if isinstance(node, Shell):
        setattr(new, key, changed(getattr(node, key), rest, value))
    else:
        new[key] = changed(node[key], rest, value)
    return tuple(new) if isinstance(node, tuple) else new


@pytest.mark.parametrize("file", FILES)
def test_any_value_anywhere_ends_well(file, golden):
    raw = open_checkpoint(golden / file).content
    # Numbers lie in tensors; what is no tensor is where the walks could stumble.
    places, chance = paths(raw), random.Random(0)
    for _ in range(80 if file.endswith(".model") else 250):  # of which every one has its mean code made
        place, value = chance.choice(places), chance.choice(ODD)
        try:
            build(*to_canonical(changed(raw, place, value)))
        except UserError as error:
            assert str(error).isprintable() and len(str(error)) < 400


def module(**state) -> Shell:
    return Shell(*NVIDIA, ({"state": state},))


def refused_cheaply(raw: object, match: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=match):
            build(*to_canonical(raw))
        assert tracemalloc.get_traced_memory()[1] < 50 << 20
    finally:
        tracemalloc.stop()


def test_long_names_are_not_made_for_every_module():
    long = "x" * 1_000_000
    many = {str(i): module() for i in range(1000)}
    refused_cheaply({"G_ema": module(_modules={long: module(_modules=many)})}, "has no fit name")
    part = module(_buffers={long: torch.zeros(1)})
    refused_cheaply({"G_ema": module(_modules=dict.fromkeys(many, part))}, "has no fit name")
    inner = Shell(*TENSORFLOW, (), {"variables": [(long, np.zeros(1, np.float32))]})
    outer = Shell(*TENSORFLOW, (), {"version": 4, "components": dict.fromkeys(many, inner)})
    refused_cheaply((outer, outer, outer), "has no fit name")


def test_long_values_are_not_spelled_out():
    much = ["y" * 1_000_000] * 1000
    conv = module(conv_clamp=much)
    refused_cheaply(
        {"G_ema": module(_modules={"synthesis": module(_modules={"b4": module(_modules={"conv1": conv})})})},
        "conv_clamp is a list",
    )
    inner = Shell(*TENSORFLOW, (), {"variables": [("4x4/Conv/mod_weight", np.zeros((2, 2), np.float32))]})
    outer = Shell(*TENSORFLOW, (), {"components": {"synthesis": inner}, "static_kwargs": {"nonlinearity": much}})
    refused_cheaply((outer, outer, outer), "nonlinearity is a list")


def test_names_that_a_terminal_obeys_are_spelled_out():
    with pytest.raises(UserError, match=r"a dict of \\x1b\[2J;"):
        identify({"\x1b[2J": 1})


@pytest.mark.parametrize("name", ["conv_clamp", "lr_multiplier"])
def test_a_number_too_large_for_a_float(name):
    with pytest.raises(UserError, match=f"argument {name} is '1000"):
        build_stylegan2(random_state((8, 6)), {name: 10**400})


def test_codes_that_are_no_numbers():
    state = random_state((8, 6))
    state |= {name: weight * 1e30 for name, weight in state.items() if name.endswith(("fc0.weight", "fc1.weight"))}
    with pytest.raises(UserError, match="no finite numbers"):
        latent_space(build_stylegan2(state, {}))


def test_a_small_file_of_huge_pictures():
    state = {f"synthesis.b{4 << i}.conv1.weight": torch.zeros(64, 64, 3, 3) for i in range(11)}
    state |= {"mapping.fc0.weight": torch.zeros(8, 8)}
    with pytest.raises(UserError, match="more memory than any generator needs"):
        build_stylegan2(state, {})


def nest(depth: int, leaf: object = None) -> object:
    for _ in range(depth):
        leaf = [leaf]
    return leaf


def test_no_walk_goes_deeper_than_said():
    check_tree(nest(MAX_DEPTH - 1))
    with pytest.raises(Refused, match="deeper"):
        check_tree(nest(MAX_DEPTH))
    shared = nest(MAX_DEPTH // 2)
    check_tree([shared, nest(MAX_DEPTH // 2 - 2, shared)])
    with pytest.raises(Refused, match="deeper"):
        check_tree([shared, nest(MAX_DEPTH // 2 - 1, shared)])


@pytest.mark.parametrize("file", ["nvidia-sg3r-64.pkl", "stylegan1-tf-128.pkl", "progan-tf-32-growing.pkl"])
def test_any_argument_ends_well(file, golden):
    """Those that a safetensors file may carry: JSON, with every name that a family knows."""
    state, arguments = to_canonical(open_checkpoint(golden / file).content)
    values = [None, True, -1, 0, 1, 7, 10**400, 1e300, float("nan"), "x", [], [1] * 16, [2**62] * 16, {}, "stylegan2"]
    for name in arguments:
        for value in values:
            try:
                build(state, arguments | {name: value})
            except UserError as error:
                assert str(error).isprintable() and len(str(error)) < 400
    for family in FAMILIES:
        if family != arguments["family"]:
            with pytest.raises(UserError):
                build(state, {"family": family} if family != "stylegan2" else {})


def test_rates_that_would_fill_the_memory(golden):
    """A small file that asks for maps of terabytes: by a rate, a layer's side, a filter."""
    state, arguments = to_canonical(open_checkpoint(golden / "nvidia-sg3t-64.pkl").content)

    def refused(match: str, rename: tuple[str, str] = ("", ""), **given) -> None:
        renamed = {name.replace(*rename): tensor for name, tensor in state.items()}
        with pytest.raises(UserError, match=match):
            build(renamed, arguments | given)

    refused("more memory than any generator needs", ("L8_84_8", "L8_8000_8"))
    refused("argument rates", rates=[16] * 4 + [1 << 40] * 12)
    refused("rates, filters or kernel of its layer L3_36_8 are absurd", rates=[16] * 4 + [4096] * 12)
    refused("layer L0_36_8 doesn't cover the picture", rates=[16, 64, *arguments["rates"][2:]])
    refused("its layers aren't complete", ("L8_84_8", "L9_84_8"))
    refused("its last layers aren't of the picture's side", rates=[*arguments["rates"][:-1], 128])
    refused("15 layers and 15 rates", rates=arguments["rates"][1:])
    refused("bandwidth of its input is absurd", bandwidth=8)


def test_a_hundred_times_the_codes_of_a_small_file(golden):
    """Its blocks, one of many names: refused by the numbers that they would be."""
    raw = open_checkpoint(golden / "rosinality-stylegan1-128.model").content["g_running"]
    raw["style.1.linear.weight_orig"] = torch.zeros(1).expand(1 << 29)
    with pytest.raises(UserError, match="more than"):
        to_canonical(raw)

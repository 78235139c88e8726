"""Checkpoints of rosinality's stylegan2-pytorch: a .pt with the averaged generator's state dict `g_ema`
and, where it was converted from another, `latent_avg`. Its layers are numbered through: block i of
8², 16², … is convs 2i and 2i+1."""

import re
from typing import TypedDict, TypeGuard

import torch
from torch import Tensor

from photodrag.weights.formats.canonical import Canonical, as_float32, unusable
from photodrag.weights.formats.stylegan2_canonical import Arguments, build_stylegan2, conv_name, resample_filter
from photodrag.weights.latent.space import mean_w

INNER = {
    "conv.weight": "weight",
    "conv.modulation.weight": "affine.weight",
    "conv.modulation.bias": "affine.bias",
    "noise.weight": "noise_strength",
    "activate.bias": "bias",
    "bias": "bias",
    "conv.blur.kernel": "resample_filter",
}
"""Of a layer: what is called so there, and here."""


class RosinalityFile(TypedDict, total=False):
    """An opened .pt of this layout; it may hold more."""

    g_ema: dict[str, object]
    latent_avg: object


def is_rosinality(raw: object) -> TypeGuard[RosinalityFile]:
    """Whether an opened .pt is of this layout."""
    if not isinstance(raw, dict) or not isinstance(raw.get("g_ema"), dict):
        return False
    return {"style.1.bias", "conv1.conv.weight"} <= raw["g_ema"].keys()


def read_rosinality(raw: RosinalityFile) -> Canonical:
    """The canonical state and arguments of an opened .pt; `w_avg` is computed where it was not saved.

    Raises UserError where a tensor has no place."""
    state: dict[str, Tensor] = {}
    for name, tensor in as_float32(raw["g_ema"]).items():
        target = _place(name)
        if target in state:
            raise unusable(f"two of its tensors are {target}")
        state[target] = _reshaped(target, tensor)
    blocks = [name.removesuffix("conv1.weight") for name in state if name.endswith(".conv1.weight")]
    unused = {f"{block}conv1.resample_filter": resample_filter() for block in blocks}
    unused["synthesis.b4.resample_filter"] = resample_filter()
    state |= unused
    if "latent_avg" in raw:  # the training code leaves it out of what it saves
        state["mapping.w_avg"] = as_float32({"latent_avg": raw["latent_avg"]})["latent_avg"].flatten()
    else:
        bare = build_stylegan2(state | {"mapping.w_avg": torch.zeros_like(state["mapping.fc0.bias"])}, {})
        state["mapping.w_avg"] = mean_w(lambda z: bare.mapping(z)[:, 0], bare.z_dim)
    return state, Arguments().as_dict()


def _place(name: str) -> str:
    """Where a tensor goes."""
    if name == "input.input":
        return "synthesis.b4.const"
    if match := re.fullmatch(r"style\.(\d{1,3})\.(weight|bias)", name):  # style.0 normalises z
        return f"mapping.fc{int(match[1]) - 1}.{match[2]}"
    if match := re.fullmatch(r"noises\.noise_(\d{1,2})", name):
        return f"{conv_name(int(match[1]))}.noise_const"
    if match := re.fullmatch(r"to_rgbs\.(\d{1,2})\.upsample\.kernel", name):
        return f"synthesis.b{8 << int(match[1])}.resample_filter"
    if match := re.fullmatch(r"(conv1|to_rgb1|convs\.\d{1,2}|to_rgbs\.\d{1,2})\.([\w.]+)", name):
        layer, inner = match.groups()
        kind, _, number = layer.partition(".")
        if inner in INNER and kind in ("conv1", "convs"):
            return f"{conv_name(int(number) + 1 if number else 0)}.{INNER[inner]}"
        if inner in INNER:
            return f"synthesis.b{8 << int(number) if number else 4}.torgb.{INNER[inner]}"
    raise unusable(f"its tensor {name[:80]!r} has no place in the network")


def _reshaped(target: str, tensor: Tensor) -> Tensor:
    """Without the sizes of 1 that broadcast, and a filter without its gain of 4."""
    leaf = target.rsplit(".", 1)[1]
    if leaf == "resample_filter":
        return tensor / 4
    if leaf == "const" or (leaf == "weight" and tensor.dim() == 5):
        return tensor.squeeze(0)
    if leaf == "noise_const":
        return tensor.squeeze(0).squeeze(0)
    if leaf == "noise_strength":
        return tensor.squeeze()
    return tensor.flatten() if leaf == "bias" else tensor

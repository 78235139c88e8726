"""Checkpoints of rosinality's style-based-gan-pytorch, a StyleGAN: a file of all that is trained, with the averaged
generator as `g_running`, or that one's state dict alone.

All nine blocks are in a file, whatever was trained; how many were shows in the biases, which start at 0. It has one
code a block where NVIDIA's has two, and no constant noise, nor a mean code: both are made, always the same."""

import re
from collections.abc import Mapping as Dict
from dataclasses import asdict
from math import prod

import numpy as np
import torch
from torch import Tensor

from photodrag.weights.formats.canonical import MAX_BLOCKS, Canonical, as_float32, unusable
from photodrag.weights.formats.growing_canonical import StyleGAN1Arguments, build_stylegan1
from photodrag.weights.latent.space import mean_w

SIGNS = {"generator.progression.0.conv1.input", "style.1.linear.weight_orig"}
NOISE_SEED = 0
IN_BLOCK = r"generator\.progression\.(\d{1,2})\."
PARTS = {
    IN_BLOCK + r"conv([12])(?:\.[01])?(?:\.conv)?\.(weight_orig|weight|bias)": "",  # one that upsamples has a number
    IN_BLOCK + r"noise([12])\.(weight_orig)": "noise_",
    IN_BLOCK + r"adain([12])\.style\.linear\.(weight_orig|bias)": "affine.",
}
"""How a layer's tensors are called, and how those of the same kind start here."""
BLUR = re.compile(r"generator\.progression\.\d{1,2}\.conv1\.[12]\.(weight|weight_flip)")


def generator_of(raw: object) -> dict[str, object] | None:
    """The averaged generator's state dict in an opened file; None where there is none."""
    if not isinstance(raw, dict):
        return None
    for state in (raw.get("g_running"), raw):
        if isinstance(state, dict) and state.keys() >= SIGNS:
            return state
    return None


def read_style_based(raw: dict[str, object]) -> Canonical:
    """The canonical state and arguments of what `generator_of` found. Raises UserError where a tensor has no place."""
    tensors = as_float32(raw)
    blocks, state = _trained_blocks(tensors), {}
    for name, value in tensors.items():
        if _is_blur(name, value):
            continue
        target, number = _place(name)
        if number < blocks:
            if target in state:
                raise unusable(f"two of its tensors are {target}")
            state[target] = _used(name, target, value).contiguous()
    noise = np.random.RandomState(NOISE_SEED)
    for number in range(blocks):
        both = torch.from_numpy(noise.randn(4 << number, 4 << number)).float()
        state |= {f"synthesis.b{4 << number}.conv{i}.noise_const": both.clone() for i in (0, 1)}
    state["synthesis.b4.conv0.bias"] = torch.zeros_like(state.get("synthesis.b4.conv1.bias", torch.zeros(1)))
    if "mapping.fc0.bias" not in state:
        raise unusable("the tensor mapping.fc0.bias is missing")
    arguments = asdict(StyleGAN1Arguments(epsilon=1e-5, bias_before_blur=True))
    last = max(int(name[10:-5]) for name in state if re.fullmatch(r"mapping\.fc\d+\.bias", name))
    bare = build_stylegan1(state | {"mapping.w_avg": torch.zeros_like(state[f"mapping.fc{last}.bias"])}, arguments)
    state["mapping.w_avg"] = mean_w(lambda z: bare.mapping(z)[:, 0], bare.z_dim)
    return state, arguments


def _trained_blocks(tensors: Dict[str, Tensor]) -> int:
    """How many blocks were trained: up to the last whose second convolution has a bias."""
    names = [f"generator.progression.{i}.conv2.conv.bias" for i in range(MAX_BLOCKS)]
    return max((i + 1 for i, name in enumerate(names) if name in tensors and tensors[name].any()), default=1)


def _is_blur(name: str, value: Tensor) -> bool:
    """Whether it is a buffer of the blur, which is the same in every file: a filter a channel, of one input."""
    return BLUR.fullmatch(name) is not None and value.dim() == 4 and value.shape[1] == 1 and value.shape[-1] == 3


def _place(name: str) -> tuple[str, int]:
    """Where a tensor goes, and the number of its block, 0 for what belongs to none."""
    if match := re.fullmatch(r"style\.(\d{1,2})\.linear\.(weight_orig|bias)", name):  # style.0 normalises z
        return f"mapping.fc{int(match[1]) // 2}.{match[2].removesuffix('_orig')}", 0
    if name == "generator.progression.0.conv1.input":
        return "synthesis.b4.const", 0
    if match := re.fullmatch(r"generator\.to_rgb\.(\d{1,2})\.conv\.(weight_orig|bias)", name):
        number, inner = int(match[1]), f"torgb.{match[2]}"
    else:
        found = ((re.fullmatch(pattern, name), kind) for pattern, kind in PARTS.items())
        match, kind = next((pair for pair in found if pair[0]), (None, ""))
        if match is None:
            raise unusable(f"its tensor {name[:80]!r} has no place in the network")
        leaf = "strength" if kind == "noise_" else match[3]
        number, inner = int(match[1]), f"conv{int(match[2]) - 1}.{kind}{leaf}"
    if number >= MAX_BLOCKS:
        raise unusable(f"it has more than {MAX_BLOCKS} blocks")
    return f"synthesis.b{4 << number}.{inner.removesuffix('_orig')}", number


def _used(name: str, target: str, value: Tensor) -> Tensor:
    """A tensor as it is used at its place: all but biases are scaled by √2 over the root of how many numbers go into
    one, of which noise counts a channel each."""
    if target.endswith(".const"):
        return value.squeeze(0)
    if target.endswith("noise_strength"):
        return value.flatten() * (2 / value.numel()) ** 0.5
    if target.endswith("affine.bias"):  # its scale is the factor itself, NVIDIA's is that less 1
        return torch.cat((value[: len(value) // 2] - 1, value[len(value) // 2 :]))
    if target.endswith(".bias") or value.dim() < 2:
        return value
    if name.endswith("weight_orig"):
        return value * (2 / prod(value.shape[1:])) ** 0.5
    # A fused one: [in, out, 3, 3], spread to 4 × 4 as the mean of four shifts.
    value = value.transpose(0, 1).flip(-2, -1)
    return value * ((2 / prod(value.shape[1:])) ** 0.5 / 4)

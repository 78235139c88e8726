"""The weights of shift-tolerant LPIPS (arXiv 2207.13686), read from the package `stlpips-pytorch`."""

import re
from io import BytesIO
from zipfile import ZipFile

import torch
from torch import Tensor

# Where the five slices begin in the published trunk's row of layers.
STARTS = {"vgg": (0, 4, 10, 18, 26), "alex": (0, 3, 7, 11, 13)}


def read_stlpips(wheel: ZipFile, trunk: str) -> dict[str, Tensor]:
    """The state dict of `photodrag.invert.perceptual.ShiftTolerantLPIPS` for trunk "vgg" or "alex"."""
    data = wheel.read(f"stlpips_pytorch/weights/vST0.0/{trunk}_shift_tolerant.pth")
    return stlpips_state(torch.load(BytesIO(data), map_location="cpu", weights_only=True), trunk)


def stlpips_state(published: dict[str, Tensor], trunk: str) -> dict[str, Tensor]:
    """A published state dict with the names that are used here. The blur kernels are left out, being [1, 2, 1] in both
    directions; the weights of a layer's squared difference become the square roots `scales`, those
    below zero counting as zero.

    Raises ValueError for an entry that is none of these."""
    state = {}
    tap = torch.tensor([1, 2, 1]) / 4
    for key, tensor in published.items():
        if match := re.fullmatch(r"net\.slice(\d)\.(\d+)\.(weight|bias)", key):
            i = int(match[1]) - 1
            state[f"slices.{i}.{int(match[2]) - STARTS[trunk][i]}.{match[3]}"] = tensor
        elif match := re.fullmatch(r"lin(\d)\.model\.1\.weight", key):
            state[f"scales.{match[1]}"] = tensor.clamp_min(0).sqrt()
        elif key.startswith("scaling_layer."):
            state[key.removeprefix("scaling_layer.")] = tensor
        elif not (key.endswith(".filt") and (tensor == tap[:, None] * tap).all()):
            raise ValueError(f"{key} is no part of shift-tolerant LPIPS as it is known here")
    return state

"""What the variables of NVIDIA's TensorFlow StyleGAN and ProGAN have in common.

Kernels are [height, width, in, out], matrices [in, out], and all are scaled as they are used, by a gain over the root
of how many numbers go into one: √2 before an activation, 1 elsewhere."""

import re
from math import prod

from torch import Tensor

from photodrag.weights.formats.canonical import unusable

GAIN = 2**0.5
KERNEL = (3, 2, 0, 1)
"""Where the axes of a kernel go."""


def matrix(weight: Tensor, gain: float) -> Tensor:
    """[in, out], as it is stored, → [out, in], as it is used."""
    return weight.t() * (gain * weight.shape[0] ** -0.5) if weight.dim() == 2 else weight


def kernel(weight: Tensor, gain: float, axes: tuple[int, ...] = KERNEL) -> Tensor:
    """A stored kernel → [out, in, height, width], as it is used."""
    if weight.dim() != 4:
        return weight
    weight = weight.permute(axes)
    return weight * (gain * prod(weight.shape[1:]) ** -0.5)


def turned(weight: Tensor) -> Tensor:
    """A kernel by 180°: a transposed convolution with it spread to 4 × 4 is a convolution, of a map that has every
    pixel four times, with what this gives."""
    return weight.flip(-2, -1) if weight.dim() == 4 else weight


def level_of(variables: dict[str, Tensor], *names: str) -> float:
    """How far the network has grown: the first of these variables that there is. Raises UserError for what is none."""
    for name in names:
        if name in variables:
            value = variables[name]
            if value.numel() != 1 or not value.isfinite().all():
                raise unusable("how far it has grown is no number")
            return float(value)
    return 0.0


def torgb_name(name: str, blocks: int) -> str | None:
    """The canonical name of a convolution's part that makes a picture, in a network of so many blocks; None for others.
    The one at full size has level of detail 0."""
    match = re.fullmatch(r"ToRGB_lod(\d{1,2})/(weight|bias)", name)
    if not match or int(match[1]) >= blocks:
        return None
    return f"synthesis.b{4 << (blocks - 1 - int(match[1]))}.torgb.{match[2]}"


def blocks_of(variables: dict[str, Tensor], pattern: str) -> int:
    """How many blocks there are, by the variables that are called so."""
    return sum(re.fullmatch(pattern, name) is not None for name in variables)

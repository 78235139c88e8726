"""ProGAN of NVIDIA's TensorFlow code (see tensorflow_pickles.py and tensorflow_growing.py).

Its upsampling convolution is either two operations, `Conv0`, or one, `Conv0_up`, whose kernel is kept as
[height, width, out, in] and means what the other's does if it is turned."""

import re
from dataclasses import asdict

from torch import Tensor

from photodrag.weights.formats.canonical import Canonical, unusable
from photodrag.weights.formats.growing_canonical import ProGANArguments
from photodrag.weights.formats.tensorflow_arguments import check_required
from photodrag.weights.formats.tensorflow_growing import GAIN, blocks_of, kernel, level_of, matrix, torgb_name, turned

REQUIRED = {"normalize_latents": True, "use_wscale": True, "use_pixelnorm": True, "use_leakyrelu": True}
"""Arguments that no published network has otherwise."""
LAYERS = {"Dense": "dense", "Conv": "conv1", "Conv0": "conv0", "Conv0_up": "conv0", "Conv1": "conv1"}


def read_progan(given: dict[str, object], variables: dict[str, Tensor]) -> Canonical:
    """The canonical state and arguments of a ProGAN that was built with the arguments `given`. Raises UserError for
    other networks."""
    check_required(given, REQUIRED)
    blocks = blocks_of(variables, r"\d+x\d+/Conv1?/weight")
    state: dict[str, Tensor] = {}
    for name, value in variables.items():
        if name == "lod":
            continue
        match = re.fullmatch(r"(\d{1,4})x\1/(Dense|Conv|Conv0|Conv0_up|Conv1)/(weight|bias)", name)
        target = f"synthesis.b{match[1]}.{LAYERS[match[2]]}.{match[3]}" if match else torgb_name(name, blocks)
        if target is None:
            raise unusable(f"its variable {name[:80]!r} has no place in the network")
        if name.endswith("/weight"):
            value = _used(match[2] if match else "ToRGB", value)
        state[target] = value.contiguous()
    arguments = ProGANArguments.of(
        {
            "lod": level_of(variables, "lod"),
            "epsilon": given.get("pixelnorm_epsilon", ProGANArguments.epsilon),
            "classes": given.get("label_size", 0),
        }
    )
    return state, asdict(arguments)


def _used(layer: str, weight: Tensor) -> Tensor:
    """A layer's weight as it is used."""
    if layer == "Dense":
        return matrix(weight, GAIN / 4)
    if layer == "Conv0_up":
        return turned(kernel(weight, GAIN, (2, 3, 0, 1)))
    return kernel(weight, 1 if layer == "ToRGB" else GAIN)

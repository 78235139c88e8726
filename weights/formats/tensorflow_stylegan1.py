"""StyleGAN of NVIDIA's TensorFlow code (see tensorflow_pickles.py and tensorflow_growing.py).

From pictures of 128² on its upsampling convolution is another operation, which amounts to the same with the stored
kernel turned: so the same numbers mean another kernel on either side."""

import re
from dataclasses import asdict

from torch import Tensor

from photodrag.weights.formats.canonical import Canonical, unsupported, unusable
from photodrag.weights.formats.growing_canonical import StyleGAN1Arguments
from photodrag.weights.formats.tensorflow_arguments import check_filter, check_required
from photodrag.weights.formats.tensorflow_growing import GAIN, blocks_of, kernel, level_of, matrix, torgb_name, turned

REQUIRED = {
    "nonlinearity": "lrelu",
    "mapping_nonlinearity": "lrelu",
    "normalize_latents": True,
    "use_wscale": True,
    "use_styles": True,
    "use_instance_norm": True,
    "use_pixel_norm": False,
}
"""Arguments that no published network has otherwise."""
FUSED_SIDE = 128
LR_MULTIPLIER = 0.01
LAYERS = {"Const": "conv0", "Conv": "conv1", "Conv0_up": "conv0", "Conv1": "conv1"}
INNER = {
    "weight": "weight",
    "bias": "bias",
    "Noise/weight": "noise_strength",
    "StyleMod/weight": "affine.weight",
    "StyleMod/bias": "affine.bias",
}


def read_stylegan1(given: dict[str, object], variables: dict[str, Tensor]) -> Canonical:
    """The canonical state and arguments of a StyleGAN that was built with the arguments `given`. Raises UserError for
    other networks."""
    check_required(given, REQUIRED)
    check_filter(given, "blur_filter", [1, 2, 1])
    fused, lrmul = given.get("fused_scale", "auto"), given.get("mapping_lrmul", LR_MULTIPLIER)
    if not isinstance(fused, bool | str) or fused not in ("auto", True, False):
        raise unsupported("fused_scale", fused)
    if not isinstance(lrmul, float):
        raise unsupported("mapping_lrmul", lrmul)
    blocks = blocks_of(variables, r"synthesis/\d+x\d+/Conv1?/weight")
    state: dict[str, Tensor] = {}
    for name, value in variables.items():
        if name in ("lod", "synthesis/lod"):
            continue
        target = _place(name, blocks)
        if target is None:
            raise unusable(f"its variable {name[:80]!r} has no place in the network")
        state[target] = _used(target, value, fused, lrmul).contiguous()
    arguments = StyleGAN1Arguments.of({"lod": level_of(variables, "lod", "synthesis/lod")})
    return state, asdict(arguments)


def _place(name: str, blocks: int) -> str | None:
    """Where a variable goes; None where there is no such place."""
    if name == "dlatent_avg":
        return "mapping.w_avg"
    if name == "mapping/LabelConcat/weight":
        return "mapping.embed.weight"
    if match := re.fullmatch(r"mapping/Dense(\d{1,2})/(weight|bias)", name):
        return f"mapping.fc{match[1]}.{match[2]}"
    if match := re.fullmatch(r"synthesis/noise(\d{1,2})", name):
        return f"synthesis.b{4 << int(match[1]) // 2}.conv{int(match[1]) % 2}.noise_const"
    if name == "synthesis/4x4/Const/const":
        return "synthesis.b4.const"
    if match := re.fullmatch(r"synthesis/(\d{1,4})x\1/(Const|Conv|Conv0_up|Conv1)/([\w/]+)", name):
        return f"synthesis.b{match[1]}.{LAYERS[match[2]]}.{INNER[match[3]]}" if match[3] in INNER else None
    return torgb_name(name.removeprefix("synthesis/"), blocks) if name.startswith("synthesis/") else None


def _used(target: str, value: Tensor, fused: bool | str, lrmul: float) -> Tensor:
    """A variable as it is used at its place."""
    module, leaf = target.rsplit(".", 1)
    if leaf == "noise_const":
        return value.squeeze(0).squeeze(0)
    if leaf == "const":
        return value.squeeze(0)
    if module.startswith("mapping.fc"):
        return matrix(value, GAIN * lrmul) if leaf == "weight" else value * lrmul
    if leaf != "weight":
        return value
    if module == "mapping.embed":
        return value.t() if value.dim() == 2 else value
    if module.endswith(".affine"):
        return matrix(value, 1)
    if module.endswith(".torgb"):
        return kernel(value, 1)
    value, side = kernel(value, GAIN), int(target.split(".")[1][1:])
    is_fused = side >= FUSED_SIDE if fused == "auto" else fused is True
    return turned(value) if module.endswith("conv0") and is_fused else value

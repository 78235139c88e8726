"""StyleGAN2 and StyleGAN2-ADA of NVIDIA's TensorFlow code (see tensorflow_pickles.py).

TensorFlow keeps kernels as [height, width, in, out] and matrices as [in, out], and transposed
convolutions turned by 180°; a style's bias has its initial 1 beside it, in the code.
"""

import re
from collections.abc import Callable

from torch import Tensor

from photodrag.weights.formats.canonical import Canonical, unusable
from photodrag.weights.formats.stylegan2_canonical import Arguments, conv_name, resample_filter
from photodrag.weights.formats.tensorflow_arguments import check_filter, check_required

REQUIRED = {"nonlinearity": "lrelu", "mapping_nonlinearity": "lrelu", "normalize_latents": True}
"""Arguments that no published network has otherwise."""
KERNEL = [1, 3, 3, 1]
"""The filter that the code makes anew, so that no tensor tells it."""
IGNORED = {"lod", "synthesis/lod"}
"""How far a growing network had grown: all the way in StyleGAN2."""


def read_stylegan2(given: dict[str, object], variables: dict[str, Tensor]) -> Canonical:
    """The canonical state and arguments of a StyleGAN2 that was built with the arguments `given`. Raises UserError for
    other networks."""
    check_required(given, REQUIRED)
    check_filter(given, "resample_kernel", KERNEL)
    arguments = Arguments.of(
        {
            "conv_clamp": given.get("conv_clamp"),
            "lr_multiplier": given.get("mapping_lrmul", Arguments.lr_multiplier),
            "num_fp16_res": given.get("num_fp16_res", Arguments.num_fp16_res),
        }
    )
    state: dict[str, Tensor] = {}
    for name, value in variables.items():
        if name not in IGNORED:
            target, convert = _place(name)
            state[target] = convert(value).contiguous()
    return state | _filters(state), arguments.as_dict()


def _place(name: str) -> tuple[str, Callable[[Tensor], Tensor]]:
    """Where a variable goes, and how it gets there."""
    if name == "dlatent_avg":
        return "mapping.w_avg", lambda t: t
    if match := re.fullmatch(r"mapping/(?:Dense(\d{1,3})|LabelEmbed)/(weight|bias)", name):
        module = "embed" if match[1] is None else f"fc{match[1]}"
        return f"mapping.{module}.{match[2]}", lambda t: t.t() if t.dim() == 2 else t
    if name == "synthesis/4x4/Const/const":
        return "synthesis.b4.const", lambda t: t.squeeze(0)
    if match := re.fullmatch(r"synthesis/noise(\d{1,2})", name):
        return f"{conv_name(int(match[1]))}.noise_const", lambda t: t.squeeze(0).squeeze(0)
    if match := re.fullmatch(r"synthesis/(\d{1,4})x\1/(Conv|Conv0_up|Conv1|ToRGB|Skip)/(\w+)", name):
        module = {"Conv": "conv1", "Conv0_up": "conv0", "Conv1": "conv1", "ToRGB": "torgb", "Skip": "skip"}[match[2]]
        if match[3] in INNER:
            inner, convert = INNER[match[3]]
            turned = match[3] == "weight" and match[2] in ("Conv0_up", "Skip")
            return f"synthesis.b{match[1]}.{module}.{inner}", _turned_kernel if turned else convert
    raise unusable(f"its variable {name[:80]!r} has no place in the network")


def _kernel(weight: Tensor) -> Tensor:
    return weight.permute(3, 2, 0, 1) if weight.dim() == 4 else weight


def _turned_kernel(weight: Tensor) -> Tensor:
    return _kernel(weight).flip(-2, -1) if weight.dim() == 4 else weight


INNER: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "weight": ("weight", _kernel),
    "bias": ("bias", lambda t: t),
    "noise_strength": ("noise_strength", lambda t: t),
    "mod_weight": ("affine.weight", lambda t: t.t() if t.dim() == 2 else t),
    "mod_bias": ("affine.bias", lambda t: t + 1),
}


def _filters(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The filter that the code makes anew, for every place that keeps one."""
    places = (re.fullmatch(r"(synthesis\.b\d+\.)((?:conv[01]|skip)\.)weight", name) for name in state)
    modules = {module for place in places if place for module in (place[1], place[1] + place[2])}
    return {f"{module}resample_filter": resample_filter() for module in sorted(modules)}

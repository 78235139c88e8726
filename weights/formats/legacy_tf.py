"""Checkpoints of NVIDIA's TensorFlow code, StyleGAN2 and StyleGAN2-ADA: pickles of the networks
(G, D, Gs), of which Gs, the averaged generator, is read, or G where it has no tensors.

TensorFlow keeps kernels as [height, width, in, out] and matrices as [in, out], and transposed
convolutions turned by 180°; a style's bias has its initial 1 beside it, in the code.
"""

import re
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from photodrag.weights.formats.canonical import (
    Arguments,
    Canonical,
    abbreviated,
    as_float32,
    conv_name,
    qualified_name,
    resample_filter,
    unsupported,
    unusable,
)
from photodrag.weights.formats.placeholders import Shell

NETWORK = ("dnnlib.tflib.network", "Network")
OLDEST_VERSION = 4
"""Of the pickle's own version numbers: those before are of StyleGAN 1 and Progressive GAN."""
REQUIRED = {"nonlinearity": "lrelu", "mapping_nonlinearity": "lrelu", "normalize_latents": True}
"""Arguments that no published network has otherwise."""
KERNEL = [1, 3, 3, 1]
"""The filter that the code makes anew, so that no tensor tells it."""
IGNORED = {"lod", "synthesis/lod"}
"""How far a growing network had grown: all the way in StyleGAN2."""


def generator_of(raw: object) -> dict[str, object] | None:
    """What the generator in an opened pickle keeps, Gs preferred; None where there is none."""
    if not (isinstance(raw, tuple | list) and len(raw) == 3):
        return None
    g, d, averaged = map(_network_state, raw)
    if g is None or d is None or averaged is None:
        return None
    return averaged if _dict_in(averaged, "components") else g


def read_tensorflow(generator: dict[str, object]) -> Canonical:
    """The canonical state and arguments of what `generator_of` found. Raises UserError for other networks."""
    version = generator.get("version")
    if type(version) is not int or version < OLDEST_VERSION:
        raise unusable("it is of StyleGAN 1 or older")
    given = _dict_in(generator, "static_kwargs")
    for name, supported in REQUIRED.items():
        value = given.get(name, supported)
        if type(value) is not type(supported) or value != supported:
            raise unsupported(name, value)
    kernel = given.get("resample_kernel", KERNEL)
    if not isinstance(kernel, list | tuple) or list(map(abbreviated, kernel)) != list(map(abbreviated, KERNEL)):
        raise unusable("its argument resample_kernel is another filter than any published network has")
    arguments = Arguments.of(
        {
            "conv_clamp": given.get("conv_clamp"),
            "lr_multiplier": given.get("mapping_lrmul", Arguments.lr_multiplier),
            "num_fp16_res": given.get("num_fp16_res", Arguments.num_fp16_res),
        }
    )
    state: dict[str, Tensor] = {}
    for name, value in as_float32(dict(_variables(generator))).items():
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


def _variables(network: dict[str, object], path: str = "") -> Iterator[tuple[str, Tensor]]:
    """All variables by their path through the network's components."""
    variables = network.get("variables")
    for variable in variables if isinstance(variables, list) else ():
        match variable:
            case (str() as name, np.ndarray() | np.generic() as value) if value.dtype.kind == "f":
                yield qualified_name(path, name), torch.as_tensor(value)
            case _:
                raise unusable("one of its variables has no name or no value")
    for name, part in _dict_in(network, "components").items():
        state = _network_state(part)
        if state is None:
            raise unusable(f"its part {str(name)[:80]!r} is no network")
        yield from _variables(state, qualified_name(path, name, "/"))


def _network_state(value: object) -> dict[str, object] | None:
    """What a network keeps; None for what is no network."""
    if isinstance(value, Shell) and (value.module, value.name) == NETWORK and isinstance(value.state, dict):
        return value.state
    return None


def _dict_in(network: dict[str, object], name: str) -> dict[str, object]:
    value = network.get(name)
    return value if isinstance(value, dict) else {}

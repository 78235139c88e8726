"""ProGAN of NVIDIA's first code, which used Theano: pickles of Python 2 with the networks (G, D, Gs).

A network keeps no names: its values follow one another as its layers do, each layer's weight, the factor that it is
scaled by, and its bias; first all convolutions, from 4 × 4 on, then those that make a picture, the one at full size
first. Theano's convolutions turn their kernels by 180°. So says the first commit of tkarras/progressive_growing_of_gans
(network.py), and so its later code reads them (legacy.py)."""

from collections.abc import Callable, Iterator
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor

from photodrag.weights.formats.canonical import MAX_BLOCKS, Canonical, as_float32, unsupported, unusable
from photodrag.weights.formats.growing_canonical import ProGANArguments
from photodrag.weights.formats.placeholders import Shell
from photodrag.weights.formats.tensorflow_arguments import check_required
from photodrag.weights.formats.tensorflow_growing import turned

NETWORK = ("network", "Network")
FUNCTIONS = "G_paper", "G_progressive_8"
REQUIRED = {
    "normalize_latents": True,
    "use_pixelnorm": True,
    "use_leakyrelu": True,
    "use_batchnorm": False,
    "label_size": 0,
    "tanh_at_end": None,
}
"""Arguments that no published network has otherwise."""


def generator_of(raw: object) -> dict[str, object] | None:
    """What the generator in an opened pickle keeps, Gs preferred; None where there is none."""
    if not (isinstance(raw, tuple | list) and len(raw) == 3):
        return None
    states = [part.state for part in raw if isinstance(part, Shell) and (part.module, part.name) == NETWORK]
    dicts = [state for state in states if isinstance(state, dict)]
    if len(dicts) < 3:
        return None
    g, _, averaged = dicts
    return averaged if averaged.get("param_values") else g


def read_theano(network: dict[str, object]) -> Canonical:
    """The canonical state and arguments of what `generator_of` found. Raises UserError for other networks."""
    spec, values, top = (network.get(name) for name in ("build_func_spec", "param_values", "toplevel_params"))
    if not isinstance(spec, dict) or not isinstance(values, list):
        raise unusable("it lacks the arguments or the values of its network")
    if spec.get("func") not in FUNCTIONS:
        raise unsupported("func", spec.get("func"))
    check_required(spec, REQUIRED)
    named = {str(number): _tensor(value) for number, value in enumerate(values)}
    state = _state(list(as_float32(named).values()), spec.get("use_wscale", True) is True)
    lod = top.get("cur_lod", 0.0) if isinstance(top, dict) else 0.0
    arguments = ProGANArguments.of({"lod": float(_tensor(lod)) if _tensor(lod).numel() == 1 else None})
    return state, asdict(arguments)


def _tensor(value: object) -> Tensor:
    match value:
        case np.ndarray() | np.generic() if value.dtype.kind == "f":
            return torch.as_tensor(value)
        case float():
            return torch.tensor(value)
    raise unusable("one of its values is no number")


def _state(values: list[Tensor], is_scaled: bool) -> dict[str, Tensor]:
    """The canonical state of values in their order: 2 convolutions and a picture a block."""
    blocks, rest = divmod(len(values), 9 if is_scaled else 6)
    if rest or not 0 < blocks <= MAX_BLOCKS:
        raise unusable(f"its {len(values)} values are not those of a whole number of blocks")
    state: dict[str, Tensor] = {}
    following = iter(values)
    for name, used in _layers(blocks):
        weight = next(following)
        if is_scaled:
            weight = weight * _factor(next(following))
        state[f"synthesis.{name}.weight"] = used(weight).contiguous()
        state[f"synthesis.{name}.bias"] = next(following)
    return state


def _layers(blocks: int) -> Iterator[tuple[str, Callable[[Tensor], Tensor]]]:
    """The layers in order, and what takes a stored weight to the canonical one."""
    yield "b4.dense", _dense
    yield "b4.conv1", turned
    for i in range(1, blocks):
        yield from ((f"b{4 << i}.{conv}", turned) for conv in ("conv0", "conv1"))
    for i in reversed(range(blocks)):
        yield f"b{4 << i}.torgb", _to_rgb


def _factor(value: Tensor) -> Tensor:
    if value.numel() != 1:
        raise unusable("the factor of one of its weights is no number")
    return value.reshape(())


def _dense(weight: Tensor) -> Tensor:
    """A convolution [out, in, 4, 4] of one pixel, full, which doesn't turn its kernel → [out · 16, in]."""
    return weight.permute(0, 2, 3, 1).flatten(0, 2) if weight.dim() == 4 else weight


def _to_rgb(weight: Tensor) -> Tensor:
    """[in, out] → [out, in, 1, 1]."""
    return weight.t()[..., None, None] if weight.dim() == 2 else weight

"""Checkpoints of NVIDIA's PyTorch code, stylegan2-ada-pytorch and stylegan3: pickles of a dict with the whole
generator, a StyleGAN2 or a StyleGAN3, as an object, `G_ema` or `G`."""

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from photodrag.weights.formats import stylegan2_canonical, stylegan3_canonical
from photodrag.weights.formats.canonical import Canonical, as_float32, qualified_name, unusable
from photodrag.weights.formats.placeholders import Shell

PERSISTENT = ("torch_utils.persistence", "_reconstruct_persistent_obj")


def generator_of(raw: object) -> Shell | None:
    """The generator in an opened pickle, the averaged one preferred; None where there is none."""
    if isinstance(raw, dict):
        for generator in (raw.get("G_ema"), raw.get("G")):
            if isinstance(generator, Shell) and _persistent_meta(generator) is not None:
                return generator
    return None


def read_nvidia(generator: Shell) -> Canonical:
    """The canonical state and arguments of what `generator_of` found. Raises UserError where it has neither.

    The arguments are read off the modules, which keep what was in effect: constructors have had their
    arguments nested in one code and flat in the other, with other defaults."""
    modules = dict(_modules(generator))
    tensors = {
        qualified_name(path, name): tensor
        for path, module in modules.items()
        for kind in ("_parameters", "_buffers")
        for name, tensor in _dict_in(module, kind).items()
        if tensor is not None
    }
    state = as_float32(tensors)
    describe = _describe_stylegan3 if "synthesis.input.freqs" in state else _describe_stylegan2
    return state, describe(modules, state)


def _describe_stylegan2(modules: dict[str, dict[str, object]], state: dict[str, Tensor]) -> dict[str, object]:
    """The arguments of a StyleGAN2."""
    conv, layer = modules.get("synthesis.b4.conv1.", {}), modules.get("mapping.fc0.", {})
    default = stylegan2_canonical.Arguments
    for module in (conv, layer):
        default.of({"activation": module.get("activation", default.activation)})
    return default.of(
        {
            "conv_clamp": conv.get("conv_clamp"),
            "lr_multiplier": layer.get("bias_gain", default.lr_multiplier),
            "num_fp16_res": sum(module.get("use_fp16") is True for module in modules.values()),
        }
    ).as_dict()


def _describe_stylegan3(modules: dict[str, dict[str, object]], state: dict[str, Tensor]) -> dict[str, object]:
    """The arguments of a StyleGAN3."""
    default = stylegan3_canonical.Arguments
    fourier, fc = modules["synthesis.input."], modules.get("mapping.fc0.", {})
    layers = [modules[f"synthesis.{name}."] for name in stylegan3_canonical.layer_names(state)]
    inner = layers[0]
    size, high = fourier.get("size"), _number(inner.get("tmp_sampling_rate"))
    widest = max(_number(inner.get(f"{end}_sampling_rate")) for end in ("in", "out"))
    if not isinstance(size, np.ndarray) or size.shape != (2,) or size[0] != size[1] or not widest:
        raise unusable("its input has no size")
    return default.of(
        {
            "family": stylegan3_canonical.FAMILY,
            "rates": [_number(fourier.get("sampling_rate")), *(_number(x.get("out_sampling_rate")) for x in layers)],
            "input_size": _number(size[0]),
            "bandwidth": _number(fourier.get("bandwidth")),
            "upsampling": _number(high / widest),
            "conv_clamp": inner.get("conv_clamp"),
            "output_scale": modules["synthesis."].get("output_scale"),
            "lr_multiplier": fc.get("bias_gain", default.lr_multiplier),
        }
    ).as_dict()


def _number(value: object) -> float:
    """A number as JSON knows it, whole where it is; 0 for anything else."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _modules(module: object, path: str = "") -> Iterator[tuple[str, dict[str, object]]]:
    """The path, ending with a dot unless it is empty, and the attributes of a module and all below it."""
    attributes = _attributes(module, path)
    yield path, attributes
    for name, child in _dict_in(attributes, "_modules").items():
        if child is not None:
            yield from _modules(child, qualified_name(path, name, "."))


def _attributes(module: object, path: str) -> dict[str, object]:
    """What a module keeps. NVIDIA's own keep it in the argument of the function that would make them."""
    meta = _persistent_meta(module)
    state = meta.get("state") if meta is not None else getattr(module, "state", None)
    if not isinstance(state, dict):
        raise unusable(f"its module {path[:80].rstrip('.') or 'G'} has no state")
    return state


def _dict_in(attributes: dict[str, object], name: str) -> dict[str, object]:
    value = attributes.get(name)
    return value if isinstance(value, dict) else {}


def _persistent_meta(value: object) -> dict[str, object] | None:
    """What NVIDIA's function would make an object of; None for what it wouldn't make."""
    if not isinstance(value, Shell) or (value.module, value.name) != PERSISTENT:
        return None
    if type(value.arguments) is not tuple or len(value.arguments) != 1:
        return None
    meta = value.arguments[0]
    return meta if isinstance(meta, dict) else None

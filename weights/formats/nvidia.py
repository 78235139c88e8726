"""Checkpoints of NVIDIA's PyTorch code, stylegan2-ada-pytorch and the StyleGAN2 of stylegan3: pickles of
a dict with the whole generator as an object, `G_ema` or `G`."""

from collections.abc import Iterator

from photodrag.weights.formats.canonical import Arguments, Canonical, as_float32, qualified_name, unusable
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
    state = {
        qualified_name(path, name): tensor
        for path, module in modules.items()
        for kind in ("_parameters", "_buffers")
        for name, tensor in _dict_in(module, kind).items()
        if tensor is not None
    }
    conv, layer = modules.get("synthesis.b4.conv1.", {}), modules.get("mapping.fc0.", {})
    for module in (conv, layer):
        Arguments.of({"activation": module.get("activation", Arguments.activation)})
    arguments = Arguments.of(
        {
            "conv_clamp": conv.get("conv_clamp"),
            "lr_multiplier": layer.get("bias_gain", Arguments.lr_multiplier),
            "num_fp16_res": sum(module.get("use_fp16") is True for module in modules.values()),
        }
    )
    return as_float32(state), arguments.as_dict()


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

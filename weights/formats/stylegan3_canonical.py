"""The canonical form of a StyleGAN3, and the network built from it.

Its tensors have the names of NVIDIA's checkpoints; a layer's says its number, the side of what it gives, and its
channels: `synthesis.L4_52_512`. `Arguments` are what neither names nor tensors tell."""

import re
from collections.abc import Mapping as Dict
from dataclasses import asdict, dataclass

from torch import Tensor

from photodrag.weights.common.json_checks import Check, is_number, is_whole, or_null
from photodrag.weights.formats.canonical import (
    MAX_WIDTH,
    check_maps,
    checked_arguments,
    filled,
    mapping_sizes,
    picture_channels,
    shape_of,
    unusable,
)
from photodrag.weights.formats.stylegan2_canonical import is_positive
from photodrag.weights.networks.alias_free import Resampling
from photodrag.weights.networks.fourier import FourierInput
from photodrag.weights.networks.mapping import Mapping
from photodrag.weights.networks.stylegan3 import StyleGAN3, Synthesis, SynthesisLayer, ToRGB

MAX_SIDE, MAX_LAYERS, MAX_FACTOR, MAX_TAPS = 8192, 64, 8, 256
FAMILY = "stylegan3"


def _rates(value: object) -> bool:
    return isinstance(value, list) and 2 < len(value) <= MAX_LAYERS and all(map(is_whole(1, MAX_SIDE), value))


CHECKS: dict[str, Check] = {
    "family": lambda value: value == FAMILY,
    "rates": _rates,
    "input_size": is_whole(1, MAX_SIDE),
    "bandwidth": is_number(MAX_SIDE),
    "upsampling": is_whole(1, MAX_FACTOR + 1),
    "conv_clamp": or_null(is_positive),
    "output_scale": is_number(1e30),
    "lr_multiplier": is_number(1e30),
}


@dataclass(frozen=True)
class Arguments:
    """What the tensors don't tell, with the defaults of stylegan3."""

    rates: list[int]
    """Samples a picture's side: of the input, then of what each layer gives."""
    input_size: int
    """Samples a side of the input, with its margin."""
    bandwidth: float
    """Of the input, in waves a picture's side."""
    upsampling: int = 2
    """By how much the rate at which a non-linearity is applied exceeds its layer's."""
    conv_clamp: float | None = 256
    """The largest magnitude of an activation."""
    output_scale: float = 0.25
    """The picture's, by what the last layer gives."""
    lr_multiplier: float = 0.01
    """The factor on the mapping's weights and biases."""
    family: str = FAMILY

    @classmethod
    def of(cls, arguments: Dict[str, object]) -> "Arguments":
        """Those arguments, checked, and the defaults of the others. Raises UserError for an unknown name or value."""
        defaults = {name: field.default for name, field in cls.__dataclass_fields__.items() if name in vars(cls)}
        return cls(**checked_arguments(arguments, defaults, CHECKS))

    def as_dict(self) -> dict[str, object]:
        """As they are kept beside the tensors, in JSON."""
        return asdict(self)


def build_stylegan3(state: dict[str, Tensor], arguments: Dict[str, object]) -> StyleGAN3:
    """The network with that canonical state, on the CPU: eval mode, float32, no gradients asked for.

    Raises UserError as `build_stylegan2` does."""
    known = Arguments.of(arguments)
    return filled(lambda: _network(state, known), state)


def layer_names(state: dict[str, Tensor]) -> list[str]:
    """The layers' names in order, the one that makes the picture last. Raises UserError where one is missing."""
    found = {match[1] for name in state if (match := re.match(r"synthesis\.(L\d{1,2}_\d{1,4}_\d{1,4})\.", name))}
    names = sorted(found, key=lambda name: int(name[1:].partition("_")[0]))
    numbers = [int(name[1:].partition("_")[0]) for name in names]
    if len(names) < 2 or numbers != list(range(len(names))):
        raise unusable("its layers aren't complete")
    return names


def _network(state: dict[str, Tensor], arguments: Arguments) -> StyleGAN3:
    names, rates = layer_names(state), arguments.rates
    if len(rates) != len(names) + 1:
        raise unusable(f"it has {len(names)} layers and {len(rates)} rates")
    widths, c_dim, embed_dim = mapping_sizes(state)
    mapping = Mapping(widths, len(names) + 1, c_dim, embed_dim, arguments.lr_multiplier)
    channels, w_dim = shape_of(state, "synthesis.input.weight", 2)[0], widths[-1]
    sizes = [int(name.split("_")[1]) for name in names]
    outputs = [shape_of(state, f"synthesis.{name}.weight", 4)[0] for name in names]
    if max(channels, *outputs) > MAX_WIDTH:
        raise unusable("the sizes of its tensors are absurd")
    check_maps(zip([channels, *outputs], [arguments.input_size, *sizes], strict=True))
    if not 0 < arguments.bandwidth < rates[0] / 2:
        raise unusable("the bandwidth of its input is absurd")
    *inner, last = names
    layers, size, inputs = {}, arguments.input_size, channels
    for name, out_size, outputs_, rate_in, rate in zip(inner, sizes, outputs, rates, rates[1:], strict=False):
        layers[name] = _layer(state, name, arguments, (inputs, outputs_), (size, out_size), (rate_in, rate), w_dim)
        size, inputs = out_size, outputs_
    if not size == sizes[-1] == rates[-1] == rates[-2]:
        raise unusable("its last layers aren't of the picture's side")
    torgb = ToRGB(inputs, w_dim, arguments.conv_clamp, picture_channels(state, f"synthesis.{last}.weight"))
    fourier = FourierInput(channels, w_dim, arguments.input_size, rates[0], arguments.bandwidth)
    return StyleGAN3(mapping, Synthesis(fourier, layers, (last, torgb), arguments.output_scale))


def _layer(
    state: dict[str, Tensor],
    name: str,
    arguments: Arguments,
    channels: tuple[int, int],
    sizes: tuple[int, int],
    rates: tuple[int, int],
    w_dim: int,
) -> SynthesisLayer:
    """A layer; channels, sizes and rates are those of what it gets and gives."""
    high = max(rates) * arguments.upsampling
    up, down = high // rates[0], high // rates[1]
    kernel = shape_of(state, f"synthesis.{name}.weight", 4)[2]
    up_taps, down_taps = (len(_filter(state, f"synthesis.{name}.{which}_filter")) for which in ("up", "down"))
    if high % rates[0] or high % rates[1] or max(up, down) > MAX_FACTOR or max(up_taps, down_taps, kernel) > MAX_TAPS:
        raise unusable(f"the rates, filters or kernel of its layer {name} are absurd")
    check_maps([(channels[1], sizes[1] * down // 2)])  # all of the high rate is never there but on a GPU
    if sizes[1] < rates[1] or (sizes[1] - rates[1]) % 2:
        raise unusable(f"its layer {name} doesn't cover the picture")
    how = Resampling.centred(sizes[0] + kernel - 1, sizes[1], up, down, up_taps, down_taps)
    is_radial = state[f"synthesis.{name}.down_filter"].dim() == 2
    return SynthesisLayer(*channels, w_dim, kernel, rates[1], how, is_radial, arguments.conv_clamp)


def _filter(state: dict[str, Tensor], name: str) -> Tensor:
    if name not in state:
        raise unusable(f"the tensor {name} is missing")
    tensor = state[name]
    if tensor.dim() not in (1, 2) or not tensor.numel():
        raise unusable(f"the tensor {name} is no filter")
    return tensor

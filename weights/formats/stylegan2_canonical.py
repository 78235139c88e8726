"""The canonical form of a StyleGAN2, and the network built from it.

Its tensors have the names of NVIDIA's PyTorch checkpoints; `Arguments` are what they don't tell."""

from collections.abc import Mapping as Dict
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from photodrag.weights.common.json_checks import Check, is_number, is_whole, or_null
from photodrag.weights.formats.canonical import (
    block_sizes,
    checked_arguments,
    filled,
    mapping_sizes,
    picture_channels,
)
from photodrag.weights.networks.mapping import Mapping
from photodrag.weights.networks.stylegan2 import StyleGAN2, Synthesis


def is_positive(value: object) -> bool:
    """A check whether a value is a finite number above 0."""
    return is_number(1e30)(value) and value > 0


CHECKS: dict[str, Check] = {
    "conv_clamp": or_null(is_positive),
    "lr_multiplier": is_number(1e30),
    "num_fp16_res": is_whole(0, 64),
    "activation": lambda value: type(value) is str and value == "lrelu",
}


@dataclass(frozen=True)
class Arguments:
    """What the tensors don't tell, with the defaults of stylegan2-ada-pytorch."""

    conv_clamp: float | None = None
    """The largest magnitude of an activation."""
    lr_multiplier: float = 0.01
    """The factor on the mapping's weights and biases."""
    num_fp16_res: int = 0
    """How many of the last blocks were trained in half precision."""
    activation: str = "lrelu"

    @classmethod
    def of(cls, arguments: Dict[str, object]) -> "Arguments":
        """Those arguments, checked, and the defaults of the others. Raises UserError for an unknown name or value."""
        return cls(**checked_arguments(arguments, asdict(cls()), CHECKS))

    def as_dict(self) -> dict[str, object]:
        """As they are kept beside the tensors, in JSON."""
        return asdict(self)


def conv_name(i: int) -> str:
    """The canonical name of the i-th 3 × 3 convolution, where a layout numbers them through: one at 4², then two a
    block."""
    return f"synthesis.b{4 << (i + 1) // 2}.conv{int(i % 2 == 0)}"


def resample_filter() -> Tensor:
    """The low-pass filter [4, 4] of every published StyleGAN2, where a layout doesn't keep it."""
    line = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return torch.outer(line, line) / 64


def build_stylegan2(state: dict[str, Tensor], arguments: Dict[str, object]) -> StyleGAN2:
    """The network with that canonical state, on the CPU: eval mode, float32, no gradients asked for.

    All sizes are read off the tensors. Raises UserError where a tensor is missing, left over, of another
    shape than the others imply or not finite, where a size is absurd, and for unknown arguments."""
    known = Arguments.of(arguments)
    return filled(lambda: _network(state, known), state)


def _network(state: dict[str, Tensor], arguments: Arguments) -> StyleGAN2:
    """The network of the sizes that the tensors have."""
    channels = block_sizes(state)
    widths, c_dim, embed_dim = mapping_sizes(state)
    mapping = Mapping(widths, 2 * len(channels), c_dim, embed_dim, arguments.lr_multiplier)
    synthesis = Synthesis(
        channels,
        w_dim=widths[-1],
        architecture=architecture(state),
        clamp=arguments.conv_clamp,
        num_fp16_res=arguments.num_fp16_res,
        use_noise="synthesis.b4.conv1.noise_const" in state,
        picture_channels=picture_channels(state, f"synthesis.b{2 << len(channels)}.torgb.weight"),
    )
    return StyleGAN2(mapping, synthesis, arguments.num_fp16_res)


def architecture(state: dict[str, Tensor]) -> str:
    """ "skip", "resnet" or "orig": how a canonical state's blocks are joined."""
    if any(name.endswith(".skip.weight") for name in state):
        return "resnet"
    return "skip" if "synthesis.b4.torgb.weight" in state else "orig"

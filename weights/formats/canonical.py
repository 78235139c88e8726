"""The canonical form of a StyleGAN2 checkpoint, and the network built from it.

It is a state dict in float32 with the names of NVIDIA's PyTorch checkpoints, all of it and nothing else,
and a dict of `Arguments`: what the tensors don't tell. Every layout is converted to this form.
"""

from collections.abc import Iterable
from collections.abc import Mapping as Dict
from dataclasses import asdict, dataclass
from math import isfinite
from typing import TypeGuard

import torch
from torch import Tensor

from photodrag.weights.common.errors import UserError
from photodrag.weights.networks.materialize import materialized
from photodrag.weights.networks.stylegan2 import Mapping, StyleGAN2, Synthesis

MAX_BLOCKS, MAX_LAYERS, MAX_WIDTH, MAX_CLASSES = 11, 64, 4096, 65536
"""Eleven blocks are 4096²; more than any network that was ever published."""
MAX_NUMBERS = 1 << 28
"""In a generator, and in what a block gives: 1 GiB in float32. Of the largest published one both have some
thirty million."""
MAX_PATH = 120
"""Letters of a tensor's name with the modules' that it lies in; the longest that is known has forty."""


Canonical = tuple[dict[str, Tensor], dict[str, object]]
"""A state dict, and arguments as `Arguments.as_dict` gives them."""


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
        given: dict[str, object] = asdict(cls())
        unknown = arguments.keys() - given.keys()
        if unknown:
            raise unusable(f"its argument {str(min(unknown, key=str))[:40]!r} is unknown")
        given |= arguments
        conv_clamp, lr_multiplier, num_fp16_res = given["conv_clamp"], given["lr_multiplier"], given["num_fp16_res"]
        if conv_clamp is not None and not (_is_number(conv_clamp) and conv_clamp > 0):
            raise unsupported("conv_clamp", conv_clamp)
        if not _is_number(lr_multiplier):
            raise unsupported("lr_multiplier", lr_multiplier)
        if type(num_fp16_res) is not int or num_fp16_res < 0:
            raise unsupported("num_fp16_res", num_fp16_res)
        if type(given["activation"]) is not str or given["activation"] != cls.activation:
            raise unsupported("activation", given["activation"])
        return cls(conv_clamp, lr_multiplier, num_fp16_res)

    def as_dict(self) -> dict[str, object]:
        """As they are kept beside the tensors, in JSON."""
        return asdict(self)


def unusable(what: str) -> UserError:
    """The error for a checkpoint that was opened and whose content isn't usable. `what` is a clause."""
    return UserError(
        f"This checkpoint can't be used: {what}; give a complete StyleGAN2 generator, as its training code saved it."
    )


def unsupported(name: str, value: object) -> UserError:
    """The error for an argument that no network here can have."""
    return unusable(f"its argument {name} is {abbreviated(value)}, which is not supported")


def abbreviated(value: object) -> str:
    """A value out of a file, for an error message: a scalar's first 40 characters, else its type. A list may hold one
    long text a million times, so it is never spelled out."""
    if isinstance(value, str):
        return ascii(value[:40])
    return repr(str(value)[:40]) if isinstance(value, int | float | None) else f"a {type(value).__name__}"


def qualified_name(path: str, name: object, end: str = "") -> str:
    """The name of what lies at `path`, which is "" or ends like its own parts. Raises UserError for one that is
    too long: many modules may be one, and each of their names would be made."""
    if type(name) is not str or len(path) + len(name) > MAX_PATH:
        raise unusable(f"its part {f'{path}{str(name)[:80]}'[-80:]!a} has no fit name")
    return f"{path}{name}{end}"


def as_float32(tensors: Dict[str, object]) -> dict[str, Tensor]:
    """A file's tensors in float32. Raises UserError for what is no tensor, and for more numbers than a
    generator has: a file may hold one tensor under many names, and every name's would be converted."""
    named: list[tuple[str, Tensor]] = []
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            raise unusable(f"its {str(name)[:80]!r} is no tensor")
        named.append((str(name), tensor))
    if sum(tensor.numel() for _, tensor in named) > MAX_NUMBERS:
        raise unusable(f"its generator has more than {MAX_NUMBERS:,} numbers")
    return {name: tensor.detach().to(torch.float32).contiguous() for name, tensor in named}


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
    with torch.device("meta"):
        generator = _network(state, known)
    expected = generator.state_dict()
    for name in sorted(expected.keys() - state.keys()):
        raise unusable(f"the tensor {name} is missing")
    for name in sorted(state.keys() - expected.keys()):
        raise unusable(f"the tensor {str(name)[:80]!r} has no place in the network")
    for name, tensor in state.items():
        wanted = expected[name].shape
        if tensor.shape != wanted:
            raise unusable(f"the tensor {name} has the shape {list(tensor.shape)} and not {list(wanted)}")
        if not tensor.is_floating_point() or not tensor.isfinite().all():
            raise unusable(f"the tensor {name} holds something that is no finite number")
    return materialized(generator, state)


def _network(state: dict[str, Tensor], arguments: Arguments) -> StyleGAN2:
    """The network of the sizes that the tensors have, its own tensors empty."""
    channels = _leading_sizes(state, "synthesis.b{}.conv1.weight", [4 << i for i in range(MAX_BLOCKS + 1)], 4)
    widths = _leading_sizes(state, "mapping.fc{}.weight", range(MAX_LAYERS + 1), 2)
    if len(channels) > MAX_BLOCKS or len(widths) > MAX_LAYERS:
        raise unusable(f"it has more than {MAX_BLOCKS} blocks or {MAX_LAYERS} mapping layers")
    embed_dim, c_dim = _shape(state, "mapping.embed.weight", 2) if "mapping.embed.weight" in state else (0, 0)
    inputs = _shape(state, "mapping.fc0.weight", 2)[1]
    smallest = embed_dim if c_dim else 1  # with classes there may be no z
    if inputs < smallest or max(*channels, *widths, inputs) > MAX_WIDTH or c_dim > MAX_CLASSES:
        raise unusable("the sizes of its tensors are absurd")
    if max(count * (4 << i) ** 2 for i, count in enumerate(channels)) > MAX_NUMBERS:
        raise unusable("its pictures would take more memory than any generator needs")
    mapping = Mapping((inputs, *widths), 2 * len(channels), c_dim, embed_dim, arguments.lr_multiplier)
    synthesis = Synthesis(
        channels,
        w_dim=widths[-1],
        architecture=architecture(state),
        clamp=arguments.conv_clamp,
        num_fp16_res=arguments.num_fp16_res,
        use_noise="synthesis.b4.conv1.noise_const" in state,
    )
    return StyleGAN2(mapping, synthesis, arguments.num_fp16_res)


def architecture(state: dict[str, Tensor]) -> str:
    """ "skip", "resnet" or "orig": how a canonical state's blocks are joined."""
    if any(name.endswith(".skip.weight") for name in state):
        return "resnet"
    return "skip" if "synthesis.b4.torgb.weight" in state else "orig"


def _leading_sizes(state: dict[str, Tensor], pattern: str, numbers: Iterable[int], dimensions: int) -> tuple[int, ...]:
    """The first size of the tensors that are called so, up to the first number that is missing."""
    sizes: list[int] = []
    for number in numbers:
        name = pattern.format(number)
        if sizes and name not in state:
            break
        sizes.append(_shape(state, name, dimensions)[0])
    return tuple(sizes)


def _shape(state: dict[str, Tensor], name: str, dimensions: int) -> torch.Size:
    if name not in state:
        raise unusable(f"the tensor {name} is missing")
    shape = state[name].shape
    if len(shape) != dimensions or 0 in shape:
        raise unusable(f"the tensor {name} has the shape {list(shape)} and not {dimensions} sizes")
    return shape


def _is_number(value: object) -> TypeGuard[float]:
    """Whether it is a finite number."""
    if isinstance(value, int) and value.bit_length() > 64:  # JSON's may be too large for a float
        return False
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)

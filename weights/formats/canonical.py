"""The canonical form of a checkpoint: what is true of every family's.

It is a state dict in float32, all of the generator and nothing else, and a dict of arguments: what the tensors don't
tell. Every layout is converted to this form, and a network built from it (families.py)."""

from collections.abc import Callable, Iterable
from collections.abc import Mapping as Dict
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from photodrag.weights.common.errors import UserError
from photodrag.weights.common.json_checks import Check
from photodrag.weights.networks.materialize import materialized
from photodrag.weights.networks.pictures import CHANNELS

Network = TypeVar("Network", bound=nn.Module)

MAX_BLOCKS, MAX_LAYERS, MAX_WIDTH, MAX_CLASSES = 11, 64, 4096, 65536
"""Eleven blocks are 4096²; more than any network that was ever published."""
MAX_NUMBERS = 1 << 28
"""In a generator, and in what a block gives: 1 GiB in float32. Of the largest published one both have some
thirty million."""
MAX_PATH = 120
"""Letters of a tensor's name with the modules' that it lies in; the longest that is known has forty."""


Canonical = tuple[dict[str, Tensor], dict[str, object]]
"""A state dict, and arguments that JSON can keep; of all families but StyleGAN2 they name it, as `family`."""


def unusable(what: str) -> UserError:
    """The error for a checkpoint that was opened and whose content isn't usable. `what` is a clause."""
    return UserError(
        f"This checkpoint can't be used: {what}; give a complete generator, as its training code saved it."
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


def checked_arguments(arguments: Dict[str, object], defaults: Dict[str, object], checks: Dict[str, Check]) -> Any:
    """Those arguments, and the defaults of the others. Raises UserError for an unknown name, and for a value that
    doesn't pass its check."""
    unknown = arguments.keys() - checks.keys()
    if unknown:
        raise unusable(f"its argument {str(min(unknown, key=str))[:40]!r} is unknown")
    given = {**defaults, **arguments}
    for name, check in checks.items():
        if name not in given or not check(given[name]):
            raise unsupported(name, given.get(name))
    return given


def filled(make: Callable[[], Network], state: dict[str, Tensor]) -> Network:
    """The network that `make` makes, its tensors empty, with those of the state: see `materialized`.

    Raises UserError where a tensor is missing, left over, of another shape or not finite."""
    with torch.device("meta"):
        generator = make()
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


def block_sizes(state: dict[str, Tensor], leaf: str = "conv1.weight") -> tuple[int, ...]:
    """The channels of each block, b4 first, where the sides double from block to block."""
    channels = leading_sizes(state, f"synthesis.b{{}}.{leaf}", [4 << i for i in range(MAX_BLOCKS + 1)], 4)
    if len(channels) > MAX_BLOCKS:
        raise unusable(f"it has more than {MAX_BLOCKS} blocks")
    if max(channels) > MAX_WIDTH:
        raise _absurd()
    check_maps([(count, 4 << i) for i, count in enumerate(channels)])
    return channels


def check_maps(maps: Iterable[tuple[int, int]]) -> None:
    """Raise UserError where maps of so many channels and such a side take more memory than any generator needs."""
    if max(channels * side**2 for channels, side in maps) > MAX_NUMBERS:
        raise unusable("its pictures would take more memory than any generator needs")


def mapping_sizes(state: dict[str, Tensor]) -> tuple[tuple[int, ...], int, int]:
    """What the layers of `mapping` read and give, the classes, and the width of what embeds them (0 for none)."""
    widths = leading_sizes(state, "mapping.fc{}.weight", range(MAX_LAYERS + 1), 2)
    if len(widths) > MAX_LAYERS:
        raise unusable(f"it has more than {MAX_LAYERS} mapping layers")
    embed_dim, c_dim = shape_of(state, "mapping.embed.weight", 2) if "mapping.embed.weight" in state else (0, 0)
    inputs = shape_of(state, "mapping.fc0.weight", 2)[1]
    smallest = embed_dim if c_dim else 1  # with classes there may be no z
    if inputs < smallest or max(*widths, inputs) > MAX_WIDTH or c_dim > MAX_CLASSES:
        raise _absurd()
    return (inputs, *widths), c_dim, embed_dim


def picture_channels(state: dict[str, Tensor], name: str) -> int:
    """Those of the picture, by the weight that makes it. Raises UserError where it can't be shown."""
    channels = shape_of(state, name, 4)[0]
    if channels not in CHANNELS:
        raise unusable(f"its pictures have {channels} channels, and only grey, RGB and RGB with alpha can be shown")
    return channels


def leading_sizes(state: dict[str, Tensor], pattern: str, numbers: Iterable[int], dimensions: int) -> tuple[int, ...]:
    """The first size of the tensors that are called so, up to the first number that is missing."""
    sizes: list[int] = []
    for number in numbers:
        name = pattern.format(number)
        if sizes and name not in state:
            break
        sizes.append(shape_of(state, name, dimensions)[0])
    return tuple(sizes)


def shape_of(state: dict[str, Tensor], name: str, dimensions: int) -> torch.Size:
    """The shape of that tensor. Raises UserError where it is missing, empty or of other dimensions."""
    if name not in state:
        raise unusable(f"the tensor {name} is missing")
    shape = state[name].shape
    if len(shape) != dimensions or 0 in shape:
        raise unusable(f"the tensor {name} has the shape {list(shape)} and not {dimensions} sizes")
    return shape


def _absurd() -> UserError:
    return unusable("the sizes of its tensors are absurd")

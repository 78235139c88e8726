"""The families of generators: by a canonical form's arguments, which network it is of, and that network built."""

from collections.abc import Callable
from collections.abc import Mapping as Dict
from dataclasses import asdict, dataclass

from torch import Tensor

from photodrag.weights.formats.canonical import unsupported
from photodrag.weights.formats.growing_canonical import (
    ProGANArguments,
    StyleGAN1Arguments,
    build_progan,
    build_stylegan1,
)
from photodrag.weights.formats.stylegan2_canonical import Arguments as StyleGAN2Arguments
from photodrag.weights.formats.stylegan2_canonical import build_stylegan2
from photodrag.weights.formats.stylegan3_canonical import Arguments as StyleGAN3Arguments
from photodrag.weights.formats.stylegan3_canonical import build_stylegan3
from photodrag.weights.networks.progan import ProGAN
from photodrag.weights.networks.stylegan1 import StyleGAN1
from photodrag.weights.networks.stylegan2 import StyleGAN2
from photodrag.weights.networks.stylegan3 import StyleGAN3

Network = ProGAN | StyleGAN1 | StyleGAN2 | StyleGAN3


@dataclass(frozen=True)
class Family:
    """A family of networks."""

    name: str
    """As people write it."""
    checked: Callable[[Dict[str, object]], dict[str, object]]
    """Arguments, checked, with the defaults of those that are missing. Raises UserError where one is wrong."""
    build: Callable[[dict[str, Tensor], Dict[str, object]], Network]
    """The network with a canonical state and arguments. Raises UserError where they make none."""


FAMILIES = {
    "stylegan2": Family("StyleGAN2", lambda given: asdict(StyleGAN2Arguments.of(given)), build_stylegan2),
    "stylegan1": Family("StyleGAN", lambda given: asdict(StyleGAN1Arguments.of(given)), build_stylegan1),
    "progan": Family("ProGAN", lambda given: asdict(ProGANArguments.of(given)), build_progan),
    "stylegan3": Family("StyleGAN3", lambda given: asdict(StyleGAN3Arguments.of(given)), build_stylegan3),
}
"""By what their arguments call them."""


def family_of(arguments: Dict[str, object]) -> Family:
    """The family whose arguments they are. Raises UserError for an unknown one."""
    name = arguments.get("family", "stylegan2")
    if type(name) is not str or name not in FAMILIES:
        raise unsupported("family", name)
    return FAMILIES[name]


def build(state: dict[str, Tensor], arguments: Dict[str, object]) -> Network:
    """The network with that canonical state, on the CPU: eval mode, float32, no gradients asked for.

    Raises UserError where a tensor is missing, left over, of another shape than the others imply or not finite, where
    a size is absurd, and for unknown arguments."""
    return family_of(arguments).build(state, arguments)

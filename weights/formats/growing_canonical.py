"""The canonical forms of StyleGAN and ProGAN, and the networks built from them.

Their tensors have names like those of NVIDIA's StyleGAN2 in PyTorch (`synthesis.b8.conv0.weight`), and are as they are
used: scaled, kernels [out, in, height, width], and that of an upsampling convolution such that every pixel is put four
times and the map convolved with it. What they don't tell is an argument."""

from collections.abc import Mapping as Dict
from dataclasses import asdict, dataclass

from torch import Tensor

from photodrag.weights.common.json_checks import Check, is_number, is_whole
from photodrag.weights.formats.canonical import (
    MAX_BLOCKS,
    MAX_CLASSES,
    MAX_WIDTH,
    block_sizes,
    checked_arguments,
    filled,
    mapping_sizes,
    picture_channels,
    shape_of,
    unusable,
)
from photodrag.weights.networks import progan, stylegan1
from photodrag.weights.networks.progan import ProGAN
from photodrag.weights.networks.stylegan1 import StyleGAN1, Variant

STYLEGAN1, PROGAN = "stylegan1", "progan"


def _is_share(value: object) -> bool:
    return is_number(1.0)(value) and value >= 0


def _is_lod(value: object) -> bool:
    return is_number(MAX_BLOCKS)(value) and value >= 0


@dataclass(frozen=True)
class StyleGAN1Arguments:
    """What the tensors of a StyleGAN don't tell, with the defaults of NVIDIA's code."""

    family: str = STYLEGAN1
    lod: float = 0.0
    """How far it has grown: 0 all the way (see networks/growing.py)."""
    epsilon: float = 1e-8
    """Of the normalisation of a map."""
    bias_before_blur: bool = False
    """Whether the bias of an upsampling convolution is blurred with its map."""

    @classmethod
    def of(cls, arguments: Dict[str, object]) -> "StyleGAN1Arguments":
        """Those arguments, checked, and the defaults of the others. Raises UserError for an unknown name or value."""
        checks: dict[str, Check] = {
            "family": lambda value: value == STYLEGAN1,
            "lod": _is_lod,
            "epsilon": _is_share,
            "bias_before_blur": lambda value: isinstance(value, bool),
        }
        return cls(**checked_arguments(arguments, asdict(cls()), checks))


@dataclass(frozen=True)
class ProGANArguments:
    """What the tensors of a ProGAN don't tell, with the defaults of its code."""

    family: str = PROGAN
    lod: float = 0.0
    """How far it has grown: 0 all the way (see networks/growing.py)."""
    epsilon: float = 1e-8
    """Of the normalisation of pixels."""
    classes: int = 0
    """How many of the numbers that it reads, the last ones, say which class."""

    @classmethod
    def of(cls, arguments: Dict[str, object]) -> "ProGANArguments":
        """Those arguments, checked, and the defaults of the others. Raises UserError for an unknown name or value."""
        checks: dict[str, Check] = {
            "family": lambda value: value == PROGAN,
            "lod": _is_lod,
            "epsilon": _is_share,
            "classes": is_whole(0, MAX_CLASSES),
        }
        return cls(**checked_arguments(arguments, asdict(cls()), checks))


def up_to(state: dict[str, Tensor], resolution: int) -> dict[str, Tensor]:
    """The canonical state of the network as it was before it grew beyond pictures of that side. Raises UserError where
    it never had any of it."""
    if f"synthesis.b{resolution}.conv1.weight" not in state:
        raise unusable(f"it has no pictures of {resolution} pixels")
    beyond = tuple(f"synthesis.b{4 << i}." for i in range(MAX_BLOCKS) if 4 << i > resolution)
    return {name: tensor for name, tensor in state.items() if not name.startswith(beyond)}


def build_stylegan1(state: dict[str, Tensor], arguments: Dict[str, object]) -> StyleGAN1:
    """The network with that canonical state, on the CPU: eval mode, float32, no gradients asked for.

    Raises UserError as `build_stylegan2` does."""
    known = StyleGAN1Arguments.of(arguments)
    return filled(lambda: _stylegan1(state, known), state)


def _stylegan1(state: dict[str, Tensor], arguments: StyleGAN1Arguments) -> StyleGAN1:
    channels = block_sizes(state)
    widths, c_dim, embed_dim = mapping_sizes(state)
    mapping = stylegan1.Mapping(widths, 2 * len(channels), c_dim, embed_dim)
    variant = Variant(arguments.epsilon, arguments.bias_before_blur)
    shown = picture_channels(state, "synthesis.b4.torgb.weight")
    use_noise = "synthesis.b4.conv1.noise_const" in state
    synthesis = stylegan1.Synthesis(channels, widths[-1], shown, arguments.lod, use_noise, variant)
    return StyleGAN1(mapping, synthesis)


def build_progan(state: dict[str, Tensor], arguments: Dict[str, object]) -> ProGAN:
    """The network with that canonical state, on the CPU: eval mode, float32, no gradients asked for.

    Raises UserError as `build_stylegan2` does."""
    known = ProGANArguments.of(arguments)
    return filled(lambda: _progan(state, known), state)


def _progan(state: dict[str, Tensor], arguments: ProGANArguments) -> ProGAN:
    channels = block_sizes(state)
    w_dim = shape_of(state, "synthesis.b4.dense.weight", 2)[1]
    if not arguments.classes < w_dim <= MAX_WIDTH:
        raise unusable("the sizes of its tensors are absurd")
    shown = picture_channels(state, "synthesis.b4.torgb.weight")
    return ProGAN(progan.Synthesis(channels, w_dim, shown, arguments.lod, arguments.epsilon), arguments.classes)

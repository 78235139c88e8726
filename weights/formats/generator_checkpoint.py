"""A StyleGAN2 checkpoint from anyone, in any of the four formats → its canonical state, checked to be usable."""

import json
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from photodrag.weights.common.errors import UserError
from photodrag.weights.formats.canonical import Arguments, architecture, as_float32, build_stylegan2
from photodrag.weights.formats.checkpoint import open_checkpoint
from photodrag.weights.formats.layouts import identify, to_canonical

FORMATS = {
    "nvidia": "pickle of NVIDIA's PyTorch code",
    "tensorflow": "pickle of NVIDIA's TensorFlow code",
    "rosinality": "file of rosinality's PyTorch code",
    "canonical": "safetensors",
}


@dataclass(frozen=True)
class NetworkSummary:
    """What a person wants to know of a StyleGAN2; `channels` are those of each block, b4 first."""

    format: str
    """Of the file that it came from."""
    architecture: str
    """ "skip", "resnet" or "orig"."""
    resolution: int
    codes: int
    """num_ws: how many codes its w_plus has."""
    classes: int
    """c_dim; 0 for none."""
    channels: tuple[int, ...]


@dataclass(frozen=True)
class StyleGAN2Checkpoint:
    """A checkpoint's canonical state, its arguments, and what network they make."""

    state: dict[str, Tensor]
    arguments: dict[str, object]
    network: NetworkSummary

    def facts(self) -> dict[str, str]:
        """Arguments and network as JSON, for the metadata of safetensors."""
        return {"arguments": json.dumps(self.arguments), "network": json.dumps(vars(self.network))}


def read_checkpoint(path: Path) -> StyleGAN2Checkpoint:
    """The StyleGAN2 in a file of any of the four formats; nothing in it is run, and it is checked to be whole.

    Raises UserError for a file that can't be opened or isn't a whole StyleGAN2."""
    raw = open_checkpoint(path)
    try:
        if raw.format == "safetensors":
            layout = "canonical"
            assert isinstance(raw.content, dict)  # tensors by name, as `read_safetensors` gives them
            state, arguments = as_float32(raw.content), Arguments.of(raw.arguments).as_dict()
        else:
            layout = identify(raw.content)
            state, arguments = to_canonical(raw.content)
        generator = build_stylegan2(state, arguments)
    except UserError as error:
        raise type(error)(f"{path}: {error}") from error
    # Tensors of their own: the file's may be views of one another or of the file, and neither can be kept.
    state = {name: tensor.clone() for name, tensor in state.items()}
    network = NetworkSummary(
        FORMATS[layout],
        architecture(state),
        generator.resolution,
        generator.num_ws,
        generator.c_dim,
        tuple(len(state[f"synthesis.b{4 << i}.conv1.weight"]) for i in range(generator.num_ws // 2)),
    )
    return StyleGAN2Checkpoint(state, arguments, network)


def network_of(facts: dict[str, str]) -> NetworkSummary | None:
    """The network that the facts of a converted file tell of; None where they tell of none."""
    try:
        told = json.loads(facts["network"])
        return NetworkSummary(**told | {"channels": tuple(told["channels"])})
    except (KeyError, ValueError, TypeError):
        return None

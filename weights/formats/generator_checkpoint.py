"""A generator's checkpoint from anyone, in any of the formats → its canonical state, checked to be usable."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from photodrag.weights.common.errors import UserError
from photodrag.weights.formats.canonical import as_float32, unusable
from photodrag.weights.formats.checkpoint import open_checkpoint
from photodrag.weights.formats.families import Network, family_of
from photodrag.weights.formats.growing_canonical import PROGAN, STYLEGAN1, up_to
from photodrag.weights.formats.layouts import identify, to_canonical
from photodrag.weights.formats.stylegan2_canonical import architecture
from photodrag.weights.networks.stylegan3 import StyleGAN3

FORMATS = {
    "nvidia": "pickle of NVIDIA's PyTorch code",
    "tensorflow": "pickle of NVIDIA's TensorFlow code",
    "theano": "pickle of NVIDIA's Theano code",
    "rosinality": "file of rosinality's PyTorch code",
    "style-based": "file of rosinality's style-based code",
    "canonical": "safetensors",
}


@dataclass(frozen=True)
class NetworkSummary:
    """What a person wants to know of a generator."""

    format: str
    """Of the file that it came from."""
    architecture: str
    """Of a StyleGAN2 "skip", "resnet" or "orig"; of a StyleGAN3 "configuration T" or "configuration R"; of a network
    that isn't fully grown how far it is; "" where there is nothing to say."""
    resolution: int
    codes: int
    """num_ws: how many codes its w_plus has."""
    classes: int
    """c_dim; 0 for none."""
    channels: tuple[int, ...]
    """Of each block, b4 first; of a StyleGAN3 of each layer, the one that makes the picture left out."""
    family: str = "StyleGAN2"
    picture: str = "RGB"
    """ "grey", "RGB" or "RGB with alpha"."""


@dataclass(frozen=True)
class GeneratorCheckpoint:
    """A checkpoint's canonical state, its arguments, and what network they make."""

    state: dict[str, Tensor]
    arguments: dict[str, object]
    network: NetworkSummary

    def facts(self) -> dict[str, str]:
        """Arguments and network as JSON, for the metadata of safetensors."""
        return {"arguments": json.dumps(self.arguments), "network": json.dumps(vars(self.network))}


def read_checkpoint(path: Path, resolution: int | None = None) -> GeneratorCheckpoint:
    """The generator in a file of any of the formats; nothing in it is run, and it is checked to be whole.

    resolution: of its pictures, if the network was only trained that far and the file doesn't tell.
    Raises UserError for a file that can't be opened or isn't a whole generator, and for a resolution that it hasn't."""
    raw = open_checkpoint(path)
    try:
        if raw.format == "safetensors":
            layout = "canonical"
            assert isinstance(raw.content, dict)  # tensors by name, as `read_safetensors` gives them
            state, arguments = as_float32(raw.content), family_of(raw.arguments).checked(raw.arguments)
        else:
            layout = identify(raw.content)
            state, arguments = to_canonical(raw.content)
        if resolution is not None:
            if arguments.get("family") not in (STYLEGAN1, PROGAN):
                raise unusable("it is of no kind that is trained from small pictures on, so leave --resolution out")
            state, arguments = up_to(state, resolution), {**arguments, "lod": 0.0}
        generator = family_of(arguments).build(state, arguments)
    except UserError as error:
        raise type(error)(f"{path}: {error}") from error
    # Tensors of their own: the file's may be views of one another or of the file, and neither can be kept.
    state = {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in state.items()}
    return GeneratorCheckpoint(state, arguments, _summary(FORMATS[layout], generator, state, arguments))


def _summary(format: str, generator: Network, state: dict[str, Tensor], arguments: dict[str, object]) -> NetworkSummary:
    """What there is to say of a network with that state and these arguments."""
    lod = arguments.get("lod", 0)
    kind = f"level of detail {lod:g}" if lod else ""
    if isinstance(generator, StyleGAN3):
        layers = [generator.synthesis.layer(i) for i in range(len(generator.synthesis.names))]
        channels = [len(layer.weight) for layer in layers]
        kind = f"configuration {'T' if layers[0].weight.shape[-1] > 1 else 'R'}"
        shown = len(state[f"synthesis.{generator.synthesis.last}.bias"])
    else:
        sides = [4 << i for i in range(generator.resolution.bit_length() - 2)]
        channels = [len(state[f"synthesis.b{side}.conv1.weight"]) for side in sides]
        shown = len(state[f"synthesis.b{generator.resolution}.torgb.bias"])
        kind = kind if "family" in arguments else architecture(state)
    return NetworkSummary(
        format,
        kind,
        generator.resolution,
        generator.num_ws,
        generator.c_dim,
        tuple(channels),
        family_of(arguments).name,
        {1: "grey", 3: "RGB", 4: "RGB with alpha"}[shown],
    )


def network_of(facts: dict[str, str]) -> NetworkSummary | None:
    """The network that the facts of a converted file tell of; None where they tell of none."""
    try:
        told = json.loads(facts["network"])
        return NetworkSummary(**told | {"channels": tuple(told["channels"])})
    except (KeyError, ValueError, TypeError):
        return None

"""The generator `face`: MobileStyleGAN's published OpenVINO files → state dict → network."""

from zipfile import ZipFile

import torch
from torch import Tensor

from photodrag.weights.formats.openvino import face_state, read_constants
from photodrag.weights.latent.space import mean_w
from photodrag.weights.networks.materialize import materialized
from photodrag.weights.networks.mobile import MobileStyleGAN


def read_face(wheel: ZipFile) -> dict[str, Tensor]:
    """The state dict of MobileStyleGAN from the wheel of `random-face`. `w_avg`, which it lacks, is computed.

    Raises KeyError where the wheel lacks its files, ValueError where they disagree with each other."""

    def constants(network: str) -> list[tuple[str, Tensor]]:
        path = f"random_face/data/{network}Network"
        return read_constants(wheel.read(f"{path}.xml"), wheel.read(f"{path}.bin"))

    state = face_state(constants("Mapping"), constants("Synthesis"))
    generator = build_face(state | {"w_avg": torch.zeros_like(state["mapping_network.fc.0.bias"])})
    return state | {"w_avg": mean_w(generator.mapping_network, generator.z_dim)}


def build_face(state: dict[str, Tensor]) -> MobileStyleGAN:
    """The network with that state, its sizes read off the tensors; on the CPU, weights channels-last."""
    channels = [state["const"].shape[1]]
    while f"blocks.{len(channels) - 1}.conv1.weight" in state:
        channels.append(len(state[f"blocks.{len(channels) - 1}.conv1.weight"]))
    w_dim, z_dim = state["mapping_network.fc.0.weight"].shape
    layers = sum(key.startswith("mapping_network.") for key in state) // 2
    with torch.device("meta"):
        generator = MobileStyleGAN(tuple(channels), z_dim, w_dim, layers)
    return materialized(generator, state)

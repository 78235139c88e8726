"""Constants of an OpenVINO model (.xml and .bin), and the generator `face` read from them."""

import re
from xml.etree import ElementTree

import torch
from torch import Tensor


def read_constants(xml: bytes, data: bytes) -> list[tuple[str, Tensor]]:
    """The float32 constants (name, tensor) of a model, in the order of its file.

    xml: the model's description, whose layers of type `Const` say where in `data` their numbers lie.

    Raises ValueError where a constant lies outside `data` or its size and shape disagree."""
    constants = []
    for layer in ElementTree.fromstring(xml).iterfind("./layers/layer[@type='Const']"):
        data_element = layer.find("data")
        if data_element is None:
            raise ValueError(f"constant {layer.attrib['name']} says nothing of its data")
        fields = data_element.attrib
        if fields["element_type"] != "f32":
            continue
        shape = [int(n) for n in fields["shape"].split(",") if n.strip()]
        offset, size = int(fields["offset"]), int(fields["size"])
        if size != 4 * torch.Size(shape).numel() or offset + size > len(data):
            raise ValueError(f"constant {layer.attrib['name']} does not fit its file")
        tensor = torch.frombuffer(bytearray(data[offset : offset + size]), dtype=torch.float32).view(shape)
        constants.append((layer.attrib["name"], tensor))
    return constants


def face_state(mapping: list[tuple[str, Tensor]], synthesis: list[tuple[str, Tensor]]) -> dict[str, Tensor]:
    """The state dict of MobileStyleGAN (without w_avg) from its two models' constants.

    The published network keeps the Haar bands of 4C channels as C of `low`, then C × (lh, hl, hh).
    Here the four bands of a channel lie side by side, so whatever makes or scales bands has its
    rows reordered once.

    Raises KeyError where a constant is missing."""
    state: dict[str, Tensor] = {}
    layers = [tensor for _, tensor in mapping if tensor.dim() == 2 and tensor.numel() > 1]
    biases = [tensor for _, tensor in mapping if tensor.dim() == 1 and tensor.numel() > 1]
    for i, (weight, bias) in enumerate(zip(layers, biases, strict=True)):
        state |= {f"mapping_network.fc.{i}.weight": weight, f"mapping_network.fc.{i}.bias": bias}

    named = dict(synthesis)
    pointwise = iter(tensor for name, tensor in synthesis if re.fullmatch(r"Mul_\d+_copy", name))
    noises = iter(tensor for name, tensor in synthesis if name.isdigit() and tensor.dim() == 4)

    def styled(source: str, target: str, bands: bool) -> None:
        order = _bands_side_by_side if bands else lambda rows: rows
        state[f"{target}.style.weight"] = named[f"{source}.conv.modulation.weight"]
        state[f"{target}.style.bias"] = named[f"{source}.conv.modulation.bias"].flatten()
        state[f"{target}.weight"] = order(next(pointwise))
        state[f"{target}.bias"] = order(named[f"{source}.bias"].flatten())
        state[f"{target}.noise"] = next(noises)
        if f"{source}.conv.weight_dw" in named:
            state[f"{target}.depthwise"] = named[f"{source}.conv.weight_dw"].squeeze(1)

    state["const"] = named["m.input.input"]
    styled("m.conv1", "b4", bands=True)
    for i in range(sum(name.endswith("up.modulation.weight") for name in named)):
        source, target = f"m.layers.{i}", f"blocks.{i}"
        last = f"m.layers.{i + 1}.up.modulation.weight" not in named
        state[f"{target}.up_style.weight"] = _bands_side_by_side(named[f"{source}.up.modulation.weight"])
        state[f"{target}.up_style.bias"] = _bands_side_by_side(named[f"{source}.up.modulation.bias"].flatten())
        styled(f"{source}.conv1", f"{target}.conv0", bands=False)
        styled(f"{source}.conv2", f"{target}.conv1", bands=not last)
    state["to_rgb_style.weight"] = named[f"{source}.to_img.conv.modulation.weight"]
    state["to_rgb_style.bias"] = named[f"{source}.to_img.conv.modulation.bias"].flatten()
    state["to_rgb_weight"] = _bands_side_by_side(named[f"{source}.to_img.conv.weight"])
    state["to_rgb_bias"] = _bands_side_by_side(named[f"{source}.to_img.bias"].flatten())
    return state


def _bands_side_by_side(rows: Tensor) -> Tensor:
    low, rest = rows.split((len(rows) // 4, len(rows) - len(rows) // 4))
    return torch.cat((low.unsqueeze(1), rest.unflatten(0, (-1, 3))), 1).flatten(0, 1).contiguous()

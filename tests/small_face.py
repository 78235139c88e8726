"""`face` at 256 × 256, for tests that need a face and no 1024 pixels: a quarter of the time, the same people.

It is `face` up to its features at 128², with a last convolution of its own, from those to the picture, which
tests/bench/fit_small_face.py fits. Its codes are the first 12 of the same W+, its landmarks lie half a pixel from
the area-averaged picture's."""

from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from photodrag.weights.catalogue import find
from photodrag.weights.common.checked_safetensors import write_checked
from photodrag.weights.converted import converted_path, ensure_state

SIDE = 256
BLOCKS = 5
"""b8 … b128."""
RGB = Path(__file__).with_suffix(".safetensors")
"""weight [12, C], bias [12]: of the last 1 × 1 convolution, from the features to the bands of an inverse Haar step."""


def small_state(state: dict[str, Tensor], rgb: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state dict of the small network, from that of `face`."""

    def kept(name: str) -> bool:
        part, *rest = name.split(".")
        return not part.startswith("to_rgb") and (part != "blocks" or int(rest[0]) < BLOCKS)

    weight, channels = rgb["weight"], rgb["weight"].shape[1]
    last = {
        "to_rgb_weight": weight[..., None, None],
        "to_rgb_bias": rgb["bias"],
        "to_rgb_style.weight": torch.zeros(channels, len(state["w_avg"])),
        "to_rgb_style.bias": torch.full((channels,), channels**0.5),  # a style of 1, whatever the code
    }
    return {name: tensor for name, tensor in state.items() if kept(name)} | last


def lay_small_face(folder: Path) -> Path:
    """Write it into a folder as the cache holds `face`, and give the file."""
    entry = find("face")
    path = folder / converted_path(entry).name
    facts = {"name": entry.name, "wheel_sha256": entry.wheel.sha256}
    write_checked(path, small_state(ensure_state(entry), safetensors.torch.load_file(RGB)), facts)
    return path

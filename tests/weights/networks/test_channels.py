"""Networks of grey pictures, and of pictures with alpha: shown as RGB."""

import pytest
import torch
from plain_stylegan2 import plain_synthesis, random_state

from photodrag.weights.common.checked_safetensors import write_checked
from photodrag.weights.formats.generator_checkpoint import read_checkpoint
from photodrag.weights.formats.stylegan2_canonical import build_stylegan2
from photodrag.weights.networks.pictures import as_rgb

CHANNELS = (8, 6, 5)


def state_of(count: int, architecture: str) -> dict[str, torch.Tensor]:
    """That of a StyleGAN2 whose pictures have so many channels."""
    state, random = random_state(CHANNELS, architecture=architecture), torch.Generator().manual_seed(count)
    for name, tensor in state.items():
        if name.endswith(("torgb.weight", "torgb.bias")):
            state[name] = torch.randn(count, *tensor.shape[1:], generator=random)
    return state


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
@pytest.mark.parametrize("count", [1, 3, 4])
def test_a_network_of_so_many_channels_is_complete(count, architecture, tmp_path):
    state = state_of(count, architecture)
    w_plus = torch.randn(2, 6, 8, generator=torch.Generator().manual_seed(1))
    image, _ = plain_synthesis(state, w_plus)
    assert image.shape == (2, count, 16, 16)
    shown = build_stylegan2(state, {}).synthesis(w_plus)
    assert shown.shape == (2, 3, 16, 16)
    if count == 1:
        expected = image.repeat(1, 3, 1, 1)
    elif count == 4:
        opacity = ((image[:, 3:] + 1) / 2).clamp(0, 1)
        expected = image[:, :3] * opacity + (1 - opacity)
    else:
        expected = image
    torch.testing.assert_close(shown, expected, rtol=0, atol=2e-5)
    write_checked(tmp_path / "net.safetensors", state, {"arguments": "{}"})
    said = {1: "grey", 3: "RGB", 4: "RGB with alpha"}
    assert read_checkpoint(tmp_path / "net.safetensors").network.picture == said[count]


def test_what_is_transparent_is_white_and_what_is_opaque_stays():
    image = torch.full((1, 4, 1, 3), -0.5)
    image[0, 3, 0] = torch.tensor([-1.0, 1.0, 3.0])
    assert as_rgb(image)[0, 0, 0].tolist() == [1.0, -0.5, -0.5]

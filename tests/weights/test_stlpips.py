"""The weights of ST-LPIPS against the published package's own figures."""

import json

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from photodrag import weights
from photodrag.invert import perceptual
from photodrag.weights.stlpips import stlpips_state


@pytest.mark.parametrize("trunk", ["vgg", "alex"])
def test_distances_are_the_published_ones(golden, trunk):
    distance = perceptual.load(f"st-lpips-{trunk}")
    pictures = np.load(golden / "st-lpips.npz")
    image = {name: torch.from_numpy(pictures[name]).permute(2, 0, 1)[None] / 127.5 - 1 for name in pictures}
    image |= {f"64px {name}": F.avg_pool2d(image[name], 2) for name in "ab"}
    for pair, expected in json.loads((golden / "st-lpips.json").read_text())[trunk].items():
        a, b = pair.split("|")
        b = f"64px {b}" if a.startswith("64px") else b
        with torch.no_grad():
            assert distance(image[a], image[b]).item() == pytest.approx(expected, abs=1e-5), pair


def test_foreign_entries_are_refused():
    tap = torch.tensor([1, 2, 1]) / 4
    blur = (tap[:, None] * tap).expand(64, 1, 3, 3)
    assert stlpips_state({"net.slice2.5.filt": blur}, "vgg") == {}
    for published in ({"net.slice2.5.filt": blur * 1.01}, {"net.slice6.0.weight.x": blur}, {"other": blur}):
        with pytest.raises(ValueError, match="no part of"):
            stlpips_state(published, "vgg")


def test_weights_below_zero_count_as_zero():
    state = stlpips_state({"lin3.model.1.weight": torch.tensor([4.0, -1.0])}, "vgg")
    assert state["scales.3"].tolist() == [2, 0]


def test_classic_lpips_has_no_state_here():
    with pytest.raises(ValueError, match="package lpips"):
        weights.state("lpips-vgg")


@pytest.mark.parametrize("trunk", ["vgg", "alex"])
def test_classic_lpips_as_maps_is_the_package(trunk):
    """With the package's own linear weights and an untrained trunk, which needs no download."""
    torch.manual_seed(0)
    ours = perceptual.ClassicLPIPS(trunk, backbone=False).eval()
    a, b = torch.rand(2, 1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(ours(a, b), ours.net(a, b).flatten(), rtol=1e-4)
    assert not any(scale.requires_grad for scale in ours.root_weights())

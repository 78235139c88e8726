"""Drags of every family of networks, with random weights: the pictures are nonsense, and the points move."""

import pytest
import torch

from photodrag import weights
from photodrag.drag import DragSettings, drag
from photodrag.weights import latent_space

FILES = (
    "nvidia-sg3t-64.pkl",
    "nvidia-sg3r-64.pkl",
    "stylegan1-tf-64.pkl",
    "progan-tf-64.pkl",
)


@pytest.mark.parametrize("file", FILES)
def test_a_point_is_dragged(file, golden, empty_cache):
    generator = weights.load(golden / file)
    space = latent_space(generator, samples=2000)
    w_plus = generator.mapping(torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(2)))
    side = generator.resolution
    handles = torch.tensor([[0.45, 0.55]]) * side
    targets = handles + torch.tensor([[0.08, -0.04]]) * side
    result = drag(generator, w_plus, handles, targets, settings=DragSettings(steps=30), space=space)
    start = (targets - handles).norm().item()
    assert result.distances.item() < 0.7 * start, (start, result.distances.item(), result.reason)
    assert space.rms(result.w_plus).item() < 1.6
    if space.is_sphere:
        torch.testing.assert_close(result.w_plus.square().mean(), torch.tensor(1.0))
    moved = [generator.synthesis(w) for w in (w_plus, result.w_plus)]
    contrast = (moved[0].amax((2, 3)) - moved[0].amin((2, 3))).max()  # which such weights may give a picture little of
    assert (moved[0] - moved[1]).abs().max() > 0.05 * contrast

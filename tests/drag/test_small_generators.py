"""Drags of generators below 256 px, whose features are few and depend on few codes."""

import pytest
import torch

from photodrag import weights
from photodrag.drag import DragSettings, drag


@pytest.mark.parametrize("resolution", [4, 8, 16, 32])
def test_codes_read_are_those_that_change_the_features(resolution, face, golden, empty_cache):
    for generator in (face, weights.load(golden / "nvidia-ada-skip-32.pkl")):
        w_plus = generator.w_avg.expand(1, generator.num_ws, -1).clone().requires_grad_()
        generator.features(w_plus, resolution).square().sum().backward()
        depends = w_plus.grad.abs().amax((0, 2)) > 0
        assert depends.nonzero().flatten().tolist() == list(range(generator.codes_read(resolution)))


@pytest.mark.parametrize("file, moved", [("nvidia-ada-skip-32.pkl", 5), ("rosinality-16.pt", 3)])
def test_only_codes_move_that_the_features_depend_on(file, moved, golden, empty_cache):
    generator = weights.load(golden / file)
    z = torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(2))
    w_plus, side = generator.mapping(z), generator.resolution
    points = torch.tensor([[side / 2, side / 2]])
    result = drag(generator, w_plus, points, points + side / 8, settings=DragSettings(steps=5))
    assert torch.equal(result.w_plus[:, moved:], w_plus[:, moved:])
    assert (result.w_plus[:, :moved] != w_plus[:, :moved]).any(-1).all()

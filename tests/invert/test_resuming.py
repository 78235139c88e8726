"""An inversion that was stopped goes on: the same code and the same weights, to the last bit."""

import pytest
import torch

from photodrag import weights
from photodrag.invert import perceptual
from photodrag.invert.crop import Crop
from photodrag.invert.projection import ProjectSettings, Stage, project

STAGES = (Stage(5, 32), Stage(6, 32, 24))


@pytest.fixture(scope="module")
def distance():
    return perceptual.load("st-lpips-vgg")


@pytest.fixture(scope="module")
def small(golden):
    return weights.load(golden / "nvidia-ada-skip-32.pkl")


@pytest.fixture(scope="module")
def crop(small) -> Crop:
    z = torch.randn(1, small.z_dim, generator=torch.Generator().manual_seed(1))
    return Crop(small.synthesis(small.mapping(z)))


@pytest.mark.parametrize("patience", [1, 15], ids=["stages that end early", "stages to their end"])
def test_projection_goes_on_after_every_step(patience, small, distance, crop):
    settings = ProjectSettings(STAGES, patience=patience)
    states = []
    whole = project(small, crop, distance, settings, progress=states.append)
    assert (len(states) == 11) == (patience == 15)
    for state in states:
        later = []
        again = project(small, crop, distance, settings, progress=later.append, resume=state)
        assert torch.equal(again.w_plus, whole.w_plus)
        assert (again.loss, again.steps) == (whole.loss, whole.steps)
        assert len(later) == len(states) - state.taken

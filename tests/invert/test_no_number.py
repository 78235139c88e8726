"""What comes to be no finite number is a failure in a sentence, at once, and never an inversion."""

import pytest
import torch

from photodrag import weights
from photodrag.invert.crop import Crop
from photodrag.invert.projection import ProjectSettings, Stage, project
from photodrag.invert.tuning import TuneSettings, tune
from photodrag.weights import Failure

STAGES = ProjectSettings(stages=(Stage(5, 32), Stage(4, 32, 24)))
SHORT = TuneSettings(steps=5, whole=32, face=24)


@pytest.fixture
def own(golden):
    """A generator that this test may spoil."""
    return weights.load(golden / "nvidia-ada-skip-32.pkl")


@pytest.fixture
def crop(own) -> Crop:
    z = torch.randn(1, own.z_dim, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return Crop(own.synthesis(own.mapping(z)))


def spoil(generator, number: float, after: int = 0) -> None:
    """Let its pictures, after the first so many, be all of that number."""
    synthesis, drawn = generator.synthesis.forward, [0]

    def spoilt(w_plus, *arguments, **more):
        drawn[0] += 1
        image = synthesis(w_plus, *arguments, **more)
        return image if drawn[0] <= after else image * 0 + number

    generator.synthesis.forward = spoilt


@pytest.mark.parametrize("number", [torch.nan, torch.inf, -torch.inf, 1e30])
def test_projection(number, own, distance, crop):
    spoil(own, number)
    states = []
    with pytest.raises(Failure, match=r"was not inverted: .* no finite number; give another generator"):
        project(own, crop, distance, STAGES, progress=states.append)
    assert states == []  # of which one would be kept to go on from


def test_projection_whose_second_stage_is_none(own, distance, crop):
    """The first stage draws its starts and five steps; what it came to was never measured on the second's views."""
    drawn = [0]
    synthesis = own.synthesis.forward

    def counted(*arguments, **more):
        drawn[0] += 1
        return synthesis(*arguments, **more)

    own.synthesis.forward = counted
    project(own, crop, distance, ProjectSettings(stages=STAGES.stages[:1]))
    own.synthesis.forward = synthesis
    spoil(own, torch.nan, after=drawn[0])
    with pytest.raises(Failure, match="no finite number"):
        project(own, crop, distance, STAGES)


def test_projection_that_loses_its_way_later_is_the_best_that_it_saw(own, distance, crop):
    settings = ProjectSettings(stages=STAGES.stages[:1])
    states = []
    whole = project(own, crop, distance, settings, progress=states.append)
    spoil(own, torch.nan, after=100)
    assert torch.equal(project(own, crop, distance, settings).w_plus, whole.w_plus)  # this test's own measure
    best = min(states[:3], key=lambda state: state.loss)
    resumed = project(own, crop, distance, settings, resume=states[2])
    assert resumed.loss <= best.loss
    own.synthesis.forward = lambda w_plus, *_, **more: w_plus.sum() * torch.full((1, 3, 32, 32), torch.nan)
    lost = project(own, crop, distance, settings, resume=states[2])
    assert lost.loss == best.loss and torch.equal(lost.w_plus, best.w_plus)


@pytest.mark.parametrize("number", [torch.nan, torch.inf, -torch.inf, 1e30])
def test_tuning(number, own, distance, crop):
    pivot = own.w_avg.expand(1, own.num_ws, -1).contiguous()
    weight = next(weight for name, weight in own.named_parameters() if "torgb" in name and "bias" in name)
    weight.data.fill_(number)  # a copy is tuned
    states = []
    with pytest.raises(Failure, match=r"was not tuned: .* no finite number; leave --tune out"):
        tune(own, pivot, crop, distance, SHORT, states.append)
    assert states == []


def test_tuning_whose_weights_are_too_large_to_be_kept(own, distance, crop):
    """A weight of 1e9 moves by more in a step than float16 holds."""
    pivot = own.w_avg.expand(1, own.num_ws, -1).contiguous()
    weight = next(w for n, w in own.named_parameters() if "conv1.weight" in n)
    weight.data.mul_(1e9)  # demodulation takes it out again
    with pytest.raises(Failure, match="was not tuned"):
        tune(own, pivot, crop, distance, SHORT)

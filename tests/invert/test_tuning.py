"""Pivotal tuning: it comes nearer than the pivot, touches what it should, and leaves the generator alone."""

import copy
from dataclasses import replace

import pytest
import torch

from photodrag import weights
from photodrag.invert.crop import Crop
from photodrag.invert.tuning import TuneSettings, is_tuned, tune, tuned

SHORT = TuneSettings(steps=8, whole=32, face=24)


@pytest.fixture
def small(golden):
    return weights.load(golden / "nvidia-ada-skip-32.pkl")


def code(generator, seed: int) -> torch.Tensor:
    z = torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        return generator.mapping(z)


@pytest.fixture
def crop(small) -> Crop:
    return Crop(small.synthesis(code(small, 1)).detach())


def test_it_comes_nearer_and_leaves_the_generator_alone(small, distance, crop):
    before = copy.deepcopy(small.state_dict())
    pivot = code(small, 2)
    found = tune(small, pivot, crop, distance, SHORT)
    after = small.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not any(weight.requires_grad for weight in small.parameters())
    near, far = (
        (network.synthesis(pivot) - crop.image).square().mean() for network in (tuned(small, found.deltas), small)
    )
    assert near < 0.8 * far
    assert all(delta.dtype == torch.float16 for delta in found.deltas.values())


def test_a_stop_leaves_the_generator_alone(small, distance, crop):
    before = copy.deepcopy(small.state_dict())

    def stop(state):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(small, code(small, 2), crop, distance, SHORT, stop)
    assert all(torch.equal(value, before[name]) for name, value in small.state_dict().items())


def test_what_is_tuned(small, face):
    names = {name for name, _ in small.named_parameters() if is_tuned(name)}
    assert "synthesis.b8.conv0.weight" in names and "synthesis.b32.torgb.affine.bias" in names
    assert not any("mapping" in name or "noise" in name or "affine.weight" in name for name in names)
    names = {name for name, _ in face.named_parameters() if is_tuned(name)}
    assert {"const", "blocks.3.conv0.depthwise", "blocks.3.up_style.bias", "to_rgb_weight"} <= names
    assert not any("mapping" in name or "noise" in name or "style.weight" in name for name in names)


def test_deltas_are_added_to_the_weights(small):
    names = ["synthesis.b4.const", "synthesis.b16.conv1.weight"]
    own = dict(small.named_parameters())
    deltas = {name: torch.randn(own[name].shape).half() for name in names}
    by_hand = copy.deepcopy(small)
    for name in names:
        by_hand.get_parameter(name).data += deltas[name].float()
    pivot = code(small, 3)
    network = tuned(small, deltas)
    assert torch.equal(network.synthesis(pivot), by_hand.synthesis(pivot))
    assert not torch.equal(network.synthesis(pivot), small.synthesis(pivot))
    shared = {weight.data_ptr() for weight in network.parameters()} & {weight.data_ptr() for weight in own.values()}
    assert len(shared) == len(own) - 2
    assert tuned(small, {}) is small
    with pytest.raises(ValueError, match="another network"):
        tuned(small, {"b4.bias": torch.zeros(3)})


@pytest.mark.parametrize("locality", [0.0, 0.1])
def test_it_goes_on_after_every_step(locality, small, distance, crop):
    settings, states = replace(SHORT, steps=4, locality=locality), []
    whole = tune(small, code(small, 2), crop, distance, settings, states.append)
    assert [state.step for state in states] == [1, 2, 3, 4]
    for state in states:
        again = tune(small, code(small, 2), crop, distance, settings, resume=state)
        assert again.loss == whole.loss and again.deltas.keys() == whole.deltas.keys()
        assert all(torch.equal(again.deltas[name], delta) for name, delta in whole.deltas.items())


def test_best_step_is_kept(small, distance, crop):
    """At a rate at which it blows up, what is kept is the pivot, or one of the first steps."""
    losses = []
    wild = replace(SHORT, lr=3.0, warm_up=0.01, cool_down=0.01)
    found = tune(small, code(small, 2), crop, distance, wild, lambda state: losses.append(state.loss))
    assert found.loss == min(losses) < losses[-1]


def test_locality_keeps_other_pictures(small, distance, crop):
    moved = []
    near = code(small, 2) + 0.3 * (code(small, 5) - code(small, 2))
    for locality in (0.0, 10.0):
        settings = replace(SHORT, locality=locality, locality_radius=2.0)
        deltas = tune(small, code(small, 2), crop, distance, settings).deltas
        moved.append((tuned(small, deltas).synthesis(near) - small.synthesis(near)).square().mean().item())
    assert moved[1] < 0.8 * moved[0]

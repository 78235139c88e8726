"""What a crop says is to be ignored: whatever lies there, codes, weights and figures are the same, to the bit."""

from dataclasses import replace

import pytest
import torch

from photodrag import weights
from photodrag.invert.crop import MIDDLE, Crop, smooth_fill
from photodrag.invert.projection import ProjectSettings, Stage, project
from photodrag.invert.quality import measure
from photodrag.invert.tuning import TuneSettings, tune
from photodrag.invert.views import Views, mean_square, resized, weighted

SHORT = ProjectSettings(stages=(Stage(3, 64), Stage(3, 64, 64)))
HOLE = slice(12, 22)


@pytest.fixture(scope="module")
def w_plus(small):
    return small.mapping(torch.randn(1, small.z_dim, generator=torch.Generator().manual_seed(3)))


@pytest.fixture(scope="module")
def clean(small, w_plus) -> Crop:
    weight = torch.ones(1, 1, 32, 32)
    weight[..., HOLE, HOLE] = 0
    return Crop(small.synthesis(w_plus), focus=MIDDLE, weight=weight)


@pytest.fixture(scope="module")
def spoilt(clean) -> Crop:
    """The same with noise where nothing counts."""
    noise = torch.rand(clean.image.shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return replace(clean, image=torch.where(clean.weight > 0, clean.image, noise))


def test_what_is_ignored_is_covered_smoothly():
    """A ramp with a hole goes on over it, without the edges of a black cover; whatever lay there leaves no trace."""
    ramp = torch.linspace(-0.8, 0.8, 32).expand(1, 3, 32, 32).clone()
    weight = torch.ones(1, 1, 32, 32)
    weight[..., HOLE, HOLE] = 0
    spoilt = torch.where(weight > 0, ramp, torch.tensor(7.0))
    covered = Crop(spoilt, weight=weight).covered(spoilt)
    assert torch.equal(covered, Crop(spoilt, weight=weight).covered(ramp))
    assert torch.equal(torch.where(weight > 0, covered, ramp), ramp) and (covered - ramp).abs().max() < 0.15
    steps = covered.diff(dim=3).abs().max(), covered.diff(dim=2).abs().max()
    assert max(steps) < 0.2


def test_same_code(small, clean, spoilt, distance, empty_cache):
    space = weights.latent_space(small)
    a, b = (project(small, crop, distance, SHORT, space) for crop in (clean, spoilt))
    assert torch.equal(a.w_plus, b.w_plus) and a.loss == b.loss
    a, b = (project(small, replace(crop, weight=None), distance, SHORT, space) for crop in (clean, spoilt))
    assert not torch.allclose(a.w_plus, b.w_plus, atol=1e-3)


def test_same_tuning(small, clean, spoilt, distance):
    pivot = small.mapping(torch.randn(1, small.z_dim, generator=torch.Generator().manual_seed(4)))
    settings = TuneSettings(steps=3, whole=64, face=64)
    a, b = (tune(small, pivot, crop, distance, settings) for crop in (clean, spoilt))
    assert all(torch.equal(a.deltas[name], b.deltas[name]) for name in a.deltas) and a.loss == b.loss


def test_same_figures(small, w_plus, clean, spoilt, distance, empty_cache):
    space = weights.latent_space(small)
    own = measure(spoilt, clean.image, w_plus, distance, space)
    assert own.distance_face == own.distance_whole == own.mse == 0
    other = small.mapping(torch.randn(1, small.z_dim, generator=torch.Generator().manual_seed(4)))
    a, b = (measure(crop, small.synthesis(other), other, distance, space) for crop in (clean, spoilt))
    assert a == b and a.distance_face > 0.05


def test_weights_of_one_are_no_weights(clean, distance):
    """And a picture is looked at as often, weights or not."""
    other, passes = torch.rand(clean.image.shape) * 2 - 1, []
    one, none = replace(clean, weight=torch.ones_like(clean.weight)), replace(clean, weight=None)
    maps = distance.maps
    with torch.no_grad():
        for face in (None, 64):
            values = []
            for crop in (one, none, clean):
                distance.quick.maps = lambda view: passes.append(view) or maps(view)
                views = Views(crop, distance, 64, face)
                values.append(torch.stack(views.compare(other)))
                del distance.quick.maps
            assert torch.allclose(values[0], values[1], rtol=1e-4)
            assert not torch.allclose(values[0], values[2], rtol=1e-2)
    assert len(passes) == 3 * (2 + 4)


def test_a_distance_is_a_mean_over_what_counts(clean):
    """So pictures that differ alike everywhere are as far apart, however much is ignored."""
    a, b = (torch.full((1, 3, 32, 32), value) for value in (0.1, 0.5))
    assert mean_square(a, b, clean.weight) == pytest.approx(0.16)
    over = resized(clean.weight, [a, a[..., ::2, ::2], a[..., :5, :5]])
    assert [w.shape[-1] for w in over] == [32, 16, 5]
    assert weighted([a, a, a], [b, b, b], [over[0]] * 3) == pytest.approx(3 * 0.48)
    c = torch.where(clean.weight > 0, b, 9.0)
    assert mean_square(a, c, clean.weight) == pytest.approx(0.16)


def test_cover_goes_over_into_what_is_around(clean):
    assert torch.equal(
        clean.covered(clean.image)[clean.weight.expand(1, 3, -1, -1) > 0],
        clean.image[clean.weight.expand(1, 3, -1, -1) > 0],
    )
    ramp = torch.linspace(-1, 1, 32).expand(1, 3, 32, 32)
    assert (smooth_fill(ramp * clean.weight + 5 * (1 - clean.weight), clean.weight) - ramp).abs().max() < 0.4
    flat = torch.full((1, 3, 32, 32), 0.3)
    assert torch.allclose(smooth_fill(flat * clean.weight, clean.weight), flat)
    image = torch.rand(1, 3, 32, 32)
    assert replace(clean, weight=None).covered(image) is image

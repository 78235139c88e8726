"""Projection: it finds the way back to a picture that the generator made, from a good start, the same each time."""

import numpy as np
import pytest
import torch

from photodrag import weights
from photodrag.invert.crop import Crop, face_view, whole_view
from photodrag.invert.projection import ProjectSettings, Stage, _along_sensitive_axes, loss, project
from photodrag.invert.schedule import learning_rate
from photodrag.invert.start import starting_codes
from photodrag.invert.views import Views

SHORT = ProjectSettings(stages=(Stage(4, 64), Stage(3, 64, 96)))


@pytest.fixture(scope="module")
def space(face):
    return weights.latent_space(face)


def crop_of(face, seed: int) -> Crop:
    z = torch.from_numpy(np.random.RandomState(seed).randn(1, face.z_dim)).float()
    return Crop(face.synthesis(face.mapping(z, psi=0.8)))


def test_it_comes_nearer_and_is_the_same_each_time(face, distance, space):
    crop = crop_of(face, 100_001)
    seen = []
    found = project(face, crop, distance, SHORT, space, seen.append)
    again = project(face, crop, distance, SHORT, space)
    assert torch.equal(found.w_plus, again.w_plus)
    assert [state.step for state in seen] == list(range(1, found.steps + 1)) and found.steps == 7
    views = Views(crop, distance, 128, None)
    with torch.no_grad():
        near, far = (
            sum(views.compare(face.synthesis(w))).item()
            for w in (found.w_plus, face.w_avg.expand(1, face.num_ws, -1).contiguous())
        )
    assert near < 0.7 * far


class Compared:
    """Views for which every picture is as far off."""

    def compare(self, image):
        return torch.tensor(3.0), torch.tensor(5.0), torch.tensor(7.0)


def test_the_loss_is_what_the_settings_weigh():
    settings = ProjectSettings(face_weight=0.5, whole_weight=0.25, pixel_weight=2.0, prior=10.0)
    code = torch.full((1, 14, 512), 0.3)
    assert loss(torch.zeros(1), code, Compared(), settings).item() == pytest.approx(1.5 + 1.25 + 14 + 10 * 0.09)


def test_the_code_is_that_of_the_least_loss(small, distance, empty_cache):
    """With steps far too long the last code isn't the best one."""
    z = torch.randn(1, small.z_dim, generator=torch.Generator().manual_seed(8))
    crop, seen = Crop(small.synthesis(small.mapping(z))), []
    found = project(small, crop, distance, ProjectSettings((Stage(6, 32, lr=3.0),)), None, seen.append)
    best = min(seen, key=lambda state: state.loss)
    assert best is not seen[-1] and torch.equal(found.w_plus, best.w_plus) and found.loss == best.loss


def test_the_prior_keeps_codes_natural(small, distance, empty_cache):
    space = weights.latent_space(small)
    z = torch.randn(1, small.z_dim, generator=torch.Generator().manual_seed(8))
    crop, stages = Crop(small.synthesis(small.mapping(z))), (Stage(6, 32),)
    free, held = (project(small, crop, distance, ProjectSettings(stages, prior=x), space) for x in (0.0, 1.0))
    assert space.rms(held.w_plus) < 0.9 * space.rms(free.w_plus)


def test_the_code_is_turned_to_the_axes_along_which_pictures_differ(face, space, small, empty_cache):
    turned = _along_sensitive_axes(face, space)
    assert space.axes is None and turned.axes is not None
    code = torch.randn(1, 512, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(turned.whiten(code).norm(), space.whiten(code).norm())
    assert not torch.allclose(turned.whiten(code), space.whiten(code), atol=0.1)
    other = weights.latent_space(small)
    assert _along_sensitive_axes(small, other) is other


def test_starts_are_nearer_than_the_mean(face, distance, space):
    """On faces that the regression hasn't seen, its code is nearer to the true one than w_avg is."""
    gains = []
    for seed in range(100_010, 100_014):
        z = torch.from_numpy(np.random.RandomState(seed).randn(1, face.z_dim)).float()
        w_plus = face.mapping(z)
        codes = starting_codes(face, face.synthesis(w_plus), distance, space)
        assert torch.count_nonzero(codes[0]) == 0
        near, far = ((space.unwhiten(code) - w_plus[0, 0]).norm() for code in (codes[2], codes[0]))
        gains.append((near / far).item())
    assert np.mean(gains) < 0.95


def test_face_view_is_the_landmarks_square():
    landmarks = np.random.RandomState(0).uniform((300, 400), (700, 900), (68, 2))
    crop = Crop(torch.zeros(1, 3, 1024, 1024), landmarks)
    x, y, side = crop.face
    assert (landmarks >= (x, y)).all() and (landmarks < (x + side, y + side)).all()
    assert x >= 0 and y >= 0 and x + side <= 1024 and y + side <= 1024


def test_views_average():
    image = torch.rand(1, 3, 64, 64)
    assert torch.allclose(whole_view(image, 16)[0, :, 0, 0], image[0, :, :4, :4].mean((1, 2)), atol=1e-6)
    ramp = torch.linspace(-1, 1, 64).expand(1, 3, 64, 64)
    assert torch.allclose(face_view(ramp, (16, 8, 32), 32), ramp[..., 8:40, 16:48], atol=1e-6)


def test_distance_on_the_face_sees_only_the_face(distance):
    """A change far from the face leaves it at 0, though the whole differs."""
    landmarks = np.random.RandomState(0).uniform((500, 500), (700, 700), (68, 2))
    image = torch.zeros(1, 3, 1024, 1024)
    views = Views(Crop(image, landmarks), distance, 128, None)
    changed = image.clone()
    changed[..., :64, :64] = 1
    on_face, whole, pixels = views.compare(changed)
    assert on_face < 0.05 * whole and pixels > 0


def test_learning_rate_rises_and_falls():
    s = ProjectSettings()
    assert learning_rate(s.warm_up / 2, s) == pytest.approx(s.lr / 2)
    assert learning_rate(0.5, s) == s.lr and learning_rate(1.0, s) == 0


def test_a_code_on_a_sphere(golden, distance, empty_cache):
    """ProGAN's has no mean to start from: it starts at the best of some, and stays on the sphere."""
    generator = weights.load(golden / "progan-tf-64.pkl")
    sphere = weights.latent_space(generator, samples=1000)
    crop, seen = crop_of(generator, 7), []
    starts = starting_codes(generator, crop.image, distance, sphere)
    assert len(starts) == 16 and len({tuple(code.tolist()) for code in starts}) == 16
    found = project(generator, crop, distance, SHORT, sphere, seen.append)
    for code in [*starts, found.w_plus[0, 0], *(state.p[0, 0] for state in seen)]:
        assert code.square().mean().item() == pytest.approx(1, abs=1e-4)
    views = Views(crop, distance, 64, None)
    with torch.no_grad():
        near, *far = (
            sum(views.compare(generator.synthesis(code.view(1, 1, -1)))).item()
            for code in (found.w_plus, *map(sphere.unwhiten, starts))
        )
    assert near < min(far)

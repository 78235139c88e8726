"""Projection: it finds the way back to a picture that the generator made, from a good start, the same each time."""

import numpy as np
import pytest
import torch

from photodrag import weights
from photodrag.invert.crop import Crop, face_view, whole_view
from photodrag.invert.projection import ProjectSettings, Stage, project
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

"""Directions of attributes, by what they weren't fitted to: the landmarks that drag/face_model.py tells of a code."""

from importlib.resources import files

import pytest
import torch
from safetensors import safe_open

from photodrag import weights
from photodrag.drag.face_model import face_model
from photodrag.pipeline.editing.attribute_names import ATTRIBUTES
from photodrag.weights import UserError, latent_space
from photodrag.weights.common.face_landmarks import LEFT_MOUTH_CORNER, RIGHT_MOUTH_CORNER
from photodrag.weights.latent.attributes import attribute_offset

NAMES = "age", "masculine", "happy"
ONE_WAY = {"older": "age", "masculine": "masculine", "happy": "happy"}
"""Options, and what they are along."""


@pytest.fixture(scope="module")
def space(face):
    return latent_space(face)


@pytest.fixture(scope="module")
def ways(face, space):
    """What amount 1 is in whitened coordinates [3, w_dim]."""
    offsets = torch.stack([attribute_offset(name, face)[0] for name in NAMES])
    return offsets @ space.components.T / space.std


def test_the_file_holds_what_options_name():
    path = files("photodrag.weights.latent").joinpath("attributes.safetensors")
    with safe_open(path, "pt") as file:
        assert set(file.keys()) == {attribute.direction for attribute in ATTRIBUTES.values()}
        assert file.metadata()["generator"] == weights.digest("face")
        assert all(file.get_tensor(name).shape == (1, 512) for name in file.keys())  # noqa: SIM118
    assert path.stat().st_size < 20_000
    assert {name: ATTRIBUTES[name].direction for name in ONE_WAY} == ONE_WAY
    assert all(ATTRIBUTES[name].sign == 1 for name in ONE_WAY)


def test_a_natural_amount_stays_among_faces(ways):
    """Within a few deviations, of the √512 that a random code is long; and no attribute is another one."""
    lengths = ways.norm(dim=1)
    assert (lengths > 0.5).all() and (lengths < 4).all()
    units = ways / lengths[:, None]
    assert ((units @ units.T) - torch.eye(3)).abs().max() < 0.6


def test_happiness_alone_moves_the_mouth_s_corners(face, space, ways):
    """As the linear model of landmarks says, which was fitted to other pictures; and no direction turns the head."""
    model = face_model(face, space)
    moved = torch.einsum("ad,dlc->alc", ways, model.landmarks)
    width = moved[:, RIGHT_MOUTH_CORNER, 0] - moved[:, LEFT_MOUTH_CORNER, 0]
    assert width[2] > 10 and width[:2].abs().max() < width[2] / 3
    nose = moved[:, 30, 0] - moved[:, [36, 45], 0].mean(1)
    pull = (model.landmarks[:, 30, 0] - model.landmarks[:, [36, 45], 0].mean(1)).norm()
    assert (nose.abs() / ways.norm(dim=1) < 0.15 * pull).all()


def test_age_narrows_the_eyes(face, space, ways):
    """Lids come nearer to each other with the years, by the same model."""
    model = face_model(face, space)
    moved = torch.einsum("ad,dlc->alc", ways, model.landmarks)[..., 1]
    lids = (moved[:, [40, 41, 46, 47]] - moved[:, [37, 38, 43, 44]]).mean(1)
    assert lids[0] < -0.3


def test_another_w_has_none(golden, empty_cache):
    generator = weights.load(golden / "nvidia-ada-skip-32.pkl")
    with pytest.raises(UserError, match="share its W"):
        attribute_offset("age", generator)

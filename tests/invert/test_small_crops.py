"""Crops of small generators, and of what is no face: where one looks closely, and at how many pixels."""

import pytest
import torch

from photodrag import weights
from photodrag.invert.crop import FFHQ_FACE, MIDDLE, Crop, view_side
from photodrag.invert.projection import ProjectSettings, Stage, project
from photodrag.invert.quality import measure
from photodrag.invert.views import Views


@pytest.mark.parametrize("side", [16, 64, 1024])
def test_the_middle_is_in_the_middle(side):
    x, y, extent = Crop(torch.zeros(1, 3, side, side), focus=MIDDLE).face
    assert x == y == (side - extent) / 2 and extent / side == 0.75
    assert Crop(torch.zeros(1, 3, side, side)).face == tuple(round(share * side) for share in FFHQ_FACE)


def test_views_have_no_more_pixels_than_there_are_but_64():
    assert [view_side(224, extent) for extent in (747, 224, 187, 64, 12)] == [224, 224, 187, 64, 64]
    assert view_side(48, 12) == 48


def test_views_of_a_small_crop(distance):
    crop = Crop(torch.rand(1, 3, 128, 128) * 2 - 1, focus=MIDDLE)
    views = Views(crop, distance, 256, 224)
    assert [view.shape[-1] for view, _ in views.target] == [128, 96]
    assert torch.equal(views.target[0][0], crop.image)
    assert torch.allclose(views.target[1][0], crop.image[..., 16:112, 16:112], atol=1e-6)


def test_a_small_generator_s_own_picture_is_found_again(distance, golden, empty_cache):
    generator = weights.load(golden / "nvidia-ada-skip-32.pkl")
    z = torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(3))
    space, w_plus = weights.latent_space(generator), generator.mapping(z)
    crop = Crop(generator.synthesis(w_plus), focus=MIDDLE)
    settings = ProjectSettings(stages=(Stage(8, 128), Stage(8, 96, 224)))
    found = project(generator, crop, distance, settings, space)
    mean = space.mean.expand(1, generator.num_ws, -1)
    near, far, same = (measure(crop, generator.synthesis(w), w, distance, space) for w in (found.w_plus, mean, w_plus))
    assert near.distance_whole < 0.7 * far.distance_whole and near.distance_face < 0.7 * far.distance_face
    assert same.distance_whole == same.distance_face == same.mse == 0

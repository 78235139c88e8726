"""Blending and masks, on pictures of which the right answer is known."""

import cv2
import numpy as np
import pytest

from photodrag.pipeline.editing import masks
from photodrag.pipeline.editing.blend import Layers, _read, blend, bounds_of, residual_layers
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.resample import warp
from photodrag.pipeline.photos.samples import deep_rgb, rgb, with_edit

SIDE = 256


def texture(height: int, width: int, blur: float, seed: int = 0) -> np.ndarray:
    noise = cv2.GaussianBlur(np.random.RandomState(seed).rand(height, width, 3), (0, 0), blur)
    return ((noise - noise.min()) / np.ptp(noise) * 255).astype(np.uint8)


@pytest.fixture
def photo():
    """Smooth structure with fine detail on it."""
    return np.clip(texture(300, 340, 12).astype(int) + texture(300, 340, 0.7, 1) // 4 - 16, 0, 255).astype(np.uint8)


@pytest.fixture
def alignment():
    """A crop that is an unturned part of the photo, pixel by pixel."""
    corner, side = np.array([30.0, 20.0]) - 0.5, float(SIDE)
    return Alignment(corner + side * np.array([[0, 0], [0, 1], [1, 1], [1, 0]]), SIDE)


def inner(shape: tuple[int, ...], margin: int = 40) -> np.ndarray:
    alpha = np.zeros(shape[:2], np.float32)
    alpha[20 + margin : 20 + SIDE - margin, 30 + margin : 30 + SIDE - margin] = 1
    return alpha


def test_no_edit_is_the_photo(photo, alignment):
    reconstruction = cv2.GaussianBlur(alignment.crop(photo), (0, 0), 3)
    done = blend(
        photo, alignment, residual_layers(reconstruction, reconstruction), np.ones(photo.shape[:2], np.float32)
    )
    assert np.abs(done.picture.astype(int) - photo).max() <= 1


def test_outside_alpha_every_bit_stays(photo, alignment):
    reconstruction = alignment.crop(photo)
    alpha = inner(photo.shape)
    done = blend(photo, alignment, residual_layers(reconstruction, 255 - reconstruction), alpha)
    assert (done.picture[alpha == 0] == photo[alpha == 0]).all()
    assert (done.changed == (alpha > 0)).all()
    assert (done.picture[alpha > 0] != photo[alpha > 0]).any(1).mean() > 0.9


def test_outside_alpha_a_16_bit_photo_stays_as_it_was_rounded(photo, alignment):
    alpha, crop = inner(photo.shape), alignment.crop(photo)
    alpha[140:160, 150:170] = 0
    deep = np.minimum(photo + np.float32(0.6), 255)
    done = blend(photo, alignment, residual_layers(crop, 255 - crop), alpha, deep)
    assert np.array_equal(done.picture[alpha == 0], photo[alpha == 0])


def test_a_16_bit_ramp_stays_one(alignment):
    """Moved by half a pixel and darkened within a soft seam; in 8 bits it would have steps of 257."""
    y, x = np.mgrid[:300, :340]
    native = np.repeat((9000 + 40 * x + 11 * y).astype(np.uint16)[..., None], 3, 2)
    deep, pixels = deep_rgb("RGB;16", native), rgb("RGB;16", native)
    alpha = cv2.GaussianBlur(inner(pixels.shape, 70), (0, 0), 15)
    shift = np.zeros((SIDE, SIDE, 2), np.float32)
    shift[..., 0] = 0.5
    layers = Layers(np.full((SIDE, SIDE, 3), -8, np.float32), np.ones((SIDE, SIDE), np.float32), shift)
    done = blend(pixels, alignment, layers, alpha, deep)
    edited = with_edit("RGB;16", native, pixels, done.picture, done.changed, done.deep)
    assert np.array_equal(edited[~done.changed], native[~done.changed])
    expected = native[..., 0] + alpha * (20 - 8 * 257)
    assert np.abs(edited[..., 0] - expected).max() <= 2
    assert np.abs(rgb("RGB;16", edited).astype(int) - done.picture).max() <= 1


def test_detail_moves_along(photo, alignment):
    """The reconstruction has no detail; the edit moves it by 5 px; the result is the photo moved by 5 px."""
    crop = alignment.crop(photo)
    reconstruction = cv2.GaussianBlur(crop, (0, 0), 2)
    edit = np.roll(reconstruction, 5, 1)
    done = blend(photo, alignment, residual_layers(reconstruction, edit), inner(photo.shape))
    expected, part = np.roll(photo, 5, 1), inner(photo.shape, 60) > 0
    error = np.abs(done.picture.astype(int) - expected)[part].mean()
    alone = np.abs(alignment.to_region(edit, (0, 0, 340, 300)) - expected)[part].mean()
    assert error < 0.5 * alone


@pytest.fixture
def turned():
    """A crop that is turned by half a radian, of 1.6 pixels for each of the photo's."""
    right = SIDE / 3.2 * np.array([np.cos(0.5), np.sin(0.5)])
    down = np.array([-right[1], right[0]])
    centre = np.array([170.0, 150.0])
    return Alignment(
        np.array([centre - right - down, centre - right + down, centre + right + down, centre + right - down]), SIDE
    )


def test_a_flow_is_turned_and_scaled_into_the_photo(photo, turned):
    """What moved by (8, 0) in the crop moved by that, turned and scaled, in the photo: by (4.4, 2.4) there."""
    shift = np.zeros((SIDE, SIDE, 2), np.float32)
    shift[..., 0] = -8
    layers = Layers(np.zeros((SIDE, SIDE, 3), np.float32), np.ones((SIDE, SIDE), np.float32), shift)
    done = blend(photo, turned, layers, np.ones(photo.shape[:2], np.float32))
    x, y = 5 * np.cos(0.5), 5 * np.sin(0.5)
    matrix = np.array([[1, 0, -x], [0, 1, -y]])
    expected = warp(photo, matrix, photo.shape[1::-1], cv2.BORDER_REPLICATE)
    part = cv2.erode(done.changed.astype(np.uint8), np.ones((21, 21))) > 0
    assert part.sum() > 10_000 and np.abs(done.picture.astype(int) - expected)[part].mean() < 1


def test_the_photo_is_read_smoothly_between_its_pixels():
    """A sine moved by half a pixel is that sine, to two levels; nearest pixels would be off by 14, a line between
    two by 4."""
    x = np.arange(60)
    wave = (127 + 100 * np.sin(x * 2 * np.pi / 11))[None, :, None].repeat(60, 0).repeat(3, 2).astype(np.float32)
    moved = np.full((40, 40, 2), (0.5, 0.0))
    read = _read(wave, (10, 10, 50, 50), moved)
    expected = 127 + 100 * np.sin((x[10:50] + 0.5) * 2 * np.pi / 11)
    assert np.abs(read - expected[:, None]).max() < 2


def test_a_mismatch_is_averaged_before_it_weighs():
    """A grain that no other pixel shares hides nothing of the photo; a patch does, and no more than that."""
    flat = np.full((1024, 1024, 3), 120, np.uint8)
    grain, patch = flat.copy(), flat.copy()
    grain[500:502, 500:502] += 70
    patch[400:440, 400:440] += 70
    assert residual_layers(flat, grain).weight.min() > 0.9
    weight = residual_layers(flat, patch).weight
    assert weight[420, 420] < 1e-3 and weight[420, 460] > 0.99


def test_bounds_are_those_of_what_changes():
    alpha = np.zeros((20, 30), np.float32)
    assert bounds_of(alpha, (3, 4, 25, 18)) == (3, 4, 3, 4)
    alpha[6, 9] = alpha[11, 7] = 0.001
    alpha[2, 12] = alpha[19, 29] = 1  # beyond the region
    assert bounds_of(alpha, (3, 4, 25, 18)) == (7, 6, 10, 12)


def test_something_new_is_shown(photo, alignment):
    reconstruction = alignment.crop(photo)
    edit = reconstruction.copy()
    edit[100:150, 100:150] = (255, 0, 255)
    done = blend(photo, alignment, residual_layers(reconstruction, edit), inner(photo.shape))
    new = done.picture[20 + 110 : 20 + 140, 30 + 110 : 30 + 140].astype(int)
    assert np.abs(new - (255, 0, 255)).mean() < 12


def test_crop_seam_is_zero_at_every_border():
    inside = np.ones((SIDE, SIDE), bool)
    inside[:, 200:] = False
    seam = masks.crop_seam(inside)
    assert seam[:, 200:].max() == 0 and seam[0].max() < 0.2 and seam[:, 0].max() < 0.2 and seam[128, 100] == 1


def test_change_mask_keeps_what_hangs_together_with_the_handles():
    before = np.full((SIDE, SIDE, 3), 120, np.uint8)
    after = before.copy()
    after[40:80, 40:80] += 60
    after[180:220, 180:220] += 60
    mask = masks.change_mask(before, after, np.array([[60.0, 60.0]]))
    assert mask[60, 60] > 0.9 and mask[200, 200] == 0 and mask[128, 128] == 0


def test_change_mask_ignores_flicker():
    """Grain that would be seen, were it not averaged with its sign; a change as large and of one sign is seen."""
    before = texture(SIDE, SIDE, 12) // 2 + 60
    grain = np.random.RandomState(2).choice([-1, 1], before.shape)
    point = np.array([[128.0, 128.0]])
    flickering, brighter = ((before + 12 * way).astype(np.uint8) for way in (grain, 1))
    assert masks.change_mask(before, flickering, point).max() < 0.1
    assert masks.change_mask(before, brighter, point).min() == 1


def test_face_mask_covers_both_faces():
    marks = np.random.RandomState(3).uniform(80, 160, (68, 2))
    marks[17:27, 1], marks[48:68, 1] = 90, 150
    mask = masks.face_mask([marks, marks + 20], SIDE)
    x, y = np.concatenate((marks, marks + 20)).round().astype(int).T
    assert (mask[y, x] == 1).all() and mask[0].max() == 0


def test_soft_inside_never_grows_a_mask():
    mask = np.zeros((50, 50), np.float32)
    mask[10:40, 10:40] = 0.5
    soft = masks.soft_inside(mask, 6)
    assert (soft[mask == 0] == 0).all() and soft[25, 25] == 0.5 and soft[10, 25] < 0.1
    assert (masks.soft_inside(np.ones((50, 50), np.float32), 6) == 1).all()


def test_what_came_from_outside_the_photo_is_its_border():
    """The flow points off the photo everywhere in a narrow region at its edge."""
    pixels = np.full((100, 100, 3), 200, np.uint8)
    for region, way in (((0, 0, 1, 100), -4.0), ((99, 0, 100, 100), 4.0)):
        moved = np.full((100, 1, 2), (way, 0.0))
        assert (_read(pixels, region, moved) == 200).all()

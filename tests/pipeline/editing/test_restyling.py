"""What becomes of a photo whose code changes: its head, what is behind it, another's face in it."""

import numpy as np
import pytest

from photodrag.pipeline.editing import masks
from photodrag.pipeline.editing.blend import Layers
from photodrag.pipeline.editing.restyling import before_background
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.detection import detect


@pytest.fixture(scope="module")
def seen(portrait_image) -> tuple[np.ndarray, np.ndarray]:
    """The astronaut's crop, uint8 [512, 512, 3], and its landmarks."""
    pixels = np.array(portrait_image)
    landmarks = detect(pixels)[0].landmarks
    alignment = Alignment.from_landmarks(landmarks, 512)
    return alignment.crop(pixels), alignment.to_crop(landmarks)


def test_a_head_is_told_from_what_is_behind_it(seen):
    """Face and hair are in it, and the wall on both sides isn't; the same picture gives the same mask."""
    crop, landmarks = seen
    head = masks.head_mask(crop, landmarks)
    assert head.shape == crop.shape[:2] and 0.3 < head.mean() < 0.7
    assert (head[tuple(landmarks.round().astype(int).T[::-1])] > 0.9).all()
    brows = landmarks[17:27].mean(0)
    assert head[int(brows[1] - 90), int(brows[0])] > 0.9  # hair
    assert head[60:200, :20].max() == 0 and head[60:200, -20:].max() == 0
    assert np.array_equal(head, masks.head_mask(crop, landmarks))


FLOW = np.zeros((512, 512, 2), np.float32)


def test_a_head_that_stays_shows_what_it_is_to_show(seen):
    crop, landmarks = seen
    layers = Layers(np.zeros(crop.shape, np.float32), np.ones(crop.shape[:2], np.float32), FLOW)
    same, head = before_background(layers, crop, landmarks, landmarks)
    assert np.array_equal(same.rest, layers.rest) and np.array_equal(same.weight, layers.weight)
    assert np.array_equal(head, masks.head_mask(crop, landmarks))


def test_where_a_head_has_left_is_the_wall(seen):
    """All hair is taken away: the picture there is as the wall beside it, not the hair."""
    crop, landmarks = seen
    was = masks.head_mask(crop, landmarks)
    bald, wall = crop.astype(np.float32), np.median(crop[20:200, :30].reshape(-1, 3), axis=0)
    bald[(masks.distance_from_hull(landmarks, 512) > 10) & (was > 0)] = wall
    drawn = Layers(bald, np.zeros((512, 512), np.float32), FLOW)
    layers, area = before_background(drawn, crop, landmarks, landmarks)
    brows = landmarks[17:27].mean(0)
    y, x = int(brows[1] - 90), int(brows[0])
    assert area[y, x] > 0.9 and np.abs(layers.of(crop)[y, x] - wall).max() < 40
    assert np.abs(crop[y, x] - wall).max() > 40

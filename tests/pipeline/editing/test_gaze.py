"""Irises found and moved, on eyes of which the right answer is drawn."""

import cv2
import numpy as np
import pytest

from photodrag.pipeline.editing.gaze import FARTHEST, looking, way_of
from photodrag.pipeline.faces.irises import Iris, find_irises

SKIN, WHITE, BROWN, PUPIL = (205, 160, 135), (235, 230, 225), (110, 75, 50), (25, 20, 20)
FINER = 8


def eyes(width: float = 40, shift=(0.0, 0.0), high: float = 0.36, turn: float = 0.0):
    """A picture of two eyes of that width, 4 · width apart, landmarks [68, 2] of which those of the eyes are right, and
    where the irises lie; shift: of them, in parts of the width."""
    size = (int(8 * width), int(4 * width))
    picture = np.zeros((FINER * size[1], FINER * size[0], 3), np.uint8)
    picture[:] = SKIN
    landmarks, centres = np.zeros((68, 2)), []
    middle = np.array(size) / 2
    rotate = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    for number, start in enumerate((36, 42)):
        centre = middle + np.array([(-1, 1)[number] * 2 * width, 0]) @ rotate
        t = np.linspace(-1, 1, 40)
        lid = np.stack((t * width / 2, (1 - t**2) * high * width / 2), 1)
        ring = centre + np.concatenate((lid * (1, -1), lid[::-1])) @ rotate
        white = np.zeros(picture.shape[:2], np.uint8)
        cv2.fillPoly(white, [((ring + 0.5) * FINER - 0.5).round().astype(np.int32)], 1)
        iris = centre + (np.array(shift) * width) @ rotate
        disc = np.zeros_like(picture)
        disc[:] = WHITE
        at = tuple(int(v) for v in ((iris + 0.5) * FINER - 0.5).round())
        cv2.circle(disc, at, round(0.2 * width * FINER), BROWN, -1)
        cv2.circle(disc, at, round(0.08 * width * FINER), PUPIL, -1)
        picture[white > 0] = disc[white > 0]
        third = 1 - (1 / 3) ** 2
        shape = [(-0.5, 0), (-1 / 6, -third * high / 2), (1 / 6, -third * high / 2), (0.5, 0)]
        shape += [(1 / 6, third * high / 2), (-1 / 6, third * high / 2)]
        landmarks[start : start + 6] = centre + width * np.array(shape) @ rotate
        centres.append(iris)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), 0.7), landmarks, np.array(centres)


@pytest.mark.parametrize("width", [16, 40, 120])
@pytest.mark.parametrize("shift", [(0, 0), (0.15, 0), (-0.2, 0.02), (0.1, -0.03)])
def test_found_where_they_were_drawn(width, shift):
    picture, landmarks, centres = eyes(width, shift, turn=0.3)
    found = find_irises(picture, landmarks)
    assert found is not None
    for iris, centre in zip(found, centres, strict=True):
        assert np.linalg.norm(np.array(iris.centre) - centre) < 0.05 * width
        assert abs(iris.radius - 0.2 * width) < 0.04 * width


def test_not_found_where_there_are_none():
    picture, landmarks, _ = eyes(40)
    assert find_irises(np.full_like(picture, 200), landmarks) is None
    assert find_irises(*eyes(8)[:2]) is None  # too small
    assert find_irises(*eyes(40, high=0.1)[:2]) is None  # shut


def darkest(picture: np.ndarray, landmarks: np.ndarray, start: int) -> np.ndarray:
    """The middle of what is as dark as a pupil in the eye from that landmark on."""
    low, high = (f(landmarks[start : start + 6], 0).astype(int) for f in (np.min, np.max))
    dark = picture[low[1] : high[1] + 1, low[0] : high[0] + 1].max(2) < 75
    return np.argwhere(dark)[:, ::-1].mean(0) + low


@pytest.mark.parametrize("gaze", [(0.5, 0), (-0.6, 0), (0.3, 0.4), (0, -0.4)])
@pytest.mark.parametrize("turn", [0, 0.3])
def test_pupils_go_as_far_as_they_should_both_alike(gaze, turn):
    picture, landmarks, centres = eyes(80, high=0.44, turn=turn)
    irises = [Iris(tuple(centre), 16.0) for centre in centres]
    drawn = looking(picture, irises, landmarks, gaze).of(picture)
    way = way_of(irises, landmarks, gaze)
    assert np.linalg.norm(way) == pytest.approx(16 * np.hypot(FARTHEST[0] * gaze[0], FARTHEST[1] * gaze[1]))
    for start, centre in zip((36, 42), centres, strict=True):
        assert np.linalg.norm(darkest(picture, landmarks, start) - centre) < 0.7
        assert np.linalg.norm(darkest(drawn, landmarks, start) - centre - way) < 1.5


def test_where_an_iris_was_is_white_and_lids_stay():
    picture, landmarks, centres = eyes(80)
    irises = [Iris(tuple(centre), 16.0) for centre in centres]
    drawn = looking(picture, irises, landmarks, (0.9, 0)).of(picture).astype(int)
    for (x, y), start in zip(centres, (36, 42), strict=True):
        left = drawn[round(y), round(x - 12) : round(x - 6)]
        assert np.abs(left - WHITE).max() < 25  # was brown
        outside = np.ones(picture.shape[:2], np.uint8)
        cv2.fillConvexPoly(outside, cv2.convexHull(landmarks[start : start + 6].round().astype(np.int32)), 0)
        near = cv2.erode(outside, np.ones((9, 9), np.uint8)) > 0
        near &= np.hypot(*(np.mgrid[: len(outside), : outside.shape[1]] - np.array([y, x])[:, None, None])) < 60
        assert np.array_equal(drawn[near], picture[near])
    again = looking(picture, irises, landmarks, (0.0, 0.0)).added
    assert np.abs(again).mean() < 1.5  # what is taken out and put back


def test_sixteen_bits_are_not_rounded():
    picture, landmarks, centres = eyes(40)
    irises = [Iris(tuple(centre), 8.0) for centre in centres]
    made = looking(picture, irises, landmarks, (0.5, 0))
    deep = picture.astype(np.float32) + 0.25
    x0, y0, x1, y1 = made.region
    drawn = made.of(deep)
    assert drawn.dtype == np.float32
    assert np.allclose(drawn[y0:y1, x0:x1], np.clip(deep[y0:y1, x0:x1] + made.added, 0, 255))

"""What is taken from a person's other photos, on pictures of which the right answer is known."""

import cv2
import numpy as np
import pytest
from documents import ROOT
from PIL import Image

from photodrag.pipeline.editing import exemplars
from photodrag.pipeline.editing.blend import Layers
from photodrag.pipeline.editing.exemplars import (
    chosen,
    fit,
    inner_fit,
    other_looks,
    shown_inside,
    shown_of,
    with_exemplars,
)
from photodrag.pipeline.editing.motion import FaceMotion
from photodrag.pipeline.editing.openings import held_back, openness
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.detection import detect
from photodrag.pipeline.people.person import Portrait
from photodrag.weights.common.face_landmarks import INNER_LIPS, MOUTH, OUTER_LIPS

SIDE = 512
WAY = np.array([0.0, 12.0])
LOWER_LIP = [55, 56, 57, 58, 59, 65, 66, 67]


def sample() -> tuple[np.ndarray, np.ndarray]:
    """The crop of the sample photo, and its landmarks [68, 2]."""
    with Image.open(ROOT / "data" / "astronaut.png") as photo:
        pixels = np.array(photo.convert("RGB"))
    landmarks = detect(pixels)[0].landmarks
    alignment = Alignment.from_landmarks(landmarks, SIDE)
    return alignment.crop(pixels), alignment.to_crop(landmarks)


CROP, MARKS = sample()


def portrait(picture: np.ndarray, landmarks: np.ndarray, name: str) -> Portrait:
    data = cv2.imencode(".png", picture[..., ::-1])[1].tobytes()
    return Portrait(data, landmarks, np.zeros(128), name)


def opened(by: float = 1.0) -> np.ndarray:
    marks = MARKS.copy()
    marks[LOWER_LIP] += by * WAY
    return marks


def marked(landmarks: np.ndarray, colour=(20, 220, 40)) -> np.ndarray:
    """The crop with a coloured mouth: what the exemplar is known by."""
    picture = CROP.copy()
    cv2.fillConvexPoly(picture, cv2.convexHull(landmarks[MOUTH].round().astype(np.int32)), colour)
    return picture


def motion(goal: np.ndarray, after: np.ndarray | None = None) -> FaceMotion:
    return FaceMotion(MARKS, goal if after is None else after, goal)


def layers() -> Layers:
    """The photo as it is."""
    return Layers(
        np.zeros_like(CROP, np.float32), np.ones((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE, 2), np.float32)
    )


def test_the_photo_with_the_wanted_expression_is_chosen():
    """Of a mouth as it is and one that is open the second, for the mouth alone; and what it shows is seen there."""
    known = [portrait(CROP, MARKS, "shut"), portrait(marked(opened()), opened(), "open")]
    choices = chosen(CROP, motion(opened()), known, SIDE)
    assert shown_of(choices) == {"lips": "open", "teeth": "open"}
    picture = with_exemplars(CROP, layers(), motion(opened()), choices).of(CROP)
    x, y = opened()[INNER_LIPS].mean(0).round().astype(int)
    assert picture[y, x, 1] > picture[y, x, 0] + 60
    above = int(MARKS[:, 1].min())
    assert np.array_equal(picture[:above], CROP[:above].astype(np.float32))
    less = with_exemplars(CROP, layers(), motion(opened()), choices, share=0.5).of(CROP)
    assert np.abs(less - CROP).sum() == pytest.approx(np.abs(picture - CROP).sum() / 2, rel=0.15)


def test_nothing_is_taken_where_nothing_moves_or_no_photo_shows_it():
    known = [portrait(marked(opened()), opened(), "open")]
    assert shown_of(chosen(CROP, motion(MARKS), known, SIDE)) == {}
    aside = MARKS.copy()
    aside[MOUTH] += (14, 0)
    assert "lips" not in shown_of(chosen(CROP, motion(aside), known, SIDE))
    assert shown_of(chosen(CROP, motion(opened()), [], SIDE)) == {}


def test_a_head_that_only_moves_takes_nothing():
    """However far it goes; and what is in a face goes along, whatever the generator shows of its openings."""
    goal = MARKS + np.array([20.0, -6.0])
    assert shown_of(chosen(CROP, motion(goal), [portrait(CROP, MARKS, "same")], SIDE)) == {}
    assert np.allclose(held_back(motion(goal, opened(3.0))).goal, goal, atol=1e-6)


def test_an_eye_that_stays_is_no_hindrance():
    ring = MARKS[36:42]
    assert inner_fit(ring, ring + np.array([0.0, 0.01]), ring) == 1


def test_a_small_portrait_is_enlarged_smoothly():
    small = cv2.resize(CROP, (SIDE // 4, SIDE // 4), interpolation=cv2.INTER_AREA)
    picture = exemplars.moved(portrait(small, (MARKS + 0.5) / 4 - 0.5, "small"), MARKS, SIDE)
    steps = np.abs(np.diff(picture.mean(2), axis=1))
    assert (steps < 0.01).mean() < 0.2  # no blocks of equal pixels
    expected = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    assert np.abs(picture - expected).max() < 1  # and nothing is shifted, where its landmarks lie as they are to


def test_half_way_to_an_exemplar_its_skin_shows_half():
    place, half = opened(1.0)[MOUTH], opened(0.5)[MOUTH]
    assert fit(MARKS[MOUTH], place, place) == 1
    assert fit(MARKS[MOUTH], half, place) == pytest.approx(0.5)
    assert fit(MARKS[MOUTH], MARKS[MOUTH] - (20, 0), place) == 0


def test_what_a_mouth_holds_is_of_one_that_is_open():
    ring = MARKS[INNER_LIPS]
    shut = ring.copy()
    shut[[5, 6, 7]] = shut[[3, 2, 1]] + (0, 0.5)
    assert inner_fit(shut, ring, ring) == 1 and inner_fit(shut, ring, shut) == 0


@pytest.mark.parametrize("lit", ["bright", "warm", "side"])
def test_light_does_not_make_other_looks(lit):
    ramp = np.linspace(0.6, 1.3, SIDE)[None, :, None]
    of = {"bright": CROP * 0.6, "warm": CROP * [1.0, 0.9, 0.6], "side": np.clip(CROP * ramp, 0, 255)}[lit]
    same = portrait(of.astype(np.uint8), MARKS, lit)
    assert other_looks(CROP, MARKS, same, exemplars.LOWER) < 0.3


def test_a_hand_before_the_mouth_does():
    hidden, rng = CROP.copy(), np.random.RandomState(0)
    low, high = MARKS[OUTER_LIPS].min(0).astype(int) - 60, MARKS[OUTER_LIPS].max(0).astype(int) + 60
    fingers = cv2.resize(rng.randint(40, 230, (9, 7, 3), np.uint8), tuple(int(n) for n in high - low))
    hidden[low[1] : high[1], low[0] : high[0]] = fingers
    assert other_looks(CROP, MARKS, portrait(hidden, MARKS, "hand"), exemplars.LOWER) > exemplars.OTHER_LOOKS[1]
    assert shown_of(chosen(CROP, motion(opened()), [portrait(hidden, opened(), "hand")], SIDE)) == {}


def test_a_blurred_photo_is_left_alone():
    small = cv2.resize(marked(opened()), (SIDE // 5, SIDE // 5), interpolation=cv2.INTER_AREA)
    known = [portrait(small, (opened() + 0.5) / 5 - 0.5, "small")]
    assert shown_of(chosen(CROP, motion(opened()), known, SIDE)) == {}


def test_a_mouth_opens_as_far_as_somebody_shows_it():
    """The generator's mouth, or an exemplar's; else the photo's own lips would be stretched over the gap."""
    shut = MARKS.copy()
    shut[[67, 66, 65]] = shut[[61, 62, 63]] + (0, 0.5)
    goal = shut.copy()
    goal[LOWER_LIP] += (0, 30)
    asked = openness(goal[INNER_LIPS])

    def reached(after: np.ndarray, elsewhere=(0, 0, 0)) -> float:
        return openness(held_back(FaceMotion(shut, after, goal), elsewhere).goal[INNER_LIPS])

    assert reached(goal) == pytest.approx(asked) == pytest.approx(reached(shut, (0, 0, 1)))
    assert reached(shut) < 0.4 * asked
    held = held_back(FaceMotion(shut, shut, goal)).goal
    assert np.array_equal(np.delete(held, MOUTH, 0), np.delete(goal, MOUTH, 0))
    assert shown_inside([]) == (0, 0, 0)

"""What is told of an edit: how far it came, what moved that was to stay, when it is doubted."""

import numpy as np
import pytest

from photodrag.drag.contours import width
from photodrag.pipeline.editing.outcome import LEAST_WAY, MOST_STRAY, doubts, stray_of, way_of
from photodrag.weights.common.face_landmarks import JAW, MOUTH

MARKS = np.random.RandomState(0).uniform((100, 200), (300, 400), (68, 2))
MARKS[JAW] = np.stack((np.linspace(80, 320, 17), 400 + 60 * np.sin(np.linspace(0, np.pi, 17))), 1)
MARKS[MOUTH, 1] += 400
CORNER = MARKS[[48]]


def test_the_share_of_the_way_that_points_came():
    starts, way = np.array([[10.0, 10.0], [50.0, 10.0]]), np.array([[20.0, 0.0], [0.0, 0.0]])
    assert way_of(starts, starts + way, starts + way * 0.25 + [0, 3]) == pytest.approx(0.25)
    assert way_of(starts, starts + way, starts - way) == -1
    assert way_of(starts, starts, starts + 5) == 1  # all were to stay


def test_what_strayed_is_of_parts_without_a_handle():
    after = MARKS.copy()
    after[MOUTH] += (9, 9)
    assert stray_of(MARKS, after, CORNER, CORNER + 9) == 0
    after[: MOUTH.start] += (0.03 * width(MARKS), 0.04 * width(MARKS))
    assert stray_of(MARKS, after, CORNER, CORNER + 9) == pytest.approx(0.05)


def test_of_a_turned_head_nothing_is_to_stay():
    nose = MARKS[[30]]
    assert stray_of(MARKS, MARKS + 9, nose, nose + 0.2 * width(MARKS)) is None
    assert stray_of(MARKS, MARKS + 9, MARKS, MARKS + 0.001) is None


def test_a_picture_is_doubted_by_either_figure():
    assert not doubts(1.0, None) and not doubts(LEAST_WAY, MOST_STRAY) and not doubts(1.2, 0.0)
    assert doubts(1.0, 0.034) == ["parts of the face that were to stay moved by 3% of its width"]
    (sentence,) = doubts(-0.1, None)
    assert sentence.startswith("its points came only 0% of their way")
    assert len(doubts(0.1, 0.1)) == 2

"""What is told of an edit: how far it came, what moved that was to stay, when it is doubted."""

from types import SimpleNamespace

import numpy as np
import pytest

from photodrag.drag.contours import width
from photodrag.drag.state import ARRIVED, LIMIT, STALLED, STOPPED
from photodrag.pipeline.editing.outcome import LEAST_WAY, MOST_STRAY, doubts, stray_of, way_of
from photodrag.pipeline.editing.report import edit_in_words
from photodrag.pipeline.editing.result import Edit, Handle
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


@pytest.mark.parametrize(
    ("reason", "share", "doubted"),
    [(STALLED, 1.0, True), (ARRIVED, 1.0, True), (STOPPED, 1.0, False), (LIMIT, 1.0, False), (STALLED, 0.5, False)],
)
def test_points_that_were_not_let_go_on_are_no_doubt(reason, share, doubted):
    handle = Handle((10.0, 10.0), (30.0, 10.0), (12.0, 10.0), 18.0)
    edit = SimpleNamespace(handles=[handle], stop_reason=reason, share=share, stray=0.0)
    assert bool(Edit.doubts.fget(edit)) == doubted
    assert Edit.doubts.fget(SimpleNamespace(**vars(edit) | {"stray": 0.05}))
    lid = Handle(handle.start, handle.target, handle.reached, handle.left, on_lid=True)  # landmarks hardly see it
    assert not Edit.doubts.fget(SimpleNamespace(**vars(edit) | {"handles": [lid]}))


def test_a_doubted_picture_is_not_called_like():
    """However small the distance: it is told, with what it is held against, and why to look."""
    facts = {
        **{"output": "out.png", "handles": [], "cached": True, "identity": 0.12, "likeness": "like the person"},
        **{"method": "photodrag", "steps": 3, "stop_reason": STALLED, "share": 1.0, "person": None, "tuned": False},
        **{"seconds": {"total": 2.0}, "face": {"number": 1}},
        "reconstruction": {"distance": {"face": 0.1, "whole": 0.2}, "identity": 0.5},
    }
    distance = "identity distance 0.12 (a poor copy has about 0.2, the same person under 0.6)"
    sound, doubted = (edit_in_words(facts | {"doubts": found}).splitlines() for found in ([], ["ears moved", "no way"]))
    assert f"  like the person: {distance}" in sound
    assert "  look closely, it may be spoilt: ears moved; no way" in doubted and f"  {distance}" in doubted
    assert not any("like the person" in line for line in doubted)

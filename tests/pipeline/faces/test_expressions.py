"""Expressions: taken out of landmarks, and laid on others."""

import numpy as np
import pytest

from photodrag.pipeline.faces.detection import detect
from photodrag.pipeline.faces.expressions import Expression, is_landmarks, own_frame, to_expression, to_rest
from photodrag.weights.common.face_landmarks import INNER_LIPS


@pytest.fixture(scope="module")
def smiling(portrait_image) -> np.ndarray:
    return detect(np.array(portrait_image))[0].landmarks


def elsewhere(landmarks: np.ndarray) -> np.ndarray:
    """The same face in another photo: larger, turned, moved."""
    return 3 * landmarks @ [[np.cos(0.4), np.sin(0.4)], [-np.sin(0.4), np.cos(0.4)]] + (70, -20)


def after(landmarks: np.ndarray, ways) -> np.ndarray:
    """Landmarks that went them, in their own frame."""
    own = own_frame(landmarks).copy()
    names = {"mouth.top": 51, "mouth.bottom": 57, "mouth.left": 48, "mouth.right": 54, "chin": 8}
    for name, way in ways.items():
        own[names.get(name) or int(name)] += way
    return own


def test_a_face_s_own_frame(smiling):
    own = own_frame(smiling)
    left, right = own[36:42].mean(0), own[42:48].mean(0)
    assert np.allclose((left, right), ((-0.5, 0), (0.5, 0)))
    assert own[8, 1] > own[30, 1] > 0  # the chin below the nose, the nose below the eyes
    assert np.allclose(own_frame(elsewhere(smiling)), own)


def test_at_rest_lips_meet_and_corners_are_level(smiling):
    own, rest = own_frame(smiling), after(smiling, to_rest(smiling))
    gap = own[[67, 66, 65], 1].mean() - own[[61, 62, 63], 1].mean()
    assert gap > 0.05  # the portrait laughs
    assert (rest[57, 1] - rest[51, 1]) == pytest.approx(own[57, 1] - own[51, 1] - gap, abs=1e-6)
    assert abs(rest[48, 1] - rest[54, 1]) < abs(own[48, 1] - own[54, 1]) + 0.05
    assert own[48, 1] < rest[48, 1] and own[54, 1] < rest[54, 1]  # corners come down
    assert rest[54, 0] - rest[48, 0] < own[54, 0] - own[48, 0]
    assert rest[8, 1] < own[8, 1]  # the jaw goes up with the lower lip


def test_a_mouth_at_rest_stays(smiling):
    closed = smiling.copy()
    rest = after(smiling, to_rest(smiling))
    across = smiling[42:48].mean(0) - smiling[36:42].mean(0)
    axes = np.array([across, [-across[1], across[0]]])
    middle = (smiling[42:48].mean(0) + smiling[36:42].mean(0)) / 2
    closed[48:] = rest[48:] @ axes + middle
    closed[[61, 62, 63]] = closed[[67, 66, 65]] = (closed[[61, 62, 63]] + closed[[67, 66, 65]]) / 2
    again = to_rest(closed)
    assert "mouth.bottom" not in again and "chin" not in again  # nothing to close


def test_its_own_expression_moves_nothing(smiling):
    ways = Expression(elsewhere(smiling)).on(smiling)
    assert np.abs(list(ways.values())).max() < 1e-9


def test_an_expression_that_was_saved_is_reached_on_the_same_face(smiling):
    """A face whose mouth opens, whose brow goes up and one of whose eyes closes: its landmarks are where ways lead."""
    other = smiling.copy()
    scale = np.linalg.norm(smiling[45] - smiling[36])
    other[[65, 66, 67, 56, 57, 58]] += (0, 0.1 * scale)
    other[17:22] += (0, -0.05 * scale)
    middle = other[42:48, 1].mean()
    other[[43, 44, 46, 47], 1] = middle + 0.3 * (other[[43, 44, 46, 47], 1] - middle)
    saved = Expression.of_rows(Expression(elsewhere(other)).rows)
    reached = after(smiling, saved.on(smiling))
    moved = [17, 19, 21, 43, 44, 46, 47, 65, 66, 67, 56, 57, 58]
    wanted = own_frame(smiling) + (other - smiling) @ _axes(smiling)
    assert np.allclose(reached[moved], wanted[moved], atol=0.02)
    half = Expression(saved.landmarks, 0.5).on(smiling)
    assert np.allclose(half["66"], np.multiply(saved.on(smiling)["66"], 0.5))


def _axes(landmarks: np.ndarray) -> np.ndarray:
    x, y = across = landmarks[42:48].mean(0) - landmarks[36:42].mean(0)
    return np.array([[x, -y], [y, x]]) / (across @ across)


def test_lips_stay_as_thick_as_they_are(smiling):
    thick = smiling.copy()
    thick[[50, 51, 52], 1] -= 4
    ways = to_expression(smiling, thick)
    assert np.allclose([ways[name] for name in ("50", "51", "52")], 0, atol=1e-9)


def test_what_a_file_may_hold():
    assert is_landmarks([[0.5, 1]] * 68)
    for wrong in ([[0.5, 1]] * 67, [[0.5]] * 68, [["a", 1]] * 68, [[1e9, 1]] * 68, [[float("nan"), 1]] * 68, None):
        assert not is_landmarks(wrong)
    assert INNER_LIPS.start == 60

"""Expressions: what of a face's landmarks isn't its shape, taken out, or taken over from another face.

All ways are (right, down) in the face's own coordinates, in distances between the centres of its eyes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photodrag.weights.common import face_landmarks as marks
from photodrag.weights.common.json_checks import is_number, is_row

if TYPE_CHECKING:
    import numpy as np

DIGITS = 4
"""Decimals of landmarks in files."""
is_landmarks = is_row(marks.COUNT, is_row(2, is_number(below=100)))
"""Whether a value of JSON is the landmarks of an expression."""
Ways = Mapping[str, tuple[float, float]]
"""Landmark, by name or number → (right, down)."""


@dataclass(frozen=True, eq=False)
class Expression:
    """A face's expression, to be given to another."""

    landmarks: np.ndarray
    """[68, 2], of any size, wherever they lie."""
    amount: float = 1.0
    """How much of the way to it is gone, 0 … 1."""

    @classmethod
    def of_rows(cls, rows: list[list[float]], amount: float = 1.0) -> Expression:
        """From landmarks as files keep them."""
        import numpy as np

        return cls(np.array(rows, float), amount)

    @property
    def rows(self) -> list[list[float]]:
        """Its landmarks in their own head's frame, as files keep them."""
        return own_frame(self.landmarks).round(DIGITS).tolist()

    def on(self, landmarks: np.ndarray) -> Ways:
        """What gives it to a face with these landmarks [68, 2]."""
        return added({}, to_expression(landmarks, self.landmarks), self.amount)


LOWER_LIP = 0.7
"""Of the way on which lips meet, how much is the lower one's, which the jaw takes along."""
CHIN = 0.5
"""Of the lower lip's way, how much the chin's is."""
REST_WIDTH, REST_DROP = 0.86, 0.02
"""Of a mouth at rest: its width, and how far its corners lie below where the lips meet, in eye distances."""
LIDS_OF_EYE = 1, 2, 4, 5
"""Of an eye's six landmarks, those that aren't its corners."""


def added(ways: Ways, more: Ways, amount: float = 1.0) -> dict[str, tuple[float, float]]:
    """Ways, and so much of others; those of one landmark add up."""
    total = dict(ways)
    for name, (right, down) in more.items():
        x, y = total.get(name, (0.0, 0.0))
        total[name] = x + amount * right, y + amount * down
    return total


def axes(landmarks: np.ndarray) -> np.ndarray:
    """A face's own axes, by its landmarks [68, 2]: rightward and downward, [2, 2], as long as its eyes are apart."""
    import numpy as np

    x, y = landmarks[marks.RIGHT_EYE].mean(0) - landmarks[marks.LEFT_EYE].mean(0)
    return np.array([[x, y], [-y, x]])


def own_frame(landmarks: np.ndarray) -> np.ndarray:
    """Landmarks [68, 2] in a face's own coordinates: (right, down) from the middle between its eyes, in distances
    between them."""
    left, right = landmarks[marks.LEFT_EYE].mean(0), landmarks[marks.RIGHT_EYE].mean(0)
    across = right - left
    return (landmarks - (left + right) / 2) @ (axes(landmarks).T / (across @ across))


def to_rest(landmarks: np.ndarray) -> Ways:
    """What takes the expression out of a face with these landmarks [68, 2]: the lips meet, and the corners of the mouth
    lie level, no farther apart than in a mouth at rest."""
    import numpy as np

    own = own_frame(landmarks)
    upper, lower = (own[edge].mean(0)[1] for edge in marks.LIP_EDGES)
    gap = max(lower - upper, 0.0)
    meet = upper + (1 - LOWER_LIP) * gap
    left, right = own[marks.LEFT_MOUTH_CORNER], own[marks.RIGHT_MOUTH_CORNER]
    wide = right[0] - left[0]
    inward = max(wide - REST_WIDTH, 0.0) / 2
    slope = (right - left) / np.linalg.norm(right - left)  # of a head that is turned, a mouth isn't level
    tilt = float(slope[1] / max(slope[0], 0.5)) * wide / 2
    ways = {
        "mouth.top": (0.0, (1 - LOWER_LIP) * gap),
        "mouth.bottom": (0.0, -LOWER_LIP * gap),
        "chin": (0.0, -CHIN * LOWER_LIP * gap),
        "mouth.left": (inward, meet + REST_DROP - tilt - left[1]),
        "mouth.right": (-inward, meet + REST_DROP + tilt - right[1]),
    }
    return {name: (float(x), float(y)) for name, (x, y) in ways.items() if abs(x) + abs(y) > 1e-3}


def to_expression(landmarks: np.ndarray, other: np.ndarray) -> Ways:
    """What gives a face with landmarks [68, 2] the expression of another, whose landmarks are `other` [68, 2]: each in
    its own head's frame, brows are as high over the eyes, lids as far open for the eye's width, and corners and inner
    edges of the lips lie as far from the nose as there. Lips stay as thick as this face's are."""
    here, there = own_frame(landmarks), own_frame(other)
    goal = here.copy()
    for brow, eye in ((marks.LEFT_BROW, marks.LEFT_EYE), (marks.RIGHT_BROW, marks.RIGHT_EYE)):
        goal[brow, 1] += _below(there[eye], there[brow]) - _below(here[eye], here[brow])
        middle = here[eye].mean(0)[1]
        share = _width(here[eye]) / _width(there[eye])
        lids = [eye.start + number for number in LIDS_OF_EYE]
        goal[lids, 1] = middle + share * (there[lids, 1] - there[eye].mean(0)[1])
    lips = [marks.LEFT_MOUTH_CORNER, marks.RIGHT_MOUTH_CORNER, *marks.LIPS_WITHIN]
    goal[lips] = here[marks.NOSE_BOTTOM] + there[lips] - there[marks.NOSE_BOTTOM]
    goal[marks.LIPS_WITHOUT] += goal[marks.LIPS_WITHIN] - here[marks.LIPS_WITHIN]
    moved = [
        *range(marks.BROWS.start, marks.BROWS.stop),
        *range(marks.EYES.start, marks.EYES.stop),
        *lips,
        *marks.LIPS_WITHOUT,
    ]
    ways = {str(number): (float(x), float(y)) for number, (x, y) in enumerate(goal - here) if number in moved}
    return ways | {"chin": (0.0, CHIN * ways["66"][1])}


def _below(upper: np.ndarray, lower: np.ndarray) -> float:
    """How far below points [N, 2] others [M, 2] lie."""
    return float(lower.mean(0)[1] - upper.mean(0)[1])


def _width(eye: np.ndarray) -> float:
    """Of an eye's contour [6, 2], from corner to corner."""
    x, y = eye[3] - eye[0]
    return float(x * x + y * y) ** 0.5

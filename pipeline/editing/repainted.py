"""A face's parts, painted where they shall be: the ways of their landmarks, from the semantic map as it was drawn to
the one that a person painted over.

Each part goes by itself, by its own shape before and after (contour_motion.py). One that wasn't repainted doesn't move
at all; of one that was, what stayed is held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from photodrag.drag.contours import width
from photodrag.pipeline.editing.contour_motion import fitted, moved_along, outward, to_border
from photodrag.pipeline.editing.gaze import FARTHEST
from photodrag.pipeline.editing.masks import FOREHEAD
from photodrag.pipeline.editing.painted_parts import PaintedMap, mask_of, one_piece, whole_part
from photodrag.pipeline.editing.part_map import brow, labels_of
from photodrag.pipeline.editing.parts_asked import HIGHEST, PartsAsked
from photodrag.pipeline.faces.expressions import axes
from photodrag.pipeline.faces.irises import Iris
from photodrag.pipeline.faces.landmark_names import Point
from photodrag.pipeline.faces.preset_table import Reshaping
from photodrag.weights.common import face_landmarks as marks
from photodrag.weights.common.errors import UserError

STILL = 0.75
"""Pixels that a border may seem to have moved, because pixels are square."""
RAGGED = 0.01
"""Of the face's width, the same of parts that were painted with a soft brush, or kept with noise."""
DIGITS = 4
"""Decimals of ways that are kept."""
MARGIN = 8
"""Pixels around all parts that are looked at."""
OUTLINES = {
    "face": marks.JAW,
    "nose": marks.NOSE,
    "lips": marks.OUTER_LIPS,
    "eye.left": marks.LEFT_EYE,
    "eye.right": marks.RIGHT_EYE,
    "brow.left": marks.LEFT_BROW,
    "brow.right": marks.RIGHT_BROW,
}
"""Of each part its landmarks; the mouth within the lips goes after these, for it may be shut."""
UPPER, LOWER = marks.LIP_EDGES
SPECK = 0.01
"""Of the lips' area, what a mouth within them has at least."""
FEW = 6
"""Pixels of an iris' border that say where it is."""


def repainted(painted: PaintedMap, landmarks: np.ndarray, irises: Sequence[Iris] | None) -> PartsAsked:
    """What a painted map asks of a face with these landmarks [68, 2] and irises.

    Raises UserError where nothing was repainted, and for a part that is gone, or in pieces, or much too large."""
    labels, ragged = painted.labels, STILL if painted.exact else max(STILL, RAGGED * width(landmarks))
    drawn = labels_of(labels.shape, landmarks, irises)
    y, x = np.nonzero((drawn > 0) | (labels > 0))
    x0, y0 = max(0, x.min() - MARGIN), max(0, y.min() - MARGIN)
    here = np.s_[y0 : y.max() + MARGIN + 1, x0 : x.max() + MARGIN + 1]
    drawn, labels, marks_here = drawn[here], labels[here], landmarks - (x0, y0)
    ways: dict[int, np.ndarray] = {}
    forehead = 0.0
    for name, part in OUTLINES.items():
        before = mask_of(drawn, name)
        if not before.any() or np.array_equal(before, mask_of(labels, name)):
            continue
        after = whole_part(labels, name, before)
        ways |= _settled(part, _ways_of(name, before, after, marks_here, ragged), ragged)
        if name == "face":
            forehead = _forehead(before, after, marks_here)
    ways |= _settled(marks.INNER_LIPS, _ways_within(drawn, labels, marks_here, ways, ragged), ragged)
    gaze = _gaze(drawn, labels, irises, landmarks, ways)
    own = axes(landmarks).T / (axes(landmarks)[0] @ axes(landmarks)[0])
    asked = PartsAsked(
        {str(number): _kept(way @ own) for number, way in ways.items()},
        Reshaping(_kept(gaze), forehead=round(forehead, DIGITS)),
    )
    if not asked:
        raise UserError("Nothing is repainted in the map of parts: paint a part where it shall be, in its own colour.")
    return asked


def _settled(part: slice, moved: np.ndarray, ragged: float) -> dict[int, np.ndarray]:
    """The ways of a part's landmarks, by number, what hardly moved held; none where its border is ragged at most."""
    if np.linalg.norm(moved, axis=1).max() < ragged:
        return {}
    moved = np.where(np.linalg.norm(moved, axis=1, keepdims=True) < STILL, 0.0, moved)
    return dict(zip(range(part.start, part.stop), moved, strict=True))


def _ways_of(name: str, before: np.ndarray, after: np.ndarray, landmarks: np.ndarray, ragged: float) -> np.ndarray:
    """The ways of a part's landmarks, in pixels: [N, 2], by where it was and where it is."""
    points = landmarks[OUTLINES[name]]
    if name == "face":  # below the brows, for what is above them is the forehead
        up = landmarks[marks.BROWS].mean(0) - landmarks[marks.MOUTH].mean(0)
        y, x = np.indices(before.shape)
        below = np.stack((x, y), -1) @ up <= landmarks[marks.BROWS].mean(0) @ up
        return moved_along(before & below, after & below, points, outward(points, closed=False))
    if name == "nose":
        ring = points[[0, *range(4, 9)]]  # the rest of its bridge lies within
        moved = moved_along(before, after, ring, outward(ring))
        return np.concatenate((moved[:1], _beside(points[1:4], ring, moved), moved[1:]))
    if name.startswith("brow"):
        side = name.partition(".")[2]
        whole = brow(landmarks, OUTLINES[name], OUTLINES[f"eye.{side}"])
        return moved_along(before, after, points, outward(whole)[: len(points)], (0, len(points) - 1), ragged)
    return moved_along(before, after, points, outward(points), (0, len(points) // 2), ragged)


def _beside(points: np.ndarray, known: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """The ways [N, 2] of points [N, 2] that go along with known ones [M, 2] around them: as these do together, and as
    the nearest do besides."""
    turn, shift = fitted(known, known + ways)
    left = known + ways - (known @ turn.T + shift)
    weights = 1 / (((points[:, None] - known) ** 2).sum(2) + 1)
    return points @ turn.T + shift - points + weights @ left / weights.sum(1, keepdims=True)


def _ways_within(
    drawn: np.ndarray, labels: np.ndarray, landmarks: np.ndarray, ways: Mapping[int, np.ndarray], ragged: float
) -> np.ndarray:
    """The ways [8, 2] of the lips' inner landmarks: of a mouth that may have been shut, or is now."""
    before, after = mask_of(drawn, "mouth"), mask_of(labels, "mouth")
    outer, inner = landmarks[marks.OUTER_LIPS], landmarks[marks.INNER_LIPS]
    lips = range(marks.OUTER_LIPS.start, marks.OUTER_LIPS.stop)
    along = _beside(inner, outer, np.array([ways.get(number, np.zeros(2)) for number in lips]))
    if after.sum() <= SPECK * mask_of(labels, "lips").sum():
        after[:] = False
    if np.array_equal(before, after):
        return np.zeros_like(inner) if before.any() else along
    upper, lower = (np.array(edge) - marks.INNER_LIPS.start for edge in (UPPER, LOWER))
    if not after.any():
        met = (inner[upper] + inner[lower]) / 2
        along[upper] += met - inner[upper]
        along[lower] += met - inner[lower]
        return along
    after = one_piece(after, "mouth")
    if before.any():
        return moved_along(before, after, inner, outward(inner), (0, len(inner) // 2), ragged)
    down = axes(landmarks)[1] / np.linalg.norm(axes(landmarks)[1])
    for edge, normal in ((upper, -down), (lower, down)):
        normals = np.tile(normal, (len(edge), 1))
        reach = float(np.ptp(np.nonzero(after)[0]) + np.ptp(np.nonzero(after)[1]))
        along[edge] += to_border(after, inner[edge] + along[edge], normals, reach)[:, None] * normals
    return along


def _forehead(before: np.ndarray, after: np.ndarray, landmarks: np.ndarray) -> float:
    """By which part of its height a forehead has grown, as far as one does."""
    up = landmarks[marks.BROWS].mean(0) - landmarks[marks.MOUTH].mean(0)
    height = FOREHEAD * float(np.linalg.norm(up))
    place, normal = landmarks[None, marks.BROWS].mean(1) + up * FOREHEAD / 2, up[None] / np.linalg.norm(up)
    was, now = (float(to_border(mask, place, normal, 3 * height)[0]) for mask in (before, after))
    return float(np.clip((now - was) / height, -HIGHEST, HIGHEST)) if abs(now - was) >= STILL else 0.0


def _gaze(
    drawn: np.ndarray,
    labels: np.ndarray,
    irises: Sequence[Iris] | None,
    landmarks: np.ndarray,
    ways: Mapping[int, np.ndarray],
) -> Point:
    """Where eyes look whose irises were painted elsewhere in them, (right, down), -1 … 1; both look the same way, so of
    two different ways it is the mean."""
    right, down = (axis / np.linalg.norm(axis) for axis in axes(landmarks))
    found = []
    for side, iris in zip(("left", "right"), irises or (), strict=bool(irises)):
        before, after = mask_of(drawn, f"iris.{side}"), mask_of(labels, f"iris.{side}")
        if not before.any() or np.array_equal(before, after):
            continue
        after = one_piece(after, f"iris.{side}")
        was, now = (centre(mask, mask_of(every, f"eye.{side}")) for mask, every in ((before, drawn), (after, labels)))
        eye = OUTLINES[f"eye.{side}"]
        corners = [ways.get(number, np.zeros(2)) for number in (eye.start, eye.start + 3)]
        way = now - was - np.mean(corners, axis=0)
        if np.linalg.norm(way) >= STILL:
            found.append((way @ right / (FARTHEST[0] * iris.radius), way @ down / (FARTHEST[1] * iris.radius)))
    x, y = np.clip(np.mean(found, axis=0), -1, 1) if found else (0.0, 0.0)
    return float(x), float(y)


def centre(iris: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """The centre (x, y) of an iris, of which lids hide some: of the circle through those of its border's pixels that
    lie within the eye (Kåsa 1976), both bool [H, W]."""
    box = np.ones((3, 3), np.uint8)
    inside = cv2.erode(eye.astype(np.uint8), box) > 0
    y, x = np.nonzero(iris & inside & (cv2.erode(iris.astype(np.uint8), box) == 0))
    if len(x) >= FEW:
        solved = np.linalg.lstsq(np.stack((x, y, np.ones(len(x))), 1), -(x**2 + y**2.0), rcond=None)[0]
        return -solved[:2] / 2
    return np.argwhere(iris).mean(0)[::-1]


def _kept(way: Sequence[float] | np.ndarray) -> Point:
    """(right, down) as it is kept."""
    x, y = way
    return round(float(x), DIGITS) + 0.0, round(float(y), DIGITS) + 0.0

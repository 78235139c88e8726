"""The semantic map of a face: a picture of its parts, each in a colour of its own, which a person may paint over.

The parts are drawn from the 68 landmarks, and the irises from where they are found. Left and right are the
picture's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from photodrag.pipeline.editing.masks import with_forehead
from photodrag.pipeline.faces.irises import Iris
from photodrag.weights.common import face_landmarks as marks

Colour = tuple[int, int, int]
"""RGB, 0 … 255."""
BACKGROUND: Colour = (0, 0, 0)
BROW_HEIGHT = 0.25
"""Of a brow, in parts of the way from its landmarks, which lie on its upper edge, to the eye."""
LEAST_OPEN = 2.0
"""Pixels of its height from which a mouth is open."""


@dataclass(frozen=True)
class Part:
    """A part of the face, as it is drawn."""

    colour: Colour
    holds: tuple[str, ...] = ()
    """The parts that lie within it: what it is, is its own colour and theirs together."""


PARTS = {
    "face": Part(
        (255, 200, 150),
        ("nose", "lips", "mouth", "eye.left", "eye.right", "iris.left", "iris.right", "brow.left", "brow.right"),
    ),
    "nose": Part((255, 128, 0)),
    "lips": Part((220, 0, 60), ("mouth",)),
    "mouth": Part((110, 0, 110)),
    "eye.left": Part((255, 255, 255), ("iris.left",)),
    "eye.right": Part((150, 200, 255), ("iris.right",)),
    "iris.left": Part((0, 140, 70)),
    "iris.right": Part((0, 60, 230)),
    "brow.left": Part((120, 80, 0)),
    "brow.right": Part((255, 255, 0)),
}
"""By name, in the order in which they are drawn."""
LABELS = ["background", *PARTS]
"""What the numbers of a map's pixels mean: a part's is its place here."""
COLOURS = np.array([BACKGROUND, *(part.colour for part in PARTS.values())], np.uint8)
"""Of each label."""


def hexadecimal(colour: Colour) -> str:
    """#rrggbb, as paint programs take it."""
    return "#" + "".join(f"{value:02x}" for value in colour)


def part_map(shape: tuple[int, ...], landmarks: np.ndarray, irises: Sequence[Iris] | None = None) -> np.ndarray:
    """The map of a face with these landmarks [68, 2] in a photo of that shape (H, W, …): uint8 RGB [H, W, 3], in
    PARTS' colours and BACKGROUND and no other. irises: of the left and the right eye; None where they can't be seen."""
    return COLOURS[labels_of(shape, landmarks, irises)]


def labels_of(shape: tuple[int, ...], landmarks: np.ndarray, irises: Sequence[Iris] | None = None) -> np.ndarray:
    """The same as numbers of LABELS, uint8 [H, W]."""
    labels = np.zeros(shape[:2], np.uint8)
    for name, contour in contours(landmarks).items():
        cv2.fillPoly(labels, [contour.round().astype(np.int32)], LABELS.index(name))
    for name, iris in zip(("left", "right"), irises or (), strict=bool(irises)):
        disc, eye = np.zeros_like(labels), labels == LABELS.index(f"eye.{name}")
        x, y = np.round(iris.centre).astype(int).tolist()
        cv2.circle(disc, (x, y), max(1, round(iris.radius)), 1, cv2.FILLED)
        labels[(disc > 0) & eye] = LABELS.index(f"iris.{name}")
    return labels


def contours(landmarks: np.ndarray) -> dict[str, np.ndarray]:
    """The contour [N, 2] of each part of a face with these landmarks [68, 2], but the irises, in PARTS' order; of a
    mouth that is closed there is none within the lips."""
    hull = cv2.convexHull(with_forehead(landmarks).astype(np.float32))[:, 0]
    found = {
        "face": hull,
        "nose": landmarks[[marks.NOSE_BRIDGE.start, *range(marks.NOSE_BASE.start, marks.NOSE_BASE.stop)]],
        "lips": landmarks[marks.OUTER_LIPS],
        "mouth": landmarks[marks.INNER_LIPS],
        "eye.left": landmarks[marks.LEFT_EYE],
        "eye.right": landmarks[marks.RIGHT_EYE],
        "brow.left": brow(landmarks, marks.LEFT_BROW, marks.LEFT_EYE),
        "brow.right": brow(landmarks, marks.RIGHT_BROW, marks.RIGHT_EYE),
    }
    upper, lower = (landmarks[edge] for edge in marks.LIP_EDGES)
    if np.linalg.norm(lower - upper, axis=1).mean() < LEAST_OPEN:
        del found["mouth"]
    return found


def brow(landmarks: np.ndarray, part: slice, eye: slice) -> np.ndarray:
    """The contour [10, 2] of a brow, of which the landmarks give only the upper edge."""
    upper = landmarks[part]
    down = BROW_HEIGHT * (landmarks[eye].mean(0) - upper.mean(0))
    return np.concatenate((upper, upper[::-1] + down))

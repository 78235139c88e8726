"""Irises: where they lie between the lids, by the integro-differential operator (Daugman 1993).

An iris is a disc darker than the white beside it, in red light above all, whatever its colour: sought is the circle
across which it gets brightest outward, along the arcs to its left and right, for lids cover it above and below."""

from dataclasses import dataclass

import cv2
import numpy as np

from photodrag.pipeline.faces.resample import remapped, warp
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.face_landmarks import LEFT_EYE, RIGHT_EYE

SIDE, SPAN = 96, 1.5
"""Pixels across which an eye is looked at, and how much of it, in parts of its width."""
RADII = np.linspace(0.15, 0.27, 13)
"""In parts of an eye's width: a third to half of it is iris, some of it hidden at the corners."""
ARC = np.deg2rad(40)
"""How far up and down from the horizontal an iris' edge is looked at."""
LEAST_WIDTH, LEAST_OPEN = 12, 0.13
"""Of an eye in which an iris can be seen: pixels between its corners, and its height in parts of these."""
LEAST_EDGE = 4.0
"""Grey levels a step of 1/48 of the eye's width, by which an iris must be darker than what is beside it."""


@dataclass(frozen=True)
class Iris:
    """A disc, in pixels of the picture: its centre (x, y) and its radius."""

    centre: tuple[float, float]
    radius: float


def find_irises(picture: np.ndarray, landmarks: np.ndarray) -> tuple[Iris, Iris] | None:
    """Those of the left and the right eye of a face with these landmarks [68, 2] in a picture, uint8 RGB [H, W, 3], of
    one radius in parts of the eye's width; None where one of them can't be seen: too small, shut, behind glare."""
    eyes = [landmarks[LEFT_EYE], landmarks[RIGHT_EYE]]
    if not all(can_be_seen(eye) for eye in eyes):
        return None
    scores, centres = zip(*(_edges(*_upright(picture, eye)) for eye in eyes), strict=True)
    best = int((scores[0] + scores[1]).argmax())
    if min(score[best] for score in scores) < LEAST_EDGE:
        return None
    found = []
    for eye, places in zip(eyes, centres, strict=True):
        to_picture, scale = _from_upright(eye)
        centre = to_picture @ (*places[best], 1)
        found.append(Iris((float(centre[0]), float(centre[1])), float(RADII[best] * SIDE / SPAN * scale)))
    return found[0], found[1]


def not_seen(name: str) -> UserError:
    """The error of one who would move irises that can't be made out, in a photo of that name."""
    return UserError(
        f"No irises can be made out in {name} (the eyes are too small, nearly shut, or behind glare), so --gaze-x and "
        "--gaze-y can't move them: leave these out, or take a larger photo."
    )


def can_be_seen(eye: np.ndarray) -> bool:
    """Whether an eye, by its landmarks [6, 2], is large and open enough."""
    across = np.linalg.norm(eye[3] - eye[0])
    high = np.linalg.norm(eye[[1, 2]] - eye[[5, 4]], axis=1).mean()
    return bool(across >= LEAST_WIDTH and high >= LEAST_OPEN * across)


def _from_upright(eye: np.ndarray) -> tuple[np.ndarray, float]:
    """float64 [2, 3], from a point of the upright picture of an eye to the picture it is from; and the pixels of
    that to one of it."""
    across = eye[3] - eye[0]
    scale = SPAN * np.linalg.norm(across) / SIDE
    x = across / np.linalg.norm(across) * scale
    turn = np.array([[x[0], -x[1]], [x[1], x[0]]])
    return np.column_stack((turn, eye.mean(0) - turn @ np.full(2, (SIDE - 1) / 2))), float(scale)


def _upright(picture: np.ndarray, eye: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An eye's red light, float32 [SIDE, SIDE], its corners level, and its lids' contour [6, 2] there."""
    to_picture, _ = _from_upright(eye)
    red = warp(picture[..., 0].astype(np.float32), to_picture, (SIDE, SIDE), cv2.BORDER_REPLICATE)
    back = cv2.invertAffineTransform(to_picture)
    return red, eye @ back[:, :2].T + back[:, 2]


def _edges(red: np.ndarray, lids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each of RADII how bright it gets outward, at most, across such a circle, and the circle's centre: [R], and
    [R, 2]."""
    smooth = cv2.GaussianBlur(np.minimum(red, np.percentile(red, 97)), (0, 0), 1.5)  # no glint
    between = np.zeros(red.shape, np.uint8)
    cv2.fillConvexPoly(between, cv2.convexHull(lids.round().astype(np.int32)), 1)
    seen = cv2.dilate(between, np.ones((3, 3), np.uint8)).astype(np.float32)
    middle, unit = lids.mean(0), SIDE / SPAN
    xs = middle[0] + unit * np.arange(-0.32, 0.33, 0.02)
    ys = middle[1] + unit * np.arange(-0.14, 0.15, 0.02)
    at = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 1, 2)
    angles = np.linspace(-ARC, ARC, 9)
    ways = np.concatenate([[np.cos(side * np.pi + angles), np.sin(side * np.pi + angles)] for side in (0, 1)], 1).T
    scores, centres = [], []
    for radius in RADII * unit:
        step = unit / 24
        outer, inner = (_read(smooth, at + (radius + far) * ways) for far in (step, -step))
        weight = _read(seen, at + radius * ways)
        darker = ((outer - inner) * weight).sum(1) / np.maximum(weight.sum(1), 0.5 * len(ways))
        inside = _read(smooth, at + 0.5 * radius * ways).mean(1) - _read(smooth, at + 1.2 * radius * ways).mean(1)
        score = darker - 0.15 * np.maximum(inside, 0)
        best = int(score.argmax())
        scores.append(score[best])
        centres.append(at[best, 0])
    return np.array(scores), np.array(centres)


def _read(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The picture at points [..., 2]."""
    x, y = (np.ascontiguousarray(points[..., axis], np.float32) for axis in (0, 1))
    return remapped(picture, x, y, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)

"""What an edit will come to, roughly and at once: the photo bent by where its landmarks are to go.

It needs no generator, so it is there before a face is learnt; and nothing that is saved is made by it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from photodrag.drag.contours import on_contours, width
from photodrag.drag.landmark_guided import moves_the_head
from photodrag.drag.settings import LandmarkGuidedSettings
from photodrag.drag.together import moved_together
from photodrag.pipeline.editing.gaze import way_of
from photodrag.pipeline.editing.motion import FaceMotion, leaning, spline_flow, thin_plate, uncrossed
from photodrag.pipeline.editing.openings import OPENINGS, new
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.irises import Iris
from photodrag.pipeline.faces.presets import reshaping
from photodrag.weights.common.face_landmarks import JAW

GRID = 40
"""Side of the grid on which it is told where pixels come from."""
ROUND = 24
"""Corners of an iris' outline."""
Drags = list[list[list[float]]]


@dataclass(frozen=True, eq=False)
class Warp:
    """How a part of a photo is bent."""

    region: tuple[float, float, float, float]
    """x0, y0, x1, y1 of a square, in the photo's pixels; it may reach outside."""
    offsets: np.ndarray
    """float32 [GRID, GRID, 2]: from how far, (x, y) in the photo's pixels, what is seen in each cell came."""
    outlines: list[list[list[float]]]
    """Closed contours in photo pixels, of what bending can't show: irises that look elsewhere, what opens."""


def warp(
    landmarks: np.ndarray, drags: Drags, amounts: Mapping[str, float], irises: tuple[Iris, Iris] | None = None
) -> Warp:
    """What is to be seen of a face with landmarks [68, 2] in the photo, when handles go to their targets and presets
    reshape it by these amounts; irises: the photo's, where they can be seen."""
    corners = Alignment.from_landmarks(landmarks).quad
    (x, y), (far_x, far_y) = corners.min(0), corners.max(0)
    square = Alignment.from_box((float(x), float(y), float(far_x - x), float(far_y - y)), GRID)
    marks, reshaped = square.to_crop(landmarks), reshaping(amounts)
    ends = np.array(drags, float).reshape(-1, 2, 2)
    handles, targets = square.to_crop(ends[:, 0]), square.to_crop(ends[:, 1])
    moved, off = landmarks_moved(marks, handles, targets - handles)
    goal = uncrossed(marks + moved, marks)
    source, goal = np.concatenate((marks, handles[off])), np.concatenate((goal, targets[off]))
    motion = leaning(FaceMotion(source, source, goal, reshaped.forehead), reshaped.lean)
    flow = spline_flow(motion.photo, motion.goal, GRID, motion.forehead, GRID)
    outlines = [goal[ring] for ring, _ in OPENINGS if new(marks[ring], goal[ring])]
    if irises and any(reshaped.gaze):
        way = way_of(irises, landmarks, reshaped.gaze)
        outlines += [square.to_crop(circle(iris, way)) for iris in irises]
    x0, y0 = square.quad[0] + 0.5
    side = GRID / square.scale
    return Warp(
        (float(x0), float(y0), float(x0 + side), float(y0 + side)),
        (flow / square.scale).astype(np.float32),
        [square.to_photo(outline).round(2).tolist() for outline in outlines],
    )


def landmarks_moved(landmarks: np.ndarray, handles: np.ndarray, ways: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far landmarks [68, 2] go, [68, 2], if handles [N, 2] go these ways [N, 2]; and which handles, bool [N], lead
    none of them. They go together as a drag has them go; of a head that turns, the outline stays."""
    weights = on_contours(handles, landmarks)
    led = np.asarray(weights.any(1))
    if not led.any():
        return np.zeros_like(landmarks), ~led
    least = LandmarkGuidedSettings.least_head_move * width(landmarks)
    if weights[:, JAW].any() or not moves_the_head(weights, ways, least):
        return moved_together(landmarks, weights[led], ways[led]), ~led
    known = np.concatenate((handles[led], landmarks[JAW]))
    return thin_plate(known, np.concatenate((ways[led], np.zeros_like(landmarks[JAW]))), landmarks), ~led


def circle(iris: Iris, way: np.ndarray) -> np.ndarray:
    """The outline [ROUND, 2] of an iris that goes that way, in pixels of its picture."""
    angles = np.linspace(0, 2 * np.pi, ROUND, endpoint=False)
    return np.array(iris.centre) + way + iris.radius * np.stack((np.cos(angles), np.sin(angles)), 1)

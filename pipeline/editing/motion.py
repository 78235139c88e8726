"""How a face moved, by its landmarks, and where each pixel of it comes from.

The photo's own pixels are the best picture of the person that there is, so they are moved themselves: along with the
landmarks, which are found in the generator's pictures before and after a drag, by thin-plate splines (Bookstein
1989) that hold the crop's border. A generator comes only part of the way that was asked for, at times; what is left
for handles on contours, as far as a face may be stretched, the splines go as well."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from photodrag.drag.contours import on_contours, width
from photodrag.drag.landmark_guided import moves_the_head
from photodrag.drag.settings import LandmarkGuidedSettings
from photodrag.drag.together import moved_together
from photodrag.pipeline.editing.masks import FOREHEAD
from photodrag.pipeline.faces.landmarks import Frame, predict
from photodrag.pipeline.faces.preset_table import UNSHAPED, Reshaping
from photodrag.weights.common.face_landmarks import BELOW_BROWS, BROWS, JAW, LIDS_AND_LIPS, MOUTH

THICK = 0.4
"""How thick brows are at most, in parts of the way from their landmarks to the eyes."""
STILL = 2.0
"""Pixels of a crop of 1024: what is seen to move less than this hardly counts as moved, for it is read so roughly."""
MOST_LEFT = 0.05
"""Of the face's width: how far at most the splines take a handle beyond where the generator took it."""
SHUT = 0.12
"""The least distance of upper and lower lid, or lip, in parts of what it was."""
GRID = 96
"""Side of the grid on which splines are computed."""
BORDER = 8
"""Fixed points on each side of the crop."""
NECK, CROWN = 0.5, 0.9
"""About which point below the mouth a head leans, and up to which above the brows it does as a whole, in parts of the
way from the one to the other."""


@dataclass(frozen=True, eq=False)
class Dragged:
    """What was dragged how far: points [N, 2], (x, y) in pixels of a crop."""

    handles: np.ndarray
    targets: np.ndarray
    points: np.ndarray
    """Where the handles have come to in the generator's picture."""
    finish: float = 1.0
    """0 … 1, how much of what is left of the way the photo's own pixels are to go yet, and of what is to be seen of
    the person's other photos."""
    share: float = 1.0
    """0 … 1, how much of it all is made: of how far landmarks go in the end."""
    reshaping: Reshaping = UNSHAPED
    """What is done beside, as far as `finish` and `share` say."""


@dataclass(frozen=True, eq=False)
class FaceMotion:
    """Points [68 + M, 2], (x, y) in pixels of a crop: the landmarks, and the handles that lie on none of their
    contours."""

    photo: np.ndarray
    """In the photo."""
    after: np.ndarray
    """In the generator's picture after the drag."""
    goal: np.ndarray
    """In the picture that is to be made."""
    forehead: float = 0.0
    """By which part of its height the forehead grows."""


def face_motion(landmarks: np.ndarray, before: np.ndarray, edited: np.ndarray, dragged: Dragged) -> FaceMotion:
    """The motion of a face whose landmarks are [68, 2] in the photo's crop, from `before`, those in the generator's
    picture before the drag, to its picture after it, uint8 RGB [S, S, 3]."""
    after, landmarks = predict(edited, Frame.around(landmarks)), uncrossed(landmarks, landmarks)
    moved = after - before
    far = np.linalg.norm(moved, axis=1, keepdims=True)
    moved = moved * (1 - np.exp(-((far / (STILL * len(edited) / 1024)) ** 2)))
    weights = on_contours(dragged.handles, landmarks)
    moved = with_outline_kept(moved, weights, dragged.targets - dragged.handles, width(landmarks))
    way = moved + dragged.finish * rest_of_way(landmarks, moved, dragged, weights)
    goal = uncrossed(landmarks + dragged.share * way, landmarks)
    off = ~weights.any(1)
    start, end = dragged.handles[off], dragged.points[off]
    pairs = (landmarks, start), (after, end), (goal, start + dragged.share * (end - start))
    reshaping = dragged.reshaping * (dragged.finish * dragged.share)
    photo, after, goal = (np.concatenate(pair) for pair in pairs)
    return leaning(FaceMotion(photo, after, goal, reshaping.forehead), reshaping.lean)


def leaning(motion: FaceMotion, angle: float) -> FaceMotion:
    """A motion at whose goal the head leans to the right as well, by that angle [radians], about a point of the neck,
    with its hair."""
    if angle == 0:
        return motion
    up = motion.photo[BROWS].mean(0) - motion.photo[MOUTH].mean(0)
    neck, crown = motion.photo[MOUTH].mean(0) - NECK * up, motion.photo[BROWS] + CROWN * up
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    goal = (np.concatenate((motion.goal, crown)) - neck) @ turn + neck
    return replace(
        motion, photo=np.concatenate((motion.photo, crown)), after=np.concatenate((motion.after, crown)), goal=goal
    )


def with_outline_kept(moved: np.ndarray, weights: np.ndarray, ways: np.ndarray, face: float) -> np.ndarray:
    """How landmarks [68, 2] of a turned head move in a photo, where its outline stays on the whole. A generator's faces
    are aligned by eyes and mouth: when such a head turns, half of that is the outline going the other way, and moved
    like this in a photo, a cheek swells. So the head is turned less, and shifted, until its handles are where they were
    in the generator's picture. weights, ways: of the handles, [N, 68] and [N, 2]; face: its width."""
    leads_outline = weights[:, JAW].any()
    if leads_outline or not moves_the_head(weights, ways, LandmarkGuidedSettings.least_head_move * face):
        return moved
    outline, handles = moved[JAW].mean(0), (weights[weights.any(1)] @ moved).mean(0)
    relative = handles - outline
    share = np.clip(handles @ relative / max(relative @ relative, 1e-9), 0, 1)
    return share * (moved - outline)


def rest_of_way(landmarks: np.ndarray, moved: np.ndarray, dragged: Dragged, weights: np.ndarray) -> np.ndarray:
    """How far landmarks [68, 2], which have `moved` so far, go yet for handles of these `weights` [N, 68] of them to be
    at their targets."""
    led, face = weights.any(1), width(landmarks)
    if not led.any():
        return np.zeros_like(landmarks)
    weights, left = weights[led], (dragged.targets - dragged.handles)[led] - weights[led] @ moved
    left *= np.minimum(1, MOST_LEFT * face / np.maximum(np.linalg.norm(left, axis=1, keepdims=True), 1e-9))
    return moved_together(landmarks, weights, left)


def uncrossed(goal: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Landmarks [68, 2] with the upper and lower ones of eyes and inner lips drawn apart, where they came nearer each
    other than SHUT of what they were, or passed: shut is as far as they go."""
    apart, upper, lower = goal.copy(), *LIDS_AND_LIPS
    down = landmarks[MOUTH].mean(0) - landmarks[BROWS].mean(0)
    down = down / np.linalg.norm(down)
    least = SHUT * np.maximum((landmarks[lower] - landmarks[upper]) @ down, 0)
    short = np.maximum(least - (goal[lower] - goal[upper]) @ down, 0)[:, None] / 2
    apart[upper] -= short * down
    apart[lower] += short * down
    return apart


def spline_flow(source: np.ndarray, goal: np.ndarray, side: int, forehead: float = 0.0, grid: int = GRID) -> np.ndarray:
    """For each pixel of a crop whose landmarks (and other points) lie at `goal` [68 + M, 2], where it came from in the
    one where they lie at `source`: float32 [side, side, 2], as an offset (x, y) in pixels. Points off the crop are
    left out. forehead: by which part it grows. grid: side of the grid on which it is computed."""
    up, down = beside_brows(source)
    source, goal = (
        np.concatenate((x, x[BROWS] + grown * up, x[BROWS] + down)) for x, grown in ((source, 1), (goal, 1 + forehead))
    )
    inside = ((goal > 0) & (goal < side - 1) & (source > 0) & (source < side - 1)).all(1)
    frame = border(side)
    source, goal = np.concatenate((source[inside], frame)) / side, np.concatenate((goal[inside], frame)) / side
    places = (np.arange(grid) + 0.5) / grid
    at = np.stack(np.meshgrid(places, places), -1).reshape(-1, 2)
    flow = thin_plate(goal, source - goal, at).reshape(grid, grid, 2) * side
    return cv2.resize(flow.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)


def beside_brows(landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From the brows' landmarks [10, 2], which lie along their upper edges, up over the forehead and down to their
    lower edges: what goes along with brows."""
    brows, up = landmarks[BROWS], landmarks[BROWS].mean(0) - landmarks[MOUTH].mean(0)
    return np.tile(FOREHEAD * up, (len(brows), 1)), THICK * (landmarks[BELOW_BROWS].mean(1) - brows)


def border(side: int) -> np.ndarray:
    """Points [4 · BORDER, 2] on the border of a crop."""
    along = np.linspace(0, side - 1, BORDER, endpoint=False)
    ends = np.zeros(BORDER)
    last = side - 1 - ends
    edges = (along, ends), (last, along), (last - along, last), (ends, last - along)
    return np.concatenate([np.stack(edge, 1) for edge in edges])


def thin_plate(points: np.ndarray, values: np.ndarray, at: np.ndarray, smoothing: float = 1e-4) -> np.ndarray:
    """The smoothest function through values [N, C] at points [N, 2] (nearly through them, by `smoothing`), at the
    places `at` [M, 2]: [M, C]."""
    count = len(points)
    flat = np.hstack((np.ones((count, 1)), points))
    system = np.block([[bending(points, points) + smoothing * np.eye(count), flat], [flat.T, np.zeros((3, 3))]])
    solved = np.linalg.solve(system, np.concatenate((values, np.zeros((3, values.shape[1])))))
    return bending(at, points) @ solved[:count] + np.hstack((np.ones((len(at), 1)), at)) @ solved[count:]


def bending(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The thin-plate kernel r² log r of the distances r between points [M, 2] and [N, 2]: [M, N]."""
    squared = ((a[:, None] - b) ** 2).sum(2)
    return 0.5 * squared * np.log(np.maximum(squared, 1e-300))

"""What a face looks like with another expression, from other photos of that very person: exemplars.

The photo's own pixels, moved, show no fold, tooth or eye that they didn't show before, and a generator's are another's
(docs/design-notes.md#a-person). Where one of the person's other photos shows the expression that is wanted, or nearly,
the part of the face that changes is read from that one, moved to where the landmarks are to be, in the light of the
photo that is edited."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from photodrag.drag.contours import width
from photodrag.pipeline.editing import masks
from photodrag.pipeline.editing.blend import Layers, warped
from photodrag.pipeline.editing.motion import FaceMotion, spline_flow
from photodrag.pipeline.faces.align import similarity
from photodrag.pipeline.people.person import Portrait
from photodrag.weights.common.face_landmarks import (
    BROWS,
    COUNT,
    EYES,
    INNER_LIPS,
    LEFT_EYE,
    MOUTH,
    NOSE_BASE,
    RIGHT_EYE,
    SKULL,
)

MOVED = 0.008, 0.016
"""Of the face's width, the mean way of a part's landmarks from which an exemplar counts a little, and fully."""
NEARER = 0.35, 0.6
"""How much nearer to what is wanted its part is than the photo's, as a share of that, from which likewise."""
OTHER_LOOKS = 0.85, 1.15
"""Contrast of the difference from the photo, where nothing moved it, in parts of the photo's own, up to which an
exemplar counts fully, and at all: beyond it lies a hand, a beard, glasses."""
COARSER = 0.25, 0.5
"""Pixels an exemplar has for each of the photo's from which it counts likewise."""
LIGHT = 40
"""What counts as light: a deviation in pixels of a crop of 1024."""
BRIGHTER = 2.5
"""Times that light may be brighter or darker than the exemplar's."""
EDGE = 60
"""Pixels of a crop of 1024 from the face's border over which exemplars fade in, so that its outline stays."""
FOREHEAD = 0.25
"""How far above the brows that border lies, in parts of the way from the mouth to them."""
BETWEEN = 0.3, 0.9
"""Between eyes and nose, in parts of the way from the ones to the other, where the parts go over into each other."""
LOOKS_SIDE, NOISE = 256, 1.0
"""Side at which looks are compared, and the contrast that is noise, in grey levels."""
TRIED = 4
"""Of each part, exemplars whose looks are compared."""

UPPER = [*range(BROWS.start, BROWS.stop), *range(EYES.start, EYES.stop)]
LOWER = [*range(MOUTH.start, MOUTH.stop)]
PARTS = UPPER, LOWER
"""Landmarks by which exemplars are compared: of the face's upper half, and its lower one."""
OPENINGS = (LEFT_EYE, 0.06), (RIGHT_EYE, 0.06), (INNER_LIPS, 0.04)
"""What light isn't read from, and how far around it, in parts of the face's width."""


@dataclass(frozen=True, eq=False)
class Choice:
    """An exemplar for a part of a face, and how much of it is to show, 0 … 1."""

    portrait: Portrait
    weight: float


Choices = Sequence[Choice | None]
"""Of each of PARTS."""


def chosen(crop: np.ndarray, motion: FaceMotion, portraits: Sequence[Portrait], finest: float) -> list[Choice | None]:
    """Of each of PARTS the exemplar that is nearest to where a motion takes it; None where the photo's own part is as
    good. crop: the photo's, uint8 RGB [S, S, 3], of `finest` pixels of the photo a side."""
    photo, goal, face = motion.photo[:COUNT], motion.goal[:COUNT], width(motion.goal)
    places = np.array([expression(portrait, goal) for portrait in portraits]).reshape(-1, COUNT, 2)
    choices: list[Choice | None] = []
    for part in PARTS:
        own = np.linalg.norm(photo[part] - goal[part], axis=1).mean() / face
        away = np.linalg.norm(places[:, part] - goal[part], axis=2).mean(1) / face
        best = None
        for number in away.argsort()[:TRIED] if own > MOVED[0] else ():
            weight = rising(own, *MOVED) * rising(1 - away[number] / own, *NEARER)
            weight *= rising(len(portraits[number].picture) / min(finest, len(crop)), *COARSER)
            if weight > (best.weight if best else 0):
                weight *= 1 - rising(other_looks(crop, photo, portraits[number], part), *OTHER_LOOKS)
            if weight > (best.weight if best else 0):
                best = Choice(portraits[number], weight)
        choices.append(best)
    return choices


def with_exemplars(
    crop: np.ndarray, layers: Layers, motion: FaceMotion, choices: Sequence[Choice | None], share: float = 1.0
) -> Layers:
    """A moved face with what its exemplars show. share: 0 … 1, how much of them shows, in a film on its way."""
    side, goal = len(crop), motion.goal[:COUNT]
    own, mask, ways = layers.of(crop), inner_face(goal, side), lower_half(goal, side)
    for choice, there in zip(choices, (1 - ways, ways), strict=True):
        if choice is None:
            continue
        shown = moved(choice.portrait, goal, side)
        shown = shown * light(own, shown, goal)
        part = (share * choice.weight * mask * there)[..., None]
        layers = replace(
            layers, rest=layers.rest + part * (shown - layers.rest), weight=layers.weight * (1 - part[..., 0])
        )
    return layers


def moved(portrait: Portrait, goal: np.ndarray, side: int) -> np.ndarray:
    """A portrait's picture with its landmarks at `goal` [68, 2] of a crop of that side: float32 [side, side, 3]."""
    picture = cv2.resize(portrait.picture, (side, side), interpolation=cv2.INTER_AREA)
    at = (portrait.landmarks + 0.5) * (side / len(portrait.picture)) - 0.5
    return warped(picture, spline_flow(at, goal, side))


def expression(portrait: Portrait, goal: np.ndarray) -> np.ndarray:
    """A portrait's landmarks [68, 2], its skull laid on that of others."""
    matrix = similarity(goal[SKULL], portrait.landmarks[SKULL])
    return portrait.landmarks @ matrix[:, :2].T + matrix[:, 2]


def light(own: np.ndarray, shown: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """By how much an exemplar moved to `goal` is to be multiplied to lie in the light of a face there, both float32
    [S, S, 3] of 0 … 255: [S, S, 3]. It is read from skin, on which brows, eyes and lips have no say."""
    side = len(own)
    skin = skin_between(goal, side)[..., None]
    around = cv2.GaussianBlur(np.dstack((own * skin, shown * skin)), (0, 0), LIGHT * side / 1024)
    return np.clip((around[..., :3] + 1) / (around[..., 3:] + 1), 1 / BRIGHTER, BRIGHTER)


def skin_between(goal: np.ndarray, side: int) -> np.ndarray:
    """Where a face shows skin and hair rather than eyes or what a mouth shows: float32 [side, side], never 0."""
    skin, face = np.ones((side, side), np.float32), width(goal)
    for part, around in OPENINGS:
        skin *= masks.smooth(masks.distance_from_hull(goal[part], side) / (around * face))
    return np.maximum(skin, 1e-3)


def inner_face(goal: np.ndarray, side: int) -> np.ndarray:
    """float32 [side, side], 1 within a face whose landmarks lie at `goal`, falling to 0 at its border."""
    up = goal[BROWS].mean(0) - goal[MOUTH].mean(0)
    hull = cv2.convexHull(np.concatenate((goal, goal[BROWS] + FOREHEAD * up)).round().astype(np.int32))
    inside = np.zeros((side, side), np.uint8)
    cv2.fillConvexPoly(inside, hull, 1)
    return masks.smooth(cv2.distanceTransform(inside, cv2.DIST_L2, 5) / (EDGE * side / 1024))


def lower_half(goal: np.ndarray, side: int) -> np.ndarray:
    """float32 [side, side], 0 around a face's eyes, 1 around its mouth, and between them in between."""
    eyes, down = goal[EYES].mean(0), goal[NOSE_BASE].mean(0) - goal[EYES].mean(0)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    along = ((x - eyes[0]) * down[0] + (y - eyes[1]) * down[1]) / (down @ down)
    return masks.smooth((along - BETWEEN[0]) / (BETWEEN[1] - BETWEEN[0]))


def other_looks(crop: np.ndarray, landmarks: np.ndarray, portrait: Portrait, part: Sequence[int]) -> float:
    """How other a part of an exemplar looks than the photo's, beyond light: the contrast of their difference, with the
    exemplar moved to where the photo's landmarks [68, 2] are, in parts of the photo's own contrast."""
    scale = LOOKS_SIDE / len(crop)
    small = cv2.resize(crop, (LOOKS_SIDE, LOOKS_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    at = (landmarks + 0.5) * scale - 0.5
    shown = moved(portrait, at, LOOKS_SIDE)
    half = lower_half(at, LOOKS_SIDE)
    weight = inner_face(at, LOOKS_SIDE) * (half if part is LOWER else 1 - half) * skin_between(at, LOOKS_SIDE)
    details = [fine(x, LIGHT * LOOKS_SIDE / 1024) for x in (small, shown * light(small, shown, at))]
    own, other = (
        np.sqrt((weight * x.mean(2) ** 2).sum() / weight.sum()) for x in (details[0], details[1] - details[0])
    )
    return float(other / (own + NOISE))


def fine(picture: np.ndarray, deviation: float) -> np.ndarray:
    """What of a picture is finer than that."""
    return picture - cv2.GaussianBlur(picture, (0, 0), deviation)


def rising(value: float, low: float, high: float) -> float:
    """0 up to low, 1 from high on, smooth in between."""
    return float(masks.smooth(np.array((value - low) / (high - low))))

"""Eyes and mouths that open and close: how far, and whether the generator's picture shows it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from photodrag.pipeline.editing.motion import FaceMotion
from photodrag.pipeline.faces.align import laid_on
from photodrag.weights.common.face_landmarks import (
    COUNT,
    INNER_LIPS,
    LEFT_EAR,
    LEFT_EYE,
    MOUTH,
    NOSE_TIP,
    RIGHT_EAR,
    RIGHT_EYE,
)

OPENED = 0.5, 1.0
"""How many times an eye or a mouth is to be twice as open, or half, for what is in it to be new a little, or
fully."""
BORNE = 0.5, 1.0
"""How many times an opening may be twice as open, and half, with nothing but the photo's own pixels to show it."""
SHOWN = 0.25, 0.5
"""Part of that change that is to be seen in the generator's picture for it to count a little, and fully."""
ASIDE = 2.5, 3.2
"""How much nearer one ear is to the nose than the other (see `aside`), from which a face is seen from the side a
little, and fully."""
CLOSED = 0.03
"""Openness of what is closed, as far as landmarks tell."""
OPENINGS = (LEFT_EYE, LEFT_EYE), (RIGHT_EYE, RIGHT_EYE), (INNER_LIPS, MOUTH)
"""The landmarks around each opening, and all those that go along with it."""


def openness(ring: np.ndarray) -> float:
    """How far the contour of an eye or of the inner lips, [6 or 8, 2] in order around it, is open: its mean height in
    parts of its width (Soukupová and Čech 2016)."""
    half = len(ring) // 2
    upper, lower = ring[1:half], ring[:half:-1]
    return float(np.linalg.norm(upper - lower, axis=1).mean() / np.linalg.norm(ring[half] - ring[0]))


def doublings(before: np.ndarray, after: np.ndarray) -> float:
    """How many times twice as open the contour of an eye or the inner lips has become."""
    return float(np.log2((openness(after) + CLOSED) / (openness(before) + CLOSED)))


def shown(motion: FaceMotion, ring: slice) -> float:
    """How much of an opening's way from the photo to its goal the generator's picture shows, 0 … 1: none of it where
    the face is seen from the side, for there it shows another's."""
    photo, goal, after = (places[ring] for places in (motion.photo, motion.goal, motion.after))
    wanted = doublings(photo, goal)
    done = rising(doublings(photo, after) / wanted, SHOWN) if wanted else 1.0
    return done * (1 - rising(aside(motion.photo), ASIDE))


def aside(landmarks: np.ndarray) -> float:
    """How many times as far the nose of a face, by its landmarks [68, 2], is from one ear as from the other."""
    left, right = (float(np.linalg.norm(landmarks[ear] - landmarks[NOSE_TIP])) for ear in (LEFT_EAR, RIGHT_EAR))
    return max(left, right) / max(min(left, right), 1e-9)


def new(photo: np.ndarray, goal: np.ndarray) -> float:
    """How new is what a contour holds at its goal, 0 … 1: fully where it opens, or closes, from what it was."""
    return rising(abs(doublings(photo, goal)), OPENED)


def held_back(motion: FaceMotion, elsewhere: Sequence[float] = (0.0, 0.0, 0.0)) -> FaceMotion:
    """A motion in which no eye or mouth opens or closes farther than the photo's own pixels bear, or than the
    generator's picture shows, or than is seen `elsewhere`, 0 … 1 for each of OPENINGS."""
    goal, photo = motion.goal.copy(), laid_on(motion.goal[:COUNT], motion.photo[:COUNT])  # the head moves in any case
    for (ring, along), other in zip(OPENINGS, elsewhere, strict=True):
        wanted = doublings(photo[ring], goal[ring])
        borne = BORNE[0] if wanted > 0 else BORNE[1]
        if abs(wanted) > borne:
            share = max(borne / abs(wanted), shown(motion, ring), other)
            goal[along] = photo[along] + share * (goal[along] - photo[along])
    return replace(motion, goal=goal)


def from_the_side(landmarks: np.ndarray) -> bool:
    """Whether a face with these landmarks [68, 2] is seen so far from the side that those of its hidden half are a
    guess."""
    return aside(landmarks) >= ASIDE[1]


def rising(value: float, bounds: Sequence[float]) -> float:
    """0 up to the first bound, 1 from the second on, in even motion in between."""
    return float(np.clip((value - bounds[0]) / (bounds[1] - bounds[0]), 0, 1))

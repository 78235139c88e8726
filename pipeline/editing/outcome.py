"""What can be told of an edited face by figures: how far it came, what moved that was to stay, and so whether it may be
spoilt, of which the identity distance says nothing (docs/figures.md#identitys-own-noise)."""

from collections.abc import Sequence

import numpy as np

from photodrag.drag.contours import on_contours, width
from photodrag.drag.landmark_guided import moves_the_head
from photodrag.drag.settings import LandmarkGuidedSettings
from photodrag.weights.common.face_landmarks import PARTS

MOST_STRAY = 0.02
"""Of the face's width, how far parts that were to stay may move. Of 50 edits looked at, those beyond were pinched or
swollen, but for turned heads; smiles, open mouths and closed eyes came to 0.016 at most."""
LEAST_WAY = 0.5
"""Of their way that points come at least, unless more was asked for than a face does."""


def way_of(starts: np.ndarray, targets: np.ndarray, reached: np.ndarray) -> float:
    """How much of their way points [N, 2] came: 1 for all of it; 1, too, where all were to stay."""
    ways = targets - starts
    length = (ways**2).sum()
    return float(((reached - starts) * ways).sum() / length) if length else 1.0


def stray_of(before: np.ndarray, after: np.ndarray, handles: np.ndarray, targets: np.ndarray) -> float | None:
    """How far the parts of a face without a handle moved, in parts of its width, by landmarks [68, 2] before and after,
    for handles and targets [N, 2]; None where the whole head was to move, or every part has a handle."""
    weights, face = on_contours(handles, before), width(before)
    if moves_the_head(weights, targets - handles, LandmarkGuidedSettings.least_head_move * face):
        return None
    led = np.any(weights, axis=0).tolist()
    still = [mark for part in PARTS if not any(led[mark] for mark in part) for mark in part]
    return float(np.linalg.norm(after - before, axis=1)[still].mean() / face) if still else None


def doubts(way: float, stray: float | None) -> Sequence[str]:
    """Why a picture may be spoilt, a clause each; none where nothing speaks for it."""
    found = []
    if stray is not None and stray > MOST_STRAY:
        found.append(f"parts of the face that were to stay moved by {stray:.0%} of its width")
    if way < LEAST_WAY:
        found.append(
            f"its points came only {max(way, 0):.0%} of their way, as where more is asked for than a face does"
        )
    return found

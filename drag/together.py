"""How the landmarks of a face move together: those near each other, of one part, alike."""

import numpy as np

from photodrag.drag.contours import width
from photodrag.weights.common.face_landmarks import COUNT, PARTS

REACH = 0.12
"""Of the face's width: how far around a handle landmarks go along with it."""
TOGETHER = sum(np.outer(part, part) for part in (np.isin(np.arange(COUNT), list(part)).astype(float) for part in PARTS))
"""[68, 68], in how many parts two landmarks are together."""


def moved_together(landmarks: np.ndarray, weights: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """How far landmarks [68, 2] go, [68, 2], for points that are the means of these `weights` [N, 68] of them to go
    these ways [N, 2]: the likeliest, if landmarks near each other move alike (a Gaussian process)."""
    apart = np.linalg.norm(landmarks[:, None] - landmarks, axis=2) / width(landmarks)
    alike = np.exp(-0.5 * (apart / REACH) ** 2) * TOGETHER
    spread = weights @ alike @ weights.T + 1e-3 * np.eye(len(weights))
    return alike @ weights.T @ np.linalg.solve(spread, ways)

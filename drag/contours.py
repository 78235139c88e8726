"""Points of a face that its landmarks tell, on its contours or by name, so that they can be found again on another
picture."""

import numpy as np

from photodrag.weights.common import face_landmarks

SEGMENTS = np.array(face_landmarks.SEGMENTS)
NEAR = 0.06
"""How far off a contour a point may lie and still mean it, as a share of the face's width: the middle of a
mouth that smiles does, too."""
NAMED = 0.005
"""How far from the mean of several landmarks that has a name a point may lie and still mean it, likewise."""


def width(landmarks: np.ndarray) -> float:
    """Of the face, from ear to ear, by its landmarks [68, 2]."""
    return float(np.linalg.norm(landmarks[face_landmarks.RIGHT_EAR] - landmarks[face_landmarks.LEFT_EAR]))


def on_contours(points: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Of points [N, 2], the weights [N, 68] of the landmarks [68, 2] of which each is the mean, nearly: those of a
    name that means several (the middle of the lips, which in an open mouth is on no contour), or else the ends of the
    nearest piece of a contour. Zeros for a point that lies near none."""
    a, b = landmarks[SEGMENTS[:, 0]], landmarks[SEGMENTS[:, 1]]
    way = b - a
    share = ((points[:, None] - a) * way).sum(2) / np.maximum((way**2).sum(1), 1e-12)
    share = share.clip(0, 1)
    off = np.linalg.norm(a + share[..., None] * way - points[:, None], axis=2)
    nearest = off.argmin(1)
    rows = np.arange(len(points))
    weights = np.zeros((len(points), len(landmarks)))
    weights[rows, SEGMENTS[nearest, 0]] = 1 - share[rows, nearest]
    weights[rows, SEGMENTS[nearest, 1]] += share[rows, nearest]
    weights[off[rows, nearest] > NEAR * width(landmarks)] = 0
    for marks in (list(marks) for marks in face_landmarks.NAMES.values() if len(marks) > 1):
        meant = np.linalg.norm(points - landmarks[marks].mean(0), axis=1) <= NAMED * width(landmarks)
        weights[meant] = np.isin(np.arange(len(landmarks)), marks) / len(marks)
    return weights

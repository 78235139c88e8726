"""Whose face it is: dlib's 128 numbers, whose distance tells people apart."""

import cv2
import dlib
import numpy as np

from photodrag.invert.dlib_models import face_recogniser, one_at_a_time

SAME_PERSON = 0.6  # distances below are taken for the same person (dlib's own threshold, 99.38 % on LFW)
NOISE = 0.2
"""What a face is apart from itself in a copy of its photo: nine of ten JPEGs of quality 20 lie below, and half of those
blurred by 1.5 px (docs/figures.md#identitys-own-noise)."""
ACROSS = 300  # px across the landmarks in the copy that dlib cuts its 150 px chip from


def descriptor(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The identity of the face at the landmarks: float64 [128], of length about 1.4.

    image: uint8 RGB [H, W, 3], a photo or a crop, with the face of any size.
    landmarks: [68, 2] in pixels of the image, pixel centres at integers.
    """
    # dlib takes whole-pixel landmarks, so it is given the face at a size where rounding them does no harm.
    low, high = landmarks.min(0), landmarks.max(0)
    margin = (high - low).max()
    limits = np.array(image.shape[1::-1])
    x0, y0 = np.clip(np.floor(low - margin), 0, limits - 1).astype(int)
    x1, y1 = np.clip(np.ceil(high + margin) + 1, [x0 + 1, y0 + 1], limits).astype(int)
    scale = ACROSS / margin
    size = max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale))
    copy = cv2.resize(image[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    points = (landmarks - [x0, y0] + 0.5) * size / [x1 - x0, y1 - y0] - 0.5
    parts = dlib.points([dlib.point(round(x), round(y)) for x, y in points])
    shape = dlib.full_object_detection(dlib.rectangle(0, 0, size[0] - 1, size[1] - 1), parts)
    with one_at_a_time:
        return np.array(face_recogniser().compute_face_descriptor(np.ascontiguousarray(copy), shape))


def likeness(distance: float | None, who: str = "the person") -> str:
    """An identity distance in words, which tell how like somebody a face is, and nothing of whether it is spoilt."""
    if distance is None:
        return "of unknown likeness"
    if distance < NOISE:
        return f"still {who}"
    for bound, words in ((0.45, "like"), (SAME_PERSON, "somewhat like")):
        if distance < bound:
            return f"{words} {who}"
    return f"not like {who}"


def in_figures(distance: float) -> str:
    """An identity distance, with what it is to be held against."""
    return f"identity distance {distance:.2f} (a poor copy has about {NOISE:g}, the same person under {SAME_PERSON:g})"


def identity_distance(a: np.ndarray, b: np.ndarray) -> float:
    """The Euclidean distance of two descriptors, 0 to about 1.4; below SAME_PERSON means the same person."""
    return float(np.linalg.norm(np.asarray(a) - np.asarray(b)))

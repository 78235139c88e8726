"""Filling what of a photo doesn't count with what lies nearest to it."""

import cv2
import numpy as np

from photodrag.pipeline.photos.window import window_of


def filled_from_nearest(pixels: np.ndarray, ignored: np.ndarray) -> np.ndarray:
    """A photo [H, W, …] in which what is ignored, bool [H, W], is replaced by what lies nearest to it, so that no
    kernel which reaches there reads any of it. As it is where all of it is ignored."""
    shown = pixels.copy()
    window = window_of(ignored)
    if window is None or ignored.all():
        return shown
    # What lies nearest is in the box around it or borders on that.
    box = tuple(slice(max(places.start - 1, 0), places.stop + 1) for places in window)
    hidden, part = ignored[box], shown[box]
    _, nearest = cv2.distanceTransformWithLabels(
        hidden.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    seen = np.zeros((nearest.max() + 1, *pixels.shape[2:]), pixels.dtype)
    seen[nearest[~hidden]] = part[~hidden]  # each pixel that counts has a label of its own
    part[hidden] = seen[nearest[hidden]]
    return shown

"""A picture of flat colours, and how far what a film shows is from them."""

import cv2
import numpy as np

COLOURS = np.array(
    [
        *([255, 255, 255], [0, 0, 0], [128, 128, 128], [60, 60, 60]),
        *([255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0]),
        *([0, 255, 255], [255, 0, 255], [235, 200, 180], [200, 150, 120]),
        *([90, 60, 45], [60, 80, 160], [30, 120, 60], [240, 240, 240]),
    ]
)


def swatches(height: int = 128, width: int = 160) -> np.ndarray:
    """uint8 RGB [H, W, 3]: four rows of four fields."""
    rows, columns = (4 * np.arange(side) // side for side in (height, width))
    return COLOURS.astype(np.uint8)[4 * rows[:, None] + columns]


def furthest(picture: np.ndarray) -> np.ndarray:
    """How many levels of red, green and blue the mean of a field's middle is from its colour, at most; a picture
    [H, W, 3]."""
    height, width = picture.shape[:2]
    middles = cv2.blur(np.float32(picture), (7, 7))[[height * n // 8 for n in (1, 3, 5, 7)]][
        :, [width * n // 8 for n in (1, 3, 5, 7)]
    ]
    return np.abs(middles.reshape(-1, 3).astype(float) - COLOURS).max(0)

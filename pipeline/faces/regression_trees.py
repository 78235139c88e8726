"""The regression trees that lay 68 landmarks on a face (Kazemi and Sullivan 2014), as dlib reads its own.

dlib's predictor takes half a second to be read and rounds to whole pixels. These trees are mapped into memory, of
which a face touches a part, and give the same landmarks before they are rounded, at the same speed.
"""

import numpy as np

STAGES, TREES, SPLITS, POINTS = 15, 500, 15, 68

STAGE = np.dtype(
    [
        ("anchors", np.int64, TREES),  # the landmark that a looked-at pixel goes with
        ("offsets", np.float32, (TREES, 2)),  # from it, on the mean shape
        ("first", np.int64, (SPLITS, TREES)),  # the two pixels that a split compares
        ("second", np.int64, (SPLITS, TREES)),
        ("thresholds", np.float32, (SPLITS, TREES)),
        ("leaves", np.float32, (TREES * (SPLITS + 1), 2 * POINTS)),  # what is added to the shape
    ],
    align=True,
)
MODEL = np.dtype([("mean", np.float32, (POINTS, 2)), ("stages", STAGE, STAGES)], align=True)
"""A trained model. Shapes are in units of the face's box: (0, 0) top left, (1, 1) bottom right. Of a tree's splits, the
children of number i are 2 i + 1, where the first pixel outshines the second by more than the threshold, and 2 i + 2."""


def lay(model: np.ndarray, picture: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The landmarks as each of several boxes leads to them: float64 [N, 68, 2], pixel centres at integers.

    model: a MODEL []. picture: uint8 RGB [H, W, 3]. boxes: [N, 4], the centres of the first and last pixels (left, top,
    right, bottom) of where dlib's detector would see the face.
    """
    boxes = np.asarray(boxes, float)
    corner, size = boxes[:, None, :2], boxes[:, None, 2:] - boxes[:, None, :2]
    mean = model["mean"]
    shapes = np.repeat(mean[None], len(boxes), axis=0)
    rows = np.empty((TREES + 1, 2 * POINTS), np.float32)
    for stage in model["stages"]:
        places = shapes.take(stage["anchors"], axis=1) + _turned(stage["offsets"], mean, shapes)
        for shape, pixels in zip(shapes, _brightness(picture, places * size + corner), strict=True):
            rows[0] = shape.ravel()
            np.take(stage["leaves"], _leaves_reached(stage, pixels), axis=0, out=rows[1:], mode="clip")
            shape[:] = np.add.reduce(rows, 0).reshape(POINTS, 2)  # one after the other, as dlib adds them
    return shapes * size + corner


def _turned(offsets: np.ndarray, mean: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """Offsets [TREES, 2] on the mean shape as they are on shapes [N, 68, 2], by the least-squares similarity."""
    centred = (mean - mean.mean(0, dtype=float)).view(complex)[:, 0]
    moved = (shapes - shapes.mean(1, keepdims=True, dtype=float)).view(complex)[..., 0]
    similarity = moved @ centred.conj() / (centred @ centred.conj()).real
    cos, sin = similarity.real.astype(np.float32)[:, None], similarity.imag.astype(np.float32)[:, None]
    x, y = offsets.T
    turned = np.empty((len(shapes), TREES, 2), np.float32)
    turned[..., 0], turned[..., 1] = cos * x - sin * y, sin * x + cos * y
    return turned


def _brightness(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The mean of red, green and blue, in whole levels, of the pixels nearest to places [N, TREES, 2]; 0 outside."""
    height, width = picture.shape[:2]
    x, y = np.moveaxis(np.floor(places + 0.5).astype(np.int64), -1, 0)
    outside = (x < 0) | (y < 0) | (x >= width) | (y >= height)
    red, green, blue = np.moveaxis(picture.reshape(-1, 3).take(y * width + x, axis=0, mode="clip"), -1, 0)
    levels = (red.astype(np.uint16) + green + blue) // 3
    return np.where(outside, 0, levels).astype(np.float32)


def _leaves_reached(stage: np.void, pixels: np.ndarray) -> np.ndarray:
    """Which of a stage's leaves its trees come to: int64 [TREES]. pixels: float32 [TREES]."""
    trees = np.arange(TREES)
    right = pixels.take(stage["first"]) - pixels.take(stage["second"]) <= stage["thresholds"]
    node = np.zeros_like(trees)
    while node[0] < SPLITS:
        node = 2 * node + 1 + right.take(node * TREES + trees)
    return trees * (SPLITS + 1) + node - SPLITS

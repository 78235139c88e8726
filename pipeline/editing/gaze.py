"""Looking elsewhere: both irises are moved between the lids, by as much, so that eyes never part.

No landmark tells where an eye looks, and a generator hardly lets it be chosen. But an iris is a disc on a smooth white
ground: it is taken out, the ground filled from what is beside it, and put back where the eye shall look; what a lid hid
of it is what lies as far from its centre elsewhere. All that is done on the photo's own pixels."""

from collections.abc import Sequence

import cv2
import numpy as np

from photodrag.pipeline.editing.blend import Redrawn
from photodrag.pipeline.editing.masks import smooth
from photodrag.pipeline.faces.expressions import axes
from photodrag.pipeline.faces.irises import Iris
from photodrag.weights.common.face_landmarks import EYES, LEFT_EYE, RIGHT_EYE

FARTHEST = 1.1, 0.6
"""In radii of an iris, how far amount 1 takes it to the side, and up or down."""
EDGE = 0.3
"""Over which an iris goes over into the white, in parts of its radius."""
LIDS = 0.3
"""Over which what lies between the lids goes over into them, likewise, inward."""
FINE_RADIUS = 24
"""Samples of an iris' radius, at least, where it is decided what a pixel shows."""
AROUND = 1.5 + EDGE
"""What is looked at around an iris, in radii."""
RINGS = 12
"""Of an iris, of which each is of one colour where nothing better is known."""


def looking(pixels: np.ndarray, irises: Sequence[Iris], landmarks: np.ndarray, gaze: tuple[float, float]) -> Redrawn:
    """What makes the eyes of a photo, [H, W, 3] of 0 … 255, look elsewhere.

    irises: of the left and the right eye. landmarks: [68, 2]. gaze: (right, down), -1 … 1 each, in the face's own
    coordinates. Whatever a lid covers of an iris that was moved stays covered."""
    way = way_of(irises, landmarks, gaze)
    places = np.concatenate([landmarks[EYES], *([iris.centre] for iris in irises)])
    far = AROUND * irises[0].radius + np.abs(way).max()
    height, width = pixels.shape[:2]
    x0, y0 = np.maximum(np.floor(places.min(0) - far).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(places.max(0) + far).astype(int) + 1, (width, height))
    part = pixels[y0:y1, x0:x1].astype(np.float32)
    added = np.zeros_like(part)
    for iris, ring in zip(irises, (LEFT_EYE, RIGHT_EYE), strict=True):
        _move(part, added, iris.centre - np.array((x0, y0)), iris.radius, landmarks[ring] - (x0, y0), way)
    return Redrawn((int(x0), int(y0), int(x1), int(y1)), added)


def way_of(irises: Sequence[Iris], landmarks: np.ndarray, gaze: tuple[float, float]) -> np.ndarray:
    """How far irises go for a gaze, (x, y) in pixels of the picture in which they and the landmarks lie."""
    right, down = (axis / np.linalg.norm(axis) for axis in axes(landmarks))
    radius = sum(iris.radius for iris in irises) / len(irises)
    return radius * (FARTHEST[0] * gaze[0] * right + FARTHEST[1] * gaze[1] * down)


def _move(
    picture: np.ndarray, added: np.ndarray, centre: np.ndarray, radius: float, lids: np.ndarray, way: np.ndarray
) -> None:
    """Add to `added`, float32 [H, W, 3], what moves the iris of a picture of that shape by `way`, between lids whose
    contour is [6, 2]."""
    far = AROUND * radius + np.abs(way).max()
    x0, y0 = np.maximum(np.floor(np.minimum(lids.min(0), centre - far)).astype(int), 0)
    x1, y1 = np.ceil(np.maximum(lids.max(0), centre + far)).astype(int) + 1
    part = picture[y0:y1, x0:x1]
    # On a finer grid, for an iris may have only eight pixels.
    finer = max(1, round(FINE_RADIUS / radius))
    width, height = size = finer * part.shape[1], finer * part.shape[0]
    fine = cv2.resize(part, size, interpolation=cv2.INTER_CUBIC)
    centre, lids = (finer * (places - (x0, y0) + 0.5) - 0.5 for places in (centre, lids))
    way, radius = finer * way, finer * radius
    y, x = np.mgrid[:height, :width].astype(np.float32)
    between = _between(lids, radius, (height, width))
    away = np.hypot(x - centre[0], y - centre[1]) / radius
    white = _filled(fine, between * smooth((away - 1.15) / (EDGE / 2)), radius)
    ground = fine + smooth((1 + 1.5 * EDGE - away) / EDGE)[..., None] * (white - fine)
    disc = _whole(fine, away, between)
    put = np.dstack((disc, smooth((1 + EDGE / 2 - away) / EDGE)))
    put = cv2.warpAffine(put, np.array([[1, 0, way[0]], [0, 1, way[1]]]), size)
    seen = ground + put[..., 3:] * (put[..., :3] - ground)
    added[y0:y1, x0:x1] += cv2.resize(
        between[..., None] * (seen - fine), part.shape[1::-1], interpolation=cv2.INTER_AREA
    )


def _between(lids: np.ndarray, radius: float, shape: tuple[int, int]) -> np.ndarray:
    """What of a picture of that shape lies between lids [6, 2]: float32, 1 there, falling to 0 inward of them."""
    inside = np.zeros(shape, np.uint8)
    cv2.fillPoly(inside, [_rounded(lids).round().astype(np.int32)], 1)
    return smooth(cv2.distanceTransform(inside, cv2.DIST_L2, 5) / (LIDS * radius))


def _rounded(lids: np.ndarray) -> np.ndarray:
    """A lids' contour [6, 2] as a smooth one [N, 2]: each lid the cubic through its four points."""
    t = np.linspace(0, 1, 17)
    lid = []
    for points in (lids[:4], lids[[3, 4, 5, 0]]):
        far = np.concatenate(([0], np.linalg.norm(np.diff(points, axis=0), axis=1).cumsum()))
        at = far / far[-1]
        weights = np.linalg.solve(np.vander(at, 4), points)
        lid.append(np.vander(t, 4) @ weights)
    return np.concatenate(lid)


def _filled(picture: np.ndarray, known: np.ndarray, radius: float) -> np.ndarray:
    """What is known of a picture [H, W, 3], to 0 … 1, spread over what isn't: level more than upright, for an upper lid
    throws a shadow along it."""
    filled = np.zeros_like(picture)
    have = np.full(known.shape, 1e-6, np.float32)
    for wide in (0.5, 1.0, 2.0):
        blur = [
            cv2.GaussianBlur(values, (0, 0), wide * radius, sigmaY=0.35 * wide * radius)
            for values in (picture * known[..., None], known)
        ]
        weight = (1 - np.minimum(have, 1)) * np.minimum(1, 20 * blur[1])
        filled += (weight / np.maximum(blur[1], 1e-6))[..., None] * blur[0]
        have = have + weight
    return filled / have[..., None]


def _whole(picture: np.ndarray, away: np.ndarray, between: np.ndarray) -> np.ndarray:
    """An iris with what lids hide of it: the picture [H, W, 3] where it lies between them, and elsewhere what is seen
    at the same distance from the centre, `away` in radii."""
    shown_here = smooth((between - 0.5) * 4)
    ring = np.minimum((away / 1.3 * RINGS).astype(int), RINGS - 1)
    colours = np.zeros((RINGS, 3), np.float32)
    for number in range(RINGS):
        shown = picture[(ring == number) & (shown_here > 0.9)]
        colours[number] = np.median(shown, 0) if len(shown) >= 8 else np.nan
    known = np.flatnonzero(~np.isnan(colours[:, 0]))
    if not len(known):
        return picture
    levels = np.stack([np.interp(np.arange(RINGS), known, colours[known, channel]) for channel in range(3)], 1)
    at = np.clip(away / 1.3 * RINGS - 0.5, 0, RINGS - 1)
    drawn = np.stack([np.interp(at, np.arange(RINGS), levels[:, channel]) for channel in range(3)], -1)
    return (drawn + shown_here[..., None] * (picture - drawn)).astype(np.float32)

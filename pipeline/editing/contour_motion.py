"""How points on a shape's border move when the shape is painted anew: two masks in, a way for each point out.

What the shape has done as a whole, moved, turned or grown, its moments say (Hu 1962): the simplest motion that lays its
old border on the new one. Then each point goes along the border's normal to where the new border lies, so that a
corner that alone was pulled out moves alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from scipy.spatial import cKDTree

Motion = tuple[np.ndarray, np.ndarray]
"""x ↦ turn · x + shift: [2, 2] and [2]."""
STAYING: Motion = (np.eye(2), np.zeros(2))

SIMPLER = 0.1
"""Pixels by which a border must fit better for a motion to be taken that says more."""
ROUNDS = 10
"""Of matching borders by their nearest places (iterative closest points, Besl and McKay 1992)."""
MOST_TURN = np.deg2rad(45)
LONG = 1.5
"""How many times a shape is as long as wide for it to lie at an angle."""
ROUND = 0.8
"""Deviation in pixels by which a mask is smoothed, so that its border lies between pixels."""
STEP = 0.25
"""Pixels, in which a border is looked for along a normal."""
WORN = 2.0
"""Pixels by which the ends of a shape are off, be it drawn exactly, for pixels are square."""
REACH = 0.5
"""How far it is looked for, in parts of the shape's longer side."""


def moved_along(
    old: np.ndarray,
    new: np.ndarray,
    points: np.ndarray,
    normals: np.ndarray,
    corners: Sequence[int] = (),
    ragged: float = 0.0,
) -> np.ndarray:
    """The ways [N, 2] of points [N, 2] on a shape's border with these outward normals [N, 2], (x, y) in pixels, from
    its old mask to its new one, both bool [H, W] and with something in them. corners: numbers of two points between
    which the shape is longest, which are its ends, if it has such. ragged: pixels by which these may be worn."""
    turn, shift = whole_motion(old, new, points[list(corners)])
    ends, turned = points @ turn.T + shift, normals @ np.linalg.inv(turn)
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)
    reach = REACH * max(np.ptp(np.nonzero(mask)[axis]) + 1 for mask in (old, new) for axis in (0, 1))
    starts = points + to_border(old, points, normals, reach)[:, None] * normals
    ways = ends + to_border(new, ends, turned, reach)[:, None] * turned - starts
    if len(corners):
        first, last = points[list(corners)]
        pulled = tips(new, turn @ (last - first)) - tips(old, last - first)
        along = (ends - points)[list(corners)]
        far = np.linalg.norm(pulled - along, axis=1, keepdims=True)
        ways[list(corners)] = np.where(far > max(ragged, WORN), pulled, along)
    return ways


def tips(mask: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """The ends of a shape against and along an axis [2]: [2, 2], each the middle of its last pixel or so."""
    places = np.stack(np.nonzero(_border(mask))[::-1], 1).astype(float)
    far = places @ axis / np.linalg.norm(axis)
    return np.stack([places[far < far.min() + 1].mean(0), places[far > far.max() - 1].mean(0)])


def whole_motion(old: np.ndarray, new: np.ndarray, ends: np.ndarray) -> Motion:
    """What a shape has done as a whole: x ↦ turn · x + shift. ends: [2, 2], or none."""
    places = np.stack(np.nonzero(_border(old))[::-1], 1).astype(float)
    there = np.stack(np.nonzero(_border(new))[::-1], 1).astype(float)
    away = cv2.distanceTransform((~_border(new)).astype(np.uint8), cv2.DIST_L2, 5)

    def miss(motion: Motion) -> float:
        column, row = (places @ motion[0].T + motion[1]).astype(np.float32).T
        return float(cv2.remap(away, column, row, cv2.INTER_LINEAR, borderValue=float(away.max())).mean())

    best = STAYING
    for motion in (*_motions(old, new), *_by_ends(old, new, ends)):
        if miss(motion) < miss(best) - SIMPLER:
            best = motion
    finer = best
    for _ in range(ROUNDS):
        at = places @ finer[0].T + finer[1]
        nearest = there[cKDTree(there).query(at)[1]]
        finer = fitted(places, nearest)
    return finer if miss(finer) < miss(best) - SIMPLER else best


def fitted(here: np.ndarray, there: np.ndarray) -> Motion:
    """The affine motion that takes places [N, 2] nearest to others, by least squares."""
    middle, flat = here.mean(0), np.ones((len(here), 1))
    solved = np.linalg.lstsq(np.hstack((here - middle, flat)), there, rcond=None)[0]
    return solved[:2].T, solved[2] - solved[:2].T @ middle


def _by_ends(old: np.ndarray, new: np.ndarray, ends: np.ndarray) -> Iterator[Motion]:
    """The similarity that takes a shape's ends, of which it may have none, to where they are now."""
    if len(ends):
        axis = ends[1] - ends[0]
        (a, b), (c, d) = (tips(mask, axis) @ [1, 1j] for mask in (old, new))
        turn = (d - c) / (b - a)
        matrix = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
        yield matrix, np.array([c.real, c.imag]) - matrix @ [a.real, a.imag]


def _motions(old: np.ndarray, new: np.ndarray) -> Iterator[Motion]:
    """From the simplest on: moved, grown, turned, and grown by different factors along and across."""
    (here, before), (there, after) = _moments(old), _moments(new)
    along, axis = _axis(before), _axis(after)
    angle = (axis - along + np.pi / 2) % np.pi - np.pi / 2  # a shape has no front
    if not _is_long(before) or abs(angle) > MOST_TURN:
        along, angle = axis, 0.0
    frame, later = _turn(along), _turn(along + angle)
    spread, wide = (np.sqrt(np.diag(x.T @ variance @ x)) for x, variance in ((frame, before), (later, after)))
    size = float(np.sqrt(wide.prod() / spread.prod()))
    unequal = frame @ np.diag(wide / spread) @ frame.T
    for turn in (np.eye(2), size * np.eye(2), _turn(angle), size * _turn(angle), unequal, _turn(angle) @ unequal):
        yield turn, there - turn @ here


def _moments(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A shape's centre [2], and the covariance of its places [2, 2]."""
    places = np.stack(np.nonzero(mask)[::-1], 1).astype(float)
    return places.mean(0), np.cov(places.T, bias=True) + np.eye(2) / 12  # a pixel is a square


def _axis(variance: np.ndarray) -> float:
    """The angle at which a shape of that covariance lies."""
    x, y = np.linalg.eigh(variance)[1][:, 1]
    return float(np.arctan2(y, x))


def _is_long(variance: np.ndarray) -> bool:
    """Whether a shape is so much longer than wide that the angle at which it lies means something."""
    least, most = np.linalg.eigvalsh(variance)
    return bool(most > LONG**2 * least)


def _turn(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _border(mask: np.ndarray) -> np.ndarray:
    """The outermost pixels of a shape, bool [H, W]."""
    return mask & (cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)


def to_border(mask: np.ndarray, points: np.ndarray, normals: np.ndarray, reach: float) -> np.ndarray:
    """How far along its outward normal each of points [N, 2] is from a shape's border, outward from within and inward
    from without: [N] in pixels, 0 where no border is within reach."""
    inside = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), ROUND) - 0.5
    far = np.arange(0, reach + STEP, STEP)
    within = _read(inside, points) > 0
    way = np.where(within, 1.0, -1.0)[:, None] * far
    found = _read(inside, points[:, None] + way[..., None] * normals[:, None])
    crossed = (found > 0) != within[:, None]
    first = crossed.argmax(1)
    rows = np.arange(len(points))
    after, before = found[rows, first], found[rows, np.maximum(first - 1, 0)]
    share = before / np.where(before == after, 1, before - after)
    at = (first - 1 + share) * STEP
    return np.where(crossed.any(1), np.where(within, at, -at), 0.0)


def _read(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    x, y = points.reshape(-1, 2).astype(np.float32).T[:, :, None]
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderValue=-0.5).reshape(points.shape[:-1])


def outward(points: np.ndarray, closed: bool = True) -> np.ndarray:
    """The outward normals [N, 2] of a contour at its corners [N, 2]: half way between those of the sides that meet
    there. closed: whether the last is joined to the first; else the ends' are those of their only side."""
    before, after = np.roll(points, 1, 0), np.roll(points, -1, 0)
    area = (points[:, 0] * after[:, 1] - after[:, 0] * points[:, 1]).sum()
    if not closed:
        before[0], after[-1] = 2 * points[0] - points[1], 2 * points[-1] - points[-2]
    sides = [b - a for a, b in ((before, points), (points, after))]
    along = sum(side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9) for side in sides)
    normal = np.stack((along[:, 1], -along[:, 0]), 1) * (1 if area > 0 else -1)
    return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)

"""Where a picture may change: masks drawn from an edit itself or from a face, and soft seams."""

import cv2
import numpy as np

from photodrag.pipeline.faces.align import Alignment
from photodrag.weights.common.face_landmarks import BROWS, LEFT_EAR, MOUTH, RIGHT_EAR

SEAM = 24
"""Width of a seam, in pixels of a crop of 1024."""
VISIBLE, CLEAR = 4.0, 10.0
"""Difference in grey levels from which a change counts a little, and fully."""
FOREHEAD = 0.45
"""How far above the brows a face goes on, in parts of the way from the mouth to them."""
BELOW_HAIR = 0.15
"""The same of a face of which no hair is to be seen."""
SEGMENTED = 256
"""Side of the copy in which a head is told from what is behind it."""
HAIR, BEHIND = 0.3, 0.6
"""How far from a face what there is is likely its hair, and surely something else, in parts of its width."""
KERNEL = 2
"""Pixels of a photo to which a bicubic sample of it reaches."""


def crop_seam(inside: np.ndarray) -> np.ndarray:
    """float32 [R, R]: 1 within the crop, falling to 0 at its border and where the photo ends.

    inside: bool [R, R], the crop's pixels that show the photo itself."""
    framed = np.pad(inside, 1).astype(np.uint8)
    return _rising(cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1], inside.shape[0])


def change_mask(reconstruction: np.ndarray, edit: np.ndarray, points: np.ndarray | None = None) -> np.ndarray:
    """The `auto` mask, float32 [R, R]: 1 where two pictures, uint8 RGB [R, R, 3], really differ, as far
    as that hangs together with the handles and targets, `points` [N, 2] in their pixels; None for wherever it is.

    What differs is grown by two seams, so that a moved edge lies inside, and feathered by another."""
    side, small = len(edit), 256
    seam = max(1, round(SEAM * small / 1024))
    change = cv2.resize(edit.astype(np.float32) - reconstruction, (small, small), interpolation=cv2.INTER_AREA)
    # Signed changes are averaged, so that texture which only flickers (hair, skin) doesn't count.
    difference = np.abs(cv2.GaussianBlur(change, (0, 0), 3)).max(2)
    core = np.clip((difference - VISIBLE) / (CLEAR - VISIBLE), 0, 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (4 * seam + 1, 4 * seam + 1))
    if points is not None:
        spots = np.zeros((small, small), np.uint8)
        for x, y in ((points + 0.5) * small / side - 0.5).round().astype(int):
            cv2.circle(spots, (int(x), int(y)), 2 * seam, 1, -1)
        _, parts = cv2.connectedComponents(((core > 0.2) | (spots > 0)).astype(np.uint8))
        core = np.where(np.isin(parts, np.unique(parts[spots > 0])), core, 0)
    soft = cv2.GaussianBlur(cv2.dilate(core, disc), (0, 0), seam)
    return np.clip(cv2.resize(soft, (side, side), interpolation=cv2.INTER_LINEAR), 0, 1)


def face_mask(landmarks: list[np.ndarray], side: int) -> np.ndarray:
    """The `face` mask, float32 [side, side]: the hull of landmarks [68, 2] of before and after together,
    up over the forehead, with a soft seam outside it."""
    points = np.concatenate([with_forehead(marks) for marks in landmarks])
    return 1 - _rising(distance_from_hull(points, side), side, 2.0)


def features_mask(landmarks: np.ndarray, side: int) -> np.ndarray:
    """Where a face by landmarks [68, 2] shows nothing but itself, no hair, nor what is beside its cheeks: float32
    [side, side], their hull with a soft seam inside it."""
    hull = in_hull(with_forehead(landmarks, BELOW_HAIR), (side, side))
    return _rising(cv2.distanceTransform(np.pad(hull, 1), cv2.DIST_L2, 5)[1:-1, 1:-1], side, 2.0)


def head_mask(picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The head in a crop, uint8 RGB [S, S, 3], whose face has landmarks [68, 2], with hair and neck and without what is
    behind it: float32 [S, S], with a soft seam outside it. By GrabCut (Rother et al. 2004), which learns the colours of
    what is surely face and surely behind it from this very picture."""
    side, scale = len(picture), SEGMENTED / len(picture)
    small = cv2.resize(picture, (SEGMENTED, SEGMENTED), interpolation=cv2.INTER_AREA)
    marks = (landmarks + 0.5) * scale - 0.5
    face = np.linalg.norm(marks[RIGHT_EAR] - marks[LEFT_EAR])
    away = distance_from_hull(with_forehead(marks), SEGMENTED) / face
    kinds = np.full((SEGMENTED, SEGMENTED), cv2.GC_PR_BGD, np.uint8)
    kinds[away < HAIR] = cv2.GC_PR_FGD
    kinds[away > BEHIND] = cv2.GC_BGD
    kinds[in_hull(marks, kinds.shape) > 0] = cv2.GC_FGD
    cv2.setRNGSeed(0)  # its clusters begin at random
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(small[..., ::-1]), kinds, (0, 0, 0, 0), *models, 4, cv2.GC_INIT_WITH_MASK)
    head = np.isin(kinds, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    _, parts = cv2.connectedComponents(head)
    head = (parts == np.bincount(parts[in_hull(marks, kinds.shape) > 0]).argmax()).astype(np.uint8)
    closed = cv2.morphologyEx(head, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    soft = 1 - smooth(cv2.distanceTransform(1 - closed, cv2.DIST_L2, 5) / (SEAM / 2 * SEGMENTED / 1024))
    return cv2.resize(soft, (side, side), interpolation=cv2.INTER_LINEAR)


def with_forehead(landmarks: np.ndarray, far: float = FOREHEAD) -> np.ndarray:
    """Landmarks [68, 2] and those of the brows once more, `far` above them: [78, 2]."""
    up = landmarks[BROWS].mean(0) - landmarks[MOUTH].mean(0)
    return np.concatenate((landmarks, landmarks[BROWS] + far * up))


def in_hull(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Which pixels lie in the convex hull of points [N, 2]: uint8 of that shape [H, W], 1 there and else 0."""
    inside = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(points.round().astype(np.int32)), 1)
    return inside


def distance_from_hull(points: np.ndarray, side: int) -> np.ndarray:
    """How far each pixel lies from the convex hull of points [N, 2], float32 [side, side]; 0 within."""
    return cv2.distanceTransform(1 - in_hull(points, (side, side)), cv2.DIST_L2, 5)


def counted(ignored: np.ndarray, alignment: Alignment) -> np.ndarray:
    """The crop's pixels into which nothing goes of what is ignored, bool [H, W] of the photo: float32 [R, R], 1 for
    these, 0 for others."""
    near = cv2.dilate(ignored.astype(np.uint8), np.ones((2 * KERNEL + 1, 2 * KERNEL + 1), np.uint8))
    return (alignment.crop(1 - near.astype(np.float32)) > 0.999).astype(np.float32)


def soft_inside(mask: np.ndarray, seam: float) -> np.ndarray:
    """A mask [H, W] of 0 … 1 that rises over `seam` pixels from where it is 0, and is 0 where it was."""
    distance = cv2.distanceTransform((mask > 0).astype(np.uint8), cv2.DIST_L2, 5)
    # The border of the picture is no seam: distanceTransform doesn't see zeros beyond it.
    return mask * smooth(distance / max(seam, 1e-6))


def _rising(distance: np.ndarray, side: int, widths: float = 1.0) -> np.ndarray:
    return smooth(distance / (widths * SEAM * side / 1024))


def smooth(t: np.ndarray) -> np.ndarray:
    """Rises from 0 to 1 as t does, level at both ends: float32, of t's shape."""
    t = np.clip(t, 0, 1).astype(np.float32)
    return t * t * (3 - 2 * t)

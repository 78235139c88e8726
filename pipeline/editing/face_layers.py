"""The picture of a face that moved: the photo's own pixels where they went, and what is new from the generator.

The photo is moved along with the face's landmarks (motion.py), and so skin, hair, light and background stay the
person's own. Where a mouth or an eye opened or closed, what is to be seen there is the generator's, for the photo has
none of it, in the photo's light. All that the generator's picture shows besides was found to lead away from the person,
even from a tuned generator (see docs/design-notes.md#the-photo-moved)."""

import cv2
import numpy as np

from photodrag.drag.contours import width
from photodrag.pipeline.editing import masks, openings
from photodrag.pipeline.editing.blend import Layers, warped
from photodrag.pipeline.editing.motion import FaceMotion, spline_flow

LIGHT = 40
"""What counts as light around an opening: a deviation in pixels of a crop of 1024."""
FEW = 5.0
"""Pixels to which a wide blur's deviation may be reduced."""
AROUND = (0.05, 0.11), (0.05, 0.11), (0.03, 0.08)
"""How far around each of OPENINGS it counts fully, and at all, in parts of the face's width: eyes have lashes."""


def face_layers(
    crop: np.ndarray, edited: np.ndarray, motion: FaceMotion, residual_weight: np.ndarray | None = None
) -> Layers:
    """A moved face from the photo's crop and the generator's picture after a drag, both [S, S, 3] of 0 … 255.
    residual_weight: float32 [S, S], 0 … 1, how much is read from each pixel of the crop; None for all."""
    side = len(edited)
    flow = spline_flow(motion.photo, motion.goal, side, motion.forehead)
    own = 1 - opened(motion, side)
    if residual_weight is not None:
        own = own * warped(residual_weight, flow)
    if own.min() == 1:
        return Layers(np.zeros((side, side, 3), np.float32), own, flow)
    after = warped(edited, spline_flow(motion.after, motion.goal, side, motion.forehead))
    difference = np.dstack(((warped(crop, flow) - after) * own[..., None], own))
    around = widely_blurred(difference, LIGHT * side / 1024)
    light = around[..., :3] / np.maximum(around[..., 3:], 1e-6)
    return Layers((1 - own)[..., None] * (after + light), own, flow)


def widely_blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    """A picture, float32 [S, S, C], blurred by a Gaussian of many pixels, on a copy on which it has FEW."""
    side = max(1, round(len(picture) * min(1.0, FEW / sigma)))
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), sigma * side / len(picture))
    return cv2.resize(blurred, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def opened(motion: FaceMotion, side: int) -> np.ndarray:
    """Where a mouth or an eye opened or closed, in the generator's pictures too, float32 [side, side] of 0 … 1."""
    new, face = np.zeros((side, side), np.float32), width(motion.goal)
    for (ring, _), (full, end) in zip(openings.OPENINGS, AROUND, strict=True):
        goal = motion.goal[ring]
        share = openings.new(motion.photo[ring], goal) * openings.shown(motion, ring)
        if share == 0:
            continue
        away = masks.distance_from_hull(goal, side) / face
        new = np.maximum(new, np.float32(share) * masks.smooth((end - away) / (end - full)))
    return new

"""What a moved code looks like, in the crop and in the photo."""

from dataclasses import replace

import cv2
import numpy as np
import torch
from torch import Tensor

from photodrag.invert.quality import to_uint8
from photodrag.pipeline.editing import masks
from photodrag.pipeline.editing.blend import Blend, blend, residual_layers
from photodrag.pipeline.editing.face_layers import face_layers
from photodrag.pipeline.editing.inversion import Inversion
from photodrag.pipeline.editing.motion import Dragged, face_motion
from photodrag.pipeline.editing.plan import Plan
from photodrag.pipeline.faces.align import Alignment
from photodrag.weights.common.face_landmarks import COUNT

LEAST_SIDE = 1024
"""Least side of the pictures that are blended: seams and flow are made for it, so smaller ones are enlarged."""


def draw(
    plan: Plan, inversion: Inversion, w_plus: Tensor, points: np.ndarray, finish: float = 1.0, share: float = 1.0
) -> tuple[np.ndarray, Blend]:
    """The generator's picture of a code [1, num_ws, w_dim], uint8 RGB [R, R, 3], and the photo with it blended in.

    points: [N, 2], where the handles have come to, in pixels of the generator's picture. finish, share: see
    `Dragged`."""
    with torch.no_grad():
        edited = to_uint8(inversion.generator.synthesis(w_plus))
    fine = at_least(LEAST_SIDE, inversion.alignment)
    came_to = fine.to_crop(inversion.alignment.to_photo(points))
    blended = blend_in(
        plan.photo.pixels,
        plan.mask,
        fine,
        fine.to_crop(plan.face.landmarks) if plan.face else None,
        _enlarged(inversion.reconstruction, fine.size),
        _enlarged(edited, fine.size),
        Dragged(fine.to_crop(plan.handles), fine.to_crop(plan.targets), came_to, finish, share),
        plan.ignored,
    )
    return edited, blended


def blend_in(
    pixels: np.ndarray,
    where: np.ndarray | str,
    alignment: Alignment,
    landmarks: np.ndarray | None,
    reconstruction: np.ndarray,
    edited: np.ndarray,
    dragged: Dragged,
    ignored: np.ndarray | None = None,
) -> Blend:
    """Blend the generator's pictures before and after a drag, uint8 RGB [S, S, 3], S = alignment.size, into a
    photo, uint8 RGB [H, W, 3].

    where: a plan's mask, of the photo's size. landmarks [68, 2] of the face, if there is one, in pixels of the crop, as
    what was dragged. ignored: bool [H, W], what of the photo neither changes nor is carried along; None for nothing."""
    seen, residual_weight = pixels, None
    if ignored is not None:
        # The bicubic kernel that carries the photo's detail along reaches two pixels beyond what it reads.
        residual_weight, seen = masks.counted(ignored, alignment), masks.filled_from_nearest(pixels, ignored)
    if landmarks is None:
        layers = residual_layers(reconstruction, edited, residual_weight)
        change = reconstruction, edited
    else:
        motion, crop = face_motion(landmarks, reconstruction, edited, dragged), alignment.crop(seen)
        layers = face_layers(crop, edited, motion, residual_weight)
        change = crop, layers.of(crop)
    seam = masks.crop_seam(alignment.inside(pixels.shape))
    if isinstance(where, str) and where == "face":
        assert landmarks is not None  # `plan_edit` refuses this mask for a square
        seam = seam * masks.face_mask([landmarks, motion.goal[:COUNT]], alignment.size)
    elif isinstance(where, str):
        seam = seam * masks.change_mask(*change, np.concatenate((dragged.handles, dragged.targets)))
    blended = blend(seen, alignment, layers, _alpha(pixels.shape, where, alignment, seam, ignored))
    if ignored is not None:
        blended.picture[ignored] = pixels[ignored]
    return blended


def _alpha(
    shape: tuple[int, ...],
    where: np.ndarray | str,
    alignment: Alignment,
    seam: np.ndarray,
    ignored: np.ndarray | None,
) -> np.ndarray:
    """How much of the edit shows, float32 [H, W], by the seam [S, S] in the crop and what may change of the photo."""
    x0, y0, x1, y1 = region = alignment.paste_region(shape)
    alpha = np.zeros(shape[:2], np.float32)
    alpha[y0:y1, x0:x1] = alignment.to_region(seam, region).clip(0, 1)
    alpha[alpha < 1 / 512] = 0
    may_change = where if isinstance(where, np.ndarray) else None
    if ignored is not None:
        may_change = (1 if may_change is None else may_change) * (~ignored).astype(np.float32)
    if may_change is not None:
        alpha *= masks.soft_inside(may_change, masks.SEAM * alignment.size / 1024 / alignment.scale)
    return alpha


def at_least(side: int, alignment: Alignment) -> Alignment:
    """The same square, of at least so many pixels a side."""
    return replace(alignment, size=max(alignment.size, side))


def _enlarged(picture: np.ndarray, side: int) -> np.ndarray:
    """A crop, uint8 RGB [R, R, 3], at side × side, side ≥ R."""
    if len(picture) == side:
        return picture
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC)

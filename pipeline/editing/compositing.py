"""What a moved code looks like, in the crop and in the photo."""

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
import torch
from torch import Tensor

from photodrag.invert.quality import to_uint8
from photodrag.pipeline.editing import masks
from photodrag.pipeline.editing.blend import Blend, Redrawn, blend, residual_layers
from photodrag.pipeline.editing.exemplars import Choices, chosen, shown_inside, with_exemplars
from photodrag.pipeline.editing.face_layers import face_layers
from photodrag.pipeline.editing.gaze import looking
from photodrag.pipeline.editing.inversion import Inversion
from photodrag.pipeline.editing.motion import Dragged, face_motion
from photodrag.pipeline.editing.openings import held_back
from photodrag.pipeline.editing.plan import Plan, alignment_of
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.landmarks import Frame, predict
from photodrag.pipeline.people.person import Person
from photodrag.pipeline.photos.fill import filled_from_nearest
from photodrag.weights.common.face_landmarks import COUNT

LEAST_SIDE = 1024
"""Least side of the pictures that are blended: seams and flow are made for it, so smaller ones are enlarged."""


@dataclass(frozen=True, eq=False)
class Start:
    """A crop before its drag: what all pictures of that have in common."""

    alignment: Alignment
    reconstruction: np.ndarray
    """The generator's picture, uint8 RGB [S, S, 3], S = alignment.size."""
    landmarks: np.ndarray | None
    """[68, 2] of the photo's face, in pixels of the crop; None where there is none."""

    @cached_property
    def landmarks_drawn(self) -> np.ndarray:
        """Those of the generator's picture."""
        assert self.landmarks is not None
        return predict(self.reconstruction, Frame.around(self.landmarks))


def start_of(plan: Plan, inversion: Inversion) -> Start:
    """The start of a plan's drag, fine enough to be blended."""
    fine = at_least(LEAST_SIDE, inversion.alignment)
    landmarks = fine.to_crop(plan.face.landmarks) if plan.face else None
    reconstruction = plan.photo.from_srgb(enlarged(inversion.reconstruction, fine.size))
    return Start(fine, reconstruction, landmarks)


def photo_alone(plan: Plan) -> tuple[Start, np.ndarray]:
    """The start of an edit for which no generator draws anything, the photo's own crop standing for the picture that it
    would; and that crop, uint8 sRGB [S, S, 3]."""
    fine = alignment_of(plan.place, LEAST_SIDE)
    seen = fine.crop(plan.photo.srgb)
    landmarks = fine.to_crop(plan.face.landmarks) if plan.face else None
    return Start(fine, plan.photo.from_srgb(seen), landmarks), seen


@torch.no_grad()
def drawn(inversion: Inversion, w_plus: Tensor) -> np.ndarray:
    """The generator's picture of a code [1, num_ws, w_dim], uint8 RGB [R, R, 3]."""
    if w_plus is inversion.w_plus:
        return inversion.reconstruction  # drawn already
    return to_uint8(inversion.generator.synthesis(w_plus))


def put_in(
    plan: Plan,
    start: Start,
    edited: np.ndarray,
    points: np.ndarray,
    finish: float = 1.0,
    share: float = 1.0,
    choices: Choices | None = None,
) -> tuple[Blend, Choices]:
    """A plan's photo with the generator's picture after its drag, uint8 RGB [R, R, 3], blended in; and what of it the
    person's other photos show.

    points: [N, 2], where the handles have come to, in photo pixels. finish, share: see `Dragged`. choices: those of
    a film's last picture; None chooses."""
    handles, targets, points = (start.alignment.to_crop(places) for places in (plan.handles, plan.targets, points))
    dragged = Dragged(handles, targets, points, finish, share, plan.reshaping)
    photo = plan.photo
    redrawn = None
    if plan.irises and plan.face:
        gaze = (plan.reshaping * (finish * share)).gaze
        redrawn = looking(photo.pixels, plan.irises, plan.face.landmarks, gaze)
    edited = photo.from_srgb(enlarged(edited, start.alignment.size))
    return blend_in(
        photo.pixels, plan.mask, start, edited, dragged, plan.ignored, plan.person, choices, photo.deep_pixels, redrawn
    )


def blend_in(
    pixels: np.ndarray,
    where: np.ndarray | str,
    start: Start,
    edited: np.ndarray,
    dragged: Dragged,
    ignored: np.ndarray | None = None,
    person: Person | None = None,
    choices: Choices | None = None,
    deep: np.ndarray | None = None,
    redrawn: Redrawn | None = None,
) -> tuple[Blend, Choices]:
    """Blend the generator's picture after a drag, uint8 RGB [S, S, 3], into a photo, uint8 RGB [H, W, 3].

    where: a plan's mask, of the photo's size. dragged: in pixels of the crop. ignored: bool [H, W], what of the photo
    neither changes nor is carried along; None for nothing. person: whose other photos show what this one doesn't, as
    `choices` say, or as they are chosen here. deep: the pixels of a 16-bit photo, redrawn: see `blend`."""
    alignment, reconstruction, landmarks = start.alignment, start.reconstruction, start.landmarks
    seen, residual_weight, choices = pixels, None, choices or ()
    if ignored is not None:
        # The bicubic kernel that carries the photo's detail along reaches two pixels beyond what it reads.
        residual_weight, seen = masks.counted(ignored, alignment), filled_from_nearest(pixels, ignored)
        deep = None if deep is None else filled_from_nearest(deep, ignored)
    if landmarks is None:
        layers = residual_layers(reconstruction, edited, residual_weight)
        change = reconstruction, edited
    else:
        motion = face_motion(landmarks, start.landmarks_drawn, edited, dragged)
        crop = alignment.crop(redrawn.of(seen) if redrawn else seen)
        if person and not choices and dragged.finish:
            choices = chosen(crop, motion, person.portraits, alignment.size / alignment.scale)
        motion = held_back(motion, shown_inside(choices))
        layers = face_layers(crop, edited, motion, residual_weight)
        if choices and dragged.finish:
            layers = with_exemplars(crop, layers, motion, choices, dragged.finish)
        change = alignment.crop(seen) if redrawn else crop, layers.of(crop)
    seam = masks.crop_seam(alignment.inside(pixels.shape))
    if isinstance(where, str) and where == "face":
        assert landmarks is not None  # `plan_edit` refuses this mask for a square
        seam = seam * masks.face_mask([landmarks, motion.goal[:COUNT]], alignment.size)
    elif isinstance(where, str):
        places = [dragged.handles, dragged.targets]
        if dragged.reshaping and landmarks is not None:
            places.append(landmarks)
        seam = seam * masks.change_mask(*change, np.concatenate(places))
    blended = blend(seen, alignment, layers, alpha_of(pixels.shape, where, alignment, seam, ignored), deep, redrawn)
    if ignored is not None:
        blended.picture[ignored] = pixels[ignored]
    return blended, choices


def alpha_of(
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


def enlarged(picture: np.ndarray, side: int) -> np.ndarray:
    """A crop, uint8 RGB [R, R, 3], at side × side, side ≥ R."""
    if len(picture) == side:
        return picture
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC)

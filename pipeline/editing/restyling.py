"""A photo whose code was changed, not dragged: another age, another's features, a mixture of two faces.

What the generator draws is what is new, so its picture is put in, and what it misses of the photo (the residual, photo
less reconstruction) goes along, as in blend.py: where the new picture still shows the same thing. A face's landmarks
say how both have moved, so that at no change at all the photo comes out to the bit. Colours that change slowly are the
photo's in any case, less the reconstruction's. See docs/design-notes.md#another-codes-picture, and of two photos
docs/design-notes.md#two-faces-in-one-photo."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
import torch
from torch import Tensor

from photodrag.drag.contours import on_contours
from photodrag.invert.crop import smooth_fill
from photodrag.pipeline.editing import masks
from photodrag.pipeline.editing.blend import BLUR, MISMATCH_SCALE, Blend, Layers, backward_flow, blend, warped
from photodrag.pipeline.editing.compositing import LEAST_SIDE, Start, alpha_of, at_least, drawn, enlarged, start_of
from photodrag.pipeline.editing.face_layers import LIGHT, widely_blurred
from photodrag.pipeline.editing.inversion import Inversion, to_tensor
from photodrag.pipeline.editing.motion import spline_flow
from photodrag.pipeline.editing.plan import Plan
from photodrag.pipeline.editing.whole_motion import STILL, WholeMotion, moved_inversion
from photodrag.pipeline.faces.irises import find_irises
from photodrag.pipeline.faces.landmarks import Frame, predict
from photodrag.pipeline.photos import samples
from photodrag.pipeline.photos.fill import filled_from_nearest
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.samples import Deep

SKIN = 80
"""What counts as light and skin where another's face is put in: a deviation in pixels of a crop of 1024."""


@dataclass(frozen=True, eq=False)
class Guest:
    """Another photo's face, of which a share is to be seen."""

    crop: np.ndarray
    """uint8 RGB [S, S, 3], the photo's own, in sRGB."""
    start: Start
    """Its reconstruction in sRGB, and the landmarks of both."""
    share: float
    """0 … 1"""


def guest_of(plan: Plan, inversion: Inversion, share: float) -> Guest | None:
    """A plan's face as a guest of another photo; None for a square."""
    if plan.face is None:
        return None
    fine = at_least(LEAST_SIDE, inversion.alignment)
    start = Start(fine, enlarged(inversion.reconstruction, fine.size), fine.to_crop(plan.face.landmarks))
    return Guest(fine.crop(plan.photo.srgb), start, share)


@dataclass(frozen=True, eq=False)
class Restyled:
    """A photo with another code's picture in it, ready to be dragged."""

    before: Plan
    """Of the photo as it was."""
    original: Inversion
    plan: Plan
    """Of the photo as it is now: its face and its handles have moved along."""
    inversion: Inversion
    """The new code as the inversion of that."""
    blended: Blend
    edited: np.ndarray
    """uint8 RGB [R, R, 3], the generator's picture of the new code."""
    motion: WholeMotion = STILL
    """How the generator moves it as a whole."""

    @cached_property
    def deep(self) -> Deep | None:
        """All of a 16-bit photo as it is now."""
        colours = self.plan.photo.deep_pixels
        return None if colours is None else Deep((0, 0, self.plan.photo.width, self.plan.photo.height), colours)


def restyled(
    plan: Plan,
    inversion: Inversion,
    w_plus: Tensor,
    guest: Guest | None = None,
    motion: WholeMotion = STILL,
    in_face: bool = False,
) -> Restyled:
    """A plan's photo with the picture of w_plus [1, num_ws, w_dim] in it, instead of that of its inversion. guest: of
    another photo, to be seen in it as well. motion: of the whole picture. in_face: whether the mask "auto" is the face
    alone, where there is one.

    Raises UserError for a motion that the generator can't draw."""
    by = moved_inversion(inversion, motion)
    edited = drawn(by, w_plus)
    is_face = in_face and plan.face is not None and isinstance(plan.mask, str)
    blended = put_in_code(replace(plan, mask="face") if is_face else plan, inversion, edited, guest, motion)
    photo = _with(plan.photo, blended)
    moved, crop = replace(plan, photo=photo), inversion.crop
    image = to_tensor(inversion.alignment.crop(photo.srgb)).to(crop.image)
    if plan.face is None:
        crop = replace(crop, image=image)
        along = motion.of_photo(plan.handles, inversion.alignment) - plan.handles
        moved = replace(moved, handles=plan.handles + along, targets=plan.targets + along)
    else:
        old = motion.of_photo(plan.face.landmarks, inversion.alignment)
        new = predict(photo.srgb, Frame.around(old))
        handles = motion.of_photo(plan.handles, inversion.alignment)
        along = handles + on_contours(handles, old) @ (new - old) - plan.handles
        face = replace(plan.face, landmarks=new)
        irises = find_irises(photo.srgb, new) if plan.irises else None
        moved = replace(moved, place=face, handles=plan.handles + along, targets=plan.targets + along, irises=irises)
        crop = replace(crop, image=image, landmarks=inversion.alignment.to_crop(new))
    now = replace(by, face=moved.face, crop=crop, w_plus=w_plus, drawn=None)
    return Restyled(plan, inversion, moved, now, blended, edited, motion)


def put_in_code(
    plan: Plan, inversion: Inversion, edited: np.ndarray, guest: Guest | None = None, motion: WholeMotion = STILL
) -> Blend:
    """A plan's photo with the generator's picture of another code, uint8 RGB [R, R, 3], in it, which lies as `motion`
    says."""
    start, photo, ignored = start_of(plan, inversion), plan.photo, plan.ignored
    edited = photo.from_srgb(enlarged(edited, start.alignment.size))
    seen, deep, weight = photo.pixels, photo.deep_pixels, None
    if ignored is not None:
        weight, seen = masks.counted(ignored, start.alignment), filled_from_nearest(seen, ignored)
        deep = None if deep is None else filled_from_nearest(deep, ignored)
    crop = start.alignment.crop(seen)
    if motion.moves:
        layers, goal = moved_layers(crop, start, edited, photo, weight, motion)
    else:
        layers, goal = code_layers(crop, start, edited, photo, guest, weight)
    seam = masks.crop_seam(start.alignment.inside(photo.pixels.shape))
    if isinstance(plan.mask, str) and plan.mask == "face":
        assert start.landmarks is not None and goal is not None  # `plan_edit` refuses this mask for a square
        seam = seam * masks.face_mask([start.landmarks, goal], start.alignment.size)
    elif isinstance(plan.mask, str):
        if start.landmarks is not None and goal is not None and guest is None:
            layers, head = before_background(layers, crop, start.landmarks, goal)
            seam = seam * head
        seam = seam * masks.change_mask(crop, layers.of(crop))
    alpha = alpha_of(photo.pixels.shape, plan.mask, start.alignment, seam, ignored)
    blended = blend(seen, start.alignment, layers, alpha, deep)
    if ignored is not None:
        blended.picture[ignored] = photo.pixels[ignored]
    return blended


def before_background(
    layers: Layers, crop: np.ndarray, landmarks: np.ndarray, goal: np.ndarray
) -> tuple[Layers, np.ndarray]:
    """The layers of a head with landmarks `goal` [68, 2] before the background of a crop, uint8 RGB [S, S, 3], in which
    it had `landmarks`: where it has left, what is around it goes on. And where it is, or has left, float32 [S, S]."""
    now = layers.of(crop).round().clip(0, 255).astype(np.uint8)
    was, head = masks.head_mask(crop, landmarks), masks.head_mask(now, goal)
    side, small = len(crop), (masks.SEGMENTED, masks.SEGMENTED)
    beside, after, behind = (cv2.resize(x, small, interpolation=cv2.INTER_AREA) for x in (was, head, crop))
    gone = cv2.morphologyEx(
        ((beside > 0.5) & (after < 0.5)).astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)
    )
    left = cv2.resize(cv2.blur(cv2.dilate(gone, np.ones((17, 17), np.uint8)).astype(np.float32), (3, 3)), (side, side))
    free = torch.from_numpy(cv2.dilate((beside > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) == 0).float()
    filled = smooth_fill(to_tensor(behind), free[None, None])[0].permute(1, 2, 0).numpy()
    background = cv2.resize((filled + 1) * 127.5, (side, side), interpolation=cv2.INTER_LINEAR)
    kept = 1 - left * (1 - head)
    shown = kept[..., None] * layers.rest + (1 - kept[..., None]) * background
    return Layers(shown, kept * layers.weight, layers.flow), np.maximum(head, left)


def code_layers(
    crop: np.ndarray,
    start: Start,
    edited: np.ndarray,
    photo: Photo,
    guest: Guest | None = None,
    weight: np.ndarray | None = None,
) -> tuple[Layers, np.ndarray | None]:
    """A crop, uint8 RGB [S, S, 3], as the generator's picture of another code with the photo's residual; and where its
    landmarks [68, 2] come to lie, if it has some. weight: float32 [S, S], how much is read from each of its pixels."""
    side, new = len(edited), edited.astype(np.float32)
    if start.landmarks is None:
        flow, goal = backward_flow(start.reconstruction, edited), None
        came_from = warped(start.reconstruction, flow)
    else:
        after = predict(photo.to_srgb(edited), Frame.around(start.landmarks))
        goal = _goal(start, after, guest)
        flow = spline_flow(start.landmarks, goal, side)
        came_from = warped(start.reconstruction, spline_flow(start.landmarks_drawn, goal, side))
        new = warped(edited, spline_flow(after, goal, side))
    own = _alike(came_from, new) if guest is None else np.full((side, side), 1 - guest.share, np.float32)
    if weight is not None:
        own = own * warped(weight, flow)
    residual = warped(crop, flow) - came_from
    rest = new - own[..., None] * came_from
    if guest is None:
        rest += (1 - own[..., None]) * widely_blurred(residual, LIGHT * side / 1024)
        return Layers(rest, own, flow), goal
    assert goal is not None  # only faces are fused
    rest += guest.share * _residual_of(guest, goal, photo)
    shown = rest + own[..., None] * warped(crop, flow)
    within = masks.features_mask(goal, side)[..., None]
    light = widely_blurred(np.dstack(((warped(crop, flow) - shown) * within, within)), SKIN * side / 1024)
    rest += light[..., :3] / np.maximum(light[..., 3:], 1e-6)
    return Layers(within * rest, 1 - within[..., 0] * (1 - own), flow), goal


def moved_layers(
    crop: np.ndarray,
    start: Start,
    edited: np.ndarray,
    photo: Photo,
    weight: np.ndarray | None,
    motion: WholeMotion,
) -> tuple[Layers, np.ndarray | None]:
    """`code_layers` of a picture that was also moved as a whole: what it still differs by from the crop and its
    reconstruction, moved likewise, is little enough to be found."""
    side = len(crop)
    landmarks = None if start.landmarks is None else motion.of(start.landmarks, side)
    at = Start(start.alignment, motion.warped(start.reconstruction), landmarks)
    weight = None if weight is None else warped(weight, motion.flow(side))
    layers, goal = code_layers(motion.warped(crop), at, edited, photo, None, weight)
    return motion.before(layers), goal


def _goal(start: Start, after: np.ndarray, guest: Guest | None) -> np.ndarray:
    """Where landmarks come to lie: where the generator drew them, and as far beyond as it misses those of photos."""
    assert start.landmarks is not None
    missed = [(1.0 if guest is None else 1 - guest.share, start)]
    missed += [] if guest is None else [(guest.share, guest.start)]
    return after + sum(share * (one.landmarks - one.landmarks_drawn) for share, one in missed)


def _residual_of(guest: Guest, goal: np.ndarray, photo: Photo) -> np.ndarray:
    """What the generator misses of the guest's photo, its landmarks laid on the goal [68, 2]: float32 [S, S, 3]."""
    side, start = len(guest.crop), guest.start
    assert start.landmarks is not None
    pictures: Sequence[tuple[np.ndarray, np.ndarray]] = (
        (guest.crop, start.landmarks),
        (start.reconstruction, start.landmarks_drawn),
    )
    own, drawn_too = (warped(photo.from_srgb(picture), spline_flow(at, goal, side)) for picture, at in pictures)
    return own - drawn_too


def _alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How far two pictures [S, S, 3] show the same thing, float32 [S, S] of 0 … 1: 1 where they are equal."""
    mismatch = cv2.GaussianBlur(np.sqrt(((a - b) ** 2).mean(2)), (0, 0), BLUR * len(a) / 1024)
    return np.exp(-((mismatch / MISMATCH_SCALE) ** 2)).astype(np.float32)


def _with(photo: Photo, blended: Blend) -> Photo:
    """The photo as it is now, in whatever samples it is kept."""
    changed, deep = blended.changed, blended.deep
    native = samples.with_edit(photo.mode, photo.native, photo.pixels, blended.picture, changed, deep)
    pixels = native if photo.mode == "RGB" else blended.picture
    return replace(photo, pixels=np.ascontiguousarray(pixels), native=native)


def unchanged(a: Tensor, b: Tensor) -> bool:
    """Whether two codes are the same to the bit."""
    return a.shape == b.shape and bool(torch.equal(a, b))

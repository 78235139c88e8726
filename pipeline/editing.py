"""The whole edit, photo to photo: find the face, invert it, drag its points, blend it back."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np
import torch
from torch import Tensor

from photodrag.drag import DragSettings, drag
from photodrag.invert import identity
from photodrag.invert.projection import ProjectSettings
from photodrag.invert.quality import to_uint8
from photodrag.pipeline import masks
from photodrag.pipeline.align import Alignment
from photodrag.pipeline.blend import blend
from photodrag.pipeline.inversion import Inversion, Models, Progress, find_face, invert, silent
from photodrag.pipeline.landmarks import Frame, predict
from photodrag.pipeline.mask import read_mask
from photodrag.pipeline.output import write_output
from photodrag.pipeline.photo import Photo, read_photo
from photodrag.weights import UserError


@dataclass(frozen=True)
class Handle:
    """What became of one handle, (x, y) in photo pixels."""

    start: tuple[float, float]
    target: tuple[float, float]
    reached: tuple[float, float]
    """Where tracking found it in the end."""
    left: float
    """Distance from there to the target."""


@dataclass(frozen=True, eq=False)
class Edit:
    """An edited photo and how it came about."""

    photo: Photo
    picture: np.ndarray
    """uint8 RGB [H, W, 3], of the photo's size."""
    changed: np.ndarray
    """bool [H, W]: elsewhere the picture is the photo."""
    inversion: Inversion
    w_plus: Tensor
    """[1, num_ws, w_dim], after the drag; before it: inversion.w_plus."""
    edited_crop: np.ndarray
    """uint8 RGB [R, R, 3], the generator's picture of w_plus."""
    handles: list[Handle]
    stop_reason: str
    steps: int
    identity: float
    """Distance of dlib's descriptors between the photo and the picture, under 0.6 for the same person."""
    faces: int
    """How many the photo shows."""
    seconds: dict[str, float]
    """A stage."""

    def save(self, path: str | PathLike) -> None:
        """Write the picture, whole or not at all, with the photo's own samples where nothing changed."""
        write_output(self.photo, self.picture, self.changed, path)


def edit(
    photo: Photo | str | PathLike,
    handles: Sequence[tuple[float, float]],
    targets: Sequence[tuple[float, float]],
    mask: np.ndarray | str | PathLike | None = None,
    *,
    face: int | None = None,
    box: tuple[float, float, float, float] | None = None,
    generator: str = "face",
    steps: int | None = None,
    device: str = "auto",
    refresh: bool = False,
    models: Models | None = None,
    projection: ProjectSettings = ProjectSettings(),
    dragging: DragSettings = DragSettings(),
    progress: Progress = silent,
) -> Edit:
    """Drag what lies at `handles` to `targets`, both [N, 2], (x, y) in photo pixels as a person sees the photo.

    mask: where the photo may change: "auto" or None (where the edit really differs), "face", an array
    [H, W] of 0 … 1 or bool, or a picture file, white where it may. face: its number, the largest by
    default; box: (x, y, width, height) of a face that isn't found. steps: of the drag, at most.
    models: loaded ones, to be used again.

    Raises UserError for anything that a person can put right."""
    clock = _Clock()
    photo = photo if isinstance(photo, Photo) else read_photo(photo)
    handles, targets = check_points(photo, handles, targets)
    where = _given_mask(mask, photo)
    progress("finding the face", 0, 0)
    found, count = find_face(photo, face, box)
    clock("faces")
    models = models or Models.load(generator, device, progress)
    alignment = Alignment.from_landmarks(found.landmarks, models.generator.resolution)
    check_in_crop(alignment, handles, "handle", count)
    check_in_crop(alignment, targets, "target", count)
    clock("load")
    inversion = invert(photo, found, models, projection, refresh, progress)
    clock("invert")

    settings = dragging if steps is None else DragSettings(**{**vars(dragging), "steps": steps})
    side, to_crop = models.generator.resolution, alignment.to_crop
    landmarks = [inversion.crop.landmarks]
    may_change = masks.face_mask(landmarks, side) if where == "face" else None
    if isinstance(where, np.ndarray):
        may_change = alignment.crop(where).clip(0, 1)
    result = drag(
        models.generator,
        inversion.w_plus,
        torch.from_numpy(to_crop(handles)),
        torch.from_numpy(to_crop(targets)),
        None if may_change is None else torch.from_numpy(may_change),
        settings,
        models.space,
        lambda state: progress("dragging", state.step, settings.steps),
    )
    clock("drag")

    progress("blending", 0, 0)
    with torch.no_grad():
        edited = to_uint8(models.generator.synthesis(result.w_plus))
    alpha = _alpha(where, photo, inversion, edited)
    blended = blend(photo.pixels, alignment, inversion.reconstruction, edited, alpha)
    who = _identity(photo, found.landmarks, blended.picture)
    clock("blend")
    reached = alignment.to_photo(result.points.cpu().numpy())
    outcome = [
        Handle(tuple(h), tuple(t), tuple(r), float(np.hypot(*(np.array(t) - r))))
        for h, t, r in zip(handles.tolist(), targets.tolist(), reached.tolist(), strict=True)
    ]
    return Edit(
        photo=photo,
        picture=blended.picture,
        changed=blended.changed,
        inversion=inversion,
        w_plus=result.w_plus,
        edited_crop=edited,
        handles=outcome,
        stop_reason=result.stop_reason,
        steps=result.steps,
        identity=who,
        faces=count,
        seconds=clock.seconds,
    )


def check_points(photo: Photo, handles: Sequence, targets: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """Handles and targets as float64 [N, 2]. Raises UserError unless they pair up, lie in the photo, and
    at least one handle has to move."""
    handles, targets = (np.array(points, np.float64).reshape(-1, 2) for points in (handles, targets))
    if len(handles) != len(targets) or not len(handles):
        raise UserError(
            f"{len(handles)} handles and {len(targets)} targets: give one target to each handle, and one at least."
        )
    for name, points in (("handle", handles), ("target", targets)):
        for x, y in points:
            if not (-0.5 <= x <= photo.width - 0.5 and -0.5 <= y <= photo.height - 0.5):
                raise UserError(
                    f"The {name} {x:g},{y:g} lies outside {photo.path.name}, which is {photo.width} × {photo.height} "
                    "pixels: give x,y from 0,0 at the top left."
                )
    if (handles == targets).all():
        x, y = handles[0]
        raise UserError(f"The handle {x:g},{y:g} is its own target, so nothing would move: give it another target.")
    return handles, targets


def check_in_crop(alignment: Alignment, points: np.ndarray, name: str, faces: int) -> None:
    """Raises UserError for points [N, 2] of the photo outside the crop around the face."""
    for (x, y), seen in zip(points, alignment.to_crop(points), strict=True):
        if not ((seen >= 0) & (seen <= alignment.size - 1)).all():
            low, high = alignment.quad.min(0).round(), alignment.quad.max(0).round()
            other = " or choose another face with --face" if faces > 1 else ""
            raise UserError(
                f"The {name} {x:g},{y:g} lies outside the crop around the face, which reaches from "
                f"{low[0]:g},{low[1]:g} to {high[0]:g},{high[1]:g}: move it there{other}."
            )


def _given_mask(mask: np.ndarray | str | PathLike | None, photo: Photo) -> np.ndarray | str:
    """ "auto", "face", or float32 [H, W] of 0 … 1."""
    if mask is None or (isinstance(mask, str) and mask in ("auto", "face")):
        return mask or "auto"
    if not isinstance(mask, np.ndarray):
        return read_mask(mask, photo)
    if mask.shape != photo.pixels.shape[:2]:
        raise UserError(
            f"The mask is {mask.shape}, the photo {photo.pixels.shape[:2]} (rows, columns): make them equal."
        )
    if not mask.any():
        raise UserError("The mask is 0 throughout, so nothing may change: set it to 1 where the photo may.")
    return mask.astype(np.float32).clip(0, 1)


def _alpha(where: np.ndarray | str, photo: Photo, inversion: Inversion, edited: np.ndarray) -> np.ndarray:
    """How much of the edit shows: float32 [H, W], 0 … 1."""
    alignment, side = inversion.alignment, inversion.alignment.size
    seam = masks.crop_seam(alignment.inside(photo.pixels.shape))
    if isinstance(where, str) and where == "face":
        after = predict(edited, Frame.around(inversion.crop.landmarks))
        seam = seam * masks.face_mask([inversion.crop.landmarks, after], side)
    elif isinstance(where, str):
        seam = seam * masks.change_mask(inversion.reconstruction, edited)
    region = x0, y0, x1, y1 = alignment.paste_region(photo.pixels.shape)
    alpha = np.zeros(photo.pixels.shape[:2], np.float32)
    alpha[y0:y1, x0:x1] = alignment.to_region(seam, region).clip(0, 1)
    alpha[alpha < 1 / 512] = 0
    if isinstance(where, np.ndarray):
        alpha *= masks.soft_inside(where, masks.SEAM * side / 1024 / alignment.scale)
    return alpha


def _identity(photo: Photo, landmarks: np.ndarray, picture: np.ndarray) -> float:
    after = predict(picture, Frame.around(landmarks))
    a, b = identity.descriptor(photo.pixels, landmarks), identity.descriptor(picture, after)
    return identity.identity_distance(a, b)


class _Clock:
    """Seconds since the last call, under a stage's name."""

    def __init__(self):
        self.seconds, self._last = {}, time.monotonic()

    def __call__(self, stage: str) -> None:
        now = time.monotonic()
        self.seconds[stage], self._last = round(now - self._last, 3), now

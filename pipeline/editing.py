"""The whole edit, photo to photo: find the face, invert it, drag its points, blend it back."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike

import numpy as np
import torch
from torch import Tensor

from photodrag.drag import DragSettings, drag
from photodrag.invert import identity
from photodrag.invert.projection import ProjectSettings
from photodrag.invert.quality import to_uint8
from photodrag.pipeline import masks
from photodrag.pipeline.blend import blend
from photodrag.pipeline.inversion import Inversion, Models, Progress, invert, silent
from photodrag.pipeline.landmarks import Frame, predict
from photodrag.pipeline.output import write_output
from photodrag.pipeline.photo import Photo
from photodrag.pipeline.plan import Box, Plan, plan_edit


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
    box: Box | None = None,
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
    models: loaded ones, to be used again; generator and device are then those, and what these two say is not looked at.

    Raises UserError for anything that a person can put right."""
    return carry_out(
        plan_edit(photo, handles, targets, mask, face, box),
        generator=generator,
        steps=steps,
        device=device,
        refresh=refresh,
        models=models,
        projection=projection,
        dragging=dragging,
        progress=progress,
    )


def carry_out(
    plan: Plan,
    *,
    generator: str = "face",
    steps: int | None = None,
    device: str = "auto",
    refresh: bool = False,
    models: Models | None = None,
    projection: ProjectSettings = ProjectSettings(),
    dragging: DragSettings = DragSettings(),
    progress: Progress = silent,
) -> Edit:
    """`edit`, from a plan on: for a caller that has something to say or to ask before the long work."""
    clock, photo, found, where = _Clock(faces=plan.seconds), plan.photo, plan.face, plan.mask
    models = models or Models.load(generator, device, progress)
    clock("load")
    inversion = invert(photo, found, models, projection, refresh, progress)
    clock("invert")

    settings = dragging if steps is None else replace(dragging, steps=steps)
    side, alignment = models.generator.resolution, inversion.alignment
    handles, targets = alignment.to_crop(plan.handles), alignment.to_crop(plan.targets)
    may_change = None
    if isinstance(where, np.ndarray):
        may_change = alignment.crop(where).clip(0, 1)
    elif where == "face":
        may_change = masks.face_mask([inversion.crop.landmarks], side)
    result = drag(
        models.generator,
        inversion.w_plus,
        torch.from_numpy(handles),
        torch.from_numpy(targets),
        None if may_change is None else torch.from_numpy(may_change),
        settings,
        models.space,
        lambda state: progress("dragging", state.step, settings.steps),
    )
    clock("drag")

    progress("blending", 0, 0)
    with torch.no_grad():
        edited = to_uint8(models.generator.synthesis(result.w_plus))
    alpha = _alpha(where, photo, inversion, edited, np.concatenate((handles, targets)))
    blended = blend(photo.pixels, alignment, inversion.reconstruction, edited, alpha)
    who = _identity(photo, found.landmarks, blended.picture)
    clock("blend")
    reached = alignment.to_photo(result.points.cpu().numpy())
    outcome = [
        Handle(tuple(h), tuple(t), tuple(r), float(np.hypot(*(np.array(t) - r))))
        for h, t, r in zip(plan.handles.tolist(), plan.targets.tolist(), reached.tolist(), strict=True)
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
        faces=plan.faces,
        seconds=clock.seconds,
    )


def _alpha(
    where: np.ndarray | str, photo: Photo, inversion: Inversion, edited: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """How much of the edit shows: float32 [H, W], 0 … 1."""
    alignment, side = inversion.alignment, inversion.alignment.size
    seam = masks.crop_seam(alignment.inside(photo.pixels.shape))
    if isinstance(where, str) and where == "face":
        after = predict(edited, Frame.around(inversion.crop.landmarks))
        seam = seam * masks.face_mask([inversion.crop.landmarks, after], side)
    elif isinstance(where, str):
        seam = seam * masks.change_mask(inversion.reconstruction, edited, points)
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

    def __init__(self, **seconds: float):
        self.seconds, self._last = {stage: round(took, 3) for stage, took in seconds.items()}, time.monotonic()

    def __call__(self, stage: str) -> None:
        now = time.monotonic()
        self.seconds[stage], self._last = round(now - self._last, 3), now

"""The points of a plan, dragged in the generator's pictures, in which a face's landmarks are followed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from photodrag.drag import DragResult, DragSettings, DragState, Landmarks
from photodrag.drag.methods import DEFAULT, find_method
from photodrag.drag.settings import LandmarkGuidedSettings
from photodrag.drag.state import ARRIVED, finished
from photodrag.invert.quality import to_uint8
from photodrag.pipeline.editing import masks
from photodrag.pipeline.editing.compositing import LEAST_SIDE, at_least
from photodrag.pipeline.editing.inversion import Inversion
from photodrag.pipeline.editing.plan import Plan
from photodrag.pipeline.faces.detection import is_seen
from photodrag.pipeline.faces.landmarks import Frame, predict

if TYPE_CHECKING:
    from photodrag.drag.methods import Settings


PATIENCE, LEAST_GAIN = 2, 0.05
"""Looks of a photo's drag that each gain less than this part of its whole way until it ends (see
docs/design-notes.md#when-a-photos-drag-ends)."""


def drag_face(
    plan: Plan,
    inversion: Inversion,
    settings: Settings | None = None,
    progress: Callable[[DragState], bool | None] | None = None,
    method: str = DEFAULT,
) -> DragResult:
    """Drag the points of a plan in the generator's pictures.

    settings: the method's own by default. progress: told each state; the drag ends where it returns True. method: one
    of `drag.methods.METHODS`. The result's points are (x, y) in pixels of the crop. Raises UserError for an unknown
    method."""
    chosen = find_method(method)
    if not len(plan.handles):
        return _nothing_dragged(inversion, progress)
    models, alignment = inversion.models, inversion.alignment
    may_change = None
    if isinstance(plan.mask, np.ndarray):
        may_change = alignment.crop(plan.mask).clip(0, 1)
    elif plan.mask == "face" and plan.face:
        fine = at_least(LEAST_SIDE, alignment)
        may_change = masks.face_mask([fine.to_crop(plan.face.landmarks)], fine.size)
    settings = settings or chosen.settings
    if plan.face and isinstance(settings, DragSettings):
        settings = replace(settings, landmark_guided=for_a_photo(settings.landmark_guided))
    states = chosen.steps(
        inversion.generator,
        inversion.w_plus,
        torch.from_numpy(alignment.to_crop(plan.handles)),
        torch.from_numpy(alignment.to_crop(plan.targets)),
        None if may_change is None else torch.from_numpy(may_change),
        settings,
        models.space,
        followed(inversion.crop.landmarks, inversion.reconstruction if plan.face else None),
    )
    return finished(states, progress)


def _nothing_dragged(inversion: Inversion, progress: Callable[[DragState], bool | None] | None) -> DragResult:
    """Of a plan that only reshapes."""
    none = torch.zeros(0, 2, dtype=torch.float64)
    if progress:
        progress(DragState(0, inversion.w_plus, none, 0.0))
    return DragResult(inversion.w_plus, none, none[:, 0], 0, ARRIVED)


def for_a_photo(settings: LandmarkGuidedSettings) -> LandmarkGuidedSettings:
    """The settings where a photo is moved, and little of the generator's picture is looked at: parts are guided, too,
    and what is left of the way when hardly anything is gained any more the photo goes by itself."""
    usual = LandmarkGuidedSettings()  # what a caller has set otherwise stays
    patience = PATIENCE if settings.patience == usual.patience else settings.patience
    least_gain = LEAST_GAIN if settings.least_gain == usual.least_gain else settings.least_gain
    return replace(settings, parts=True, patience=patience, least_gain=least_gain)


def followed(landmarks: np.ndarray | None, start: np.ndarray | None = None) -> Landmarks | None:
    """A face's landmarks [68, 2] in the generator's pictures, to be found again in those of a drag; None where there
    is no face. start: the picture with which it begins, uint8 RGB [R, R, 3], if it was drawn already."""
    if landmarks is None:
        return None
    frame = Frame.around(landmarks)

    def find(picture: np.ndarray) -> np.ndarray | None:
        return predict(picture, frame) if is_seen(picture) else None

    known = None if start is None else cache(lambda: find(start))
    return Landmarks(landmarks, lambda image: find(to_uint8(image)), known)

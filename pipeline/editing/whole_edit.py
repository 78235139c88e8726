"""The whole edit, photo to photo: find the face (or take a square), invert it, drag its points, blend it back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch import Tensor

from photodrag.drag import DragResult, DragSettings, DragState, Landmarks
from photodrag.drag.contours import on_contours
from photodrag.drag.methods import DEFAULT, find_method
from photodrag.drag.settings import LandmarkGuidedSettings
from photodrag.drag.state import ARRIVED, LIMIT, STALLED, STOPPED, finished, states_until
from photodrag.invert import identity
from photodrag.invert.quality import to_uint8
from photodrag.pipeline.editing import masks
from photodrag.pipeline.editing.code_edit import edited_code
from photodrag.pipeline.editing.compositing import LEAST_SIDE, at_least, drawn, put_in, start_of
from photodrag.pipeline.editing.direction_names import CodeEdit
from photodrag.pipeline.editing.exemplars import shown_of
from photodrag.pipeline.editing.inversion import Inversion, Models, Progress, invert, silent
from photodrag.pipeline.editing.likeness import projection_for
from photodrag.pipeline.editing.openings import from_the_side
from photodrag.pipeline.editing.options import Dragging, Inverting, Network
from photodrag.pipeline.editing.outcome import doubts, stray_of, way_of
from photodrag.pipeline.editing.plan import Plan, find_generator, plan_edit, usual_align
from photodrag.pipeline.editing.points import Points
from photodrag.pipeline.editing.restyling import Restyled, restyled, unchanged
from photodrag.pipeline.editing.selection import Selection
from photodrag.pipeline.editing.tuning import tune_inversion
from photodrag.pipeline.faces.controls import Controls
from photodrag.pipeline.faces.detection import is_seen
from photodrag.pipeline.faces.landmarks import Frame, predict
from photodrag.pipeline.faces.resample import remapped
from photodrag.pipeline.photos.notebook import pictures_html
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.samples import Deep, deep_rgb, with_edit
from photodrag.pipeline.photos.write import output_of, write_output
from photodrag.weights.common.face_landmarks import EYES

if TYPE_CHECKING:
    from photodrag.drag.methods import Settings


PATIENCE, LEAST_GAIN = 2, 0.05
"""Looks of a photo's drag that each gain less than this part of its whole way until it ends (see
docs/design-notes.md#when-a-photos-drag-ends)."""
REMAP_ROWS = 30_000
"""Of a picture that OpenCV reads in one go, at most."""
LEAST_SHARE = 0.25
"""Of an edit that would spoil the face, how much is made at least."""


@dataclass(frozen=True)
class Handle:
    """What became of one handle, (x, y) in photo pixels."""

    start: tuple[float, float]
    target: tuple[float, float]
    reached: tuple[float, float]
    """Where it lies in the picture: by its landmarks, for one on a contour of the face, or else by tracking."""
    left: float
    """Distance from there to the target."""
    on_lid: bool = False
    """Whether it lies on a lid, of which landmarks hardly see how far it has opened."""


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
    flow: np.ndarray
    """float32 [S, S, 2], where each pixel of the crop, at that side, came from: offsets (x, y) in these pixels."""
    handles: list[Handle]
    stop_reason: str
    """Where all handles are landmarks, by where the picture has them."""
    steps: int
    identity: float | None
    """Distance of dlib's descriptors between the photo and the picture, under 0.6 for the same person; None where
    a square was edited."""
    faces: int | None
    """How many the photo shows; None where nobody looked."""
    seconds: dict[str, float]
    """A stage."""
    stray: float | None = None
    """How far parts of the face that were to stay moved, in parts of its width; None for a head or a square."""
    share: float = 1.0
    """How much of it was made: less than 1 where all of it would spoil the face, or be somebody else's."""
    person: str | None = None
    """Whose face it is, if somebody's who was learned."""
    exemplars: Mapping[str, str] = field(default_factory=dict)
    """Which of the person's other photos, by name, shows what of the face (see exemplars.REGIONS)."""
    states: tuple[DragState, ...] = ()
    """Of the drag, from the first to the one whose w_plus is this edit's."""
    method: str = DEFAULT
    """Of dragging, one of `drag.methods.METHODS`."""
    deep: Deep | None = None
    """What a 16-bit photo became, before it was rounded to the picture."""
    restyled: Restyled | None = None
    """What became of the photo by another code, before it was dragged; None where the code stayed its own."""

    def save(self, path: str | PathLike, keep_video: bool = False) -> list[str]:
        """Write the picture, whole or not at all, with the photo's own samples where nothing changed. Gives what of the
        photo's file it is without, in words. keep_video: leave a motion photo's video, which shows the old face."""
        return write_output(self.photo, self.picture, self.changed, Path(path), self.deep, self.came_from, keep_video)

    def file(self, name: str) -> tuple[bytes, list[str]]:
        """What `save` would write in a file of that name, and what that is without."""
        return output_of(self.photo, self.picture, self.changed, name, self.deep, self.came_from)

    @property
    def doubts(self) -> Sequence[str]:
        """Why the picture may be spoilt, whatever the identity distance; none where no figure speaks for it. That the
        points came less far says nothing where somebody stopped them, or only some of the way was made."""
        cut = self.share < 1 or self.stop_reason in (LIMIT, STOPPED)
        seen = [handle for handle in self.handles if not handle.on_lid]
        ends = [np.array([getattr(handle, end) for handle in seen]) for end in ("start", "target", "reached")]
        return doubts(1.0 if cut else way_of(*ends), self.stray)

    def came_from(self, points: np.ndarray) -> np.ndarray:
        """How far off points [N, 2] of the picture, (x, y) in its pixels, were in the photo: offsets [N, 2]."""
        alignment = replace(self.inversion.alignment, size=len(self.flow))
        places = alignment.to_crop(points).astype(np.float32)
        rows = np.array_split(places, max(1, -(-len(places) // REMAP_ROWS)))
        at = [row.T[:, :, None] for row in rows]
        read = [remapped(self.flow, x, y, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)[:, 0] for x, y in at]
        return alignment.to_photo(np.concatenate(read)) - alignment.to_photo(np.zeros(2))

    def _repr_html_(self) -> str:
        """For notebooks."""
        return pictures_html({"before": self.photo.srgb, "after": self.photo.to_srgb(self.picture)})


def edit(
    photo: Photo | str | PathLike,
    handles: Points,
    targets: Points,
    mask: np.ndarray | str | PathLike | None = None,
    *,
    presets: Controls | Mapping[str, float] | None = None,
    selection: Selection = Selection(),
    network: Network = Network(),
    dragging: Dragging = Dragging(),
    inverting: Inverting = Inverting(),
    code_edit: CodeEdit = CodeEdit(),
    progress: Progress = silent,
) -> Edit:
    """Drag what lies at `handles` to `targets`, both [N, 2], (x, y) in photo pixels as a person sees the photo.

    A handle may be a landmark's name or number (`weights.common.face_landmarks.NAMES`; left and right are the
    picture's), a target that, too, or relative: "+0,-12", "+3%,+0" (of the face's width). One whose target is itself
    must stay. mask: where the photo may change: "auto" or None (where the edit really differs), "face", an array
    [H, W] of 0 … 1 or bool, or a picture file, white where it may. presets: how much is to be added of each of
    `pipeline.faces.preset_table.PRESETS`, -1 … 1: {"smile": 0.5}, say; or all `Controls` of a face, regions and
    another face's expression among them. selection: what of the photo is meant, network: by
    which generator, dragging and inverting: how. progress: told what goes on.

    Raises UserError for anything that a person can put right."""
    if network.models:
        subject = network.models.generator.subject
    else:
        name, subject = find_generator(network.generator)
        network = replace(network, generator=name)
    selection = replace(selection, align=selection.align or usual_align(subject))
    plan = plan_edit(photo, handles, targets, mask, selection, snap=dragging.snap, presets=presets, code_edit=code_edit)
    return carry_out(
        plan, network=network, dragging=dragging, inverting=inverting, code_edit=code_edit, progress=progress
    )


def carry_out(
    plan: Plan,
    *,
    network: Network = Network(),
    dragging: Dragging = Dragging(),
    inverting: Inverting = Inverting(),
    code_edit: CodeEdit = CodeEdit(),
    inversion: Inversion | None = None,
    progress: Progress = silent,
) -> Edit:
    """`edit`, from a plan on: for a caller that has something to say or to ask before the long work. inversion:
    that of an earlier edit of the same photo and place, tuned or not; then no network is loaded.

    Raises UserError for an unknown method, generator, class or device, and for weights that can't be fetched."""
    settings = dragging.settings or find_method(dragging.method).settings
    settings = settings if dragging.steps is None else replace(settings, steps=dragging.steps)
    clock = Clock(faces=plan.seconds)
    if inversion is None:
        inversion = inverted(plan, network, inverting.before(code_edit), clock, progress)
    change = None
    if code_edit.given:
        progress("changing the code", 0, 0)
        w_plus = edited_code(inversion, code_edit)
        change = None if unchanged(w_plus, inversion.w_plus) else restyled(plan, inversion, w_plus)
        clock("code")
    return finish_edit(plan, inversion, change, settings, dragging.method, progress, clock)


def finish_edit(
    plan: Plan,
    inversion: Inversion,
    change: Restyled | None,
    settings: Settings,
    method: str = DEFAULT,
    progress: Progress = silent,
    clock: Clock | None = None,
) -> Edit:
    """The edit of a plan, its photo inverted and perhaps changed by another code: its points are dragged, if there are
    some, and all is blended into the photo as it was."""
    clock = clock or Clock()
    now, start = (plan, inversion) if change is None else (change.plan, change.inversion)
    if not len(plan.handles) and not plan.reshaping:
        return replace(_without_drags(plan, inversion, change), method=method, seconds=clock.seconds)
    states: list[DragState] = []

    def see(state: DragState) -> None:
        states.append(state.without_image())
        progress("dragging", state.step, settings.steps)

    result = drag_face(now, start, settings, see, method)
    clock("drag")
    progress("blending", 0, 0)
    edited = put_back(now, start, result)
    edited = edited if change is None else _as_of(change, edited)
    clock("blend")
    return replace(edited, method=method, seconds=clock.seconds, states=states_until(states, result))


def _without_drags(plan: Plan, inversion: Inversion, change: Restyled | None) -> Edit:
    """The edit of a code alone; the photo itself where the code stayed as it was."""
    side = at_least(LEAST_SIDE, inversion.alignment).size
    return Edit(
        photo=plan.photo,
        picture=plan.photo.pixels if change is None else change.blended.picture,
        changed=np.zeros(plan.photo.pixels.shape[:2], bool) if change is None else change.blended.changed,
        inversion=inversion,
        w_plus=inversion.w_plus if change is None else change.inversion.w_plus,
        edited_crop=inversion.reconstruction if change is None else change.edited,
        flow=np.zeros((side, side, 2), np.float32) if change is None else change.blended.flow,
        handles=[],
        stop_reason=ARRIVED,
        steps=0,
        identity=_likeness(plan, plan if change is None else change.plan),
        faces=plan.faces,
        seconds={},
        person=plan.person.name if plan.person else None,
        deep=None if change is None else change.blended.deep,
        restyled=change,
    )


def _likeness(before: Plan, after: Plan) -> float | None:
    """The identity distance between the faces of two plans, the photo's before and after its code was changed."""
    if before.face is None or after.face is None:
        return None
    if after is before:
        return 0.0
    descriptors = (identity.descriptor(plan.photo.srgb, plan.face.landmarks) for plan in (before, after) if plan.face)
    return identity.identity_distance(*descriptors)


def _as_of(change: Restyled, edited: Edit) -> Edit:
    """The edit of a photo whose code was changed before, as one of the photo that it was."""
    deep, photo, before = change.deep, edited.photo, change.before
    if deep is not None:
        native = with_edit(photo.mode, photo.native, photo.pixels, edited.picture, edited.changed, edited.deep)
        colours = deep_rgb(photo.mode, native)
        deep = None if colours is None else replace(deep, colours=colours)
    who = None
    if before.face and change.plan.face:
        known = identity.descriptor(before.photo.srgb, before.face.landmarks)
        _, who = _looked_at(photo.to_srgb(edited.picture), change.plan.face.landmarks, known)
    return replace(
        edited,
        photo=before.photo,
        changed=edited.changed | change.blended.changed,
        inversion=change.original,
        identity=who,
        deep=deep,
        restyled=change,
    )


def inverted(plan: Plan, network: Network, inverting: Inverting, clock: Clock, progress: Progress) -> Inversion:
    """The inversion of what a plan edits, tuned where that is asked for."""
    models = network.models or Models.load(network.generator, network.device, progress, network.class_)
    clock("load")
    projection = inverting.projection or projection_for(
        inverting.least_likeness, plan.photo, plan.place, models, plan.ignored
    )
    inversion = invert(plan.photo, plan.place, models, projection, inverting.refresh, progress, ignore=plan.ignored)
    clock("invert")
    if tuning := inverting.tuned_by:
        inversion = tune_inversion(plan.photo, inversion, tuning, inverting.refresh, progress)
        clock("tune")
    return inversion


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


def put_back(plan: Plan, inversion: Inversion, result: DragResult) -> Edit:
    """The edit that a drag, by whichever method, has made of a plan's photo; half of it, or a quarter, where all of it
    would be somebody else, and of a face from the side a quarter. What only its caller knows, the method, the seconds
    and the states on the way, is left at its default."""
    photo, start = plan.photo, start_of(plan, inversion)
    edited = drawn(inversion, result.w_plus) if result.image is None else to_uint8(result.image)
    reached = inversion.alignment.to_photo(result.points.cpu().numpy())
    stray = None
    share, likeness = LEAST_SHARE if plan.face and from_the_side(plan.face.landmarks) else 1.0, None
    blended, choices = put_in(plan, start, edited, reached, share=share)
    on_face, on_lid = False, np.zeros(len(plan.handles), bool)
    if plan.face:
        known = plan.face.landmarks
        who = identity.descriptor(photo.srgb, known)
        now, likeness = _looked_at(photo.to_srgb(blended.picture), known, who)
        while likeness > identity.SAME_PERSON and share > LEAST_SHARE:
            share /= 2
            blended, choices = put_in(plan, start, edited, reached, share=share)
            now, likeness = _looked_at(photo.to_srgb(blended.picture), known, who)
        stray = None if plan.reshaping else stray_of(known, now, plan.handles, plan.targets)
        weights = on_contours(plan.handles, known)
        reached = plan.handles + share * (reached - plan.handles)
        on_face, on_lid = bool(weights.any(1).all()), weights[:, EYES].sum(1) > 0.5
        reached = np.where(weights.any(1, keepdims=True), plan.handles + weights @ (now - known), reached)
    outcome = [
        Handle(tuple(h), tuple(t), tuple(r), float(np.hypot(*(np.array(t) - r))), bool(lid))
        for h, t, r, lid in zip(plan.handles.tolist(), plan.targets.tolist(), reached.tolist(), on_lid, strict=True)
    ]
    return Edit(
        photo=photo,
        picture=blended.picture,
        changed=blended.changed,
        inversion=inversion,
        w_plus=result.w_plus,
        edited_crop=edited,
        flow=blended.flow,
        handles=outcome,
        stop_reason=_reason(result.stop_reason, outcome, inversion) if on_face and share == 1 else result.stop_reason,
        steps=result.steps,
        identity=likeness,
        stray=stray,
        share=share,
        person=plan.person.name if plan.person else None,
        exemplars=shown_of(choices),
        deep=blended.deep,
        faces=plan.faces,
        seconds={},
    )


def _reason(reason: str, outcome: list[Handle], inversion: Inversion) -> str:
    """Why a drag of landmarks ended, by where its picture has them: the photo goes the last part of the way itself,
    so all may have arrived, however far the generator's picture came."""
    alignment = inversion.alignment
    near = DragSettings().landmark_arrival_distance / 512 * alignment.size / alignment.scale
    there = all(handle.left <= near for handle in outcome)
    return ARRIVED if there and reason in (LIMIT, STALLED) else reason


def _looked_at(picture: np.ndarray, landmarks: np.ndarray, who: np.ndarray) -> tuple[np.ndarray, float]:
    """The landmarks [68, 2] of the face in a picture, near those of the photo, and its identity distance to `who`."""
    after = predict(picture, Frame.around(landmarks))
    return after, identity.identity_distance(who, identity.descriptor(picture, after))


class Clock:
    """Seconds since the last call, under a stage's name."""

    def __init__(self, **seconds: float):
        self.seconds, self._last = {stage: round(took, 3) for stage, took in seconds.items()}, time.monotonic()

    def __call__(self, stage: str) -> None:
        now = time.monotonic()
        self.seconds[stage], self._last = round(now - self._last, 3), now

"""The whole edit, photo to photo: find the face (or take a square), invert it, drag its points, blend it back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from photodrag.drag import DragState
from photodrag.drag.methods import DEFAULT, find_method
from photodrag.drag.state import ARRIVED, states_until
from photodrag.invert import identity
from photodrag.pipeline.editing.code_edit import edited_code
from photodrag.pipeline.editing.compositing import LEAST_SIDE, at_least
from photodrag.pipeline.editing.controls import Controls
from photodrag.pipeline.editing.direction_names import CodeEdit
from photodrag.pipeline.editing.face_drag import drag_face
from photodrag.pipeline.editing.inversion import Inversion, Models, Progress, invert, silent
from photodrag.pipeline.editing.likeness import projection_for
from photodrag.pipeline.editing.options import Dragging, Inverting, Network
from photodrag.pipeline.editing.plan import Plan, alignment_of, find_generator, plan_edit, usual_align
from photodrag.pipeline.editing.points import Points
from photodrag.pipeline.editing.put_back import looked_at, put_back
from photodrag.pipeline.editing.restyling import Restyled, restyled, unchanged
from photodrag.pipeline.editing.result import Edit
from photodrag.pipeline.editing.selection import Selection
from photodrag.pipeline.editing.tuning import tune_inversion
from photodrag.pipeline.editing.whole_motion import check_movable, motion_of
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.samples import deep_rgb, with_edit
from photodrag.weights.latent.attributes import check_has_attributes

if TYPE_CHECKING:
    from photodrag.drag.methods import Settings


def edit(
    photo: Photo | str | PathLike,
    handles: Points,
    targets: Points,
    mask: np.ndarray | str | PathLike | None = None,
    *,
    controls: Controls | Mapping[str, float] | None = None,
    selection: Selection = Selection(),
    network: Network = Network(),
    dragging: Dragging = Dragging(),
    inverting: Inverting = Inverting(),
    progress: Progress = silent,
) -> Edit:
    """Drag what lies at `handles` to `targets`, both [N, 2], (x, y) in photo pixels as a person sees the photo.

    A handle may be a landmark's name or number (`weights.common.face_landmarks.NAMES`; left and right are the
    picture's), a target that, too, or relative: "+0,-12", "+3%,+0" (of the face's width). One whose target is itself
    must stay. mask: where the photo may change: "auto" or None (where the edit really differs), "face", an array
    [H, W] of 0 … 1 or bool, or a picture file, white where it may. controls: how much is to be added of each of
    `pipeline.faces.preset_table.PRESETS`, -1 … 1: {"smile": 0.5}, say; or all `Controls` of a face, regions, painted
    parts, another face's expression and what is done to its code among them. selection: what of the photo is
    meant, network: by which generator, dragging and inverting: how. progress: told what goes on.

    Raises UserError for anything that a person can put right."""
    network, subject = found_network(network)
    selection = replace(selection, align=selection.align or usual_align(subject))
    plan = plan_edit(photo, handles, targets, mask, selection, snap=dragging.snap, controls=controls)
    return carry_out(plan, network=network, dragging=dragging, inverting=inverting, progress=progress)


def found_network(network: Network) -> tuple[Network, str | None]:
    """The network, its generator by name or path as `find_generator` tells it, and its subject. Raises UserError."""
    if network.models:
        return network, network.models.generator.subject
    name, subject = find_generator(network.generator)
    return replace(network, generator=name), subject


def carry_out(
    plan: Plan,
    *,
    network: Network = Network(),
    dragging: Dragging = Dragging(),
    inverting: Inverting = Inverting(),
    inversion: Inversion | None = None,
    progress: Progress = silent,
) -> Edit:
    """`edit`, from a plan on: for a caller that has something to say or to ask before the long work. inversion:
    that of an earlier edit of the same photo and place, tuned or not; then no network is loaded. Nor is one for an
    edit by the photo alone, which has no inversion.

    Raises UserError for an unknown method, generator, class or device, and for weights that can't be fetched."""
    settings = dragging.settings or find_method(dragging.method).settings
    settings = settings if dragging.steps is None else replace(settings, steps=dragging.steps)
    clock = Clock(faces=plan.seconds)
    if plan.by_photo_alone:
        progress("blending", 0, 0)
        edited = put_back(plan, None, None)
        clock("blend")
        return replace(edited, method=dragging.method, seconds=clock.seconds)
    change, code_edit = None, plan.controls.code
    motion = motion_of(code_edit, alignment_of(plan.place))
    if inversion is None:
        inversion = inverted(plan, network, inverting.before(code_edit), clock, progress, code_edit)
    elif code_edit.moves_all:
        check_movable(inversion.models)
    if code_edit.given:
        progress("changing the code", 0, 0)
        w_plus = edited_code(inversion, code_edit)
        if motion.moves or not unchanged(w_plus, inversion.w_plus):
            change = restyled(plan, inversion, w_plus, motion=motion, in_face=code_edit.keeps_hair)
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
        face=plan.face,
        alignment=inversion.alignment,
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
        _, who = looked_at(photo.to_srgb(edited.picture), change.plan.face.landmarks, known)
    return replace(
        edited,
        photo=before.photo,
        changed=edited.changed | change.blended.changed,
        inversion=change.original,
        identity=who,
        deep=deep,
        restyled=change,
    )


def inverted(
    plan: Plan,
    network: Network,
    inverting: Inverting,
    clock: Clock,
    progress: Progress,
    code_edit: CodeEdit = CodeEdit(),
) -> Inversion:
    """The inversion of what a plan edits, tuned where that is asked for. code_edit: what its code is for, so that what
    the generator lacks for it is told before the long work, by a UserError."""
    models = network.models or Models.load(network.generator, network.device, progress, network.class_)
    if code_edit.moves_all:
        check_movable(models)
    clock("load")
    if any(code_edit.attributes.values()):
        check_has_attributes(models.generator)
    projection = inverting.projection or projection_for(
        inverting.least_likeness, plan.photo, plan.place, models, plan.ignored
    )
    inversion = invert(plan.photo, plan.place, models, projection, inverting.refresh, progress, ignore=plan.ignored)
    clock("invert")
    if tuning := inverting.tuned_by:
        inversion = tune_inversion(plan.photo, inversion, tuning, inverting.refresh, progress)
        clock("tune")
    return inversion


class Clock:
    """Seconds since the last call, under a stage's name."""

    def __init__(self, **seconds: float):
        self.seconds, self._last = {stage: round(took, 3) for stage, took in seconds.items()}, time.monotonic()

    def __call__(self, stage: str) -> None:
        now = time.monotonic()
        self.seconds[stage], self._last = round(now - self._last, 3), now

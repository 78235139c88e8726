"""What a tab's jobs do, each in its thread, and what the page is told meanwhile (`send`: as `Tab.send`, with the id of
what was asked).

Each takes its turn again with `job.step()`, which raises Cancelled where nobody wants it any more."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from photodrag.drag import DragState
from photodrag.invert.identity import likeness
from photodrag.pipeline.editing import report
from photodrag.pipeline.editing.expression_file import expression_in
from photodrag.pipeline.editing.face_drag import drag_face
from photodrag.pipeline.editing.inversion import Inversion, invert
from photodrag.pipeline.editing.likeness import projection_for
from photodrag.pipeline.editing.options import Likeness
from photodrag.pipeline.editing.plan import find_face
from photodrag.pipeline.editing.put_back import put_back
from photodrag.pipeline.editing.result import Edit
from photodrag.pipeline.editing.tuning import tune_inversion
from photodrag.pipeline.faces.box import Box
from photodrag.pipeline.faces.detection import choose, detect, in_box
from photodrag.pipeline.page import pictures, work
from photodrag.pipeline.page.app_state import AppState
from photodrag.pipeline.page.job_queue import Job
from photodrag.pipeline.page.pictures import Patch
from photodrag.pipeline.page.preview import Pace, Preview
from photodrag.pipeline.page.tab_state import ChosenFace, OpenedPhoto
from photodrag.pipeline.people.same_person import number_of
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.read import Bounds
from photodrag.weights.common.errors import UserError

LIKENESS, FRAMES = 0.1, 0.65
"""Share of the time that pictures take of an inversion and of a drag."""

NOT_READY = "The face is not ready yet: wait a moment."
NO_PHOTO = "There is no photo yet: choose one first."
Send = Callable[..., None]


def show(job: Job, app_state: AppState, opened: OpenedPhoto, send: Send, read: Callable[[], Photo]) -> None:
    """Read a photo, and find its faces."""
    photo = read()
    scale = pictures.display_scale(photo, app_state.limits.display)
    whole = pictures.shown_part(photo, photo.pixels, (0, 0, photo.width, photo.height), scale)
    send("photo", whole.jpeg, name=photo.path.name, width=photo.width, height=photo.height)
    job.step()
    faces = detect(photo.srgb)
    job.step()
    opened.photo, opened.faces = photo, faces
    person = app_state.person and number_of(photo, faces, app_state.person)
    send("faces", faces=report.of_faces(photo, faces)["faces"], person=person)


def learn(
    job: Job,
    app_state: AppState,
    chosen: ChosenFace,
    send: Send,
    number: int | None,
    box: Box | None,
    wanted: Likeness = "auto",
) -> None:
    """Invert a face, as like as is wanted: one by its number, or the one in a box."""
    photo, faces = chosen.opened.photo, chosen.opened.faces
    if photo is None:
        raise UserError(NO_PHOTO)
    found = in_box(photo.srgb, box) if box else choose(faces, number, photo.path.name)
    find_face(photo, found)  # says if no crop can be laid around it
    chosen.choice = work.Choice(found, len(faces), box, wanted)
    known = app_state.person  # who may be somebody else in this photo
    chosen.person = known if known and number_of(photo, [found], known) is not None else None
    send("face", **report.of_faces(photo, [found])["faces"][0])
    models = app_state.models(lambda doing, *_: send("doing", text=doing, latest=True))
    preview, pace = None, Pace(LIKENESS, least=0.5)

    def watch(rough: Inversion) -> None:
        nonlocal preview
        job.step()
        chosen.inversion = rough
        preview = preview or Preview(photo, rough, 1.0, app_state.limits.preview)
        if pace.due():
            with pace:
                send_patch(send, "likeness", preview.likeness(rough.reconstruction), latest=True)

    def progress(doing: str, done: int, total: int) -> None:
        send("doing", text=doing, done=done, total=total, latest=True)

    def tuning(doing: str, done: int, total: int) -> None:
        job.step()
        progress(doing, done, total)

    projection = app_state.projection or projection_for(wanted, photo, found, models)
    inversion = invert(photo, found, models, projection, progress=progress, watch=watch)
    if wanted == "tuned":
        watch(replace(inversion, record=None))  # which can be dragged meanwhile
        inversion = tune_inversion(photo, inversion, progress=tuning)
    inversion.reconstruction  # noqa: B018  made now, rather than at the first drag
    job.step()
    chosen.inversion = inversion
    q, where = inversion.quality, report.of_face(inversion, 1)
    if q is None or where is None:
        raise RuntimeError("a finished inversion of a face has figures and a place")
    preview = Preview(photo, inversion, 1.0, app_state.limits.preview)
    send_patch(
        send,
        "inverted",
        preview.likeness(inversion.reconstruction),
        likeness=likeness(q.identity, "you"),
        identity=q.identity,
        cached=inversion.cached,
        quad=where["quad"],
        cache_error=inversion.cache_error,
    )


def read_expression(job: Job, send: Send, data: bytes, name: str, bounds: Bounds) -> None:
    """The expression of the largest face in an uploaded photo, or in a file that keeps one."""
    found = expression_in(data, work.plain_name(name), lambda: work.read_upload(data, name, bounds))
    job.step()
    send("expression", name=work.plain_name(name), landmarks=found.rows)


def drag(job: Job, app_state: AppState, chosen: ChosenFace, send: Send, asked: work.Asked, scale: float) -> None:
    """Drag, and put the face back into the photo; scale: as the page says it (messages.py)."""
    photo, inversion, settings = chosen.opened.photo, chosen.inversion, app_state.dragging
    if photo is None or chosen.choice is None:
        raise UserError(NOT_READY)
    task = asked.task(photo, app_state.limits.display, chosen.person)
    plan = task.plan(photo, chosen.choice.face)
    if len(plan.handles) > app_state.limits.points:
        raise UserError(f"{len(plan.handles)} points are too many: {app_state.limits.points} can be.")
    if plan.by_photo_alone:
        edit = put_back(plan, None, None)
        job.step()
        send_result(send, app_state, photo, edit, chosen.results.keep(work.result_of(task, edit)), [])
        return
    if inversion is None:
        raise UserError(NOT_READY)
    drags = [[handle, target] for handle, target in plan.drags]
    preview = Preview(photo, inversion, scale, app_state.limits.preview)
    start = preview.start(inversion.reconstruction)
    pace, states = Pace(FRAMES), []

    def watch(state: DragState) -> bool:
        job.step()
        states.append(state.without_image())
        at = inversion.alignment.to_photo(state.points.cpu().numpy())
        facts = {"step": state.step, "steps": settings.steps, "points": at.round(2).tolist(), "drags": drags}
        if state.step and pace.due():
            with pace:
                send_patch(send, "frame", preview.edit(start, state, plan, at), True, **facts)
        else:
            send("points", latest=True, **facts)
        return job.stopping and state.step > 0  # an edit has a step at least

    dragged = drag_face(plan, inversion, settings, watch)
    job.step()
    edit = put_back(plan, inversion, dragged)
    job.step()
    cut_short = job.stopping or dragged.steps == settings.steps
    number = chosen.results.keep(work.result_of(task, edit, states, dragged, cut_short))
    send_result(send, app_state, photo, edit, number, drags)


def send_result(send: Send, app_state: AppState, photo: Photo, edit: Edit, number: int, drags: list) -> None:
    """Send the picture of a finished edit, the result of that number; drags: all planned ones, [handle, target]."""
    shown = pictures.display_scale(photo, app_state.limits.display)
    send_patch(
        send,
        "result",
        pictures.shown_part(photo, edit.picture, pictures.bounds(edit.changed), shown),
        result=number,
        drags=drags,
        rough=edit.inversion is not None and edit.inversion.quality is None,
        points=np.round([handle.reached for handle in edit.handles], 2).tolist(),
        left=np.round([handle.left for handle in edit.handles], 2).tolist(),
        reason=edit.stop_reason,
        steps=edit.steps,
        likeness=likeness(edit.identity, "you"),
        doubts=list(edit.doubts),
        identity=edit.identity,
        share=edit.share,
        exemplars=list(edit.exemplars.values()),
    )


def save(app_state: AppState, chosen: ChosenFace, send: Send, number: int, kind: str) -> None:
    """Make the files that a person keeps of a result."""
    result, photo, choice = chosen.results.finished(number), chosen.opened.photo, chosen.choice
    if photo is None or choice is None:
        raise UserError(NO_PHOTO)
    files, without = work.saved(photo, result, choice, kind, app_state.generator_name)
    for name, data in files:
        send("saved", data, job="save", name=name, without=without)


def film(job: Job, chosen: ChosenFace, send: Send, number: int) -> None:
    """The video of a result, which takes long enough to be told of and cancelled."""

    def progress(done: int, total: int) -> None:
        send("filming", done=done, total=total, latest=True)
        job.step()

    result, photo = chosen.results.finished(number), chosen.opened.photo
    if photo is None:
        raise UserError(NO_PHOTO)
    name, data = work.filmed(photo, result, progress)
    job.step()
    send("saved", data, job="film", name=name)


def send_patch(send: Send, kind: str, patch: Patch, latest: bool = False, **content: object) -> None:
    """Send a picture of a part of the photo."""
    send(kind, patch.jpeg, latest, region=patch.region, **content)

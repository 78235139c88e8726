"""What a tab's jobs do, each in its thread, and what the page is told meanwhile (`tell`: as `Tab.tell`, with the id of
what was asked).

Each takes its turn again with `job.step()`, which raises Cancelled where nobody wants it any more."""

from collections.abc import Callable

import numpy as np

from photodrag.drag import DragState
from photodrag.invert.identity import likeness
from photodrag.pipeline.editing import report
from photodrag.pipeline.editing.inversion import Inversion, invert
from photodrag.pipeline.editing.plan import find_face
from photodrag.pipeline.editing.whole_edit import drag_face, put_back
from photodrag.pipeline.faces.detection import choose, detect, in_box
from photodrag.pipeline.page import painted, pictures, work
from photodrag.pipeline.page.held import Held
from photodrag.pipeline.page.pictures import Patch
from photodrag.pipeline.page.preview import Pace, Preview
from photodrag.pipeline.page.studio import Studio
from photodrag.pipeline.page.turns import Job
from photodrag.pipeline.photos.read import Photo
from photodrag.weights.common.errors import UserError

LIKENESS, FRAMES = 0.1, 0.65
"""Share of the time that pictures take of an inversion and of a drag."""

Tell = Callable[..., None]


def show(job: Job, studio: Studio, held: Held, tell: Tell, read: Callable[[], Photo]) -> None:
    """Read a photo, and find its faces."""
    photo = read()
    scale = pictures.display_scale(photo, studio.limits.display)
    whole = pictures.shown_part(photo, photo.pixels, (0, 0, photo.width, photo.height), scale)
    tell("photo", whole.jpeg, name=photo.path.name, width=photo.width, height=photo.height)
    job.step()
    faces = detect(photo.pixels)
    job.step()
    held.photo, held.faces = photo, faces
    tell("faces", faces=report.of_faces(photo, faces)["faces"])


def learn(job: Job, studio: Studio, held: Held, tell: Tell, number: int | None, box: tuple | None) -> None:
    """Invert a face: one by its number, or the one in a box."""
    photo = held.photo
    if photo is None:
        raise UserError("There is no photo yet: choose one first.")
    found = in_box(photo.pixels, box) if box else choose(held.faces, number, photo.path.name)
    find_face(photo, found)  # says if no crop can be laid around it
    held.choice, held.inversion = work.Choice(found, len(held.faces), box), None
    held.results.forget()
    tell("face", **report.of_faces(photo, [found])["faces"][0])
    models = studio.models(lambda doing, *_: tell("doing", text=doing, latest=True))
    preview, pace = None, Pace(LIKENESS, least=0.5)

    def watch(rough: Inversion) -> None:
        nonlocal preview
        job.step()
        held.inversion = rough
        preview = preview or Preview(photo, rough, 1.0, studio.limits.preview)
        if pace.due():
            with pace:
                tell_patch(tell, "likeness", preview.likeness(rough.w_plus), latest=True)

    def progress(doing: str, done: int, total: int) -> None:
        tell("doing", text=doing, done=done, total=total, latest=True)

    inversion = invert(photo, found, models, studio.projection, progress=progress, watch=watch)
    inversion.reconstruction  # noqa: B018  made now, rather than at the first drag
    job.step()
    held.inversion = inversion
    q = inversion.quality
    preview = Preview(photo, inversion, 1.0, studio.limits.preview)
    tell_patch(
        tell,
        "inverted",
        preview.likeness(inversion.w_plus),
        likeness=q.likeness,
        identity=q.identity,
        cached=inversion.cached,
        quad=report.of_face(inversion, 1)["quad"],
        unkept=inversion.cache_error,
    )


def drag(job: Job, studio: Studio, held: Held, tell: Tell, drags: tuple, mask: str, scale: float, data: bytes) -> None:
    """Drag, and put the face back into the photo; drags, mask, scale: as the page says them (messages.py), data: its
    painted mask."""
    photo, inversion, settings = held.photo, held.inversion, studio.dragging
    if photo is None or inversion is None:
        raise UserError("The face is not ready yet: wait a moment.")
    mine = None
    if mask == "painted":
        mine = painted.to_png(painted.full_size(data, photo, studio.limits.display))
    task = work.Task(drags, mask, mine)
    plan = task.plan(photo, inversion.face)
    preview = Preview(photo, inversion, scale, studio.limits.preview)
    before, points = preview.reduced(inversion.reconstruction), np.concatenate((plan.handles, plan.targets))
    pace, states = Pace(FRAMES), []

    def watch(state: DragState) -> bool:
        job.step()
        states.append(state)
        at = inversion.alignment.to_photo(state.points.cpu().numpy()).round(2).tolist()
        facts = {"step": state.step, "steps": settings.steps, "points": at}
        if state.step and pace.due():
            with pace:
                tell_patch(tell, "frame", preview.edit(before, state.w_plus, plan.mask, points), True, **facts)
        else:
            tell("points", latest=True, **facts)
        return job.stopping and state.step > 0  # an edit has a step at least

    dragged = drag_face(plan, inversion, settings, watch)
    job.step()
    edit = put_back(plan, inversion, dragged)
    job.step()
    number = held.results.keep(work.kept(task, inversion, states, dragged, edit))
    shown = pictures.display_scale(photo, studio.limits.display)
    tell_patch(
        tell,
        "result",
        pictures.shown_part(photo, edit.picture, pictures.bounds(edit.changed), shown),
        result=number,
        rough=inversion.quality is None,
        points=np.round([handle.reached for handle in edit.handles], 2).tolist(),
        left=np.round([handle.left for handle in edit.handles], 2).tolist(),
        reason=edit.stop_reason,
        steps=edit.steps,
        likeness=likeness(edit.identity),
        identity=edit.identity,
    )


def save(held: Held, tell: Tell, number: int, kind: str) -> None:
    for name, data in work.saved(held.photo, held.results.finished(number), held.choice, kind):
        tell("saved", data, name=name)


def film(job: Job, held: Held, tell: Tell, number: int) -> None:
    """The video of a result, which takes long enough to be told of and cancelled."""

    def told(done: int, total: int) -> None:
        tell("filming", done=done, total=total, latest=True)
        job.step()

    name, data = work.filmed(held.photo, held.results.finished(number), told)
    tell("saved", data, name=name)


def tell_patch(tell: Tell, kind: str, patch: Patch, latest: bool = False, **content) -> None:
    tell(kind, patch.jpeg, latest, region=patch.region, **content)

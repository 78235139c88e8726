"""One browser tab: what it says starts jobs, and what they find it is told. All it has goes with it."""

import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np

from photodrag.drag import DragState
from photodrag.invert.identity import likeness
from photodrag.pipeline import presets, report
from photodrag.pipeline.editing import drag_face, put_back
from photodrag.pipeline.faces import Face, choose, detect, in_box
from photodrag.pipeline.inversion import Inversion, invert
from photodrag.pipeline.page import painted, pictures, work
from photodrag.pipeline.page.messages import packed
from photodrag.pipeline.page.outbox import Outbox
from photodrag.pipeline.page.pictures import Patch
from photodrag.pipeline.page.preview import Pace, Preview
from photodrag.pipeline.page.studio import SAMPLE, Studio
from photodrag.pipeline.page.turns import Cancelled, Job
from photodrag.pipeline.photo import Photo, read_photo
from photodrag.pipeline.plan import find_face
from photodrag.weights.errors import Failure, UserError

LIKENESS, FRAMES = 0.1, 0.65
"""Share of the time that pictures take of an inversion and of a drag."""
PRESETS_IN_WORDS = {name: preset.what for name, preset in presets.PRESETS.items()}


class Tab:
    """`hear` and `close` are called by the server's loop; what begins with an underscore and takes a job runs in its
    thread, one at a time (see turns.py)."""

    def __init__(self, studio: Studio, outbox: Outbox):
        self._studio, self._outbox = studio, outbox
        self._jobs: dict[str, Job] = {}
        self._forget()
        self._counted = 0
        limits = studio.limits
        self.tell(
            "hello",
            limits=asdict(limits),
            sample=SAMPLE.is_file(),
            presets=PRESETS_IN_WORDS,
        )

    def _forget(self) -> None:
        self._photo: Photo | None = None
        self._faces: list[Face] = []
        self._choice: work.Choice | None = None
        self._inversion: Inversion | None = None
        """As far as it has come: without `quality` it is a rough one."""
        self._results: dict[int, work.Result] = {}

    def hear(self, said: dict, data: bytes) -> None:
        """Answer a checked message (messages.SAID)."""
        kind = said.pop("type")
        getattr(self, f"hear_{kind}")(**said, data=data)

    def close(self) -> None:
        """Forget everything."""
        for job in self._jobs.values():
            job.cancel()
        self._forget()
        self._studio.turns.forget(self)

    def tell(self, kind: str, data: bytes | None = None, latest: bool = False, **content) -> None:
        """Send a message, from any thread; of those that are sent as `latest`, a waiting one is replaced."""
        self._outbox.put(packed({"type": kind, **content}, data), kind if latest else None)

    # What a page says

    def hear_photo(self, name: str, data: bytes) -> None:
        limits = self._studio.limits
        if len(data) > limits.upload:
            self._complain("photo", UserError(f"{name} is larger than {limits.upload >> 20} MB: save a smaller copy."))
            return
        self._open(lambda: work.read_upload(data, name, limits.pixels))

    def hear_sample(self, data: bytes) -> None:
        self._open(lambda: read_photo(SAMPLE))

    def hear_face(self, number: int | None, box: list | None, data: bytes) -> None:
        self._end("drag", "invert", "film")
        self._start("invert", lambda job: self._invert(job, number, box and tuple(box)))

    def hear_presets(self, amounts: dict, data: bytes) -> None:
        if self._choice:
            self.tell("presets", amounts=amounts, drags=presets.drags(amounts, self._choice.face.landmarks))

    def hear_drag(self, id: int, drags: list, mask: str, scale: float, data: bytes) -> None:
        drags = tuple((tuple(handle), tuple(target)) for handle, target in drags)
        if len(drags) > self._studio.limits.points:
            self._complain("drag", UserError(f"{len(drags)} points are too many: {self._studio.limits.points} can be."))
            return
        self._start("drag", lambda job: self._drag(job, id, drags, mask, scale, data))

    def hear_stop(self, data: bytes) -> None:
        if job := self._jobs.get("drag"):
            job.stop()

    def hear_origin(self, id: int, result: int, point: list, data: bytes) -> None:
        found = self._results.get(result)
        self.tell("origin", id=id, point=found.origin(tuple(point)) if found else point)

    def hear_save(self, result: int, format: str, data: bytes) -> None:
        if format == "mp4":
            self._start("film", lambda job: self._film(job, result))
        else:
            self._start("save", lambda job: self._save(result, format))

    def hear_cancel(self, data: bytes) -> None:
        self._end("film")

    # Jobs

    def _start(self, kind: str, work_of: Callable[[Job], None]) -> None:
        """One job of a kind at a time: a new one ends the old."""
        self._end(kind)

        def ended(error: BaseException | None) -> None:
            if isinstance(error, Cancelled):
                return
            if error is not None:
                self._complain(kind, error)
            self.tell("ended", job=kind)

        self._jobs[kind] = Job(self._studio.turns, self, work_of, ended)

    def _end(self, *kinds: str) -> None:
        for kind in kinds:
            if job := self._jobs.pop(kind, None):
                job.cancel()

    def _complain(self, about: str, error: BaseException) -> None:
        if isinstance(error, MemoryError):
            error = Failure("There is not enough memory for this: close other programs, or take a smaller photo.")
        elif not isinstance(error, UserError):
            traceback.print_exception(error, file=sys.stderr)
            error = Failure("Something went wrong on our side: what it was stands where `photodrag serve` runs.")
        self.tell("error", about=about, text=str(error))

    def _open(self, read: Callable[[], Photo]) -> None:
        self._end("drag", "invert", "save", "film")
        self._forget()
        self._start("photo", lambda job: self._show(job, read))

    def _show(self, job: Job, read: Callable[[], Photo]) -> None:
        photo = read()
        scale = pictures.display_scale(photo, self._studio.limits.display)
        whole = pictures.shown_part(photo, photo.pixels, (0, 0, photo.width, photo.height), scale)
        self.tell("photo", whole.jpeg, name=photo.path.name, width=photo.width, height=photo.height)
        job.step()
        faces = detect(photo.pixels)
        job.step()
        self._photo, self._faces = photo, faces
        self.tell("faces", faces=report.of_faces(photo, faces)["faces"])

    def _invert(self, job: Job, number: int | None, box: tuple | None) -> None:
        photo = self._photo
        if photo is None:
            raise UserError("There is no photo yet: choose one first.")
        found = in_box(photo.pixels, box) if box else choose(self._faces, number, photo.path.name)
        find_face(photo, found)  # says if no crop can be laid around it
        self._choice, self._inversion = work.Choice(found, len(self._faces), box), None
        self._results.clear()
        self.tell("face", **report.of_faces(photo, [found])["faces"][0])
        models = self._studio.models(lambda doing, *_: self.tell("doing", text=doing, latest=True))
        preview, pace = None, Pace(LIKENESS, least=0.5)

        def watch(rough: Inversion) -> None:
            nonlocal preview
            job.step()
            self._inversion = rough
            preview = preview or Preview(photo, rough, 1.0, self._studio.limits.preview)
            if pace.due():
                with pace:
                    self._tell_patch("likeness", preview.likeness(rough.w_plus), latest=True)

        def progress(doing: str, done: int, total: int) -> None:
            self.tell("doing", text=doing, done=done, total=total, latest=True)

        inversion = invert(photo, found, models, self._studio.projection, progress=progress, watch=watch)
        inversion.reconstruction  # noqa: B018  made now, rather than at the first drag
        job.step()
        self._inversion = inversion
        q = inversion.quality
        preview = Preview(photo, inversion, 1.0, self._studio.limits.preview)
        self._tell_patch(
            "inverted",
            preview.likeness(inversion.w_plus),
            likeness=q.likeness,
            identity=q.identity,
            cached=inversion.cached,
            quad=report.of_face(inversion, 1)["quad"],
            unkept=inversion.unkept,
        )

    def _drag(self, job: Job, id: int, drags: tuple, mask: str, scale: float, data: bytes) -> None:
        photo, inversion, settings = self._photo, self._inversion, self._studio.dragging
        if photo is None or inversion is None:
            raise UserError("The face is not ready yet: wait a moment.")
        mine = None
        if mask == "painted":
            mine = painted.to_png(painted.full_size(data, photo, self._studio.limits.display))
        task = work.Task(drags, mask, mine)
        plan = task.plan(photo, inversion.face)
        preview = Preview(photo, inversion, scale, self._studio.limits.preview)
        before, points = preview.reduced(inversion.reconstruction), np.concatenate((plan.handles, plan.targets))
        pace, states = Pace(FRAMES), []

        def watch(state: DragState) -> bool:
            job.step()
            states.append(state)
            at = inversion.alignment.to_photo(state.points.cpu().numpy()).round(2).tolist()
            facts = {"id": id, "step": state.step, "steps": settings.steps, "points": at}
            if state.step and pace.due():
                with pace:
                    self._tell_patch("frame", preview.edit(before, state.w_plus, plan.mask, points), True, **facts)
            else:
                self.tell("points", latest=True, **facts)
            return job.stopping and state.step > 0  # an edit has a step at least

        dragged = drag_face(plan, inversion, settings, watch)
        job.step()
        edit = put_back(plan, inversion, dragged)
        job.step()
        self._keep(work.kept(task, inversion, states, dragged, edit))
        shown = pictures.display_scale(photo, self._studio.limits.display)
        self._tell_patch(
            "result",
            pictures.shown_part(photo, edit.picture, pictures.bounds(edit.changed), shown),
            id=id,
            result=self._counted,
            rough=inversion.quality is None,
            points=np.round([handle.reached for handle in edit.handles], 2).tolist(),
            left=np.round([handle.left for handle in edit.handles], 2).tolist(),
            reason=edit.stop_reason,
            steps=edit.steps,
            likeness=likeness(edit.identity),
            identity=edit.identity,
        )

    def _keep(self, result: work.Result) -> None:
        limits = self._studio.limits
        self._counted += 1
        self._results[self._counted] = result
        numbers = list(self._results)
        for old in numbers[: -limits.films]:
            self._results[old] = replace(self._results[old], states=())
        for old in numbers[: -limits.results]:
            del self._results[old]

    def _finished(self, number: int) -> work.Result:
        result = self._results.get(number)
        if result is None or result.inversion.quality is None:
            raise UserError("There is nothing to save yet: drag first, on the finished likeness.")
        return result

    def _save(self, number: int, kind: str) -> None:
        for name, data in work.saved(self._photo, self._finished(number), self._choice, kind):
            self.tell("saved", data, name=name)

    def _film(self, job: Job, number: int) -> None:
        def told(done: int, total: int) -> None:
            self.tell("filming", done=done, total=total, latest=True)
            job.step()

        name, data = work.filmed(self._photo, self._finished(number), told)
        self.tell("saved", data, name=name)

    def _tell_patch(self, kind: str, patch: Patch, latest: bool = False, **content) -> None:
        self.tell(kind, patch.jpeg, latest, region=patch.region, **content)

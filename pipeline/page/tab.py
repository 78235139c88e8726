"""One browser tab: what it says starts jobs, and what they find it is told. All it has goes with it."""

import itertools
import secrets
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

from photodrag.pipeline.editing.options import Likeness
from photodrag.pipeline.faces.preset_table import PRESET_GROUPS
from photodrag.pipeline.faces.presets import reshaping
from photodrag.pipeline.faces.regions import REGIONS, SCALE, TURN
from photodrag.pipeline.page import jobs, work
from photodrag.pipeline.page.app_state import SAMPLE, AppState
from photodrag.pipeline.page.job_queue import Cancelled, Job
from photodrag.pipeline.page.messages import packed
from photodrag.pipeline.page.outbox import Outbox
from photodrag.pipeline.page.tab_state import ChosenFace, OpenedPhoto, Results
from photodrag.pipeline.page.warp import warp
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.read import Bounds, read_photo
from photodrag.weights.common.bounds import MOST_POINTS
from photodrag.weights.common.errors import Failure, UserError
from photodrag.weights.common.face_landmarks import GROUPS

PRESETS_SHOWN = [
    {
        "title": title,
        "presets": [
            {"name": name, "what": preset.what, "least": preset.least, "reshapes": bool(preset.reshaping)}
            for name, preset in group.items()
        ],
    }
    for title, group in PRESET_GROUPS.items()
]
"""What the page offers, folded, most used first."""
BUSY = "Files that were made before have not arrived yet: wait a moment, and save this one then."


class Tab:
    """`receive` and `close` are called by the server's loop; the jobs (jobs.py) run in threads of their own, one at a
    time (job_queue.py)."""

    def __init__(self, app_state: AppState, outbox: Outbox):
        self._app, self._outbox = app_state, outbox
        self._jobs: dict[str, Job] = {}
        # Of results: not used by another tab either, for a page that has come back still knows those of the tab that it
        # had. So they begin anywhere.
        self._numbers = itertools.count(secrets.randbelow(1 << 30) + 1)
        self._opened = OpenedPhoto()
        self._chosen = self._newly_chosen()
        limits = app_state.limits
        self.send(
            "hello",
            limits=asdict(limits),
            sample=SAMPLE.is_file(),
            presets=PRESETS_SHOWN,
            regions={"names": list(REGIONS), "scale": SCALE, "turn": TURN},
            landmarks={name: (part.start, part.stop) for name, part in GROUPS.items()},
        )

    def receive(self, said: dict, data: bytes) -> None:
        """Answer a checked message (messages.CLIENT_MESSAGES)."""
        kind = said.pop("type")
        getattr(self, f"on_{kind}")(**said, data=data)

    def close(self) -> None:
        """Forget everything."""
        self._end(*self._jobs)
        self._opened = OpenedPhoto()
        self._chosen = self._newly_chosen()
        self._app.queue.forget(self)

    def send(self, kind: str, data: bytes | None = None, latest: bool = False, **content: object) -> None:
        """Send a message, from any thread; of those that are sent as `latest`, a waiting one is replaced."""
        self._outbox.put(packed({"type": kind, **content}, data), kind if latest else None)

    def _answer_to(self, id: int) -> jobs.Send:
        """`send`, with the page's own id of what it asked."""
        return partial(self.send, id=id)

    # What a page says

    def on_photo(self, id: int, name: str, data: bytes) -> None:
        """Open an uploaded photo."""
        bounds = self._bounds
        self._open(id, lambda: work.read_upload(data, name, bounds))

    def on_sample(self, id: int, data: bytes) -> None:
        """Open the sample."""
        self._open(id, lambda: read_photo(SAMPLE))

    def on_face(self, id: int, number: int | None, box: list | None, likeness: Likeness, data: bytes) -> None:
        """Invert a face."""
        self._end("drag", "invert", "film")
        drawn = (box[0], box[1], box[2], box[3]) if box else None
        chosen = self._chosen = self._newly_chosen()
        answer = self._answer_to(id)
        self._start("invert", lambda job: jobs.learn(job, self._app, chosen, answer, number, drawn, likeness), id)

    def on_expression(self, id: int, name: str, data: bytes) -> None:
        """Read the expression of a face in an uploaded file, which is then forgotten."""
        answer, bounds = self._answer_to(id), self._bounds
        self._start("expression", lambda job: jobs.read_expression(job, answer, data, name, bounds), id)

    def on_controls(self, id: int, number: int, controls: dict, data: bytes) -> None:
        """Answer with the drags of presets, an expression and regions on the chosen face."""
        choice, photo = self._chosen.choice, self._opened.photo
        if not (choice and photo):
            return
        try:
            made = work.controls_of(controls, data, photo, self._app.limits.display)
            drags = work.drags_of(made, photo, choice.face)
        except UserError as error:
            self._complain("controls", error, id)
            drags = []
        self.send("controls", id=id, number=number, drags=drags)

    def on_warp(self, id: int, number: int, drags: list, presets: dict, data: bytes) -> None:
        """Answer with what an edit will come to, roughly; it is small enough to be computed at once."""
        choice, photo = self._chosen.choice, self._opened.photo
        if choice and photo and len(drags) <= MOST_POINTS:
            irises = self._chosen.irises if any(reshaping(presets).gaze) else None
            made = warp(choice.face.landmarks, drags, presets, irises)
            offsets = made.offsets.astype("<f4").tobytes()
            self.send("warp", offsets, id=id, number=number, region=made.region, outlines=made.outlines)

    def on_drag(self, id: int, drags: list, controls: dict, mask: str, scale: float, data: bytes) -> None:
        """Drag, unless there are too many points."""
        pairs = tuple((tuple(handle), tuple(target)) for handle, target in drags)
        if len(drags) > self._app.limits.points:
            error = UserError(f"{len(drags)} points are too many: {self._app.limits.points} can be.")
            self._complain("drag", error, id)
            return
        answer, chosen = self._answer_to(id), self._chosen
        asked = work.Asked(pairs, mask, controls, data)
        self._start("drag", lambda job: jobs.drag(job, self._app, chosen, answer, asked, scale), id)

    def on_stop(self, data: bytes) -> None:
        """End the drag with what it has."""
        if job := self._jobs.get("drag"):
            job.stop()

    def on_origin(self, id: int, result: int, point: list, data: bytes) -> None:
        """Of result 0, the photo as it was, the point itself; of a result that is gone, null."""
        found = self._chosen.results.get(result)
        origin = found.origin(tuple(point)) if found else None
        self.send("origin", id=id, point=origin if result else point)

    def on_save(self, id: int, result: int, format: str, data: bytes) -> None:
        """Make the files of a result, of the face that was chosen when it was asked for."""
        answer, chosen = self._answer_to(id), self._chosen
        if format == "mp4":
            self._start("film", lambda job: jobs.film(job, chosen, answer, result), id)
        elif self._outbox.size > self._app.limits.unsent:
            self._complain("save", UserError(BUSY), id)
        else:
            self._start(f"save {format} {result}", lambda job: jobs.save(self._app, chosen, answer, result, format), id)

    def on_cancel(self, data: bytes) -> None:
        """End the video that is being made."""
        self._end("film")

    # Jobs

    @property
    def _bounds(self) -> Bounds:
        return Bounds(self._app.limits.pixels, self._app.limits.upload)

    def _start(self, kind: str, work_of: Callable[[Job], None], id: int | None = None) -> None:
        """One job of a kind at a time: a new one ends the old. id: the page's own of what it asked for."""
        self._end(kind, *(old for old, job in self._jobs.items() if job.ended))

        def ended(error: BaseException | None) -> None:
            if isinstance(error, Cancelled):
                return
            if error is not None:
                self._complain(kind.partition(" ")[0], error, id)
            self.send("ended", job=kind.partition(" ")[0], id=id)

        self._jobs[kind] = Job(self._app.queue, self, work_of, ended)

    def _end(self, *kinds: str) -> None:
        for kind in kinds:
            if job := self._jobs.pop(kind, None):
                job.cancel()

    def _complain(self, about: str, error: BaseException, id: int | None = None) -> None:
        if isinstance(error, MemoryError):
            error = Failure("There is not enough memory for this: close other programs, or take a smaller photo.")
        elif not isinstance(error, UserError):
            traceback.print_exception(error, file=sys.stderr)
            error = Failure("Something went wrong on our side: what it was stands where `photodrag serve` runs.")
        self.send("error", about=about, id=id, text=str(error))

    def _open(self, id: int, read: Callable[[], Photo]) -> None:
        self._end(*(kind for kind in self._jobs if not kind.startswith("save")))  # files are still wanted
        opened = self._opened = OpenedPhoto()
        self._chosen = self._newly_chosen()
        self._start("photo", lambda job: jobs.show(job, self._app, opened, self._answer_to(id), read), id)

    def _newly_chosen(self) -> ChosenFace:
        return ChosenFace(self._opened, Results(self._app.limits, self._numbers))

"""What is computed for a tab, by the same functions as the command line's; all of it in a job's thread."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

import numpy as np

from photodrag.drag import DragResult, DragState
from photodrag.drag.state import LIMIT, STOPPED, states_until
from photodrag.pipeline.editing.edit_file import EditFile, text_of
from photodrag.pipeline.editing.inversion import Inversion
from photodrag.pipeline.editing.options import Likeness
from photodrag.pipeline.editing.plan import Plan, plan_edit
from photodrag.pipeline.editing.put_back import put_back
from photodrag.pipeline.editing.result import Edit
from photodrag.pipeline.editing.selection import Selection
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.detection import Face
from photodrag.pipeline.films import frames
from photodrag.pipeline.films.video import encoded_video
from photodrag.pipeline.page.painted_mask import full_size, to_png, weight
from photodrag.pipeline.people.person import Person
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.read import Bounds, read_photo
from photodrag.weights.common.errors import UserError

FLOW = 128
"""The side, at most, of the flow that is kept of a result, to find where a point of it came from."""


@dataclass(frozen=True, eq=False)
class Task:
    """What a page asks for."""

    drags: tuple[tuple[tuple[float, float], tuple[float, float]], ...]
    mask: str
    """"auto", "face" or "painted"."""
    painted: bytes | None = None
    """Then the page's PNG of what is painted, of the size at which the photo is shown."""
    person: Person | None = None
    """Whose face it is, if somebody's who was learned."""
    reshape: Mapping[str, float] = field(default_factory=dict)
    """How much of presets that are no drags."""

    def plan(self, photo: Photo, face: Face | None) -> Plan:
        """What is to be done on a face of the photo. Raises UserError as `plan_edit`."""
        handles, targets = zip(*self.drags, strict=True) if self.drags else ((), ())
        mask = self.mask if self.painted is None else weight(self.painted, photo)
        return plan_edit(photo, handles, targets, mask, Selection(face, person=self.person), controls=self.reshape)


@dataclass(frozen=True, eq=False)
class Result:
    """What a drag came to, as little of it as makes the picture again."""

    task: Task
    face: Face | None
    alignment: Alignment
    """Of the crop."""
    inversion: Inversion | None
    dragged: DragResult | None
    """Both None of an edit by the photo alone."""
    flow: np.ndarray
    """float32 [F, F, 2], F about FLOW: for each place in the crop, from how far it came, (x, y) in crop pixels."""
    states: tuple[DragState, ...]
    """From the first to the one that the picture is of; none where they were dropped to make room."""
    share: float = 1.0
    """Of the drag, how much was made (see `Edit`)."""
    cut_short: bool = False
    """Whether it was stopped, or came to the limit, so that only as many steps make it again."""

    def plan(self, photo: Photo) -> Plan:
        """What was to be done, as it was planned."""
        return self.task.plan(photo, self.face)

    @property
    def rough(self) -> bool:
        """Whether it is of an unfinished likeness."""
        return self.inversion is not None and self.inversion.quality is None

    def edit(self, photo: Photo) -> Edit:
        """The edit itself, made again."""
        return put_back(self.plan(photo), self.inversion, self.dragged)

    def origin(self, point: tuple[float, float]) -> tuple[float, float]:
        """Where in the photo lay what a point (x, y) of the edited photo shows."""
        alignment = self.alignment
        at = alignment.to_crop(np.array(point))
        side = len(self.flow)
        x, y = ((at + 0.5) * side / alignment.size).astype(int).clip(0, side - 1)
        x, y = alignment.to_photo(at + self.flow[y, x])
        return float(x), float(y)


def result_of(
    task: Task, edit: Edit, states: Sequence[DragState] = (), dragged: DragResult | None = None, cut_short: bool = False
) -> Result:
    """The result of an edit, which was dragged or made by the photo alone; states: all of its drag. cut_short: see
    `Result`."""
    step = len(edit.flow) // FLOW or 1
    flow = edit.flow[step // 2 :: step, step // 2 :: step] * (edit.alignment.size / len(edit.flow))
    dragged = dragged and replace(dragged, image=None)  # a hundred times as large as all else
    flow, way = np.ascontiguousarray(flow), states_until(states, dragged) if dragged else ()
    return Result(task, edit.face, edit.alignment, edit.inversion, dragged, flow, way, edit.share, cut_short)


def read_upload(data: bytes, name: str, bounds: Bounds) -> Photo:
    """The photo in an uploaded file. Raises UserError as `read_photo`."""
    name = "".join(c for c in PurePosixPath(name.replace("\\", "/")).name if c.isprintable())[-100:].strip(" .")
    return read_photo(name or "photo", data, bounds)


@dataclass(frozen=True, eq=False)
class Choice:
    """The face that was chosen, and how: one of so many that were found, or in a box that was drawn."""

    face: Face
    of: int = 1
    box: tuple[float, float, float, float] | None = None
    likeness: Likeness = "auto"
    """That was wanted of its inversion."""


def saved(
    photo: Photo, result: Result, choice: Choice, kind: str, generator: str
) -> tuple[list[tuple[str, bytes]], list[str]]:
    """Names and contents of the files that a person keeps: "png", "jpeg" or "json", the last with its mask; and what of
    the photo's file they are without, in words. generator: the page's."""
    stem = photo.path.stem
    if kind != "json":
        name = f"{stem}-photodrag.{'jpg' if kind == 'jpeg' else kind}"
        data, without = result.edit(photo).file(name)
        return [(name, data)], without
    mask, painted = f"{stem}-mask.png", result.task.painted
    files = [(f"{stem}-edit.json", text_of(edit_file(result, choice, mask, generator)).encode())]
    return files if painted is None else [*files, (mask, to_png(full_size(painted, photo)))], []


def filmed(photo: Photo, result: Result, progress: Callable[[int, int], None]) -> tuple[str, bytes]:
    """Name and content of the result's video, as `photodrag edit --video` writes it; `progress` hears after each
    picture how many of how many there are. Raises UserError where the states are gone, Failure where the encoder
    fails."""
    plan = result.plan(photo)
    if result.inversion is None:
        shown = frames.reshaped_pictures(plan, frames.FRAMES, result.share, progress)
        return _film_of(photo, shown)
    if not result.states:
        raise UserError("The way to this picture is no longer remembered: drag again, and save the video of that.")
    return _film_of(
        photo,
        frames.pictures(plan, result.inversion, result.states, frames.FRAMES, share=result.share, progress=progress),
    )


def _film_of(photo: Photo, shown: Iterator[np.ndarray]) -> tuple[str, bytes]:
    return f"{photo.path.stem}-photodrag.mp4", encoded_video(shown, ".mp4")


def edit_file(result: Result, choice: Choice, mask: str, generator: str) -> EditFile:
    """The result as `photodrag edit --edit` makes it again; mask: the name of the file of a painted one; generator: the
    page's."""
    dragged = result.dragged
    cut_short = dragged and (result.cut_short or dragged.stop_reason in (STOPPED, LIMIT))
    return EditFile(
        drags=result.task.drags,
        presets=result.task.reshape,
        mask=result.task.mask if result.task.painted is None else mask,
        face=choice.face.number if choice.of > 1 else None,
        box=choice.box,
        person=result.task.person.name if result.task.person else None,
        generator=generator,
        likeness=choice.likeness,
        steps=dragged.steps if dragged and cut_short else None,
    )

"""What is computed for a tab, by the same functions as the command line's; all of it in a job's thread."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

import numpy as np

from photodrag.drag import DragResult, DragState
from photodrag.drag.state import LIMIT, STOPPED, states_until
from photodrag.pipeline.editing.controls import Controls
from photodrag.pipeline.editing.edit_file import EditFile, text_of
from photodrag.pipeline.editing.inversion import Inversion
from photodrag.pipeline.editing.options import Likeness
from photodrag.pipeline.editing.plan import Plan, plan_edit
from photodrag.pipeline.editing.points import by_controls
from photodrag.pipeline.editing.put_back import put_back
from photodrag.pipeline.editing.result import Edit
from photodrag.pipeline.editing.selection import Selection
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.detection import Face
from photodrag.pipeline.faces.expressions import Expression
from photodrag.pipeline.faces.landmark_names import Point
from photodrag.pipeline.faces.presets import checked
from photodrag.pipeline.faces.regions import read_region
from photodrag.pipeline.films import frames
from photodrag.pipeline.films.video import encoded_video
from photodrag.pipeline.page import painted_mask
from photodrag.pipeline.page.painted_mask import full_size, to_png, weight
from photodrag.pipeline.people.person import Person
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.read import Bounds, read_photo
from photodrag.weights.common.errors import UserError

FLOW = 128
"""The side, at most, of the flow that is kept of a result, to find where a point of it came from."""


def controls_of(said: Mapping, painted: bytes, photo: Photo, longest: int) -> Controls:
    """The controls that a page asks for, as an edit's file has them; painted: its PNG of what is painted, of sides up
    to `longest`, where a region is. Raises UserError for one that can't be read, or of nothing."""
    expression, regions = said["expression"], [read_region(text) for text in said["regions"]]
    if any(region.mask for region in regions):
        painted_mask.check(painted, longest)
        regions = [replace(one, painted=weight(painted, photo)) if one.mask else one for one in regions]
    given = Expression.of_rows(expression["landmarks"], expression["amount"]) if expression else None
    return Controls(checked(said["presets"]), given, tuple(regions))


def drags_of(controls: Controls, photo: Photo, face: Face) -> list[tuple[Point, Point]]:
    """What controls alone drag on a face of the photo. Raises UserError where that is impossible."""
    return [drag for some in by_controls(controls, photo, face.landmarks, face.box[2], ()) for drag in some]


@dataclass(frozen=True, eq=False)
class Asked:
    """What a page asks for, as it says it."""

    drags: tuple[tuple[Point, Point], ...]
    mask: str
    """"auto", "face" or "painted"."""
    controls: Mapping
    painted: bytes

    def task(self, photo: Photo, longest: int, person: Person | None) -> "Task":
        """The task. Raises UserError for what can't be read."""
        controls = controls_of(self.controls, self.painted, photo, longest)
        if self.mask == "painted":
            painted_mask.check(self.painted, longest)
        needed = self.mask == "painted" or any(region.mask for region in controls.regions)
        return Task(self.drags, self.mask, self.painted if needed else None, person, controls)


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be done."""

    drags: tuple[tuple[Point, Point], ...]
    """By hand."""
    mask: str
    """"auto", "face" or "painted"."""
    painted: bytes | None = None
    """The page's PNG of what is painted, of the size at which the photo is shown, where mask or regions need it."""
    person: Person | None = None
    """Whose face it is, if somebody's who was learned."""
    controls: Controls = field(default_factory=Controls)
    """What moves the face without points."""

    def plan(self, photo: Photo, face: Face | None) -> Plan:
        """What is to be done on a face of the photo. Raises UserError as `plan_edit`."""
        handles, targets = zip(*self.drags, strict=True) if self.drags else ((), ())
        painted = self.painted if self.mask == "painted" else None
        mask = self.mask if painted is None else weight(painted, photo)
        return plan_edit(photo, handles, targets, mask, Selection(face, person=self.person), controls=self.controls)


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
    return read_photo(plain_name(name), data, bounds)


def plain_name(name: str) -> str:
    """An uploaded file's name, without folders and what can't be printed."""
    plain = "".join(c for c in PurePosixPath(name.replace("\\", "/")).name if c.isprintable())[-100:].strip(" .")
    return plain or "photo"


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
    dragged, controls = result.dragged, result.task.controls
    cut_short = dragged and (result.cut_short or dragged.stop_reason in (STOPPED, LIMIT))
    return EditFile(
        drags=result.task.drags,
        presets=controls.presets,
        expression=controls.expression,
        regions=tuple(replace(one, where=mask, painted=None) if one.mask else one for one in controls.regions),
        mask=mask if result.task.mask == "painted" else result.task.mask,
        face=choice.face.number if choice.of > 1 else None,
        box=choice.box,
        person=result.task.person.name if result.task.person else None,
        generator=generator,
        likeness=choice.likeness,
        steps=dragged.steps if dragged and cut_short else None,
    )

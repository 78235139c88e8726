"""What is computed for a tab, by the same functions as the command line's; all of it in a job's thread."""

import io
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from photodrag.drag import DragResult, DragState
from photodrag.drag.state import LIMIT, STOPPED, states_until
from photodrag.pipeline.editing.edit_file import EditFile, write_edit_file
from photodrag.pipeline.editing.inversion import Inversion
from photodrag.pipeline.editing.options import Likeness
from photodrag.pipeline.editing.plan import Plan, plan_edit
from photodrag.pipeline.editing.selection import Selection
from photodrag.pipeline.editing.whole_edit import Edit, put_back
from photodrag.pipeline.faces.detection import Face
from photodrag.pipeline.films import frames
from photodrag.pipeline.films.files import write_film
from photodrag.pipeline.page.painted_mask import from_png
from photodrag.pipeline.people.person import Person
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import PART, cache_folder, cannot_write, make_folder, sweep

FLOW = 128
"""The side, at most, of the flow that is kept of a result, to find where a point of it came from."""
LEFT_BEHIND = 60.0
"""Seconds after which a file under way is one that a killed server left."""


@dataclass(frozen=True, eq=False)
class Task:
    """What a page asks for."""

    drags: tuple[tuple[tuple[float, float], tuple[float, float]], ...]
    mask: str
    """"auto", "face" or "painted"."""
    painted: bytes | None = None
    """Then the mask as a PNG of the photo's size."""
    person: Person | None = None
    """Whose face it is, if somebody's who was learned."""

    def plan(self, photo: Photo, face: Face | None) -> Plan:
        """What is to be done on a face of the photo. Raises UserError as `plan_edit`."""
        handles, targets = zip(*self.drags, strict=True) if self.drags else ((), ())
        mask = from_png(self.painted) if self.painted else self.mask
        return plan_edit(photo, handles, targets, mask, Selection(face, person=self.person))


@dataclass(frozen=True, eq=False)
class Result:
    """What a drag came to, as little of it as makes the picture again."""

    task: Task
    inversion: Inversion
    dragged: DragResult
    flow: np.ndarray
    """float32 [F, F, 2], F about FLOW: for each place in the crop, from how far it came, (x, y) in crop pixels."""
    states: tuple[DragState, ...]
    """From the first to the one that the picture is of; none where they were dropped to make room."""
    share: float = 1.0
    """Of the drag, how much was made (see `Edit`)."""

    def plan(self, photo: Photo) -> Plan:
        """What was to be done, as it was planned."""
        return self.task.plan(photo, self.inversion.face)

    def edit(self, photo: Photo) -> Edit:
        """The edit itself, made again."""
        return put_back(self.plan(photo), self.inversion, self.dragged)

    def origin(self, point: tuple[float, float]) -> tuple[float, float]:
        """Where in the photo lay what a point (x, y) of the edited photo shows."""
        alignment = self.inversion.alignment
        at = alignment.to_crop(np.array(point))
        side = len(self.flow)
        x, y = ((at + 0.5) * side / alignment.size).astype(int).clip(0, side - 1)
        x, y = alignment.to_photo(at + self.flow[y, x])
        return float(x), float(y)


def result_of(task: Task, inversion: Inversion, states: Sequence[DragState], dragged: DragResult, edit: Edit) -> Result:
    """The result of a drag; states: all of its."""
    step = len(edit.flow) // FLOW or 1
    flow = edit.flow[step // 2 :: step, step // 2 :: step] * (inversion.alignment.size / len(edit.flow))
    dragged = replace(dragged, image=None)  # a hundred times as large as all else
    return Result(task, inversion, dragged, np.ascontiguousarray(flow), states_until(states, dragged), edit.share)


def read_upload(data: bytes, name: str, pixels: int) -> Photo:
    """The photo in an uploaded file. Raises UserError as `read_photo`, and for more than that many pixels."""
    name = "".join(c for c in PurePosixPath(name.replace("\\", "/")).name if c.isprintable())[-100:].strip(" .")
    name = name or "photo"
    try:
        with Image.open(io.BytesIO(data)) as image:
            count: float = image.width * image.height
    except Image.DecompressionBombError:
        count = np.inf
    except Exception:
        count = 0  # reading it says what is wrong
    too_many = UserError(f"{name} has more than {pixels // 1_000_000} megapixels: save a smaller copy, and take that.")
    if count > pixels:
        raise too_many
    with _private_folder() as folder:
        path = folder / name
        path.write_bytes(data)
        photo = replace(read_photo(path), path=Path(name))
    if photo.width * photo.height > pixels:  # of a kind that Pillow doesn't know
        raise too_many
    return photo


@dataclass(frozen=True, eq=False)
class Choice:
    """The face that was chosen, and how: one of so many that were found, or in a box that was drawn."""

    face: Face
    of: int = 1
    box: tuple[float, float, float, float] | None = None
    likeness: Likeness = "auto"
    """That was wanted of its inversion."""


def saved(photo: Photo, result: Result, choice: Choice, kind: str) -> tuple[list[tuple[str, bytes]], list[str]]:
    """Names and contents of the files that a person keeps: "png", "jpeg" or "json", the last with its mask; and what of
    the photo's file they are without, in words."""
    stem, without = photo.path.stem, list[str]()
    with _private_folder() as folder:
        if kind == "json":
            mask = folder / f"{stem}-mask.png"
            if result.task.painted:
                mask.write_bytes(result.task.painted)
            write_edit_file(folder / f"{stem}-edit.json", edit_file(result, choice, mask))
        else:
            without = result.edit(photo).save(folder / f"{stem}-photodrag.{'jpg' if kind == 'jpeg' else kind}")
        return [(path.name, path.read_bytes()) for path in sorted(folder.iterdir())], without


def filmed(photo: Photo, result: Result, progress: Callable[[int, int], None]) -> tuple[str, bytes]:
    """Name and content of the result's video, as `photodrag edit --video` writes it; `progress` hears after each
    picture how many of how many there are. Raises UserError where the states are gone, Failure where there is no
    MPEG-4."""
    if not result.states:
        raise UserError("The way to this picture is no longer remembered: drag again, and save the video of that.")
    with _private_folder() as folder:

        def keep_alive(done: int, total: int) -> None:
            os.utime(folder)  # or it looks left behind
            progress(done, total)

        path = folder / f"{photo.path.stem}-photodrag.mp4"
        shown = frames.pictures(
            result.plan(photo), result.inversion, result.states, frames.FRAMES, share=result.share, progress=keep_alive
        )
        write_film(shown, video=path)
        return path.name, path.read_bytes()


def edit_file(result: Result, choice: Choice, mask: Path) -> EditFile:
    """The result as `photodrag edit --edit` makes it again; mask: where a painted one is written."""
    return EditFile(
        drags=result.task.drags,
        mask=str(mask) if result.task.painted else result.task.mask,
        face=choice.face.number if choice.of > 1 else None,
        box=choice.box,
        person=result.task.person.name if result.task.person else None,
        generator=result.inversion.models.name,
        likeness=choice.likeness,
        steps=result.dragged.steps if result.dragged.stop_reason in (STOPPED, LIMIT) else None,
    )


@contextmanager
def _private_folder() -> Iterator[Path]:
    """A folder in the cache for files that must be files for a moment."""
    parent = make_folder(cache_folder("page"), private=True)
    sweep(parent, LEFT_BEHIND)
    folder = parent / f".{secrets.token_hex(8)}{PART}"
    try:
        folder.mkdir(mode=0o700)
        yield folder
    except UserError as error:  # a person knows nothing of this folder
        raise type(error)(str(error).replace(f"{folder}{os.sep}", "")) from error
    except OSError as error:
        if error.errno is None:
            raise
        raise cannot_write(folder, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)

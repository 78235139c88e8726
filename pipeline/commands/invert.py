"""`photodrag invert`: fill the cache, and see how good the inversions are."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from photodrag.pipeline.commands import options
from photodrag.pipeline.commands.progress_bar import ProgressBar
from photodrag.weights.common.errors import Failure, UserError

if TYPE_CHECKING:
    import numpy as np

    from photodrag.pipeline.editing.inversion import Models
    from photodrag.pipeline.editing.plan import Place
    from photodrag.pipeline.faces.box import Box
    from photodrag.pipeline.photos.photo import Photo

Value = TypeVar("Value")


@dataclass(frozen=True)
class InvertOptions:
    """What `photodrag invert` was asked for."""

    photos: tuple[Path, ...]
    face: int | None
    box: "Box | None"
    person: str | None
    align: str | None
    generator: str | None
    class_: int | None
    ignore: str | None
    tune: int | None
    device: str
    refresh: bool
    quiet: bool
    as_json: bool


@dataclass(frozen=True, eq=False)
class Found:
    """A photo, and what of it is to be inverted."""

    photo: "Photo"
    place: "Place"
    faces: int | None
    """How many it shows; None where nobody looked."""
    ignored: "np.ndarray | None"
    """bool [H, W]; None for nothing."""


@click.command()
@click.argument("photos", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="PHOTO …")
@options.face
@options.box
@options.person
@options.align
@options.generator
@options.class_
@options.ignore
@options.tune
@options.device
@options.refresh
@options.quiet
@options.as_json
def invert(**keywords: Any) -> int:
    """Invert the face in each PHOTO, or a square of it, ahead of its edits, and say how good the inversion is.

    Inversions are kept (see `photodrag cache`), so that an edit of the same face takes seconds. A photo
    that can't be inverted is told, and the others are done all the same.

    \b
    Examples:
        photodrag invert holiday/*.jpg
        photodrag invert singer.jpg --ignore microphone.png
    """
    from photodrag.pipeline.editing.plan import find_generator, usual_align

    given = InvertOptions(**keywords)
    options.check_one_face(given.face, given.box)
    generator, subject = find_generator(given.generator or "face")
    if subject is None and given.align is None and not given.quiet:
        options.complain(options.UNKNOWN_SUBJECT.format(generator))
    given = replace(given, align=given.align or usual_align(subject))
    models: Models | None = None
    done: list[dict] = []
    code = 0
    with options.stopping_leaves("the inversions finished before are kept, and this one goes on where it was"):
        for path in given.photos:
            with options.progress_bar(given.quiet) as bar:
                facts: dict | UserError
                found = _or_error(partial(_found, path, given, bar))
                if isinstance(found, UserError):
                    facts = found
                else:
                    models = models or _load(generator, given, bar)  # only now, so that wrong photos are told at once
                    facts = _or_error(partial(_invert, found, models, given, bar))
            done.append({"photo": str(path), "error": str(facts)} if isinstance(facts, UserError) else facts)
            code = max(code, _tell(facts, given))
        if given.as_json:
            options.say_json({"inversions": done})
    return code


def _or_error(compute: Callable[[], Value]) -> Value | UserError:
    """What is computed of a photo; or what is wrong with it, which is told at once, for the others go on."""
    try:
        return compute()
    except UserError as error:
        options.complain(str(error))
        return error


def _found(path: Path, given: InvertOptions, bar: ProgressBar) -> Found:
    from photodrag.pipeline.editing.plan import find_place, known_person
    from photodrag.pipeline.photos.mask import given_ignored
    from photodrag.pipeline.photos.read import read_photo

    align = given.align or "face"
    bar(f"finding the face in {path.name}" if align == "face" else f"looking at {path.name}")
    photo = read_photo(path)
    ignored = given_ignored(given.ignore, photo)
    return Found(photo, *find_place(photo, align, given.face, given.box, known_person(given.person)), ignored)


def _load(generator: str, given: InvertOptions, bar: ProgressBar) -> "Models":
    bar("loading")
    options.prepare_to_compute(given.device)
    from photodrag.pipeline.editing.inversion import Models

    return Models.load(generator, given.device, bar, given.class_)


def _invert(found: Found, models: "Models", given: InvertOptions, bar: ProgressBar) -> dict:
    """The facts of an inversion, as --json prints them."""
    from photodrag.invert import ProjectSettings
    from photodrag.pipeline.commands import progress_bar
    from photodrag.pipeline.editing import inversion, report
    from photodrag.pipeline.editing.tuning import tune_inversion

    settings, tuning = ProjectSettings(), options.tune_settings(given.tune)
    bar.expect(progress_bar.inversion_costs(settings.stages, tuning))
    result = inversion.invert(found.photo, found.place, models, settings, given.refresh, bar, ignore=found.ignored)
    if tuning:
        result = tune_inversion(found.photo, result, tuning, given.refresh, bar)
    return report.of_inversion(found.photo, result, found.faces)


def _tell(facts: dict | UserError, given: InvertOptions) -> int:
    """Tell of an inversion, unless --json will: its exit code."""
    if isinstance(facts, UserError):
        return facts.exit_code
    if not given.as_json:
        from photodrag.pipeline.editing.report import inversion_in_words

        options.say(inversion_in_words(facts))
    if facts["unkept"]:
        options.complain(f"The inversion was not kept: {facts['unkept']}")
        return Failure.exit_code
    return 0

"""`photodrag invert`: fill the cache, and see how good the inversions are."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from photodrag.pipeline.commands import options
from photodrag.pipeline.commands.progress_bar import ProgressBar
from photodrag.weights.common.errors import Failure, UserError

if TYPE_CHECKING:
    import numpy as np

    from photodrag.pipeline.editing.inversion import Models
    from photodrag.pipeline.editing.plan import Place
    from photodrag.pipeline.photos.read import Photo


@click.command()
@click.argument("photos", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="PHOTO …")
@options.face
@options.box
@options.align
@options.generator
@options.class_
@options.ignore
@options.tune
@options.device
@options.refresh
@options.quiet
@options.as_json
def invert(
    photos: tuple[Path, ...],
    face: int | None,
    box: tuple | None,
    align: str | None,
    generator: str | None,
    class_: int | None,
    ignore: str | None,
    tune: int | None,
    device: str,
    refresh: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Invert the face in each PHOTO, or a square of it, ahead of its edits, and say how good the inversion is.

    Inversions are kept (see `photodrag cache`), so that an edit of the same face takes seconds. A photo
    that can't be inverted is told, and the others are done all the same.

    \b
    Examples:
        photodrag invert holiday/*.jpg
        photodrag invert singer.jpg --ignore microphone.png
    """
    from photodrag.pipeline.editing.plan import find_generator, find_place, usual_align
    from photodrag.pipeline.photos.mask import given_ignored
    from photodrag.pipeline.photos.read import read_photo

    options.check_one_face(face, box)
    generator, subject = find_generator(generator or "face")
    if subject is None and align is None and not quiet:
        options.complain(options.UNKNOWN_SUBJECT.format(generator))
    align = align or usual_align(subject)
    models, code = None, 0
    done: list[dict] = []
    with options.stopping_leaves("the inversions finished before are kept, and this one goes on where it was"):
        for path in photos:
            with options.progress_bar(quiet) as bar:
                try:
                    bar(f"finding the face in {path.name}" if align == "face" else f"looking at {path.name}")
                    photo = read_photo(path)
                    ignored = given_ignored(ignore, photo)
                    found, count = find_place(photo, align, face, box)
                except UserError as error:
                    code = max(code, _tell(error, path, done))
                    continue
                if models is None:  # only now, so that wrong photos are told at once
                    models = _load(generator, class_, device, bar)
                try:
                    facts = _invert(photo, found, count, models, ignored, tune, refresh, bar)
                except UserError as error:
                    code = max(code, _tell(error, path, done))
                    continue
            done.append(facts)
            if not as_json:
                from photodrag.pipeline.editing.report import inversion_in_words

                options.say(inversion_in_words(facts))
            if facts["unkept"]:
                options.complain(f"The inversion was not kept: {facts['unkept']}")
                code = max(code, Failure.exit_code)
        if as_json:
            options.say_json({"inversions": done})
    return code


def _tell(error: UserError, path: Path, done: list[dict]) -> int:
    """Tell of a photo that failed; the others go on."""
    options.complain(str(error))
    done.append({"photo": str(path), "error": str(error)})
    return error.exit_code


def _load(generator: str, class_: int | None, device: str, bar: ProgressBar) -> "Models":
    bar("loading")
    options.prepare_to_compute(device)
    from photodrag.pipeline.editing.inversion import Models

    return Models.load(generator, device, bar, class_)


def _invert(
    photo: "Photo",
    place: "Place",
    faces: int | None,
    models: "Models",
    ignored: "np.ndarray | None",
    tune: int | None,
    refresh: bool,
    bar: ProgressBar,
) -> dict:
    from photodrag.invert import ProjectSettings
    from photodrag.pipeline.commands import progress_bar
    from photodrag.pipeline.editing import inversion, report
    from photodrag.pipeline.editing.tuning import tune_inversion

    settings, tuning = ProjectSettings(), options.tune_settings(tune)
    bar.expect(progress_bar.inversion_costs(settings.stages, tuning))
    result = inversion.invert(photo, place, models, settings, refresh, bar, ignore=ignored)
    if tuning:
        result = tune_inversion(photo, result, tuning, refresh, bar)
    return report.of_inversion(photo, result, faces)

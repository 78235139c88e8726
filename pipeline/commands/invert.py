"""`photodrag invert`: fill the cache, and see how good the inversions are."""

from pathlib import Path

import click

from photodrag.pipeline.commands import options
from photodrag.weights.errors import Failure, UserError


@click.command()
@click.argument("photos", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="PHOTO …")
@options.face
@options.box
@options.generator
@options.device
@options.refresh
@options.quiet
@options.as_json
def invert(
    photos: tuple[Path, ...],
    face: int | None,
    box: tuple | None,
    generator: str | None,
    device: str,
    refresh: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Invert the face in each PHOTO ahead of its edits, and say how good the inversion is.

    Inversions are kept (see `photodrag cache`), so that an edit of the same face takes seconds. A photo
    that can't be inverted is told, and the others are done all the same.

    \b
    Example:
        photodrag invert holiday/*.jpg
    """
    from photodrag.pipeline.photo import read_photo
    from photodrag.pipeline.plan import find_face

    if face is not None and box is not None:
        raise UserError("Both --face and --box were given: a face is chosen by one of them.")
    models, done, code = None, [], 0
    with options.stopping_leaves("the inversions finished before are kept"):
        for path in photos:
            try:
                photo = read_photo(path)
                found, count = find_face(photo, face, box)
            except UserError as error:
                code = max(code, _tell(error, path, done))
                continue
            if models is None:
                models = _models(generator or "face", device, quiet)
            try:
                result = _invert(photo, found, count, models, refresh, quiet)
            except UserError as error:
                code = max(code, _tell(error, path, done))
                continue
            done.append(result)
            if not as_json:
                from photodrag.pipeline import report

                options.say(report.inversion_in_words(result))
            if result["unkept"]:
                code = max(code, Failure.exit_code)
                options.note(f"The inversion was not kept: {result['unkept']}", quiet=False)
        if as_json:
            options.say_json({"inversions": done})
    return code


def _tell(error: UserError, path: Path, done: list[dict]) -> int:
    """Tell of a photo that failed, and go on."""
    click.echo(str(error), err=True)
    done.append({"photo": str(path), "error": str(error)})
    return error.exit_code


def _models(generator: str, device: str, quiet: bool):
    options.prepare_to_compute(device)
    from photodrag.pipeline.inversion import Models
    from photodrag.pipeline.progress import ProgressBar

    with ProgressBar({}, options.shows_progress(quiet), quiet) as bar:
        return Models.load(generator, device, bar)


def _invert(photo, face, faces: int, models, refresh: bool, quiet: bool) -> dict:
    from photodrag.invert import ProjectSettings
    from photodrag.pipeline import inversion, progress, report

    settings = ProjectSettings()
    costs = progress.inversion_costs(settings.stages)
    with progress.ProgressBar(costs, options.shows_progress(quiet), quiet) as bar:
        result = inversion.invert(photo, face, models, settings, refresh, bar)
    return report.of_inversion(photo, result, faces)

"""`photodrag faces`: what was found in a photo, to choose points and faces by."""

from pathlib import Path

import click

from photodrag.pipeline.commands import options


@click.command()
@click.argument("photo", type=click.Path(path_type=Path))
@options.box
@options.as_json
def faces(photo: Path, box: tuple | None, as_json: bool) -> None:
    """List the faces in PHOTO, largest first: number, box, the 68 landmarks, and those that have names.

    All are in pixels of the photo, the box as --box takes it. `photodrag edit --drag` takes a landmark's name or
    number for a point. Left and right are the picture's: mouth.left, landmark 48, is the person's own right corner.

    \b
    Example:
        photodrag faces photo.jpg
    """
    from photodrag.pipeline.editing import report
    from photodrag.pipeline.faces.detection import choose, detect, in_box
    from photodrag.pipeline.photos.read import read_photo

    picture = read_photo(photo)
    found = [in_box(picture.srgb, box)] if box else detect(picture.srgb)
    choose(found, None, picture.path.name)  # says what to do where there is none
    facts = report.of_faces(picture, found)
    if as_json:
        options.say_json(facts)
    else:
        options.say("\n".join(map(report.face_in_words, facts["faces"])))

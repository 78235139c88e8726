"""`photodrag expression`: a face's expression in a file, to be given to others."""

from pathlib import Path

import click

from photodrag.pipeline.commands import options


@click.group()
def expression() -> None:
    """Keep the expression of a face, to give it to others by `photodrag edit --expression-from`.

    \b
    Example:
        photodrag expression save laughing.jpg laugh.json
    """


@expression.command()
@click.argument("photo", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path))
@options.face
@options.box
def save(photo: Path, file: Path, face: int | None, box: tuple[float, float, float, float] | None) -> None:
    """Write the expression of a face of PHOTO, the largest by default, to FILE (JSON).

    It holds the face's landmarks alone, in its own head's frame, and no picture.

    \b
    Examples:
        photodrag expression save laughing.jpg laugh.json
        photodrag edit photo.jpg --expression-from laugh.json --amount 0.6
    """
    from photodrag.pipeline.editing.expression_file import save_expression
    from photodrag.pipeline.editing.plan import find_face
    from photodrag.pipeline.faces.expressions import Expression
    from photodrag.pipeline.photos.read import read_photo
    from photodrag.pipeline.photos.write import check_writable

    options.check_one_face(face, box)
    picture = read_photo(photo)
    check_writable(file, [photo])
    found, _ = find_face(picture, face, box)
    save_expression(Expression(found.landmarks), file)
    options.say(f"The expression of face {found.number} of {photo} is in {file}.")

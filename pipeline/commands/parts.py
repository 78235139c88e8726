"""`photodrag parts`: a face's parts as a picture to paint over, and to give back to `photodrag edit --parts`."""

from pathlib import Path

import click

from photodrag.pipeline.commands import options


@click.command()
@click.argument("photo", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, metavar="PARTS.png", help="Where the map goes."
)
@options.face
@options.box
@options.as_json
def parts(
    photo: Path, out: Path, face: int | None, box: tuple[float, float, float, float] | None, as_json: bool
) -> None:
    """Write the parts of a face of PHOTO, the largest by default, as a map of colours of the photo's size.

    Brows, eyes, irises, nose, lips, what they open to, and the face, each in a colour of its own. Paint a part where it
    shall be, in any paint program, and over where it was what is around it; then give the map to `photodrag edit
    --parts`. Left and right are the picture's.

    \b
    Examples:
        photodrag parts photo.jpg --out PARTS.png
        photodrag edit photo.jpg --parts PARTS.png
    """
    from photodrag.pipeline.editing.part_map import PARTS, hexadecimal, part_map
    from photodrag.pipeline.editing.plan import find_face
    from photodrag.pipeline.faces.irises import find_irises
    from photodrag.pipeline.photos.encoded import encoded
    from photodrag.pipeline.photos.read import read_photo
    from photodrag.weights.common.files import write_bytes

    options.check_one_face(face, box)
    options.check_png(out, [photo])
    picture = read_photo(photo)
    found, _ = find_face(picture, face, box)
    irises = find_irises(picture.srgb, found.landmarks)
    write_bytes(out, encoded(part_map(picture.pixels.shape, found.landmarks, irises), "PNG"))
    colours = {name: hexadecimal(part.colour) for name, part in PARTS.items()}
    with options.stopping_leaves(f"the map is whole, in {out}"):
        if as_json:
            options.say_json({"photo": str(photo), "output": str(out), "face": found.number, "colours": colours})
            return
        lines = [f"The parts of face {found.number} of {photo} are in {out}:"]
        lines += [f"  {colour}  {name}" for name, colour in colours.items() if irises or not name.startswith("iris")]
        if not irises:
            lines.append("  without irises, which can't be made out")
        options.say("\n".join(lines))

"""`photodrag person`: people whose other photos help to edit one of them."""

import time
from collections.abc import Sized
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photodrag.pipeline.commands import options
from photodrag.pipeline.commands.cache import human_size

if TYPE_CHECKING:
    from photodrag.pipeline.people.person import Person

A_PHOTO = 2.0
"""Seconds that one takes to be looked at."""
WIDE = 6
"""Faces in a row of the picture that --out writes."""
THUMB = 224
"""px, the side of each."""


@click.group()
def person() -> None:
    """Learn people from their photos, so that edits of one photo show what the others know: their own teeth when a
    mouth opens, their own eyes, their own folds when they laugh.

    A face is kept as it was cut out of each photo, in your cache folder, for your user alone, and goes nowhere.

    \b
    Examples:
        photodrag person learn anna holiday/*.jpg
        photodrag edit photo.jpg --smile 0.6 --person anna
    """


@person.command()
@click.argument("name")
@click.argument("photos", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="PHOTO …")
@click.option("--replace", is_flag=True, help="Learn NAME anew, in place of what is known.")
@options.quiet
@options.as_json
def learn(name: str, photos: tuple[Path, ...], replace: bool, quiet: bool, as_json: bool) -> None:
    """Learn the person whom most of the PHOTOs show, 5 to 50 of them, who need not be alone in them.

    The more they differ in expression (laughing, serious, eyes shut) and view, the more edits they help. Nothing
    should hide the face. A photo that can't be used is told, and the others are learned all the same.

    \b
    Example:
        photodrag person learn anna holiday/*.jpg
    """
    from photodrag.pipeline.people import learning

    began = time.monotonic()
    with options.stopping_leaves("nothing was learned"), options.progress_bar(quiet) as bar:
        bar.expect({learning.LOOKING: [A_PHOTO] * len(photos)})
        learned = learning.learn(name, photos, replace, bar)
        if not as_json:
            for photo, why in learned.left_out.items():
                bar.note(f"{photo} is left out: {why.rstrip('.')}.")
    facts = _facts(learned.person)
    if as_json:
        options.say_json(facts | {"left_out": learned.left_out, "seconds": round(time.monotonic() - began, 3)})
    else:
        options.say(f"{name} was learned from {_count(facts['photos'])}: edit with --person {_quoted(name)}.")


@person.command("list")
@options.as_json
def list_known(as_json: bool) -> None:
    """List the people who were learned: name, date, size, photos.

    \b
    Example:
        photodrag person list
    """
    from photodrag.pipeline.people import person as people

    found = people.everybody()
    damaged = sorted({path.stem for path in people.files()} - {one.name for one, _ in found})
    if as_json:
        known = [_facts(one) | {"size": size} for one, size in found]
        options.say_json({"folder": str(people.folder()), "people": known, "damaged": damaged})
        return
    lines = [f"{one.name:16}  {one.made[:10]}  {human_size(size):>7}  {_count(one.portraits)}" for one, size in found]
    lines += [f"{name:16}  damaged: remove it, and learn it anew" for name in damaged]
    options.say("\n".join(lines) or f"Nobody was learned yet, in {people.folder()}.")


@person.command()
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), metavar="PICTURE.png", help="Write the faces there.")
@options.as_json
def show(name: str, out: Path | None, as_json: bool) -> None:
    """Say from which photos a person was learned, and how alike the face is in each, and write them to a picture.

    \b
    Example:
        photodrag person show anna --out anna.png
    """
    from photodrag.pipeline.people import person as people

    known = people.find(name)
    if out:
        options.check_png(out)
        _draw(known, out)
    facts = _facts(known) | ({"picture": str(out)} if out else {})
    if as_json:
        options.say_json(facts)
        return
    lines = [f"{known.name}, learned {known.made[:10]} from {_count(known.portraits)}:"]
    lines += [
        f"  {one['photo']:32}  {one['side']:4} px, identity distance {one['identity']:.2f}" for one in facts["photos"]
    ]
    options.say("\n".join([*lines, *([f"The faces are in {out}"] if out else [])]))


@person.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME …")
def remove(names: tuple[str, ...]) -> None:
    """Forget people. Their photos, wherever they are, stay.

    \b
    Example:
        photodrag person remove anna
    """
    from photodrag.pipeline.people import person as people

    for name in names:
        people.known_path(name)  # says who there is, before anybody is removed
    freed = sum(people.remove(name) for name in dict.fromkeys(names))
    options.say(f"Removed {', '.join(dict.fromkeys(names))}: {human_size(freed)} freed.")


def _facts(known: "Person") -> dict:
    from photodrag.invert.identity import identity_distance

    photos = [
        {
            "photo": one.photo,
            "side": len(one.picture),
            "identity": round(identity_distance(one.descriptor, known.descriptor), 4),
        }
        for one in known.portraits
    ]
    return {"name": known.name, "made": known.made, "photos": photos}


def _draw(known: "Person", out: Path) -> None:
    """Write all faces, side by side, to a PNG."""
    import numpy as np
    from PIL import Image

    from photodrag.pipeline.photos.encoded import encoded
    from photodrag.weights.common.files import write_bytes

    small = (THUMB, THUMB)
    faces = [np.array(Image.fromarray(one.picture).resize(small, Image.Resampling.LANCZOS)) for one in known.portraits]
    faces += [np.zeros_like(faces[0])] * (-len(faces) % min(WIDE, len(faces)))
    rows = [np.concatenate(faces[at : at + WIDE], 1) for at in range(0, len(faces), WIDE)]
    write_bytes(out, encoded(np.concatenate(rows), "PNG"))


def _count(photos: Sized) -> str:
    return "1 photo" if len(photos) == 1 else f"{len(photos)} photos"


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name

"""`photodrag cache`: the inversions that are kept."""

from datetime import datetime

import click

from photodrag.pipeline.commands import options
from photodrag.weights.errors import UserError

DIGITS = 10
"""Of a key, as it is listed."""


@click.group()
def cache() -> None:
    """List or remove the inversions that are kept.

    \b
    Example:
        photodrag cache list
    """


@cache.command("list")
@options.as_json
def list_kept(as_json: bool) -> None:
    """List the inversions: key, date, size, generator, figures, and the photo's name.

    The figures are the perceptual distances on face and whole crop and dlib's identity distance (under
    0.6 is the same person).

    \b
    Example:
        photodrag cache list
    """
    from photodrag.invert import cache as kept

    found = kept.entries()
    if as_json:
        options.say_json({"folder": str(kept.folder()), "inversions": [_facts(*pair) for pair in found]})
    elif not found:
        options.say(f"No inversions are kept in {kept.folder()}.")
    else:
        lines = [f"{'key':{DIGITS}}  {'made':16}  {'size':>7}  generator   face  whole  identity  photo"]
        lines += [_line(entry, size) for entry, size in found]
        total = human_size(sum(size for _, size in found))
        options.say("\n".join([*lines, f"{_count(len(found))}, {total}, in {kept.folder()}"]))


@cache.command()
@click.argument("keys", nargs=-1, required=True, metavar="KEY …")
def remove(keys: tuple[str, ...]) -> None:
    """Remove inversions: KEY is a key or its first digits, or the name of a photo, which means all its faces.

    \b
    Examples:
        photodrag cache remove 3f9a02c1
        photodrag cache remove photo.jpg
    """
    from photodrag.invert import cache as kept

    chosen = {}
    found = kept.entries()
    for key in keys:
        named = [entry.key for entry, _ in found if entry.photo == key]
        begun = [entry.key for entry, _ in found if entry.key.startswith(key.lower())] if key else []
        if not named and not begun:
            raise UserError(f"No inversion {key!r} is kept, so nothing was removed: see `photodrag cache list`.")
        if not named and len(begun) > 1:
            raise UserError(f"{len(begun)} keys begin with {key!r}, so nothing was removed: give more of its digits.")
        chosen |= dict.fromkeys(named or begun)
    freed = [kept.remove(key) for key in chosen]
    options.say(f"Removed {_count(sum(n for n, _ in freed))}: {human_size(sum(size for _, size in freed))} freed.")


@cache.command()
@click.option("--yes", is_flag=True, help="Don't ask.")
def clear(yes: bool) -> None:
    """Remove all inversions, damaged ones too. Weights are no inversions: they stay.

    \b
    Example:
        photodrag cache clear --yes
    """
    from photodrag.invert import cache as kept

    found = kept.entries()
    if not yes:
        try:
            yes = click.confirm(f"Remove all inversions ({len(found)}) in {kept.folder()}?", err=True)
        except click.Abort:
            click.echo(err=True)
            raise UserError("Nothing was removed: answer y, or give --yes.") from None
        if not yes:
            options.say("Nothing was removed.")
            return
    count, size = kept.remove()
    options.say(f"Removed {_count(count)}: {human_size(size)} freed.")


def _facts(entry, size: int) -> dict:
    from photodrag.pipeline.report import of_quality

    return {
        "key": entry.key,
        "photo": entry.photo,
        "made": entry.made,
        "size": size,
        "generator": entry.generator,
        "reconstruction": of_quality(entry.quality, entry.steps),
        "seconds": round(entry.seconds, 3),
    }


def _line(entry, size: int) -> str:
    made = datetime.fromisoformat(entry.made).astimezone().strftime("%Y-%m-%d %H:%M")
    q = entry.quality
    who = f"{q.identity:8.2f}" if q.identity is not None else f"{'–':>8}"
    figures = f"{q.distance_face:5.3f}  {q.distance_whole:5.3f}  {who}"
    return f"{entry.key[:DIGITS]}  {made}  {human_size(size):>7}  {entry.generator:9}  {figures}  {entry.photo}"


def _count(number: int) -> str:
    return "1 inversion" if number == 1 else f"{number} inversions"


def human_size(size: int) -> str:
    """Bytes for people: 870 B, 35 kB, 41.2 MB."""
    for unit, of in (("GB", 1e9), ("MB", 1e6)):
        if size >= of:
            return f"{size / of:.1f} {unit}"
    return f"{size / 1e3:.0f} kB" if size >= 1000 else f"{size} B"

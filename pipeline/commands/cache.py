"""`photodrag cache`: the inversions that are kept."""

import re
import reprlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photodrag.pipeline.commands import options
from photodrag.weights.common.errors import Failure, UserError

if TYPE_CHECKING:
    from photodrag.invert.cache import Entry
    from photodrag.invert.unfinished import Unfinished

DIGITS = 10
"""Of a key, as it is listed."""


@click.group()
def cache() -> None:
    """List, show, remove, and take elsewhere the inversions that are kept.

    \b
    Example:
        photodrag cache list
    """


@cache.command("list")
@options.as_json
def list_kept(as_json: bool) -> None:
    """List the inversions: key, date, size, generator, method, figures, and the photo's name.

    The method is w+p (projected), tuned or imported. The figures are the perceptual distances on face and
    whole crop and dlib's identity distance (under 0.6 is the same person; a poor copy of the photo has about 0.2).
    Then come those that were cut off.

    \b
    Example:
        photodrag cache list
    """
    from photodrag.invert import cache as kept
    from photodrag.invert import unfinished

    found, states = kept.entries(), unfinished.listing()
    if as_json:
        cut_off = [{"key": state.key, "made": state.made, "size": state.size} for state in states]
        inversions = [_facts(*pair) for pair in found]
        options.say_json({"folder": str(kept.folder()), "inversions": inversions, "unfinished": cut_off})
    elif not found:
        options.say("\n".join([f"No inversions are kept in {kept.folder()}.", *_cut_off(states)]))
    else:
        width = max(len("generator"), *(len(entry.generator) for entry, _ in found))
        titles = f"{'generator':{width}}  method     face  whole  identity  photo"
        lines = [f"{'key':{DIGITS}}  {'made':16}  {'size':>7}  {titles}"]
        lines += [_line(entry, size, width) for entry, size in found]
        total = human_size(sum(size for _, size in found))
        options.say("\n".join([*lines, f"{_count(len(found))}, {total}, in {kept.folder()}", *_cut_off(states)]))


def _cut_off(states: list["Unfinished"]) -> list[str]:
    """A line for what is kept of inversions that were cut off, and one for each of them."""
    if not states:
        return []
    total = human_size(sum(state.size for state in states))
    lines = [f"{state.key[:DIGITS]}  {_day(state.made)}  {human_size(state.size):>7}  unfinished" for state in states]
    which = "1 inversion that was" if len(states) == 1 else f"{len(states)} inversions that were"
    return [f"Also {which} cut off, {total}: the same command goes on with it within a week.", *lines]


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
    from photodrag.invert import unfinished

    found, cut_off = kept.entries(), [state.key for state in unfinished.listing()]
    given = [(key, [whole for whole in cut_off if key and whole.startswith(key.lower())]) for key in keys]
    chosen = dict.fromkeys(
        entry.key for key, states in given if not states for entry in _chosen(found, key, "so nothing was removed")
    )
    freed = [kept.remove(key) for key in chosen]
    freed += [unfinished.remove(prefix=key) for _, states in given for key in states]
    options.say(f"Removed {_count(sum(n for n, _ in freed))}: {human_size(sum(size for _, size in freed))} freed.")


@cache.command()
@click.argument("key")
@click.option("--out", type=click.Path(path_type=Path), metavar="PICTURE.png", help="Write the picture there.")
@options.generator
@options.device
@options.as_json
def show(key: str, out: Path | None, generator: str | None, device: str, as_json: bool) -> None:
    """Say all about an inversion, and write what the generator makes of it to a picture.

    KEY is a key or its first digits, or a photo's name. --generator is needed only where that was a file.

    \b
    Example:
        photodrag cache show 3f9a02c1 --out reconstruction.png
    """
    from photodrag.invert import cache as kept

    entry, size = one_of(kept.entries(), key)
    if out:
        options.check_png(out)
        _draw(entry, generator or entry.generator, device, out)
    facts = _facts(entry, size) | ({"picture": str(out)} if out else {})
    if as_json:
        options.say_json(facts)
    else:
        figures = facts.pop("reconstruction")
        figures |= {f"distance, {view}": value for view, value in figures.pop("distance").items()}
        options.say("\n".join(f"{name:15} {value}" for name, value in (facts | figures).items() if value is not None))


def _draw(entry: "Entry", generator: str, device: str, out: Path) -> None:
    options.prepare_to_compute(device)
    import torch

    from photodrag import weights
    from photodrag.invert.quality import to_uint8
    from photodrag.invert.tuning import mismatched_deltas, tuned
    from photodrag.pipeline.editing.inversion import pick_device
    from photodrag.pipeline.photos.encoded import encoded
    from photodrag.weights.common.files import write_bytes

    network = weights.load(generator, pick_device(device))
    if tuple(entry.w_plus.shape) != (1, network.num_ws, network.w_dim) or mismatched_deltas(network, entry.deltas):
        raise UserError(f"The inversion is of another generator than {generator}: name its own with --generator.")
    with torch.no_grad():
        image = to_uint8(tuned(network, entry.deltas).synthesis(entry.w_plus.to(network.w_avg)))
    write_bytes(out, encoded(image, "PNG"))


@cache.command()
@options.as_json
def verify(as_json: bool) -> None:
    """Read every inversion, and say which are damaged. Those are never used, and `prune` removes them.

    \b
    Example:
        photodrag cache verify
    """
    from photodrag.invert import cache as kept
    from photodrag.invert import upkeep

    damaged = upkeep.damaged()
    whole = len(kept.files()) - len(damaged)
    if as_json:
        options.say_json({"whole": whole, "damaged": [str(path) for path in damaged]})
    else:
        options.say("\n".join([f"Whole: {_count(whole)}; damaged: {len(damaged)}.", *map(str, damaged)]))
    if damaged:
        raise Failure("What is damaged is never used: `photodrag cache prune` removes it.")


@cache.command()
@click.option("--max-size", metavar="SIZE", help="What may stay, like 500MB or 2GB; those used longest ago go first.")
def prune(max_size: str | None) -> None:
    """Remove damaged inversions, cut-off ones that are older than a week, and as many others as --max-size asks for.

    \b
    Example:
        photodrag cache prune --max-size 500MB
    """
    from photodrag.invert import upkeep

    count, size = upkeep.prune(_bytes(max_size) if max_size else 1 << 62)
    options.say(f"Removed {_count(count)}: {human_size(size)} freed.")


def _bytes(text: str) -> int:
    read = re.fullmatch(r"(\d{1,15}(?:\.\d{1,15})?)\s*([kmg]?)b?", text.strip().lower())
    if not read:
        raise UserError(f"{reprlib.repr(text)} is no size: give one like 500MB or 2GB.")
    return int(float(read[1]) * {"": 1, "k": 1e3, "m": 1e6, "g": 1e9}[read[2]])


@cache.command()
@click.option("--yes", is_flag=True, help="Don't ask.")
def clear(yes: bool) -> None:
    """Remove all inversions, damaged and cut-off ones too. Weights are no inversions: they stay.

    \b
    Example:
        photodrag cache clear --yes
    """
    from photodrag.invert import cache as kept
    from photodrag.invert import unfinished

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
    (count, size), (cut_off, more) = kept.remove(), unfinished.remove()
    options.say(f"Removed {_count(count + cut_off)}: {human_size(size + more)} freed.")


def one_of(found: list, key: str) -> tuple["Entry", int]:
    """The one entry of a key, its first digits, or a photo's name. Raises UserError where it isn't one."""
    chosen = _chosen(found, key)
    if len(chosen) > 1:
        raise UserError(f"{len(chosen)} inversions are of a photo {key!r}: give a key of `photodrag cache list`.")
    return next(pair for pair in found if pair[0] is chosen[0])


def _chosen(found: list, key: str, consequence: str = "") -> list["Entry"]:
    """The entries of a photo's name, or the one whose key begins so. Raises UserError where there is none."""
    consequence = f", {consequence}" if consequence else ""
    named = [entry for entry, _ in found if entry.photo == key]
    begun = [entry for entry, _ in found if entry.key.startswith(key.lower())] if key else []
    if not named and not begun:
        raise UserError(f"No inversion {key!r} is kept{consequence}: see `photodrag cache list`.")
    if not named and len(begun) > 1:
        raise UserError(f"{len(begun)} keys begin with {key!r}{consequence}: give more of its digits.")
    return named or begun


def _facts(entry: "Entry", size: int) -> dict:
    from photodrag.pipeline.editing.report import of_quality

    return {
        "key": entry.key,
        "photo": entry.photo,
        "made": entry.made,
        "size": size,
        "generator": entry.generator,
        "method": entry.method,
        "reconstruction": of_quality(entry.quality, entry.steps),
        "seconds": round(entry.seconds, 3),
    }


def _line(entry: "Entry", size: int, width: int) -> str:
    q = entry.quality
    who = f"{q.identity:8.2f}" if q.identity is not None else f"{'–':>8}"
    figures = f"{q.distance_face:5.3f}  {q.distance_whole:5.3f}  {who}"
    name = f"{entry.generator:{width}}  {entry.method:8}"
    return f"{entry.key[:DIGITS]}  {_day(entry.made)}  {human_size(size):>7}  {name}  {figures}  {entry.photo}"


def _day(made: str) -> str:
    return datetime.fromisoformat(made).astimezone().strftime("%Y-%m-%d %H:%M")


def _count(number: int) -> str:
    return "1 inversion" if number == 1 else f"{number} inversions"


def human_size(size: int) -> str:
    """Bytes for people: 870 B, 35 kB, 41.2 MB."""
    for unit, of in (("GB", 1e9), ("MB", 1e6)):
        if size >= of:
            return f"{size / of:.1f} {unit}"
    return f"{size / 1e3:.0f} kB" if size >= 1000 else f"{size} B"

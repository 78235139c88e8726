"""`photodrag weights`: which generators and perceptual distances there are, and where they come from."""

from dataclasses import asdict
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from photodrag.pipeline.commands import options
from photodrag.pipeline.commands.cache import human_size

if TYPE_CHECKING:
    from photodrag.weights.facts import Facts

ORIGINS = {
    "wheel": "What Photodrag is made for",
    "backbone": "What Photodrag is made for",
    "published": "Published generators",
    "own": "Your own generators",
}
"""The titles in the list."""


@click.group()
def weights() -> None:
    """List the generators and perceptual nets, fetch one, or add a checkpoint of your own.

    \b
    Example:
        photodrag weights list
    """


@weights.command("list")
@options.as_json
def list_weights(as_json: bool) -> None:
    """List what there is: name, kind, size, source, SHA-256, licence, and where it lies on this machine.

    \b
    Example:
        photodrag weights list
    """
    from photodrag.weights import listing

    rows = listing()
    if as_json:
        options.say_json({"weights": [_plain(row) for row in rows]})
        return
    width = max(len(row.name) for row in rows)
    lines: list[str] = []
    for i, row in enumerate(rows):
        title = ORIGINS[row.origin]
        if i == 0 or title != ORIGINS[rows[i - 1].origin]:
            lines += ([""] if lines else []) + [f"{title}:"]
        lines += _lines(row, width)
    options.say("\n".join(lines))


def _lines(row: "Facts", width: int) -> list[str]:
    """A row for people: two lines for a checkpoint, four for what Photodrag uses by itself."""
    where = f"lies in {row.path}" if row.path else "not fetched"
    if row.origin in ("wheel", "backbone"):
        return [
            f"{row.name:{width}}  {row.kind:10}  {_size(row.size):>8}  {row.description}",
            f"{'':{width}}  source: {row.source}; {_digest(row)}",
            f"{'':{width}}  licence: {row.licence}",
            f"{'':{width}}  {where}",
        ]
    side = f"{row.resolution or '?'} px"
    source = urlsplit(row.source).hostname if row.urls else row.source
    head = f"{row.name:{width}}  {row.subject or '–':20}  {side:>7}  {_size(row.size):>8}  {_digest(row)}"
    about = f"{'':{width}}  {row.licence}; from {source}"
    return [head, about, f"{'':{width}}  {where}"] if row.path else [f"{head}  {where}", about]


def _digest(row: "Facts") -> str:
    return f"SHA-256 {row.sha256[:12]}…" if row.sha256 else "SHA-256 unknown"


def _size(size: int | None) -> str:
    return human_size(size) if size is not None else "–"


@weights.command()
@click.argument("name")
@options.quiet
def get(name: str, quiet: bool) -> None:
    """Fetch the weights of that NAME, unless they are here, and say where they lie.

    A download that was stopped goes on where it was, for a day.

    \b
    Examples:
        photodrag weights get face
        photodrag weights get ffhq
    """
    from photodrag.weights import get as fetch
    from photodrag.weights.catalogue import find

    kept = "what came so far is kept for the next time" if find(name).checkpoint else "nothing was written"
    with options.progress_bar(quiet) as bar, options.stopping_leaves(kept):
        path = fetch(name, bar)
    options.say(str(path))


@weights.command()
@click.argument("file", type=click.Path())
@click.option("--name", metavar="NAME", help="To ask for it by; the file's, without its ending, by default.")
@click.option("--subject", metavar="WORD", help="What its pictures show: `face` if they are faces aligned as FFHQ's.")
@options.quiet
def add(file: str, name: str | None, subject: str | None, quiet: bool) -> None:
    """Keep a checkpoint of your own, converted, to be used as `--generator NAME`.

    FILE is a ProGAN, StyleGAN, StyleGAN2 or StyleGAN3: a pickle by NVIDIA's code (PyTorch or TensorFlow), a .pt or
    .model by rosinality's, or safetensors. Nothing that it holds is run.

    \b
    Example:
        photodrag weights add network-snapshot-004000.pkl --name grandma --subject face
    """
    from photodrag.weights import add as keep
    from photodrag.weights.converted import converted_path

    with options.progress_bar(quiet) as bar:
        entry = keep(file, name, subject, bar)
    options.say(f"Added as {entry.name}, for --generator {entry.name}; it is kept in {converted_path(entry)}")


@weights.command()
@click.argument("file", type=click.Path())
@click.argument("out", type=click.Path())
@click.option(
    "--resolution",
    type=click.IntRange(4, 4096),
    metavar="N",
    help="Of its pictures, for a StyleGAN or ProGAN that was trained no further.",
)
def convert(file: str, out: str, resolution: int | None) -> None:
    """Write a checkpoint, of any format, to OUT as safetensors: float32, with NVIDIA's names.

    \b
    Example:
        photodrag weights convert network-snapshot-004000.pkl grandma.safetensors
    """
    from photodrag.weights import convert as write

    options.say(f"Written to {write(file, out, resolution)}")


@weights.command()
@click.argument("name", metavar="NAME_OR_FILE")
def remove(name: str) -> None:
    """Remove what is kept of a NAME that was added or fetched, or of a checkpoint that was used where it
    lies. The checkpoint itself stays.

    \b
    Example:
        photodrag weights remove grandma
    """
    from photodrag.weights import remove as free

    options.say(f"Removed what was kept of {name}: {human_size(free(name))} freed.")


@weights.command()
@click.argument("name", metavar="NAME_OR_FILE")
@options.as_json
def info(name: str, as_json: bool) -> None:
    """Say all about the weights of that NAME, or about a checkpoint of your own: source, size, SHA-256,
    licence, what network it is, where it lies, if it is whole.

    \b
    Examples:
        photodrag weights info face
        photodrag weights info network-snapshot-004000.pkl
    """
    from photodrag.weights import info as facts_about

    row = facts_about(name)
    if as_json:
        options.say_json(_plain(row))
        return
    options.say("\n".join(f"{name:8} {text}" for name, text in _described(row).items() if text))


def _described(row: "Facts") -> dict[str, str | None]:
    """The facts by their titles; None for those that there aren't."""
    added = row.origin == "own" and row.path and row.path.stem == row.name  # the original may be gone
    anew = (
        "remove it and add the checkpoint again"
        if added
        else f"it will be {'fetched' if row.origin == 'backbone' else 'made'} anew"
    )
    lies = {None: "", True: ", whole", False: f", damaged: {anew}"}[row.sound]
    absent = (
        "not kept by Photodrag; converted at first use"
        if row.origin == "own"
        else "not on this machine; fetched at first use"
    )
    return {
        "name": row.name,
        "what": f"{row.kind}: {row.description}",
        "subject": row.subject,
        "network": _network(row),
        "channels": _channels(row),
        "format": row.network.format if row.network else None,
        "source": f"{row.file} ({row.source})" if row.source != row.file else row.file,
        "mirrors": ", ".join(row.urls[1:]) or None,
        "size": _sizes(row),
        "SHA-256": _known_digest(row),
        "licence": row.licence,
        "lies in": f"{row.path}{lies}" if row.path else absent,
    }


def _sizes(row: "Facts") -> str:
    kept = f", {human_size(row.kept_size)} kept" if row.kept_size is not None else ""
    return _size(row.size) + ("" if row.origin == "own" else " to fetch") + kept


def _known_digest(row: "Facts") -> str:
    if row.sha256 is None:
        return "unknown" if row.origin == "own" else "nobody has published one; it will be noted"
    if row.origin == "own":
        return row.sha256 + (
            f", that of the published {row.published}" if row.published else ", none that is published"
        )
    if row.origin in ("wheel", "backbone"):
        return row.sha256
    if row.agreeing:
        return f"{row.sha256}, as {'two people' if row.agreeing == 2 else 'one person'}'s copies have it"
    return f"{row.sha256}, noted when it was fetched here"


def _network(row: "Facts") -> str | None:
    network = row.network
    if network is None:
        return None
    classes = f"{network.classes} classes" if network.classes else "no classes"
    side = f"{network.resolution} × {network.resolution}"
    picture = "" if network.picture == "RGB" else f"{network.picture}, "
    codes = "1 code" if network.codes == 1 else f"{network.codes} codes"
    kind = f"{network.family}, {network.architecture}" if network.architecture else network.family
    return f"{kind}, {side}, {picture}{codes}, {classes}"


def _channels(row: "Facts") -> str | None:
    if row.network is None:
        return None
    is_block = row.network.family != "StyleGAN3"
    return ", ".join(
        f"{f'b{4 << i}' if is_block else f'L{i}'} {channels}" for i, channels in enumerate(row.network.channels)
    )


def _plain(row: "Facts") -> dict:
    return asdict(row) | {"path": str(row.path) if row.path else None}

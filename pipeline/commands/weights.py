"""`photodrag weights`: which generators and perceptual distances there are, and where they come from."""

from dataclasses import asdict

import click

from photodrag.pipeline.commands import options
from photodrag.pipeline.commands.cache import human_size


@click.group()
def weights() -> None:
    """List the generators and perceptual nets, or fetch one.

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
    lines = []
    for row in rows:
        digest = f"SHA-256 {row.sha256[:12]}…" if row.sha256 else f"SHA-256 begins as in {row.file}"
        lines += [
            f"{row.name:{width}}  {row.kind:10}  {human_size(row.size):>8}  {row.description}",
            f"{'':{width}}  source: {row.source}; {digest}",
            f"{'':{width}}  licence: {row.licence}",
            f"{'':{width}}  {f'lies in {row.path}' if row.path else 'not fetched'}",
        ]
    options.say("\n".join(lines))


@weights.command()
@click.argument("name")
@options.quiet
def get(name: str, quiet: bool) -> None:
    """Fetch the weights of that NAME, unless they are here, and say where they lie.

    \b
    Example:
        photodrag weights get face
    """
    from photodrag.weights import get as fetch

    with options.progress_bar(quiet) as bar:
        path = fetch(name, bar)
    options.say(str(path))


@weights.command()
@click.argument("name")
@options.as_json
def info(name: str, as_json: bool) -> None:
    """Say all about the weights of that NAME: source, size, SHA-256, licence, where they lie, if they are whole.

    \b
    Example:
        photodrag weights info face
    """
    from photodrag.weights import info as facts_about

    row = facts_about(name)
    if as_json:
        options.say_json(_plain(row))
        return
    lies = {None: "", True: ", whole", False: ", damaged: it will be made anew"}[row.sound]
    facts = {
        "name": row.name,
        "what": f"{row.kind}: {row.description}",
        "source": f"{row.file} ({row.source})",
        "size": f"{human_size(row.size)} to fetch" + (f", {human_size(row.kept_size)} kept" if row.path else ""),
        "SHA-256": row.sha256 or "begins with the digits in the file's name",
        "licence": row.licence,
        "lies in": f"{row.path}{lies}" if row.path else "not on this machine; fetched at first use",
    }
    options.say("\n".join(f"{name:8} {text}" for name, text in facts.items()))


def _plain(row) -> dict:
    return asdict(row) | {"path": str(row.path) if row.path else None}

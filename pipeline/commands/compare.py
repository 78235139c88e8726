"""`photodrag compare`: inversions by several methods, side by side."""

from pathlib import Path

import click

from photodrag.pipeline.commands import options
from photodrag.weights.common.errors import UserError

METHODS = ("w", "w+", "w+p", "tuned")


class Names(click.ParamType):
    """Names with commas between them."""

    name = "A,B"

    def __init__(self, known: tuple[str, ...] = ()):
        self.known = known

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """As click asks for it: what was typed, as a tuple of names, each once."""
        if not isinstance(value, str):
            return value
        names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
        wrong = [name for name in names if self.known and name not in self.known]
        if wrong or not names:
            what = f"{wrong[0]!r} is none of" if wrong else "name at least one of"
            self.fail(f"{what} {', '.join(self.known)}.", param, ctx)
        return names


@click.command()
@click.argument("photos", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="PHOTO …")
@click.option(
    "--methods",
    type=Names(METHODS),
    default=",".join(METHODS),
    show_default=True,
    help="One code for all layers; one for each, without a prior; with it, as edits use it; that one tuned.",
)
@click.option("--generators", type=Names(), default="face", show_default=True, help="Names or checkpoints' paths.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The folder to write into.")
@options.device
@options.quiet
@options.as_json
def compare(
    photos: tuple[Path, ...],
    methods: tuple[str, ...],
    generators: tuple[str, ...],
    out: Path,
    device: str,
    quiet: bool,
    as_json: bool,
) -> int:
    """Invert each PHOTO by several methods, edit each inversion, and compare them: metrics.json, grid.png and
    report.html in DIR, and a table here.

    It takes minutes for each photo and method. What was made before is taken from the cache and from DIR,
    so a comparison that was stopped goes on. A photo that fails is a line that says why.

    \b
    Example:
        photodrag compare holiday/*.jpg --methods w+p,tuned --out comparison
    """
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is no folder: name one with --out.")
    options.prepare_to_compute(device)
    from photodrag.pipeline.compare.report import table
    from photodrag.pipeline.compare.run import compare as run

    with (
        options.stopping_leaves(f"what was compared before is kept, in {out}"),
        options.progress_bar(quiet) as bar,
    ):
        facts = run(photos, out, methods, generators, device, progress=bar)
    if as_json:
        options.say_json(facts)
    else:
        options.say(f"{table(facts)}\nThe report is {out / 'report.html'}")
    return UserError.exit_code if facts["failed"] else 0

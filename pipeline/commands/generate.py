"""`photodrag generate`: pictures of nobody."""

import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from photodrag.pipeline.commands import options
from photodrag.pipeline.commands.parameter_types import Amount
from photodrag.pipeline.commands.progress_bar import ProgressBar
from photodrag.pipeline.editing.direction_names import check_directions
from photodrag.weights.common.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from photodrag.pipeline.editing.inversion import Models

LARGEST_SEED = 2**32 - 1
"""Of NumPy's RandomState."""
PICTURE = 0.8
"""Seconds of a picture on two CPU cores."""


class Seeds(click.ParamType):
    """Numbers and ranges of them: "1-16", "3,5,8-10"."""

    name = "A-B"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """As click asks for it: what was typed, as numbers in that order."""
        seeds: list[int] = []
        try:
            for part in str(value).split(","):
                first, dash, last = part.partition("-")
                if not first.isdecimal() or (dash and not last.isdecimal()) or len(part) > 21:
                    raise ValueError
                begin, end = int(first), int(last if dash else first)
                if not begin <= end <= min(LARGEST_SEED, begin + 9999):
                    raise ValueError
                seeds += range(begin, end + 1)
        except ValueError:
            self.fail(f"{value!r} is no list of seeds: give numbers and ranges, like 1-16 or 3,5,8-10.", param, ctx)
        return tuple(seeds)


@dataclass(frozen=True)
class GenerateOptions:
    """What `photodrag generate` was asked for."""

    generator: str
    seeds: tuple[int, ...]
    psi: float
    cutoff: int | None
    directions: tuple[tuple[str, float], ...]
    move: tuple[float, float] | None
    roll: float | None
    walk: bool
    between: int
    class_: int | None
    out: Path
    save_latent: Path | None
    device: str
    quiet: bool
    as_json: bool


@click.command()
@click.argument("generator", default="face")
@click.option("--seed", "single", type=click.IntRange(0, LARGEST_SEED), multiple=True, metavar="N", help="Repeatable.")
@click.option("--seeds", "ranges", type=Seeds(), multiple=True, help="Several, like 1-16; repeatable.")
@click.option(
    "--psi",
    type=Amount(0, 2),
    default=0.7,
    show_default=True,
    help="Truncation: 1 as varied as photos, 0 the mean face.",
)
@click.option("--cutoff", type=click.IntRange(0, 1000), metavar="K", help="Truncate the first K codes alone.")
@options.direction
@options.move
@options.roll
@click.option("--walk", is_flag=True, help="A film from each to the next: --out in .mp4 or .gif, or a new folder.")
@click.option(
    "--between", type=click.IntRange(1, 1000), default=20, show_default=True, help="Pictures of each way of a walk."
)
@options.class_
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="The picture; several seeds are a grid."
)
@options.save_latent
@options.device
@options.quiet
@options.as_json
def generate(single: tuple[int, ...], ranges: tuple[tuple[int, ...], ...], **keywords: Any) -> None:
    """Draw pictures of random codes by GENERATOR (face by default; see `photodrag weights list`).

    A seed gives the same z as in NVIDIA's generate.py. A single picture's code is kept, so that it can be dragged on
    at once, unless it is moved or turned, which no code says.

    \b
    Examples:
        photodrag generate --seed 7 --out nobody.png
        photodrag generate afhqcat --seeds 1-9 --psi 0.8 --out cats.jpg
        photodrag generate --seeds 3,5,8 --walk --between 5 --out walk.gif
    """
    seeds = single + tuple(seed for some in ranges for seed in some)
    given = GenerateOptions(seeds=seeds or (0,), **keywords)
    _check(given)
    with options.progress_bar(given.quiet) as bar:
        facts = _generated(given, bar)
    if given.as_json:
        options.say_json(facts)
    else:
        kept = f"\n  drag it on with `photodrag edit {given.out} …`: its code is kept" if facts["latent"] else ""
        options.say(f"{facts['pictures']} picture{'s' * (facts['pictures'] > 1)} in {given.out}{kept}")


def _check(given: GenerateOptions) -> None:
    """Raises UserError for what can't be written, and for a walk to nowhere."""
    from photodrag.pipeline.films.files import check_film
    from photodrag.pipeline.photos.write import check_writable
    from photodrag.pipeline.uses.generated import MOST, check_picture_name

    check_directions(given.directions)
    if len(given.seeds) > MOST:
        raise UserError(f"{len(given.seeds)} pictures were asked for: give 1 to {MOST} seeds.")
    if given.walk:
        if len(given.seeds) < 2:
            raise UserError("A walk needs two seeds at least: give --seeds 1-4, say.")
        check_film(**_film(given.out), inputs=[])
    else:
        check_picture_name(given.out)
        check_writable(given.out)
    if given.save_latent:
        options.check_latent(given.save_latent, [given.out] if given.out.exists() else [])


def _film(out: Path) -> dict[str, Path | None]:
    """Where `write_film` is to write a walk, by its name."""
    suffix = out.suffix.lower()
    if suffix not in ("", ".mp4", ".gif"):
        raise UserError(f"{out} says no kind of film: end its name in .mp4 or .gif, or give a new folder's.")
    return {
        "video": out if suffix == ".mp4" else None,
        "gif": out if suffix == ".gif" else None,
        "frames": None if suffix else out,
    }


def _generated(given: GenerateOptions, bar: ProgressBar) -> dict:
    """Draw and write: the facts, as --json prints them."""
    began = time.monotonic()
    bar("loading")
    options.prepare_to_compute(given.device)
    from photodrag.invert.imported_codes import write_projected_w
    from photodrag.pipeline.editing.inversion import Models
    from photodrag.pipeline.editing.plan import find_generator
    from photodrag.pipeline.uses import generated
    from photodrag.pipeline.uses.kept import keep_code

    name, _ = find_generator(given.generator)
    models = Models.load(name, given.device, bar, given.class_)
    drawing = _moved(models, given)
    codes = generated.codes_of(models, given.seeds, given.psi, given.cutoff, given.directions)
    shown = generated.walk(codes, given.between) if given.walk else codes
    bar.expect({"drawing": [PICTURE] * len(shown)})
    _write(given, drawing, shown, bar)
    with options.stopping_leaves(f"the picture is whole, in {given.out}"):
        if given.save_latent:
            write_projected_w(given.save_latent, codes)
        kept = keep_code(given.out, models, codes, progress=bar) if len(shown) == 1 and drawing is models else None
    return {
        "output": str(given.out),
        "pictures": len(shown),
        "seeds": list(given.seeds),
        "psi": given.psi,
        "cutoff": given.cutoff,
        "directions": [list(pair) for pair in given.directions],
        "move": None if given.move is None else list(given.move),
        "roll": given.roll,
        "class": given.class_,
        "generator": name,
        "latent": kept,
        "seconds": round(time.monotonic() - began, 3),
        "device": str(models.device),
        "version": version("photodrag"),
    }


def _moved(models: "Models", given: GenerateOptions) -> "Models":
    """The models as they draw what is asked for, moved or not. Raises UserError where the generator can't."""
    from photodrag.pipeline.editing.whole_motion import WholeMotion, check_movable, check_way, moved

    if given.move is None and given.roll is None:
        return models
    check_movable(models)
    side = models.generator.resolution
    x, y = given.move or (0.0, 0.0)
    check_way((x, y), side)
    return moved(models, WholeMotion(x / side, y / side, given.roll or 0.0))


def _write(given: GenerateOptions, models: "Models", codes: "Tensor", bar: ProgressBar) -> None:
    from photodrag.pipeline.films.files import write_film
    from photodrag.pipeline.uses import generated

    pictures = generated.pictures_of(models, codes, lambda done, total: bar("drawing", done, total))
    if given.walk:
        write_film(pictures, **_film(given.out))
    else:
        drawn = list(pictures)
        generated.write_picture(drawn[0] if len(drawn) == 1 else generated.grid(drawn), given.out)

"""`photodrag measure`: how good a generator's latent space is."""

import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import click

from photodrag.pipeline.commands import options
from photodrag.pipeline.commands.progress_bar import Costs, ProgressBar
from photodrag.weights.common.errors import UserError

if TYPE_CHECKING:
    from photodrag.weights import Generator

PAIR, LABELLED = 4.0, 1.2
"""Seconds of a pair of pictures and their distance, and of one picture and its labels, on two CPU cores."""
DISTANCES = "lpips-vgg", "lpips-alex", "st-lpips-vgg", "st-lpips-alex"


@dataclass(frozen=True)
class MeasureOptions:
    """What `photodrag measure` was asked for."""

    generator: str
    path_length: bool
    separability: bool
    space: str
    sampling: str
    crop: bool | None
    program: str
    distance: str
    samples: int
    seed: int
    class_: int | None
    device: str
    quiet: bool
    as_json: bool


@click.command()
@click.argument("generator", default="face")
@click.option("--path-length", is_flag=True, help="Perceptual path length: how evenly pictures change with codes.")
@click.option("--separability", is_flag=True, help="Linear separability: how well planes tell attributes of faces.")
@click.option("--space", type=click.Choice(["w", "z"]), default="w", show_default=True, help="Where the paths run.")
@click.option("--full/--end", default=True, help="Anywhere on a path (by default), or at its beginning.")
@click.option("--crop/--no-crop", default=None, help="The faces' middle alone (of faces by default), or all.")
@click.option(
    "--program",
    type=click.Choice(["stylegan2", "ada"]),
    default="stylegan2",
    show_default=True,
    help="Whose averaging: of the crop to 256 pixels, or of the whole picture to 256, so that a crop has 128.",
)
@click.option(
    "--distance",
    type=click.Choice(DISTANCES),
    default=DISTANCES[0],
    show_default=True,
    help="The perceptual distance; with others than lpips-vgg no published figure compares.",
)
@click.option(
    "--samples", type=click.IntRange(20, 1_000_000), default=500, show_default=True, help="Pairs, or pictures."
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of all that is random.")
@options.class_
@options.device
@options.quiet
@options.as_json
def measure(full: bool, **keywords: Any) -> None:
    """Measure GENERATOR's latent space (face by default; see `photodrag weights list`).

    Samples are kept as they come: a run that is stopped goes on where it was, and more --samples begin with those.

    \b
    Examples:
        photodrag measure --path-length --samples 100
        photodrag measure afhqcat --path-length --space z --end --no-crop
        photodrag measure face --separability --samples 20000
    """
    given = MeasureOptions(sampling="full" if full else "end", **keywords)
    if not (given.path_length or given.separability):
        raise UserError("Say what to measure: --path-length, --separability, or both.")
    with options.progress_bar(given.quiet) as bar, options.stopping_leaves("what was sampled is kept, to go on from"):
        facts = _measured(given, bar)
    if given.as_json:
        options.say_json(facts)
    else:
        options.say(_in_words(facts))


def _measured(given: MeasureOptions, bar: ProgressBar) -> dict:
    began = time.monotonic()
    bar("loading")
    options.prepare_to_compute(given.device)
    from photodrag import weights
    from photodrag.pipeline.editing.inversion import check_class, pick_device
    from photodrag.pipeline.editing.plan import find_generator

    name, subject = find_generator(given.generator)
    if given.separability and subject != "face":
        raise UserError(f"Separability is measured of faces, and {name} isn't known to draw them: name another one.")
    generator = weights.load(name, pick_device(given.device), lambda doing: bar(doing))
    if given.class_ is not None:
        check_class(generator, name, given.class_)
    costs: Costs = {"path length": [PAIR] * given.samples} if given.path_length else {}
    bar.expect(costs | ({"separability": [LABELLED] * given.samples} if given.separability else {}))
    facts: dict = {"generator": name, "resolution": generator.resolution, "seed": given.seed}
    if given.path_length:
        facts["path_length"] = _path_length(given, generator, bar)
    if given.separability:
        facts["separability"] = _separability(given, generator, bar)
    return facts | {
        "seconds": round(time.monotonic() - began, 3),
        "device": str(generator.w_avg.device),
        "version": version("photodrag"),
    }


def _path_length(given: MeasureOptions, generator: "Generator", bar: ProgressBar) -> dict:
    from photodrag.pipeline.measures import path_length as measures

    crop = generator.subject == "face" if given.crop is None else given.crop
    settings = measures.PathLengthSettings(
        given.space, given.sampling, crop, given.program, given.distance, seed=given.seed
    )
    distance = _distance(given.distance, generator, bar)
    found = measures.path_length(
        generator, distance, settings, given.samples, given.class_, lambda done, of: bar("path length", done, of)
    )
    return {
        "name": settings.name,
        "value": round(found.value, 3),
        "interval": [round(found.low, 3), round(found.high, 3)],
        "samples": found.samples,
        "space": given.space,
        "sampling": given.sampling,
        "crop": crop,
        "program": given.program,
        "compared_at": found.compared_at,
        "epsilon": settings.epsilon,
        "distance": given.distance,
        "comparable": given.distance == measures.PUBLISHED,
    }


def _distance(name: str, generator: "Generator", bar: ProgressBar) -> Any:
    """The perceptual distance; where its backbone can't be had, the sentence says what else there is."""
    from photodrag.invert import perceptual

    try:
        return perceptual.load(name, generator.w_avg.device, lambda doing: bar(doing))
    except UserError as error:
        if name.startswith("st-"):
            raise
        raise type(error)(
            f"{str(error).rstrip('.')}; or give --distance st-lpips-vgg, whose figures compare with each other alone."
        ) from error


def _separability(given: MeasureOptions, generator: "Generator", bar: ProgressBar) -> dict:
    from photodrag.pipeline.measures import separability as measures
    from photodrag.pipeline.measures.attributes import Labeller

    labeller = Labeller()
    found = measures.separability(
        generator, labeller, given.samples, given.seed, lambda done, of: bar("separability", done, of)
    )
    spaces = {
        name: {
            "score": round(found.score(bits), 4),
            "bits": round(sum(bits.values()), 4),
            "attributes": {attribute: round(value, 4) for attribute, value in bits.items()},
        }
        for name, bits in (("z", found.z), ("w", found.w))
    }
    least = round(measures.ENOUGH * generator.w_dim / measures.KEPT)
    facts = {"samples": found.samples, "faces": found.faces, "enough": found.faces >= least, "least": least}
    return facts | {**spaces, "comparable": False, "note": measures.NOTE}


def _in_words(facts: dict) -> str:
    lines = [f"{facts['generator']}, {facts['resolution']} pixels"]
    if found := facts.get("path_length"):
        low, high = found["interval"]
        lines.append(f"  path length {found['name']}: {found['value']:.1f} (95 %: {low:.1f} to {high:.1f})")
        about = f"{found['distance']}, {found['samples']} pairs, {'cropped, ' if found['crop'] else ''}"
        averaged = "StyleGAN2's" if found["program"] == "stylegan2" else "stylegan2-ada-pytorch's"
        lines.append(f"    {about}compared at {found['compared_at']} pixels, by {averaged} averaging")
        if not found["comparable"]:
            lines.append("    published figures are by lpips-vgg: this one can't be compared with them")
    if found := facts.get("separability"):
        lines.append(f"  separability over {found['faces']} faces of {found['samples']} pictures")
        for space in ("z", "w"):
            one = found[space]
            lines.append(f"    {space}: {one['score']:.2f} ({one['bits']:.3f} bits)")
        for name, bits in found["z"]["attributes"].items():
            lines.append(f"      {name}: z {bits:.3f}, w {found['w']['attributes'][name]:.3f} bits")
        lines.append(f"    {found['note']}")
        if not found["enough"]:
            lines.append(
                f"    So few faces a plane tells whatever their labels: give --samples {found['least']} or more."
            )
    lines.append(f"  {facts['seconds']:.1f} s")
    return "\n".join(lines)

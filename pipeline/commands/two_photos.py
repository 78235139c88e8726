"""What `photodrag fuse` and `photodrag mix` have in common: two photos in, one photo out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from photodrag.pipeline.commands import options, progress_bar
from photodrag.pipeline.editing.options import LIKENESS, Inverting, Likeness, Network
from photodrag.pipeline.editing.selection import Selection
from photodrag.weights.common.bounds import MOST_FACES

if TYPE_CHECKING:
    from photodrag.pipeline.faces.box import Box
    from photodrag.pipeline.photos.photo import Photo
    from photodrag.pipeline.uses.two_photos import Together

Command = TypeVar("Command", bound=Callable[..., object])


@dataclass(frozen=True)
class TwoPhotosOptions:
    """What the command was asked for, what to do with the two photos apart."""

    photo: Path
    other: Path
    out: Path | None
    mask: str | None
    face: int | None
    box: "Box | None"
    other_face: int | None
    other_box: "Box | None"
    align: str | None
    generator: str | None
    class_: int | None
    likeness: Likeness | None
    save_latent: Path | None
    device: str
    refresh: bool
    quiet: bool
    as_json: bool


def shared(command: Command) -> Command:
    """The arguments and options of TwoPhotosOptions."""
    for one in reversed(
        [
            click.argument("photo", type=click.Path(path_type=Path)),
            click.argument("other", type=click.Path(path_type=Path)),
            click.option("-o", "--out", type=click.Path(path_type=Path), help="The new photo, replaced if it exists."),
            click.option(
                "--mask", metavar="MASK.png|face|auto", help="Where PHOTO may change, as for `photodrag edit`."
            ),
            options.face,
            options.box,
            click.option(
                "--other-face", type=click.IntRange(1, MOST_FACES), metavar="N", help="Number of OTHER's face."
            ),
            click.option("--other-box", type=options.BOX, help="Where the face is in OTHER."),
            options.align,
            options.generator,
            options.class_,
            click.option("--likeness", type=click.Choice(LIKENESS), help="How well both are inverted, as for edits."),
            options.save_latent,
            options.device,
            options.refresh,
            options.quiet,
            options.as_json,
        ]
    ):
        command = one(command)
    return command


def run(given: TwoPhotosOptions, make: Callable[..., "Together"], **what: Any) -> None:
    """Make the new photo by `fuse` or `mix` (as `make`), write it, keep its code, and tell."""
    from photodrag.pipeline.photos.read import read_photo
    from photodrag.pipeline.photos.write import check_output, default_output

    began = time.monotonic()
    options.check_one_face(given.face, given.box)
    options.check_one_face(given.other_face, given.other_box)
    photo, other = read_photo(given.photo), read_photo(given.other)
    out = given.out or default_output(photo)
    check_output(out, photo, [given.other, *([Path(given.mask)] if given.mask not in (None, "auto", "face") else [])])
    if given.save_latent:
        options.check_latent(given.save_latent, [given.photo, given.other])
    with options.progress_bar(given.quiet) as bar:
        options.prepare_to_compute(given.device)
        from photodrag.pipeline.editing import report

        together = make(
            photo,
            other,
            **what,
            mask=given.mask,
            selection=Selection(given.face, given.box, given.align),
            other_selection=Selection(given.other_face, given.other_box, given.align),
            network=Network(given.generator or "face", given.class_, given.device),
            inverting=Inverting(refresh=given.refresh, likeness=given.likeness or "auto"),
            progress=bar,
        )
        bar("writing")
        dropped = together.edit.save(out)
        with options.stopping_leaves(f"the picture is whole, in {out}"):
            facts = report.of_edit(together.edit, out, 0, time.monotonic() - began, dropped)
            facts |= {"latent": _kept(together, out, given, bar), **_of(together, photo, other)}
    if given.as_json:
        options.say_json(facts)
    else:
        options.say(_in_words(facts, what))


def _kept(together: "Together", out: Path, given: TwoPhotosOptions, bar: progress_bar.ProgressBar) -> str | None:
    """The key under which the new photo's code is kept, and the file that was asked for, written."""
    from photodrag.invert.imported_codes import write_projected_w
    from photodrag.pipeline.uses.kept import keep_code

    edit = together.edit
    assert edit.inversion is not None and edit.w_plus is not None  # two photos need a generator
    if given.save_latent:
        write_projected_w(given.save_latent, edit.w_plus)
    change = edit.restyled
    if change is None:  # the photo itself, whose inversion is kept
        return edit.inversion.key
    return keep_code(out, edit.inversion.models, edit.w_plus, change.plan.place, bar)


def _of(together: "Together", photo: "Photo", other: "Photo") -> dict:
    identities = together.identities
    return {
        "other": str(other.path),
        "layers": list(together.layers),
        "identities": identities and {"photo": round(identities[0], 4), "other": round(identities[1], 4)},
    }


def _in_words(facts: dict, what: dict) -> str:
    from photodrag.invert.identity import in_figures, likeness

    lines = [f"The new photo is {facts['output']}"]
    for name, path in (("photo", facts["photo"]), ("other", facts["other"])):
        if facts["identities"]:
            far = facts["identities"][name]
            lines.append(f"  {likeness(far, path)}: {in_figures(far)}")
    if facts["dropped"]:
        lines.append(f"  it is without {'; '.join(facts['dropped'])}")
    if facts["latent"]:
        lines.append(f"  drag it on with `photodrag edit {facts['output']} …`: its code is kept")
    lines.append(f"  {facts['seconds']['total']:.1f} s")
    return "\n".join(lines)

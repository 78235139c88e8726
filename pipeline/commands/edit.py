"""`photodrag edit`: photo in, edited photo out."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photodrag.pipeline.commands import options
from photodrag.pipeline.edit_file import EditFile, read_edit_file, write_edit_file
from photodrag.pipeline.progress import ProgressBar
from photodrag.weights.errors import UserError

if TYPE_CHECKING:
    from photodrag.pipeline.editing import Edit
    from photodrag.pipeline.plan import Plan

STAY = "+0,+0"
"""The target of a pin."""


@click.command()
@click.argument("photo", type=click.Path(path_type=Path))
@click.option(
    "--drag",
    "drags",
    type=options.DRAG,
    multiple=True,
    help="What to move, and where to: X,Y or a landmark's NAME, then X,Y, NAME or +DX,-DY from there, in pixels or "
    "in % of the face's width; repeatable.",
)
@click.option("--pin", "pins", type=options.PLACE, multiple=True, help="A point that must stay; repeatable.")
@click.option("--snap", is_flag=True, help="Handles and pins given as X,Y go to the nearest of the face's landmarks.")
@options.presets
@click.option(
    "--mask",
    metavar="MASK.png|face|auto",
    help="Where the photo may change: white in a picture of its size, the face, or where the edit differs (auto).",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="The edited photo, replaced if it exists; PHOTO-photodrag.… beside the photo by default.",
)
@options.face
@options.box
@options.align
@options.generator
@options.class_
@options.tune
@click.option("--steps", type=click.IntRange(1), metavar="N", help="Steps of the drag, at most.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Recorded only: nothing here is random as yet.")
@options.device
@options.refresh
@click.option("--edit", "edit_file", type=click.Path(path_type=Path), metavar="FILE", help="Read the edit from FILE.")
@click.option("--save-edit", type=click.Path(path_type=Path), metavar="FILE", help="Write the edit to FILE (JSON).")
@options.quiet
@options.as_json
def edit(
    photo: Path,
    drags: tuple,
    pins: tuple,
    snap: bool,
    out: Path | None,
    device: str,
    refresh: bool,
    edit_file: Path | None,
    save_edit: Path | None,
    quiet: bool,
    as_json: bool,
    **wanted,
) -> None:
    """Drag points of PHOTO, of a face in it by default, and write the edited photo.

    Points are x,y in pixels of the photo as you see it, from 0,0 at the top left, or landmarks of the face: one of
    the names below, or a number from 0 to 67 (see `photodrag faces`). Left and right are the picture's:
    mouth.left is the person's own right corner. The first edit of a face takes a minute or more, the next ones
    seconds, for its inversion is kept. Options win over what an --edit FILE says; --drag, --pin and
    presets add to its drags.

    A preset (--smile and the like) is some drags of landmarks. AMOUNT is -1 to 1: 0.5 is a natural change, 1 all
    that a face does, negative the opposite. Presets add up; a point that you drag or pin yourself is left to you.

    \b
    Landmarks:
        brow.left  brow.left.outer  brow.left.inner
        brow.right  brow.right.outer  brow.right.inner
        eye.left  eye.left.outer  eye.left.inner  eye.left.top  eye.left.bottom
        eye.right  eye.right.outer  eye.right.inner  eye.right.top  eye.right.bottom
        nose  nose.top  nose.left  nose.right
        mouth  mouth.left  mouth.right  mouth.top  mouth.bottom
        cheek.left  cheek.right  jaw.left  jaw.right  chin

    \b
    Examples:
        photodrag edit photo.jpg --drag 412,530:412,518 --out smile.jpg
        photodrag edit photo.jpg --drag mouth.left:-4,-12 --drag mouth.right:+4,-12 --pin nose
        photodrag edit photo.jpg --drag brow.left:+0,-4% --mask face --save-edit brow.json
        photodrag edit photo.jpg --smile 0.6 --open-eyes 0.3 --turn-left -0.2
        photodrag edit photo.jpg --edit smile.json --tune
        photodrag edit cat.jpg --generator afhqcat --box 300,120,800,800 --drag 640,700:640,660
    """
    from photodrag.pipeline.output import check_output, check_writable, default_output
    from photodrag.pipeline.photo import read_photo
    from photodrag.pipeline.plan import find_generator, plan_edit, usual_align

    began = time.monotonic()
    amounts = options.preset_amounts(wanted)
    task = _task(edit_file, drags + tuple((pin, STAY) for pin in pins), wanted)
    if not task.drags and not any(amounts.values()):
        raise UserError(f"Nothing is to be dragged: give --drag {options.DRAG.name}, like {options.DRAG.example}.")
    picture = read_photo(photo)
    handles, targets = zip(*task.drags, strict=True) if task.drags else ((), ())
    out = out or default_output(picture)
    check_output(out, picture, [path for path in (task.mask_path, edit_file) if path])
    if save_edit:
        check_writable(save_edit, [path for path in (photo, task.mask_path) if path])
        if os.path.realpath(save_edit) == os.path.realpath(out):
            raise UserError(f"{out} can't be both the picture and the edit: give --save-edit another name.")
    generator, subject = find_generator(task.generator)
    task, align = replace(task, generator=generator), task.align or usual_align(subject)
    with options.progress_bar(quiet) as bar:
        bar("finding the face" if align == "face" else "looking at the photo")
        planned = plan_edit(
            picture, handles, targets, task.mask, task.face, task.box, align, snap=snap, amounts=amounts
        )
        if subject is None and task.align is None:
            bar.note(options.UNKNOWN_SUBJECT.format(generator))
        if planned.faces and planned.faces > 1 and task.face is None:
            bar.note(
                f"{planned.faces} faces were found; face 1 (the largest) is edited; "
                f"choose with --face N (see `photodrag faces {photo}`)."
            )
        bar("loading")
        result = _carried_out(planned, task, device, refresh, bar)
        bar("writing")
        result.save(out)
        if result.inversion.unkept:
            bar.note(f"The inversion was not kept: {result.inversion.unkept}")
    with options.stopping_leaves(f"the picture is whole, in {out}"):
        if save_edit:
            write_edit_file(save_edit, replace(task, drags=planned.drags))
        from photodrag.pipeline import report

        facts = report.of_edit(result, out, task.seed, time.monotonic() - began)
        if as_json:
            options.say_json(facts)
        else:
            options.say(report.edit_in_words(facts))


def _carried_out(plan: "Plan", task: EditFile, device: str, refresh: bool, bar: ProgressBar) -> "Edit":
    options.prepare_to_compute(device)
    from photodrag.drag import DragSettings
    from photodrag.invert import ProjectSettings
    from photodrag.pipeline import progress
    from photodrag.pipeline.editing import carry_out

    projection, tuning, dragging = ProjectSettings(), options.tune_settings(task.tune), DragSettings()
    bar.expect(progress.inversion_costs(projection.stages, tuning) | progress.drag_costs(task.steps or dragging.steps))
    return carry_out(
        plan,
        generator=task.generator,
        class_=task.class_,
        steps=task.steps,
        device=device,
        refresh=refresh,
        projection=projection,
        tuning=tuning,
        dragging=dragging,
        progress=bar,
    )


def _task(edit_file: Path | None, drags: tuple, wanted: dict) -> EditFile:
    """The edit that file and options describe together."""
    task = read_edit_file(edit_file) if edit_file else EditFile()
    given = {name: value for name, value in wanted.items() if value is not None}
    if "face" in given and "box" in given:
        raise UserError("Both --face and --box were given: a face is chosen by one of them.")
    if "face" in given or "box" in given:
        task = replace(task, face=None, box=None)
    return replace(task, drags=task.drags + drags, **given)

"""`photodrag edit`: photo in, edited photo out."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photodrag.pipeline.commands import options
from photodrag.pipeline.commands.films import check_films, film_costs, write_films
from photodrag.pipeline.commands.progress_bar import ProgressBar
from photodrag.pipeline.editing.edit_file import EditFile, read_edit_file, write_edit_file
from photodrag.pipeline.editing.options import Dragging, Inverting, Network, Selection
from photodrag.weights.common.errors import UserError

if TYPE_CHECKING:
    from photodrag.pipeline.editing.inversion import Inversion
    from photodrag.pipeline.editing.plan import Plan
    from photodrag.pipeline.editing.whole_edit import Edit
    from photodrag.pipeline.photos.read import Photo

STAY = "+0,+0"
"""The target of a pin."""
SHARED = "face", "box", "align", "generator", "class_", "tune", "ignore"
"""What edits in one run have in common, for there is one inversion."""


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
@options.ignore
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
@options.method
@options.steps
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Recorded only: nothing here is random as yet.")
@options.device
@options.refresh
@click.option(
    "--edit",
    "edit_files",
    type=click.Path(path_type=Path),
    metavar="FILE",
    multiple=True,
    help="Read the edit from FILE; repeatable: one inversion, and the outputs' names are numbered (-1, -2, …).",
)
@click.option("--save-edit", type=click.Path(path_type=Path), metavar="FILE", help="Write the edit to FILE (JSON).")
@click.option("--video", type=click.Path(path_type=Path), metavar="OUT.mp4", help="The photo from first to last.")
@click.option("--gif", type=click.Path(path_type=Path), metavar="OUT.gif", help="The same as a GIF, 640 px at most.")
@click.option("--frames", type=click.Path(path_type=Path), metavar="DIR", help="The same as PNGs, in a new folder.")
@click.option("--arrows", is_flag=True, help="Draw the drags on what --video, --gif and --frames show.")
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
    edit_files: tuple[Path, ...],
    save_edit: Path | None,
    video: Path | None,
    gif: Path | None,
    frames: Path | None,
    arrows: bool,
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
        photodrag edit photo.jpg --smile 0.5 --ignore microphone.png
        photodrag edit photo.jpg --edit smile.json --tune
        photodrag edit photo.jpg --edit smile.json --edit brow.json --out both.jpg
        photodrag edit photo.jpg --smile 0.6 --video smile.mp4 --arrows
        photodrag edit photo.jpg --smile 0.6 --method draggan --out as-draggan.jpg
        photodrag edit cat.jpg --generator afhqcat --box 300,120,800,800 --drag 640,700:640,660
    """
    from photodrag.pipeline.photos.read import read_photo
    from photodrag.pipeline.photos.write import check_output, check_writable, default_output

    began = time.monotonic()
    amounts = options.preset_amounts(wanted)
    drags += tuple((pin, STAY) for pin in pins)
    tasks = [_task(edit_file, drags, wanted) for edit_file in edit_files or [None]]
    for task, edit_file in zip(tasks, edit_files or [None], strict=True):
        if not task.drags and not any(amounts.values()):
            where = f" in {edit_file}" if len(tasks) > 1 else ""
            raise UserError(
                f"Nothing is to be dragged{where}: give --drag {options.DRAG.name}, like {options.DRAG.example}."
            )
    _check_together(tasks, edit_files, save_edit)
    picture = read_photo(photo)
    outs = numbered(out or default_output(picture), len(tasks))
    inputs = [*(path for task in tasks for path in task.pictures), *edit_files]
    for path in outs:
        check_output(path, picture, inputs)
    if save_edit:
        check_writable(save_edit, [photo, *tasks[0].pictures])
        if os.path.realpath(save_edit) == os.path.realpath(outs[0]):
            raise UserError(f"{outs[0]} can't be both the picture and the edit: give --save-edit another name.")
    films = list(zip(*(numbered(path, len(tasks)) for path in (video, gif, frames)), strict=True))
    check_films(films, arrows, [photo, *inputs, *outs, *([save_edit] if save_edit else [])])
    facts, inversion = [], None
    with options.progress_bar(quiet) as bar:
        tasks, plans = _planned(picture, tasks, snap, amounts, bar)
        bar("loading")
        for task, plan, path, done in zip(tasks, plans, outs, range(len(outs)), strict=True):
            filmed = any(films[done])
            with options.stopping_leaves(_whole(outs[:done])):
                result = _carried_out(plan, task, device, refresh, inversion, filmed, bar)
                bar("writing")
                result.save(path)
                inversion = result.inversion
            with options.stopping_leaves(_whole(outs[: done + 1])):
                from photodrag.pipeline.editing import report

                if filmed:
                    write_films(plan, result, films[done], arrows, bar)
                facts.append(report.of_edit(result, path, task.seed, time.monotonic() - began))
        if inversion.unkept:
            bar.note(f"The inversion was not kept: {inversion.unkept}")
    with options.stopping_leaves(_whole(outs)):
        if save_edit:
            write_edit_file(save_edit, replace(tasks[0], drags=plans[0].drags))
        if as_json:
            options.say_json(facts[0] if len(facts) == 1 else {"edits": facts})
        else:
            options.say("\n".join(map(report.edit_in_words, facts)))


def numbered(path: Path | None, count: int) -> list[Path | None]:
    """The path itself, or of several outputs one each: smile-1.jpg, smile-2.jpg, …"""
    return (
        [path] * count
        if count == 1 or path is None
        else [path.with_name(f"{path.stem}-{n}{path.suffix}") for n in range(1, count + 1)]
    )


def _whole(outs: list[Path]) -> str:
    if not outs:
        return "nothing was written"
    if len(outs) == 1:
        return f"the picture is whole, in {outs[0]}"
    return f"the pictures are whole, in {', '.join(map(str, outs))}"


def _check_together(tasks: list[EditFile], edit_files: tuple[Path, ...], save_edit: Path | None) -> None:
    """Raises UserError for edits that can't be made in one run."""
    if len(tasks) > 1 and save_edit:
        raise UserError("--save-edit keeps one edit, and several --edit were given: save each by itself.")
    for task, edit_file in zip(tasks[1:], edit_files[1:], strict=True):
        for name in SHARED:
            if getattr(task, name) != getattr(tasks[0], name):
                shown = name.rstrip("_")
                raise UserError(
                    f"{edit_files[0]} and {edit_file} differ in {shown!r}, so they need two inversions: "
                    f"give --{shown} for both, or edit twice."
                )


def _planned(
    picture: "Photo", tasks: list[EditFile], snap: bool, amounts: dict[str, float], bar: ProgressBar
) -> tuple[list[EditFile], list["Plan"]]:
    """The tasks, their generator found, and a plan for each; the face is looked for once."""
    from photodrag.pipeline.editing.plan import find_generator, plan_edit, usual_align

    generator, subject = find_generator(tasks[0].generator)
    align = tasks[0].align or usual_align(subject)
    bar("finding the face" if align == "face" else "looking at the photo")
    plans: list[Plan] = []
    for task in tasks:
        handles, targets = zip(*task.drags, strict=True) if task.drags else ((), ())
        face, box = (plans[0].face, None) if plans and plans[0].face else (task.face, task.box)
        plan = plan_edit(
            picture,
            handles,
            targets,
            task.mask,
            Selection(face, box, align, task.ignore),
            snap=snap,
            presets=amounts,
        )
        plans.append(replace(plan, faces=plans[0].faces) if plans else plan)
    if subject is None and tasks[0].align is None:
        bar.note(options.UNKNOWN_SUBJECT.format(generator))
    if plans[0].faces and plans[0].faces > 1 and tasks[0].face is None:
        bar.note(
            f"{plans[0].faces} faces were found; face 1 (the largest) is edited; "
            f"choose with --face N (see `photodrag faces {picture.path}`)."
        )
    return [replace(task, generator=generator) for task in tasks], plans


def _carried_out(
    plan: "Plan",
    task: EditFile,
    device: str,
    refresh: bool,
    inversion: "Inversion | None",
    filmed: bool,
    bar: ProgressBar,
) -> "Edit":
    options.prepare_to_compute(device)
    from photodrag.drag.methods import METHODS
    from photodrag.invert import ProjectSettings
    from photodrag.pipeline.commands import progress_bar
    from photodrag.pipeline.editing.whole_edit import carry_out

    projection, tuning = ProjectSettings(), options.tune_settings(task.tune)
    ahead = {} if inversion else progress_bar.inversion_costs(projection.stages, tuning)
    dragging = progress_bar.drag_costs(task.steps or METHODS[task.method].settings.steps)
    bar.expect(ahead | dragging | (film_costs() if filmed else {}))
    return carry_out(
        plan,
        network=Network(task.generator, task.class_, device),
        dragging=Dragging(task.method, task.steps),
        inverting=Inverting(projection, tuning, refresh),
        inversion=inversion,
        progress=bar,
    )


def _task(edit_file: Path | None, drags: tuple, wanted: dict) -> EditFile:
    """The edit that file and options describe together."""
    task = read_edit_file(edit_file) if edit_file else EditFile()
    given = {name: value for name, value in wanted.items() if value is not None}
    options.check_one_face(given.get("face"), given.get("box"))
    if "face" in given or "box" in given:
        task = replace(task, face=None, box=None)
    return replace(task, drags=task.drags + drags, **given)

"""The steps of `photodrag edit`: what was asked for is checked, planned, carried out, and told."""

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from photodrag.pipeline.commands import options, progress_bar
from photodrag.pipeline.commands.edit_tasks import FINGERPRINT, EditOptions, kept_edit
from photodrag.pipeline.commands.films import Film, check_films, film_costs, write_films
from photodrag.pipeline.commands.progress_bar import ProgressBar
from photodrag.pipeline.editing.edit_file import EditFile, write_edit_file
from photodrag.pipeline.editing.options import Dragging, Inverting, Network
from photodrag.pipeline.editing.selection import Selection
from photodrag.weights.common.errors import UserError

if TYPE_CHECKING:
    from photodrag.pipeline.editing.inversion import Inversion
    from photodrag.pipeline.editing.plan import Plan
    from photodrag.pipeline.editing.result import Edit
    from photodrag.pipeline.photos.photo import Photo


@dataclass(frozen=True)
class Outputs:
    """Where the edits go, one place each."""

    pictures: list[Path]
    films: list[Film]


@dataclass(frozen=True, eq=False)
class Job:
    """One edit of the run."""

    task: EditFile
    plan: "Plan"
    out: Path
    film: Film


def checked_outputs(given: EditOptions, tasks: list[EditFile], picture: "Photo") -> Outputs:
    """Where pictures and films go. Raises UserError for what can't be written, or would replace what is read."""
    from photodrag.pipeline.photos.write import check_output, check_writable, default_output

    outs = numbered(given.out or default_output(picture), len(tasks))
    inputs = [*(path for task in tasks for path in task.pictures), *given.edit_files]
    for path in outs:
        check_output(path, picture, inputs)
    if given.save_edit:
        check_writable(given.save_edit, [given.photo, *tasks[0].pictures])
        if os.path.realpath(given.save_edit) == os.path.realpath(outs[0]):
            raise UserError(f"{outs[0]} can't be both the picture and the edit: give --save-edit another name.")
    if given.save_latent:
        if len(tasks) > 1:
            raise UserError("--save-latent keeps one code, and several --edit were given: save each by itself.")
        options.check_latent(given.save_latent, [given.photo, *inputs])
    none: list[Path | None] = [None] * len(tasks)
    video, gif, frames = (
        numbered(path, len(tasks)) if path else none for path in (given.video, given.gif, given.frames)
    )
    films = list(zip(video, gif, frames, strict=True))
    check_films(films, given.arrows, [given.photo, *inputs, *outs, *([given.save_edit] if given.save_edit else [])])
    return Outputs(outs, films)


def numbered(path: Path, count: int) -> list[Path]:
    """The path itself, or of several outputs one each: smile-1.jpg, smile-2.jpg, …"""
    if count == 1:
        return [path]
    return [path.with_name(f"{path.stem}-{n}{path.suffix}") for n in range(1, count + 1)]


def planned(
    picture: "Photo", tasks: list[EditFile], outputs: Outputs, given: EditOptions, bar: ProgressBar
) -> list[Job]:
    """The edits, their generator found, with a plan for each; the face is looked for once."""
    from photodrag.pipeline.editing.plan import find_generator, plan_edit, usual_align

    options.will_compute()
    generator, subject = find_generator(tasks[0].generator)
    align = tasks[0].align or usual_align(subject)
    bar("finding the face" if align == "face" else "looking at the photo")
    plans: list[Plan] = []
    for task in tasks:
        handles, targets = zip(*task.drags, strict=True) if task.drags else ((), ())
        face, box = (plans[0].face, None) if plans and plans[0].face else (task.face, task.box)
        selection = Selection(face, box, align, task.ignore, plans[0].person if plans else task.person)
        plan = plan_edit(
            picture,
            handles,
            targets,
            task.mask,
            selection,
            snap=given.snap,
            controls=task.controls,
        )
        plans.append(replace(plan, faces=plans[0].faces) if plans else plan)
    if given.save_latent and plans[0].by_photo_alone:
        raise UserError("--save-latent keeps a code, and this edit needs none: it reshapes the photo alone.")
    for task, file in zip(tasks, given.edit_files, strict=False):
        if task.names_pixels and task.photo not in (None, picture.key[:FINGERPRINT]):
            bar.note(
                f"{file} was made on another photo, whose pixels its drags name: on {picture.path} they may lie "
                "elsewhere on the face. Landmarks by name and presets mean the same on every photo."
            )
    if subject is None and tasks[0].align is None:
        bar.note(options.UNKNOWN_SUBJECT.format(generator))
    if plans[0].faces and plans[0].faces > 1 and tasks[0].face is None and not plans[0].person:
        bar.note(
            f"{plans[0].faces} faces were found; face 1 (the largest) is edited; "
            f"choose with --face N (see `photodrag faces {picture.path}`)."
        )
    tasks = [replace(task, generator=generator) for task in tasks]
    return [Job(*job) for job in zip(tasks, plans, outputs.pictures, outputs.films, strict=True)]


def carried_out(jobs: list[Job], given: EditOptions, bar: ProgressBar, began: float) -> list[dict]:
    """Make each edit and write its picture and its films: the facts of each, as --json prints them.

    began: seconds of the monotonic clock. What is whole when the command is stopped, it says."""
    facts: list[dict] = []
    inversion: Inversion | None = None
    outs = [job.out for job in jobs]
    for done, job in enumerate(jobs):
        with options.stopping_leaves(whole(outs[:done])):
            result = _edited(job, given, inversion, bar)
            bar("writing")
            dropped = result.save(job.out, given.keep_video)
            if given.save_latent and result.w_plus is not None:
                from photodrag.invert.imported_codes import write_projected_w

                write_projected_w(given.save_latent, result.w_plus)
            inversion = result.inversion or inversion
        with options.stopping_leaves(whole(outs[: done + 1])):
            from photodrag.pipeline.editing import report

            if any(job.film):
                write_films(job.plan, result, job.film, given.arrows, bar)
            facts.append(report.of_edit(result, job.out, job.task.seed, time.monotonic() - began, dropped))
            if dropped:
                bar.note(f"{job.out} is without {'; '.join(dropped)}.")
    if inversion and inversion.cache_error:
        bar.note(f"The inversion was not kept: {inversion.cache_error}")
    return facts


def _edited(job: Job, given: EditOptions, inversion: "Inversion | None", bar: ProgressBar) -> "Edit":
    """The edit, by the inversion of an earlier one of the run where there is one."""
    options.prepare_to_compute(given.device)
    from photodrag.drag.methods import find_method
    from photodrag.pipeline.editing.likeness import usual_projection
    from photodrag.pipeline.editing.whole_edit import carry_out

    task = job.task
    inverting = Inverting(tuning=options.tune_settings(task.tune), refresh=given.refresh, likeness=task.likeness)
    inverting = inverting.before(task.controls.code)
    stages = usual_projection(inverting.least_likeness, job.plan.place).stages
    ahead = {} if inversion or job.plan.by_photo_alone else progress_bar.inversion_costs(stages, inverting.tuned_by)
    dragging = progress_bar.drag_costs(task.steps or find_method(task.method).settings.steps)
    bar.expect(ahead | dragging | (film_costs() if any(job.film) else {}))
    return carry_out(
        job.plan,
        network=Network(task.generator, task.class_, given.device),
        dragging=Dragging(task.method, task.steps),
        inverting=inverting,
        inversion=inversion,
        progress=bar,
    )


def tell(jobs: list[Job], facts: list[dict], given: EditOptions) -> None:
    """Keep the edit in a file, where that was asked for, and print the facts."""
    from photodrag.pipeline.editing import report

    with options.stopping_leaves(whole([job.out for job in jobs])):
        if given.save_edit:
            write_edit_file(given.save_edit, kept_edit(jobs[0].task, jobs[0].plan, given.snap))
        if given.as_json:
            options.say_json(facts[0] if len(facts) == 1 else {"edits": facts})
        else:
            options.say("\n".join(map(report.edit_in_words, facts)))


def whole(outs: list[Path]) -> str:
    """What a command that is stopped leaves, once these pictures are written, in words."""
    if not outs:
        return "nothing was written"
    if len(outs) == 1:
        return f"the picture is whole, in {outs[0]}"
    return f"the pictures are whole, in {', '.join(map(str, outs))}"

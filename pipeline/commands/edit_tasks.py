"""What `photodrag edit` was asked for: options and edit files, put together and checked before anything is read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photodrag.pipeline.commands import options
from photodrag.pipeline.editing.attribute_names import ATTRIBUTES
from photodrag.pipeline.editing.direction_names import check_directions
from photodrag.pipeline.editing.edit_file import Drag, EditFile, Point, read_edit_file
from photodrag.pipeline.faces.preset_table import PRESETS
from photodrag.weights.common.errors import UserError

if TYPE_CHECKING:
    from photodrag.pipeline.editing.plan import Plan
    from photodrag.pipeline.faces.expressions import Expression
    from photodrag.pipeline.faces.regions import Region

FINGERPRINT = 16
"""Digits of a photo's key, by which an edit's file knows it again."""
STAY = "+0,+0"
"""The target of a pin."""
SHARED = "face", "box", "person", "align", "generator", "class_", "tune", "likeness", "ignore"
"""What edits in one run have in common, for there is one inversion."""
EDIT_FIELDS = "mask", *SHARED, "method", "steps", "seed", "truncation", "move", "roll"
"""What an option can say instead of an edit's file."""


@dataclass(frozen=True)
class EditOptions:
    """What `photodrag edit` was asked for."""

    photo: Path
    drags: tuple[Drag, ...]
    pins: tuple[Point, ...]
    snap: bool
    out: Path | None
    device: str
    refresh: bool
    edit_files: tuple[Path, ...]
    save_edit: Path | None
    video: Path | None
    gif: Path | None
    frames: Path | None
    arrows: bool
    keep_video: bool
    latent: Path | None
    directions: tuple[tuple[str, float], ...]
    save_latent: Path | None
    quiet: bool
    as_json: bool
    regions: tuple["Region", ...]
    parts: Path | None
    expression_from: Path | None
    amount: float | None
    amounts: Mapping[str, float]
    """Of presets, those that were given."""
    attributes: Mapping[str, float]
    """The same of attributes."""
    fields: Mapping[str, Any]
    """Of EDIT_FIELDS, those that were given."""

    @classmethod
    def of(cls, keywords: dict[str, Any]) -> "EditOptions":
        """From the command's keywords."""
        amounts, attributes = options.amounts_of(PRESETS, keywords), options.amounts_of(ATTRIBUTES, keywords)
        fields = {name: value for name in EDIT_FIELDS if (value := keywords.pop(name)) is not None}
        return cls(**keywords, amounts=amounts, attributes=attributes, fields=fields)


def checked_tasks(given: EditOptions) -> list[EditFile]:
    """The edits that files and options describe. Raises UserError where one drags nothing, and for edits that can't be
    made in one run."""
    drags = given.drags + tuple((pin, STAY) for pin in given.pins)
    check_directions(given.directions)
    tasks = [_task(edit_file, drags, given) for edit_file in given.edit_files or [None]]
    for task, edit_file in zip(tasks, given.edit_files or [None], strict=True):
        if not task.moves:
            where = f" in {edit_file}" if len(tasks) > 1 else ""
            raise UserError(
                f"Nothing is to be dragged{where}: give --drag {options.DRAG.name}, like {options.DRAG.example}."
            )
    _check_together(tasks, given.edit_files, given.save_edit)
    return tasks


def _task(edit_file: Path | None, drags: tuple[Drag, ...], asked: EditOptions) -> EditFile:
    """The edit that file and options describe together."""
    task, given = read_edit_file(edit_file) if edit_file else EditFile(), dict(asked.fields)
    options.check_one_face(given.get("face"), given.get("box"))
    if given.keys() & {"face", "box", "person"}:
        task = replace(task, face=None, box=None)
    if expression := _expression(task, asked):
        given["expression"] = expression
    presets, regions = {**task.presets, **asked.amounts}, task.regions + asked.regions
    directions, latent = task.directions + asked.directions, str(asked.latent) if asked.latent else task.latent
    given["parts"] = asked.parts or task.parts
    given |= {"presets": presets, "regions": regions, "directions": directions, "latent": latent}
    given["attributes"] = {**task.attributes, **asked.attributes}
    return replace(task, drags=task.drags + drags, **given)


def _expression(task: EditFile, asked: EditOptions) -> "Expression | None":
    """The expression that options name, or that of the edit's file, as much of it as they say."""
    if asked.expression_from:
        from photodrag.pipeline.editing.expression_file import expression_from

        return expression_from(asked.expression_from, options.AMOUNT if asked.amount is None else asked.amount)
    if asked.amount is not None and task.expression is None:
        raise UserError("--amount says how much of an expression is taken over: name one by --expression-from.")
    return replace(task.expression, amount=asked.amount) if task.expression and asked.amount is not None else None


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


def kept_edit(task: EditFile, plan: "Plan", snap: bool) -> EditFile:
    """The edit as a file keeps it: presets, landmarks and what a map of parts asks as such, so that they mean the same
    on another photo."""
    drags = plan.drags[: len(task.drags)] if snap else task.drags
    presets, attributes = ({k: v for k, v in one.items() if v} for one in (task.presets, task.attributes))
    parts = plan.controls.known_parts or None
    task = replace(task, drags=drags, presets=presets, attributes=attributes, parts=parts)
    return replace(task, photo=plan.photo.key[:FINGERPRINT] if task.names_pixels else None)

"""edit.json: an edit in a file, to be repeated, shared, or changed by hand.

    {"photodrag": 1, "drags": [[[412, 530], [412, 510]]], "mask": "auto", "face": null, "box": null,
     "align": null, "generator": "face", "class": null, "tune": null, "method": "photodrag", "steps": null, "seed": 0,
     "likeness": "auto", "ignore": null, "person": null, "latent": null, "directions": [["sefa:3@0-6", 2.0]],
     "truncation": 1.0}

Only "photodrag", the format's version, must be there; those from "method" on, but for "steps" and "seed", are written
only where they aren't the default, so that other files can be read by programs that know of none. The path of a
picture (mask, ignore), of codes (latent), of a direction and of a generator's file is relative to the file's folder; a
generator without a folder is a name, and so is a direction that begins as those without a file do.
"""

import json
import os
from dataclasses import dataclass, fields
from pathlib import Path

from photodrag.drag.methods import DEFAULT, METHODS
from photodrag.pipeline.editing.direction_names import KINDS, CodeEdit, read_direction_name
from photodrag.pipeline.editing.options import LIKENESS, Likeness
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import write_whole
from photodrag.weights.common.json_checks import Check, is_number, is_row, is_whole, or_null

VERSION = 1
NAMED = tuple(f"{kind}:" for kind in KINDS)

Point = tuple[float, float] | str
"""(x, y) in photo pixels; before an edit is planned also what a person wrote instead, a landmark's name, say."""
Drag = tuple[Point, Point]
"""A handle and its target."""


@dataclass(frozen=True)
class EditFile:
    """What an edit is, the photo apart. None stands for the default."""

    drags: tuple[Drag, ...] = ()
    """A handle that is its own target is a pin. A file holds numbers alone."""
    mask: str = "auto"
    """"auto", "face", or a picture's path."""
    face: int | None = None
    box: tuple[float, float, float, float] | None = None
    align: str | None = None
    """"face" or "square"."""
    generator: str = "face"
    """A name, or a path with a folder in it."""
    class_: int | None = None
    tune: int | None = None
    """Steps of pivotal tuning, 0 for as many as usual; None for none."""
    method: str = DEFAULT
    """Of dragging, one of `drag.methods.METHODS`."""
    likeness: Likeness = "auto"
    """Of `options.LIKENESS`."""
    steps: int | None = None
    seed: int = 0
    ignore: str | None = None
    """A picture's path: what is not to be looked at."""
    person: str | None = None
    """The name of somebody who was learned."""
    latent: str | None = None
    directions: tuple[tuple[str, float], ...] = ()
    truncation: float = 1.0
    """These three are those of `direction_names.CodeEdit`."""

    @property
    def code_edit(self) -> CodeEdit:
        """What is done to the photo's code."""
        return CodeEdit(self.latent, self.directions, self.truncation)

    @property
    def mask_path(self) -> Path | None:
        """The mask's file, if it is one."""
        return None if self.mask in ("auto", "face") else Path(self.mask)

    @property
    def pictures(self) -> list[Path]:
        """The files that it is made from."""
        files = [direction.path for direction in map(read_direction_name, (name for name, _ in self.directions))]
        return [Path(path) for path in (self.mask_path, self.ignore, self.latent, *files) if path]


def read_edit_file(path: str | Path) -> EditFile:
    """Raises UserError, naming the file and the field, for anything that isn't as it should be."""
    path = Path(path)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise UserError(f"There is no file {path}: check its name and folder.") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is no text in UTF-8: give a file that --save-edit wrote.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {getattr(error, 'strerror', error)}.") from None
    try:
        content = json.loads(text, object_pairs_hook=_without_doubles)
    except json.JSONDecodeError as error:
        raise UserError(f"{path} is no JSON: look at line {error.lineno}, column {error.colno}.") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is no JSON as it should be: {error}.") from None
    return _checked(content, path)


def write_edit_file(path: str | Path, edit: EditFile) -> None:
    """Write a file that `read_edit_file` reads as the same edit; whole, or not at all. Raises UserError."""
    path = Path(path)
    content = {"photodrag": VERSION} | {field.name.rstrip("_"): getattr(edit, field.name) for field in fields(edit)}
    folder = path.absolute().parent
    for name in ("method", "likeness", "person", "ignore", "latent", "directions", "truncation"):
        if content[name] == getattr(EditFile, name):
            del content[name]
    for name in ("ignore", "latent"):
        if name in content:
            content[name] = _relative(Path(str(content[name])), folder)
    if "directions" in content:
        content["directions"] = [[_direction(name, folder), amount] for name, amount in edit.directions]
    if edit.mask_path:
        content["mask"] = _relative(edit.mask_path, folder)
    if os.path.dirname(edit.generator):
        relative = _relative(Path(edit.generator), folder)
        content["generator"] = relative if os.path.dirname(relative) else os.path.join(os.curdir, relative)
    lines = [f"{json.dumps(name)}: {json.dumps(value, allow_nan=False)}" for name, value in content.items()]
    text = "{" + ",\n ".join(lines) + "}\n"
    write_whole(path, lambda file: file.write(text.encode()))


def _checked(content: object, path: Path) -> EditFile:
    if not isinstance(content, dict):
        raise UserError(f'{path} should hold an object, like {{"photodrag": 1, "drags": [[[412, 530], [412, 510]]]}}.')
    for name in content:
        if name not in FIELDS:
            raise UserError(f"{path} has a field {name!r}, which there isn't: the fields are {', '.join(FIELDS)}.")
    if "photodrag" not in content:
        raise UserError(f"{path} lacks the field 'photodrag': begin it with {{\"photodrag\": {VERSION}, …}}.")
    for name, value in content.items():
        right, wanted = FIELDS[name]
        if not right(value):
            raise UserError(f"{path}: the field {name!r} should be {wanted}, not {_short(value)}.")
    if content.get("face") is not None and content.get("box") is not None:
        raise UserError(f"{path} has both 'face' and 'box': set one of them to null.")
    values = {name: value for name, value in content.items() if name != "photodrag"}
    values["drags"] = tuple(tuple(tuple(map(float, p)) for p in drag) for drag in content.get("drags", ()))
    if values.get("box") is not None:
        values["box"] = tuple(map(float, values["box"]))
    for name in ("mask", "generator", "method", "likeness", "seed", "truncation"):
        if values.get(name) is None:
            values.pop(name, None)
    if values.get("mask", "auto") not in ("auto", "face"):
        values["mask"] = str(path.parent / values["mask"])
    for name in ("ignore", "latent"):
        if values.get(name) is not None:
            values[name] = str(path.parent / values[name])
    values["directions"] = tuple(
        (name if name.startswith(NAMED) else str(path.parent / name), float(amount))
        for name, amount in values.get("directions") or ()
    )
    if os.path.dirname(values.get("generator", "")):
        values["generator"] = os.path.join(path.parent, values["generator"])
    values["class_"] = values.pop("class", None)
    return EditFile(**values)


_is_number = is_number(below=1e300)


def _is_whole(least: int) -> Check:
    return is_whole(least, below=2**63)


def _is_drags(value: object) -> bool:
    return isinstance(value, list) and all(map(is_row(2, is_row(2, _is_number)), value))


def _is_directions(value: object) -> bool:
    def is_one(item: object) -> bool:
        return isinstance(item, list) and len(item) == 2 and _is_name(item[0]) and is_number(below=1e3)(item[1])

    return isinstance(value, list) and all(map(is_one, value))


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value) and "\0" not in value


FIELDS: dict[str, tuple[Check, str]] = {
    "photodrag": (lambda value: _is_whole(1)(value) and value == VERSION, f"{VERSION}, the version known here"),
    "drags": (_is_drags, "a list of handles and targets like [[[412, 530], [412, 510]]]"),
    "mask": (or_null(_is_name), '"auto", "face" or the path of a picture'),
    "face": (or_null(_is_whole(1)), "a face's number from 1 on, or null"),
    "box": (or_null(is_row(4, _is_number)), "[x, y, width, height] or null"),
    "align": (or_null(lambda value: value in ("face", "square")), '"face", "square" or null'),
    "generator": (or_null(_is_name), "a generator's name, or a checkpoint's path"),
    "class": (or_null(_is_whole(0)), "a class's number from 0 on, or null"),
    "tune": (or_null(_is_whole(0)), "a number of steps, 0 for as many as usual, or null"),
    "method": (or_null(lambda value: value in METHODS), f"one of {', '.join(map(json.dumps, METHODS))} or null"),
    "likeness": (or_null(lambda value: value in LIKENESS), f"one of {', '.join(map(json.dumps, LIKENESS))} or null"),
    "steps": (or_null(_is_whole(1)), "a whole number from 1 on, or null"),
    "seed": (or_null(_is_whole(0)), "a whole number from 0 on"),
    "ignore": (or_null(_is_name), "the path of a picture or null"),
    "person": (or_null(_is_name), "the name of a person who was learned, or null"),
    "latent": (or_null(_is_name), "the path of a file of codes or null"),
    "directions": (or_null(_is_directions), 'a list of directions and amounts like [["sefa:3", 2.0]]'),
    "truncation": (or_null(lambda value: _is_number(value) and 0 <= value <= 2), "a number from 0 to 2 or null"),
}


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the field {name!r} is there twice")
    return dict(pairs)


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _direction(name: str, folder: Path) -> str:
    """A direction as a file in that folder names it."""
    return name if name.startswith(NAMED) else _relative(Path(name), folder)


def _relative(path: Path, folder: Path) -> str:
    try:
        relative = os.path.relpath(path.absolute(), folder)
    except ValueError:  # another drive
        return str(path.absolute())
    return os.path.join(os.curdir, relative) if relative in ("auto", "face") else relative

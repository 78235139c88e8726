"""edit.json: an edit in a file, to be repeated, shared, or changed by hand.

    {"photodrag": 1, "drags": [[[412, 530], [412, 510]], ["mouth.left", "+0,-3%"]], "presets": {"smile": 0.5},
     "photo": "b1946ac92492d234", "mask": "auto", "face": null, "box": null, "align": null, "generator": "face",
     "class": null, "tune": null, "method": "photodrag", "steps": null, "seed": 0, "likeness": "auto", "ignore": null,
     "person": null}

Only "photodrag", the format's version, must be there; RARE fields are written only where they aren't the default, so
that other files can be read by programs that know of none. The path of a picture (mask, ignore), and of a generator's
file, is relative to the file's folder; a generator without a folder is a name. Landmarks and presets mean the same on
every photo; pixels are those of the photo whose fingerprint is "photo".
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from photodrag.drag.methods import DEFAULT, METHODS
from photodrag.pipeline.editing.options import LIKENESS, Likeness
from photodrag.pipeline.faces.expressions import Expression, is_landmarks
from photodrag.pipeline.faces.landmark_names import read_point, read_target
from photodrag.pipeline.faces.preset_table import PRESETS
from photodrag.pipeline.faces.regions import Region, as_text, read_region
from photodrag.weights.common.bounds import (
    MOST_CLASSES,
    MOST_FACES,
    MOST_POINTS,
    MOST_SEED,
    MOST_STEPS,
    is_coordinate,
)
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import write_whole
from photodrag.weights.common.json_checks import Check, is_row, is_whole, or_null

VERSION = 1
RARE = "presets", "expression", "regions", "photo", "method", "likeness", "ignore", "person"

Point = tuple[float, float] | str
"""(x, y) in photo pixels, or what a person wrote instead, a landmark's name, say."""
Drag = tuple[Point, Point]
"""A handle and its target."""


@dataclass(frozen=True)
class EditFile:
    """What an edit is, the photo apart. None stands for the default."""

    drags: tuple[Drag, ...] = ()
    """A handle that is its own target is a pin."""
    presets: Mapping[str, float] = field(default_factory=dict)
    """How much of each, of `preset_table.PRESETS`."""
    expression: Expression | None = None
    """Another face's, that is taken over."""
    regions: tuple[Region, ...] = ()
    """Parts of the face that are moved as one."""
    photo: str | None = None
    """The fingerprint of the photo whose pixels the drags name; None where nobody knows."""
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

    @property
    def names_pixels(self) -> bool:
        """Whether a drag names pixels of one photo."""
        return any(not isinstance(point, str) for drag in self.drags for point in drag)

    @property
    def mask_path(self) -> Path | None:
        """The mask's file, if it is one."""
        return None if self.mask in ("auto", "face") else Path(self.mask)

    @property
    def pictures(self) -> list[Path]:
        """The files that it is made from."""
        painted = [Path(region.mask) for region in self.regions if region.mask]
        return [path for path in (self.mask_path, self.ignore and Path(self.ignore), *painted) if path]


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
    text = text_of(edit, path.absolute().parent)
    write_whole(path, lambda file: file.write(text.encode()))


def text_of(edit: EditFile, folder: Path | None = None) -> str:
    """What a file in that folder holds, which `read_edit_file` reads as the same edit. Without a folder: one that may
    lie in any, beside the pictures that it names."""
    content = {"photodrag": VERSION} | {field.name.rstrip("_"): getattr(edit, field.name) for field in fields(edit)}
    content["regions"] = [as_text(_with_mask(region, lambda path: _relative(path, folder))) for region in edit.regions]
    if edit.expression:
        content["expression"] = {"amount": edit.expression.amount, "landmarks": edit.expression.rows}
    for name in RARE:
        if content[name] in ({}, [], getattr(EditFile, name, None)):
            del content[name]
    if edit.ignore is not None:
        content["ignore"] = _relative(Path(edit.ignore), folder)
    if edit.mask_path:
        content["mask"] = _relative(edit.mask_path, folder)
    if os.path.dirname(edit.generator):
        relative = _relative(Path(edit.generator), folder)
        content["generator"] = relative if os.path.dirname(relative) else os.path.join(os.curdir, relative)
    lines = [f"{json.dumps(name)}: {json.dumps(value, allow_nan=False)}" for name, value in content.items()]
    return "{" + ",\n ".join(lines) + "}\n"


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
    values["drags"] = tuple(tuple(map(_point, drag)) for drag in content.get("drags", ()))
    values["regions"] = tuple(
        _with_mask(read_region(text), lambda mask: str(path.parent / mask)) for text in content.get("regions") or ()
    )
    if expression := values.get("expression"):
        values["expression"] = Expression.of_rows(expression["landmarks"], float(expression["amount"]))
    if values.get("box") is not None:
        values["box"] = tuple(map(float, values["box"]))
    for name in ("presets", "mask", "generator", "method", "likeness", "seed"):
        if values.get(name) is None:
            values.pop(name, None)
    if values.get("mask", "auto") not in ("auto", "face"):
        values["mask"] = str(path.parent / values["mask"])
    if values.get("ignore") is not None:
        values["ignore"] = str(path.parent / values["ignore"])
    if os.path.dirname(values.get("generator", "")):
        values["generator"] = os.path.join(path.parent, values["generator"])
    values["class_"] = values.pop("class", None)
    return EditFile(**values)


def _is_whole(least: int, most: int) -> Check:
    return is_whole(least, below=most + 1)


def _is_drags(value: object) -> bool:
    return isinstance(value, list) and len(value) <= MOST_POINTS and all(map(_is_drag, value))


def _is_drag(value: object) -> bool:
    """Whether it is a handle and its target. Raises UserError for a landmark that there isn't."""
    if not isinstance(value, list) or len(value) != 2:
        return False
    for point, read in zip(value, (read_point, read_target), strict=True):
        if isinstance(point, str):
            try:
                read(point)
            except ValueError:
                return False
        elif not is_row(2, is_coordinate)(point):
            return False
    return True


def _point(point: str | list[float]) -> Point:
    return point if isinstance(point, str) else (float(point[0]), float(point[1]))


def _with_mask(region: Region, path: Callable[[Path], str]) -> Region:
    """A region whose picture, if it has one, lies at another path."""
    return replace(region, where=path(Path(region.mask))) if region.mask else region


def _is_regions(value: object) -> bool:
    try:
        return isinstance(value, list) and all(isinstance(text, str) and bool(read_region(text)) for text in value)
    except ValueError:
        return False


def _is_expression(value: object) -> bool:
    if not isinstance(value, dict) or value.keys() != {"amount", "landmarks"}:
        return False
    return is_coordinate(value["amount"]) and 0 <= value["amount"] <= 1 and is_landmarks(value["landmarks"])


def _is_presets(value: object) -> bool:
    return isinstance(value, dict) and all(
        name in PRESETS and is_coordinate(amount) and PRESETS[name].least <= amount <= 1
        for name, amount in value.items()
    )


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value) and "\0" not in value


FIELDS: dict[str, tuple[Check, str]] = {
    "photodrag": (_is_whole(VERSION, VERSION), f"{VERSION}, the version known here"),
    "drags": (
        _is_drags,
        f'a list of handles and targets like [[[412, 530], [412, 510]], ["nose", "+0,-3%"]], {MOST_POINTS} at most',
    ),
    "presets": (or_null(_is_presets), f'{{"smile": 0.5}} or the like, -1 to 1 of {", ".join(PRESETS)}'),
    "regions": (or_null(_is_regions), 'a list like ["mouth:+0,-3%,rotate=5,scale=1.1"], or null'),
    "expression": (or_null(_is_expression), '{"amount": 0.8, "landmarks": [[-0.9, 0.1], …]}, 68 of these, or null'),
    "photo": (or_null(_is_name), "the fingerprint of a photo, or null"),
    "mask": (or_null(_is_name), '"auto", "face" or the path of a picture'),
    "face": (or_null(_is_whole(1, MOST_FACES)), f"a face's number from 1 to {MOST_FACES}, or null"),
    "box": (or_null(is_row(4, is_coordinate)), "[x, y, width, height] or null"),
    "align": (or_null(lambda value: value in ("face", "square")), '"face", "square" or null'),
    "generator": (or_null(_is_name), "a generator's name, or a checkpoint's path"),
    "class": (or_null(_is_whole(0, MOST_CLASSES)), f"a class's number from 0 to {MOST_CLASSES}, or null"),
    "tune": (or_null(_is_whole(0, MOST_STEPS)), f"a number of steps to {MOST_STEPS}, 0 for as many as usual, or null"),
    "method": (or_null(lambda value: value in METHODS), f"one of {', '.join(map(json.dumps, METHODS))} or null"),
    "likeness": (or_null(lambda value: value in LIKENESS), f"one of {', '.join(map(json.dumps, LIKENESS))} or null"),
    "steps": (or_null(_is_whole(1, MOST_STEPS)), f"a whole number from 1 to {MOST_STEPS}, or null"),
    "seed": (or_null(_is_whole(0, MOST_SEED)), f"a whole number from 0 to {MOST_SEED}"),
    "ignore": (or_null(_is_name), "the path of a picture or null"),
    "person": (or_null(_is_name), "the name of a person who was learned, or null"),
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


def _relative(path: Path, folder: Path | None) -> str:
    if folder is None:
        return str(path.absolute() if path.parent != Path() else path)
    try:
        relative = os.path.relpath(path.absolute(), folder)
    except ValueError:  # another drive
        return str(path.absolute())
    return os.path.join(os.curdir, relative) if relative in ("auto", "face") else relative

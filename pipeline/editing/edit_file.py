"""edit.json: an edit in a file, to be repeated, shared, or changed by hand.

    {"photodrag": 1, "drags": [[[412, 530], [412, 510]], ["mouth.left", "+0,-3%"]], "presets": {"smile": 0.5},
     "regions": ["nose:scale=0.9"], "photo": "b1946ac92492d234", "mask": "auto", "face": null, "box": null,
     "align": null, "generator": "face", "class": null, "tune": null, "method": "photodrag", "steps": null, "seed": 0,
     "likeness": "auto", "ignore": null, "person": null, "latent": null, "directions": [["sefa:3@0-6", 2.0]],
     "attributes": {"older": 0.5}, "truncation": 1.0, "move": [12, -4], "roll": 5.0}

Only "photodrag", the format's version, must be there; RARE fields are written only where they aren't the default, so
that other files can be read by programs that know of none. The path of a picture (mask, ignore, of a region), of codes
(latent), of a direction and of a generator's file is relative to the file's folder; a generator without a folder is a
name, and so is a direction that begins as those without a file do. Landmarks and presets mean the same on every photo;
pixels are those of the photo whose fingerprint is "photo"."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from photodrag.drag.methods import DEFAULT
from photodrag.pipeline.editing.controls import Controls
from photodrag.pipeline.editing.direction_names import KINDS, CodeEdit, read_direction_name
from photodrag.pipeline.editing.edit_fields import FIELDS, VERSION
from photodrag.pipeline.editing.options import Likeness
from photodrag.pipeline.editing.parts_asked import PartsAsked
from photodrag.pipeline.faces.expressions import Expression
from photodrag.pipeline.faces.regions import Region, as_text, read_region
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import write_whole

RARE = (
    *("presets", "expression", "regions", "parts", "photo", "method", "likeness"),
    *("ignore", "person", "latent", "directions", "attributes", "truncation", "move", "roll"),
)
NAMED = tuple(f"{kind}:" for kind in KINDS)

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
    parts: PartsAsked | Path | None = None
    """Where its parts shall be; a painted map's path until it is read, which no file keeps."""
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
    latent: str | None = None
    directions: tuple[tuple[str, float], ...] = ()
    attributes: Mapping[str, float] = field(default_factory=dict)
    truncation: float = 1.0
    move: tuple[float, float] | None = None
    roll: float | None = None
    """These six are those of `direction_names.CodeEdit`."""

    @property
    def controls(self) -> Controls:
        """What is asked for beside points."""
        code = CodeEdit(self.latent, self.directions, self.attributes, self.truncation, self.move, self.roll)
        return Controls(self.presets, self.expression, self.regions, self.parts, code)

    @property
    def moves(self) -> bool:
        """Whether it asks for anything."""
        points = self.drags or any(self.presets.values()) or self.expression or self.regions or self.parts
        return bool(points) or self.controls.code.given

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
        directions = [read_direction_name(name).path for name, _ in self.directions]
        painted = [*(region.mask for region in self.regions), self.parts if isinstance(self.parts, Path) else None]
        return [Path(path) for path in (self.mask_path, self.ignore, self.latent, *directions, *painted) if path]


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

    def relative(path: str) -> str:
        return _relative(Path(path), folder)

    content = {"photodrag": VERSION} | {one.name.rstrip("_"): getattr(edit, one.name) for one in fields(edit)}
    content["regions"] = [as_text(_with_mask(region, relative)) for region in edit.regions]
    content["directions"] = [list(_with_file(direction, relative)) for direction in edit.directions]
    if edit.expression:
        content["expression"] = {"amount": edit.expression.amount, "landmarks": edit.expression.rows}
    if isinstance(edit.parts, PartsAsked):
        content["parts"] = edit.parts.content
    for name in RARE:
        if content[name] in ({}, [], getattr(EditFile, name, None)):
            del content[name]
    for name in ("ignore", "latent"):
        if name in content:
            content[name] = relative(str(content[name]))
    if edit.mask_path:
        content["mask"] = relative(edit.mask)
    if os.path.dirname(edit.generator):
        generator = relative(edit.generator)
        content["generator"] = generator if os.path.dirname(generator) else os.path.join(os.curdir, generator)
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

    def beside(name: str) -> str:
        return str(path.parent / name)

    given = {name: value for name, value in content.items() if value is not None and name != "photodrag"}
    values: dict = given | {
        "drags": tuple(tuple(map(_point, drag)) for drag in given.get("drags", ())),
        "regions": tuple(_with_mask(read_region(text), beside) for text in given.get("regions", ())),
        "directions": tuple(_with_file((name, float(amount)), beside) for name, amount in given.get("directions", ())),
    }
    if expression := given.get("expression"):
        values["expression"] = Expression.of_rows(expression["landmarks"], float(expression["amount"]))
    if "parts" in given:
        values["parts"] = PartsAsked.of_content(given["parts"])
    for name in given.keys() & {"box", "move"}:
        values[name] = tuple(map(float, given[name]))
    for name in ("mask", "ignore", "latent"):
        if name in given and not (name == "mask" and given[name] in ("auto", "face")):
            values[name] = beside(given[name])
    if os.path.dirname(given.get("generator", "")):
        values["generator"] = os.path.join(path.parent, given["generator"])
    if "class" in values:
        values["class_"] = values.pop("class")
    return EditFile(**values)


def _point(point: str | list[float]) -> Point:
    return point if isinstance(point, str) else (float(point[0]), float(point[1]))


def _with_mask(region: Region, path: Callable[[str], str]) -> Region:
    """A region whose picture, if it has one, lies at another path."""
    return replace(region, where=path(region.mask)) if region.mask else region


def _with_file(direction: tuple[str, float], path: Callable[[str], str]) -> tuple[str, float]:
    """A direction and its amount, its file, if it has one, at another path."""
    name, amount = direction
    return (name if name.startswith(NAMED) else path(name)), amount


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

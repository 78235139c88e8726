"""The fields of edit.json: what each may hold, and in words what it should."""

import json

from photodrag.drag.methods import METHODS
from photodrag.pipeline.editing.attribute_names import ATTRIBUTES
from photodrag.pipeline.editing.options import LIKENESS
from photodrag.pipeline.editing.parts_asked import is_parts
from photodrag.pipeline.faces.expressions import is_landmarks
from photodrag.pipeline.faces.landmark_names import read_point, read_target
from photodrag.pipeline.faces.preset_table import PRESETS
from photodrag.pipeline.faces.regions import read_region
from photodrag.weights.common.bounds import (
    MOST_CLASSES,
    MOST_FACES,
    MOST_POINTS,
    MOST_ROLL,
    MOST_SEED,
    MOST_STEPS,
    is_coordinate,
)
from photodrag.weights.common.json_checks import Check, is_number, is_row, is_whole, or_null

VERSION = 1


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


def _is_regions(value: object) -> bool:
    try:
        return isinstance(value, list) and all(isinstance(text, str) and bool(read_region(text)) for text in value)
    except ValueError:
        return False


def _is_expression(value: object) -> bool:
    if not isinstance(value, dict) or value.keys() != {"amount", "landmarks"}:
        return False
    return _is_within(0, 1)(value["amount"]) and is_landmarks(value["landmarks"])


def _is_presets(value: object) -> bool:
    return isinstance(value, dict) and all(
        name in PRESETS and _is_within(PRESETS[name].least, 1)(amount) for name, amount in value.items()
    )


def _is_attributes(value: object) -> bool:
    return isinstance(value, dict) and all(
        name in ATTRIBUTES and _is_within(-1, 1)(amount) for name, amount in value.items()
    )


def _is_directions(value: object) -> bool:
    def is_one(item: object) -> bool:
        return isinstance(item, list) and len(item) == 2 and _is_name(item[0]) and is_number(below=1e3)(item[1])

    return isinstance(value, list) and all(map(is_one, value))


def _is_within(least: float, most: float) -> Check:
    return lambda value: is_coordinate(value) and least <= value <= most


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
    "parts": (
        or_null(is_parts),
        '{"landmarks": {"48": [-0.05, 0.01]}, "gaze": [0, 0], "forehead": 0} as --save-edit writes it, or null',
    ),
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
    "latent": (or_null(_is_name), "the path of a file of codes or null"),
    "directions": (or_null(_is_directions), 'a list of directions and amounts like [["sefa:3", 2.0]]'),
    "attributes": (or_null(_is_attributes), f'{{"older": 0.5}} or the like, -1 to 1 of {", ".join(ATTRIBUTES)}'),
    "truncation": (or_null(_is_within(0, 2)), "a number from 0 to 2 or null"),
    "move": (or_null(is_row(2, is_coordinate)), "[x, y] or null"),
    "roll": (or_null(_is_within(-MOST_ROLL, MOST_ROLL)), f"a number from {-MOST_ROLL} to {MOST_ROLL} or null"),
}

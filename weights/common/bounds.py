"""What numbers that a person, a file or a program gives may be: nothing here allocates by one that is out of bounds."""

from dataclasses import fields
from typing import TYPE_CHECKING

from photodrag.weights.common.errors import UserError
from photodrag.weights.common.json_checks import is_number, is_whole

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MOST_STEPS = 10_000
"""Of a drag, of tuning, of a stage of a projection: thirty times what any paper takes."""
MOST_FACES = 10_000
"""In one photo."""
MOST_CLASSES = 1_000_000
"""Of a generator; more than any that can be read has."""
MOST_SEED = 2**63 - 1
MOST_COORDINATE = 1e7
"""Of a point or a box, in photo pixels, either way of zero."""
MOST_POINTS = 1000
"""Dragged at once."""
MOST_ROLL = 180
"""Degrees, either way: half a turn."""
is_coordinate = is_number(below=MOST_COORDINATE)
"""A check whether a value can be a coordinate: finite, and within MOST_COORDINATE."""


def _is_real(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_numbers(settings: "DataclassInstance", **bounds: tuple[float, float]) -> None:
    """Check the numbers of a dataclass, and those in its tuples: whole where they are said to be int, and from 0 to a
    million (to MOST_STEPS for whole ones), or within the `bounds` given by their names, least and most.

    Raises UserError, which names the field."""
    for field in fields(settings):
        kind, value = str(field.type), getattr(settings, field.name)
        whole, real = "int" in kind, "float" in kind
        if value is None or not (whole or real):
            continue
        least, most = bounds.get(field.name, (0, MOST_STEPS if whole else 1e6))
        is_right = is_whole(int(least), int(most) + 1) if whole else _is_real
        values = value if isinstance(value, tuple) else (value,)
        if not all(is_right(x) and least <= x <= most for x in values):
            name, what = f"{type(settings).__name__}.{field.name}", "a whole number" if whole else "a number"
            raise UserError(f"{name} should be {what} from {least:g} to {most:g}, not {value!r:.40}.")

"""What a value out of JSON may be: checks for those who read it from a file or a page."""

from collections.abc import Callable

Check = Callable[[object], bool]


def is_number(below: float) -> Check:
    """Whether it is a finite number of a magnitude below that."""
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < below


def is_whole(least: int, below: int) -> Check:
    """Whether it is a whole number, `least` or more."""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value < below


def is_row(length: int, of: Check) -> Check:
    """Whether it is a list of so many, each of that kind."""
    return lambda value: isinstance(value, list) and len(value) == length and all(map(of, value))


def or_null(right: Check) -> Check:
    """Whether it is null, or right."""
    return lambda value: value is None or right(value)

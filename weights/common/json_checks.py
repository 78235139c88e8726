"""Checks of values that come out of JSON, from a file or from a page."""

from collections.abc import Callable
from typing import TypeGuard

Check = Callable[[object], bool]


def is_number(below: float) -> Callable[[object], TypeGuard[float]]:
    """A check whether a value is a finite number of a magnitude below that."""

    def check(value: object) -> TypeGuard[float]:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < below

    return check


def is_whole(least: int, below: int) -> Check:
    """A check whether a value is a whole number from `least` up to, but not including, `below`."""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value < below


def is_row(length: int, of: Check) -> Check:
    """A check whether a value is a list of that length whose items all pass the check `of`."""
    return lambda value: isinstance(value, list) and len(value) == length and all(map(of, value))


def or_null(right: Check) -> Check:
    """A check whether a value is null (None), or passes the check `right`."""
    return lambda value: value is None or right(value)

"""How the values of options are written: types for click."""

import math
from typing import Any

import click

from photodrag.pipeline.faces import landmark_names
from photodrag.pipeline.faces.regions import REGIONS, SCALE, TURN, read_region
from photodrag.weights.common.bounds import MOST_STEPS, is_coordinate


class TuneSteps(click.ParamType):
    """A number of steps, or DEFAULT where the option is given without one."""

    name, DEFAULT = "STEPS", 0

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """As click asks for it: what was typed, as a number of steps."""
        text = str(value)
        if isinstance(value, int):
            return value
        if not text.isdecimal() or not text.strip("0"):
            option = param.opts[0] if param else "--tune"
            self.fail(f"{value!r} is no number of steps: write {option} last, or {option}=60.", param, ctx)
        if len(text) > len(str(MOST_STEPS)) or int(text) > MOST_STEPS:
            self.fail(f"{text:.20} steps are too many: give 1 to {MOST_STEPS}.", param, ctx)
        return int(text)


class Amount(click.FloatRange):
    """A number in a range, which "nan" isn't in, as click has it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """As click asks for it: what was typed, as a number."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number: give one from {self.min:g} to {self.max:g}.", param, ctx)
        return number


class Numbers(click.ParamType):
    """Numbers, in groups of the same size: `groups=(2, 2)` reads X,Y:X,Y as ((x, y), (x, y))."""

    def __init__(self, name: str, groups: tuple[int, ...], what: str, example: str):
        self.name, self.groups, self.what, self.example = name, groups, what, example

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """As click asks for it: what was typed, as the numbers in their groups, or those of the only group."""
        if not isinstance(value, str):
            return value
        try:
            read = tuple(tuple(float(number) for number in group.split(",")) for group in value.split(":"))
        except ValueError:
            read = ()
        if tuple(map(len, read)) != self.groups or not all(is_coordinate(x) for group in read for x in group):
            self.fail(f"{value!r} is not {self.name}: give {self.what}, like {self.example}.", param, ctx)
        return read if len(read) > 1 else read[0]


class Place(click.ParamType):
    """A point in photo pixels or a landmark's name: (x, y), or the name."""

    name, example = "X,Y|NAME", "412,530 or nose"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """As click asks for it: what was typed, as (x, y), or a landmark's name or number as it is."""
        if not isinstance(value, str):
            return value
        try:
            return landmark_names.read_point(value)
        except ValueError:
            self.fail(f"{value!r} is not {self.name}: give a point, like {self.example}.", param, ctx)


class Drag(click.ParamType):
    """A handle and its target: two of what `names.read_point` and `names.read_target` give."""

    name, example = "X,Y:X,Y", "412,530:412,510"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """As click asks for it: what was typed, as a handle and its target."""
        if not isinstance(value, str):
            return value
        try:
            handle, target = value.split(":")
            return landmark_names.read_point(handle), landmark_names.read_target(target)
        except ValueError:
            self.fail(
                f"{value!r} is not {self.name}: give a handle and its target in photo pixels, like {self.example}, "
                "or a landmark's name and how far, like mouth.left:+0,-12.",
                param,
                ctx,
            )


class RegionType(click.ParamType):
    """A region and what becomes of it, as `regions.read_region` gives it."""

    name, names, example = "NAME|FILE:+DX,-DY,rotate=DEGREES,scale=FACTOR", tuple(REGIONS), "mouth:+0,-3%,scale=1.1"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """As click asks for it: what was typed, as a region."""
        if not isinstance(value, str):
            return value
        try:
            return read_region(value)
        except ValueError:
            self.fail(
                f"{value!r} is no region with its way: give one like {self.example}, turned by {TURN:g} degrees and "
                f"scaled {SCALE[0]:g} to {SCALE[1]:g} times at most.",
                param,
                ctx,
            )

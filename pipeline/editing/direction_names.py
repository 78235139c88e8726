"""What is to be done to a photo's code, and how directions in a generator's W are written: "sefa:3", "ganspace:10@7-8",
"smile.pt". It loads no torch."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from photodrag.weights.common.errors import UserError

if TYPE_CHECKING:
    from os import PathLike

    from torch import Tensor

KINDS = "sefa", "ganspace"
"""Directions that need no file."""
FARTHEST = 20.0
"""Standard deviations: no face is left long before."""


@dataclass(frozen=True, eq=False)
class CodeEdit:
    """What is done to the photo's code itself and to how it is drawn, before points are dragged: in this order."""

    latent: Tensor | str | PathLike[str] | None = None
    """The code to go to instead of the photo's own: w_plus [1, num_ws, w_dim], or a file of codes (see
    invert.imported_codes)."""
    directions: tuple[tuple[str, float], ...] = ()
    """Which way and how far: "sefa:N", "ganspace:N" or a file, "…@0-6" for these codes alone, and the amount in
    standard deviations of the generator's own codes along it; 0 changes nothing."""
    attributes: Mapping[str, float] = field(default_factory=dict)
    """How much of each of `attribute_names.ATTRIBUTES`, -1 … 1: 0.5 is natural, and 0 changes nothing. Of `face`, and
    generators that share its W."""
    truncation: float = 1.0
    """How much of the way from the mean face is left: 1 for all of it, 0 for the mean face itself."""
    move: tuple[float, float] | None = None
    """How far the whole picture is moved by a generator that can (StyleGAN3), (x, y) in photo pixels."""
    roll: float | None = None
    """By how many degrees it is turned clockwise before, around its middle."""

    @property
    def given(self) -> bool:
        """Whether anything was asked for; along a direction or as a whole, were it by 0."""
        moves = bool(self.directions) or any(self.attributes.values()) or self.moves_all
        return self.latent is not None or moves or self.truncation != 1

    @property
    def moves_all(self) -> bool:
        """Whether the whole picture is to be moved or turned, were it by 0."""
        return self.move is not None or self.roll is not None

    @property
    def keeps_hair(self) -> bool:
        """Whether it is of attributes alone: networks read them in faces, so hair and all behind it are left alone."""
        others = self.latent is not None or self.directions or self.truncation != 1 or self.moves_all
        return self.given and not others


@dataclass(frozen=True)
class Direction:
    """One direction as it was written."""

    kind: str
    """One of KINDS, or "file"."""
    number: int = 0
    """Of SeFa's or GANSpace's, from 0 on."""
    path: str = ""
    layers: tuple[int, ...] | None = None
    """The codes that it moves; None for all."""


def read_direction_name(text: str) -> Direction:
    """The direction that is meant. Raises UserError for what is none, and for a file that isn't there."""
    name, layers = text, None
    if not os.path.exists(text) and (found := re.fullmatch(r"(.+)@([\d,-]+)", text)):
        name, layers = found[1], read_layers(found[2])
    kind, _, number = name.partition(":")
    if kind in KINDS and not os.path.exists(name):
        if not number.isdecimal() or len(number) > 6:
            raise UserError(f"{text!r} is no direction: give its number from 0 on, like {kind}:3.")
        return Direction(kind, int(number), layers=layers)
    if not os.path.isfile(name):
        raise UserError(
            f"There is no direction {text!r}: give sefa:N, ganspace:N or a file (.npy, .pt, .safetensors), "
            "and @0-6 behind it for these codes alone."
        )
    return Direction("file", path=name, layers=layers)


def read_layers(text: str) -> tuple[int, ...]:
    """Numbers and ranges, "0-6" or "4,7-8", as sorted numbers. Raises UserError for anything else."""
    layers: set[int] = set()
    for part in text.split(","):
        found = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", part)
        if not found or int(found[2] or found[1]) < int(found[1]):
            raise UserError(f"{text!r} names no codes: give numbers from 0 on, like 0-6 or 4,7-8.")
        layers |= set(range(int(found[1]), int(found[2] or found[1]) + 1))
    return tuple(sorted(layers))


def check_layers(layers: Iterable[int], num_ws: int) -> None:
    """Raises UserError where a generator of that many codes has none of that number."""
    if over := [layer for layer in layers if layer >= num_ws]:
        raise UserError(f"The generator has no code {over[0]}: its {num_ws} go from 0 to {num_ws - 1}.")


def check_directions(directions: Iterable[tuple[str, float]]) -> None:
    """Raises UserError for directions that can't be read, and amounts that are no finite number or beyond all faces."""
    for name, amount in directions:
        read_direction_name(name)
        if not (math.isfinite(amount) and abs(amount) <= FARTHEST):
            raise UserError(
                f"{amount:g} is no amount for the direction {name}: give standard deviations, from "
                f"{-FARTHEST:g} to {FARTHEST:g}; 1 to 3 is natural."
            )

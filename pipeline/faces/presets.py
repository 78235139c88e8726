"""Presets: drags of landmarks under a common name, to be read, combined and scaled.

A preset is a table of landmarks and ways. A way is (right, down) in the face's own coordinates: the unit is the
distance between the centres of the eyes, and the axes are turned with the head. Amount 1 is the whole way, as much as
a face does; 0.5 is a natural change; a negative amount is the opposite.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photodrag.pipeline.faces.landmark_names import Point, place_of, rounded
from photodrag.weights.common.errors import UserError

if TYPE_CHECKING:  # `--help` tells the presets, and is there at once
    import numpy as np


@dataclass(frozen=True)
class Preset:
    """what: in words, for positive and negative amounts. ways: landmark → (right, down)."""

    what: str
    ways: dict[str, Point]


# Sizes: mouth corners that go 0.11 outward and up make a believable closed smile, brows raised by 0.1 a look of
# surprise, and a nose that goes 0.15 sideways a turned head that is still the person's.
PRESETS = {
    "smile": Preset(
        "Corners of the mouth up and outward; negative: a frown.",
        {"mouth.left": (-0.16, -0.16), "mouth.right": (0.16, -0.16)},
    ),
    "open-mouth": Preset(
        "Lower lip and chin down; negative: close it.",
        {"mouth.top": (0, -0.04), "mouth.bottom": (0, 0.3), "chin": (0, 0.2)},
    ),
    "open-eyes": Preset(
        "Lids apart; negative: narrow the eyes.",
        {
            "eye.left.top": (0, -0.1),
            "eye.left.bottom": (0, 0.03),
            "eye.right.top": (0, -0.1),
            "eye.right.bottom": (0, 0.03),
        },
    ),
    "raise-brows": Preset(
        "Brows up; negative: lower them.",
        {
            "brow.left": (0, -0.22),
            "brow.left.inner": (0, -0.2),
            "brow.right.inner": (0, -0.2),
            "brow.right": (0, -0.22),
        },
    ),
    # What is nearer moves farther: the nose's tip before the mouth, the mouth before the nose's root. With eyes and
    # chin as well, of which a contour says little about moving along itself, it was somebody else's face.
    "turn-left": Preset(
        "The head to the left of the picture; negative: to the right.",
        {
            "nose": (-0.3, 0),
            "mouth": (-0.25, 0),
            "nose.top": (-0.21, 0),
        },
    ),
    "slim-face": Preset(
        "Cheeks and jaw inward; negative: a broader face.",
        {
            "cheek.left": (0.08, 0),
            "jaw.left": (0.12, -0.02),
            "cheek.right": (-0.08, 0),
            "jaw.right": (-0.18, -0.03),
        },
    ),
}

LEAST_WAY = 0.25
"""The least part of a landmark's way that must lie inside; with less of it the landmark is left alone."""


def drags(
    amounts: Mapping[str, float],
    landmarks: np.ndarray,
    without: Iterable[Point] = (),
    shape: tuple[int, ...] | None = None,
) -> list[tuple[Point, Point]]:
    """The drags of several presets together, in photo pixels: ways of the same landmark add up.

    amounts: preset → amount, -1 … 1. landmarks: float64 [68, 2] in photo pixels. without: handles that were given
    by hand, which win over a preset's. shape: (H, W, …) of the photo, where there is one: a way that leads out of it,
    or out of the crop around the face, ends before (a chin near the border goes less far down), and what has less than
    LEAST_WAY of it inside is left out. Raises UserError for a preset or an amount that there isn't."""
    from photodrag.pipeline.faces.align import Alignment  # see docs/design-notes.md#imports-that-wait

    alignment = None if shape is None else Alignment.from_landmarks(landmarks)
    ways: dict[str, tuple[float, float]] = {}
    for name, amount in checked(amounts).items():
        for landmark, (right, down) in PRESETS[name].ways.items():
            x, y = ways.get(landmark, (0.0, 0.0))
            ways[landmark] = x + amount * right, y + amount * down
    across = place_of("eye.right", landmarks) - place_of("eye.left", landmarks)
    (rx, ry), (dx, dy) = across, (-across[1], across[0])
    made = []
    for landmark, (right, down) in ways.items():
        x, y = place_of(landmark, landmarks)
        start = rounded((x, y))
        if start in without:
            continue
        end = x + right * rx + down * dx, y + right * ry + down * dy
        share = 1.0 if alignment is None or shape is None else alignment.share_inside(start, end, shape)
        if share == 1:
            made.append((start, rounded(end)))
        elif share >= LEAST_WAY:
            x, y = ((1 - 0.99 * share) * a + 0.99 * share * b for a, b in zip(start, end, strict=True))
            made.append((start, rounded((x, y))))
    return made


def checked(amounts: Mapping[str, float]) -> dict[str, float]:
    """Those that aren't 0. Raises UserError as `drags`."""
    for name, amount in amounts.items():
        if name not in PRESETS:
            raise UserError(f"There is no preset {name!r}: choose among {', '.join(PRESETS)}.")
        if not -1 <= amount <= 1:
            raise UserError(f"The amount {amount:g} of {name} is too much: give -1 to 1, 0.5 for a natural change.")
    return {name: amount for name, amount in amounts.items() if amount}

"""Presets on a face: the drags that amounts of them are, and what is reshaped without any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from photodrag.pipeline.faces.amounts import checked_amounts
from photodrag.pipeline.faces.expressions import Ways, added, axes
from photodrag.pipeline.faces.landmark_names import Point, place_of, rounded
from photodrag.pipeline.faces.preset_table import PRESETS, UNSHAPED, Reshaping
from photodrag.weights.common.face_landmarks import NAMES

if TYPE_CHECKING:  # `--help` tells the presets, and is there at once
    import numpy as np

LEAST_WAY = 0.25
"""The least part of a landmark's way that must lie inside; with less of it the landmark is left alone."""


def drags(
    amounts: Mapping[str, float],
    landmarks: np.ndarray,
    without: Iterable[Point] = (),
    shape: tuple[int, ...] | None = None,
    expression: Ways | None = None,
) -> list[tuple[Point, Point]]:
    """The drags of several presets together, in photo pixels: ways of the same landmark add up.

    amounts: preset → amount, -1 … 1. landmarks: float64 [68, 2] in photo pixels. without: handles that were given
    by hand, which win over a preset's. shape: (H, W, …) of the photo, where there is one: a way that leads out of it,
    or out of the crop around the face, ends before (a chin near the border goes less far down), and what has less than
    LEAST_WAY of it inside is left out. expression: ways that are added to all. Raises UserError for a preset or an
    amount that there isn't."""
    from photodrag.pipeline.faces.align import Alignment  # see docs/design-notes.md#imports-that-wait

    alignment = None if shape is None else Alignment.from_landmarks(landmarks)
    ways = dict(expression or {})
    for name, amount in checked(amounts).items():
        ways = added(ways, PRESETS[name].on(landmarks), amount)
    (rx, ry), (dx, dy) = axes(landmarks)
    made = []
    for landmark, (right, down) in _by_number(ways).items():
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


def _by_number(ways: Ways) -> Ways:
    """Ways of which none has two for one landmark, by its name and by its number: they are added up."""
    total: dict[str, Point] = {}
    for name, way in ways.items():
        marks = NAMES.get(name, ())
        total = added(total, {str(marks[0]) if len(marks) == 1 else name: way})
    return total


def reshaping(amounts: Mapping[str, float]) -> Reshaping:
    """What several presets reshape together, without a drag. Raises UserError as `drags`."""
    return sum((PRESETS[name].reshaping * amount for name, amount in checked(amounts).items()), UNSHAPED)


def checked(amounts: Mapping[str, float]) -> dict[str, float]:
    """Those that aren't 0. Raises UserError as `drags`."""
    return checked_amounts(amounts, {name: preset.least for name, preset in PRESETS.items()}, "preset")

"""A semantic map that came back from a paint program, as the parts that are meant; its colours may be soft or noisy."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike

import cv2
import numpy as np

from photodrag.pipeline.editing.part_map import BACKGROUND, COLOURS, LABELS, PARTS, hexadecimal
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.read import read_picture
from photodrag.weights.common.errors import UserError

SURE = 30.0
"""How far from a part's colour a pixel is surely meant, in RGB; colours in between are those of a neighbour."""
NEAR = 7
"""Pixels within which a neighbour is looked for."""
LEAST_FACE = 64
"""Pixels in the parts' colours, below which a picture is no map."""
SPECK = 0.2
"""Of a part's area: pieces of less are specks of paint."""
GAP = 5
"""Pixels of a gap that don't make two pieces of one."""
AREAS = 0.25, 4.0
"""How large a part may become, in parts of what it was."""


@dataclass(frozen=True, eq=False)
class PaintedMap:
    """A map as it came back."""

    labels: np.ndarray
    """uint8 [H, W], numbers of LABELS."""
    exact: bool
    """Whether it has the parts' colours alone, so that no border was softened or made noisy."""


def read_map(painted: np.ndarray | str | PathLike[str], photo: Photo) -> PaintedMap:
    """A painted map, a picture file or uint8 RGB [H, W, 3], of the photo's size.

    What is transparent is background. Raises UserError for another size, and for what shows no parts."""
    name = "the map of parts" if isinstance(painted, np.ndarray) else str(painted)
    if isinstance(painted, np.ndarray):
        pixels, alpha = painted, None
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise UserError(f"The map of parts is {pixels.dtype} {pixels.shape}: give uint8 RGB [H, W, 3].")
    else:
        picture = read_picture(painted)
        pixels, alpha = picture.pixels, picture.alpha
    if pixels.shape != photo.pixels.shape:
        height, width = pixels.shape[:2]
        raise UserError(
            f"{name} has {width} × {height} pixels, but the photo, as one sees it, {photo.width} × {photo.height}: "
            f"paint on what `photodrag parts {photo.path}` writes, at its own size."
        )
    if alpha is not None and (alpha < 128).any():
        pixels = np.where((alpha < 128)[..., None], np.array(BACKGROUND, np.uint8), pixels)
    labels, away = _nearest(pixels)
    sure = away <= SURE
    if (sure & (labels > 0)).sum() < LEAST_FACE:
        raise UserError(
            f"{name} shows none of the parts' colours: paint on what `photodrag parts {photo.path}` writes, "
            "in the colours that it has."
        )
    return PaintedMap(_as_neighbours(pixels, labels, sure), not away.any())


def _nearest(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each pixel the label of the nearest colour, uint8 [H, W], and how far it is from that, in RGB [H, W]."""
    packed = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    numbers, back = np.unique(packed, return_inverse=True)  # a map has few colours
    colours = np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], 1).astype(np.float32)
    away = np.stack([np.linalg.norm(colours - colour, axis=1) for colour in COLOURS.astype(np.float32)], 1)
    shape = pixels.shape[:2]
    return away.argmin(1).astype(np.uint8)[back].reshape(shape), away.min(1)[back].reshape(shape)


def _as_neighbours(pixels: np.ndarray, labels: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """The labels, those that aren't sure as the neighbour's whose colour is nearest: on a soft border between two parts
    lie colours that are a third one's."""
    if sure.all():
        return labels
    rows, columns = np.nonzero(~sure)
    cost = np.linalg.norm(pixels[rows, columns][:, None].astype(np.float32) - COLOURS.astype(np.float32), axis=2)
    for label in range(len(LABELS)):
        near = cv2.dilate((sure & (labels == label)).astype(np.uint8), np.ones((NEAR, NEAR), np.uint8))
        cost[near[rows, columns] == 0, label] += 1e4
    settled = labels.copy()
    settled[rows, columns] = cost.argmin(1)
    return settled


def mask_of(labels: np.ndarray, name: str) -> np.ndarray:
    """Where a part is, with those that lie within it: bool [H, W]."""
    return np.isin(labels, [LABELS.index(part) for part in (name, *PARTS[name].holds)])


def whole_part(labels: np.ndarray, name: str, before: np.ndarray) -> np.ndarray:
    """Where a part is now, without specks of paint: bool [H, W]. before: where it was.

    Raises UserError for one that is gone, or in pieces, or much larger or smaller than it was."""
    mask = one_piece(mask_of(labels, name), name)
    times = mask.sum() / before.sum()
    if not AREAS[0] <= times <= AREAS[1]:
        raise UserError(
            f"{in_words(name)} has {times:.2g} times its area in the map of parts, and {AREAS[0]:g} to {AREAS[1]:g} "
            "times can be: paint it nearer to its size."
        )
    return mask


def one_piece(mask: np.ndarray, name: str) -> np.ndarray:
    """The largest piece of a part, bool [H, W], without specks of paint. Raises UserError where there is none, or
    another one of its size."""
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((GAP, GAP), np.uint8))
    _, pieces, facts, _ = cv2.connectedComponentsWithStats(closed)
    order = 1 + np.argsort(-facts[1:, cv2.CC_STAT_AREA])
    areas = facts[order, cv2.CC_STAT_AREA]
    if not len(order):
        raise UserError(
            f"{in_words(name)} is gone from the map of parts: paint it where it shall be, or leave it as it was."
        )
    if len(order) > 1 and areas[1] > SPECK * areas.sum():
        raise UserError(
            f"{in_words(name)} is in two places of the map of parts: paint it in one piece, and over where it was the "
            "colour of what is around it."
        )
    return mask & (pieces == order[0])


def in_words(name: str) -> str:
    """A part's name, as the beginning of a sentence, with its colour."""
    kind, _, side = name.partition(".")
    colour = hexadecimal(PARTS[name].colour)
    return f"The {side} {kind} ({colour})" if side else f"The part {kind} ({colour})"

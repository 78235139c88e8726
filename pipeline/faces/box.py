"""A box that a person draws in a photo."""

import numpy as np

from photodrag.weights.common.errors import UserError

Box = tuple[float, float, float, float]
"""x, y, width, height in photo pixels: it covers the pixels x … x + width - 1."""


def check_box(box: Box, shape: tuple[int, ...], least: int, purpose: str) -> None:
    """Raises UserError for a box without area, below `least` pixels a side, too little for `purpose`, or with its
    middle outside a photo of that shape (H, W, …)."""
    height, width = shape[:2]
    x, y, w, h = box
    named = ",".join(f"{value:g}" for value in box)
    if not (np.isfinite(box).all() and w > 0 and h > 0):
        raise UserError(f"The box {named} has no area: give it as X,Y,WIDTH,HEIGHT in photo pixels.")
    if min(w, h) < least:
        raise UserError(f"The box {named} is too small for {purpose}: draw it {least} pixels a side or more.")
    if not (0 <= x + w / 2 <= width and 0 <= y + h / 2 <= height) or max(w, h) > 2 * max(width, height):
        raise UserError(f"The box {named} does not fit the photo, which is {width} × {height} pixels.")

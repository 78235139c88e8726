"""How an edit and an inversion show themselves in a notebook's cell: as pictures."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from photodrag.invert.quality import to_uint8
from photodrag.pipeline.encoded import data_url

if TYPE_CHECKING:
    from photodrag.pipeline.editing import Edit
    from photodrag.pipeline.inversion import Inversion

SIDE = 480
"""The longest side of a picture in a cell."""


def edit_html(edit: Edit) -> str:
    """The photo and the edited picture, side by side."""
    return _row([("before", edit.photo.pixels), ("after", edit.picture)])


def inversion_html(inversion: Inversion) -> str:
    """The crop and the generator's picture of its code, side by side."""
    return _row([("crop", to_uint8(inversion.crop.image)), ("reconstruction", inversion.reconstruction)])


def _row(pictures: list[tuple[str, np.ndarray]]) -> str:
    """HTML of named pictures, uint8 RGB [H, W, 3]."""
    figures = (
        f'<figure style="display: inline-block; margin: 0 8px 0 0">'
        f'<img src="{_data(pixels)}" alt="{html.escape(name)}"><figcaption>{html.escape(name)}</figcaption></figure>'
        for name, pixels in pictures
    )
    return f"<div>{''.join(figures)}</div>"


def _data(pixels: np.ndarray) -> str:
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE))
    return data_url(np.array(image), "PNG")

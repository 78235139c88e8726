"""How something shows itself in a notebook's cell: as pictures side by side."""

import html

import numpy as np
from PIL import Image

from photodrag.pipeline.photos.encoded import data_url

SIDE = 480
"""The longest side of a picture in a cell."""


def pictures_html(pictures: dict[str, np.ndarray]) -> str:
    """HTML of named pictures, uint8 RGB [H, W, 3], side by side."""
    figures = (
        f'<figure style="display: inline-block; margin: 0 8px 0 0">'
        f'<img src="{_data(pixels)}" alt="{html.escape(name)}"><figcaption>{html.escape(name)}</figcaption></figure>'
        for name, pixels in pictures.items()
    )
    return f"<div>{''.join(figures)}</div>"


def _data(pixels: np.ndarray) -> str:
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE))
    return data_url(np.array(image), "PNG")

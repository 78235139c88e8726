"""Pictures as the bytes of a file, for what is written, sent, or embedded in a page."""

import base64
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image


def encoded(pixels: np.ndarray, kind: str, **options: Any) -> bytes:
    """uint8 RGB [H, W, 3] as a "PNG" or "JPEG"; options: Pillow's for that."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def data_url(pixels: np.ndarray, kind: str, **options: Any) -> str:
    """The same, to stand in HTML."""
    return f"data:image/{kind.lower()};base64,{base64.b64encode(encoded(pixels, kind, **options)).decode()}"

"""Pictures as the bytes of a file, for what is written, sent, or embedded in a page: they say what their colours are.

What isn't told is taken for sRGB by browsers, but for a screen's own colours by other viewers."""

import base64
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from photodrag.pipeline.photos.colours import srgb_profile

PERCEPTUAL = b"\0"


def encoded(pixels: np.ndarray, kind: str, profile: bytes | None = None, **options: Any) -> bytes:
    """uint8 RGB [H, W, 3] as a "PNG" or "JPEG"; profile: an ICC profile of the pixels, None for sRGB; options: Pillow's
    for that kind."""
    if kind == "PNG" and profile is None:
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add(b"sRGB", PERCEPTUAL)  # the 13 bytes that PNG has instead of a profile
    else:
        options["icc_profile"] = profile or srgb_profile()
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def data_url(pixels: np.ndarray, kind: str, **options: Any) -> str:
    """The same, to stand in HTML."""
    return f"data:image/{kind.lower()};base64,{base64.b64encode(encoded(pixels, kind, **options)).decode()}"

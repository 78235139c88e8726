"""Masks that are painted on the page: PNGs of the size at which the photo is shown, as masks of the photo."""

import io

import cv2
import numpy as np
from PIL import Image

from photodrag.pipeline.photos.photo import Photo
from photodrag.weights.common.errors import UserError

NOTHING = "Nothing is painted yet, so nothing may change: paint where the photo may."


def full_size(png: bytes, photo: Photo, longest: int) -> np.ndarray:
    """The mask as it is painted, uint8 [H, W] of the photo's size, 255 where it may change, by the PNG's alpha.

    png: no bytes where nothing was ever painted.
    longest: what its sides may be at most. Raises UserError for what is no such PNG, and for a mask of nothing."""
    if not png:
        raise UserError(NOTHING)
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            fits = max(image.size) <= longest
            alpha = np.array(image.convert("RGBA").getchannel("A")) if fits else None
    except Exception as error:  # decoders raise many kinds
        raise UserError("The painted mask did not arrive whole: try again.") from error
    if alpha is None:
        raise UserError("The painted mask is larger than the page shows: load the page anew.")
    if not alpha.any():
        raise UserError(NOTHING)
    return cv2.resize(alpha, (photo.width, photo.height), interpolation=cv2.INTER_LINEAR)


def to_png(mask: np.ndarray) -> bytes:
    """A mask, uint8 [H, W], as a PNG."""
    return cv2.imencode(".png", mask)[1].tobytes()


def from_png(png: bytes) -> np.ndarray:
    """float32 [H, W], 0 … 1, as reading the file as a mask gives it. Raises ValueError for what is no PNG."""
    mask = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise ValueError("no PNG")
    return mask.astype(np.float32) / 255

"""Masks that are painted on the page: PNGs of the size at which the photo is shown, as masks of the photo."""

import io

import cv2
import numpy as np
from PIL import Image

from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.read import strict_pillow
from photodrag.weights.common.errors import UserError

NOTHING = "Nothing is painted yet, so nothing may change: paint where the photo may."


def check(png: bytes, longest: int) -> None:
    """Raises UserError for what is no such PNG, for one with a side longer than that, and for a mask of nothing.

    png: no bytes where nothing was ever painted."""
    if not png:
        raise UserError(NOTHING)
    try:
        with strict_pillow(), Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            alpha = _alpha(image) if max(image.size) <= longest else None
    except Exception as error:  # decoders raise many kinds
        raise UserError("The painted mask did not arrive whole: try again.") from error
    if alpha is None:
        raise UserError("The painted mask is larger than the page shows: load the page anew.")
    if not alpha.any():
        raise UserError(NOTHING)


def full_size(png: bytes, photo: Photo) -> np.ndarray:
    """The checked mask as it is painted, uint8 [H, W] of the photo's size, 255 where it may change, by its alpha."""
    with strict_pillow(), Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        return cv2.resize(_alpha(image), (photo.width, photo.height), interpolation=cv2.INTER_LINEAR)


def weight(png: bytes, photo: Photo) -> np.ndarray:
    """The same as float32 [H, W] of 0 … 1, as reading a file of it as a mask gives it."""
    mask = full_size(png, photo).astype(np.float32)
    mask /= 255
    return mask


def to_png(mask: np.ndarray) -> bytes:
    """A mask, uint8 [H, W], as a PNG."""
    return cv2.imencode(".png", mask)[1].tobytes()


def _alpha(image: Image.Image) -> np.ndarray:
    return np.array(image.convert("RGBA").getchannel("A"))

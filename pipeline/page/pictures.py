"""Pictures for the page: JPEGs of a part of a photo, in the photo's own colours."""

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from photodrag.pipeline.align import Region
from photodrag.pipeline.photo import Photo

SHOWN, PASSING = 93, 85
"""JPEG's quality, of what stays and of what is replaced in a moment."""


@dataclass(frozen=True, eq=False)
class Patch:
    """A JPEG of the photo's pixels x0, y0, x1, y1, at any size."""

    region: Region
    jpeg: bytes


def patch(photo: Photo, pixels: np.ndarray, region: Region, quality: int = SHOWN) -> Patch:
    """pixels: uint8 RGB [h, w, 3], what lies in the region."""
    # A profile of inks or greys doesn't fit RGB samples.
    profile = photo.metadata.icc_profile if photo.mode.startswith("RGB") else None
    buffer = io.BytesIO()
    options = {} if profile is None else {"icc_profile": profile}
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=0 if quality == SHOWN else 2, **options)
    return Patch(region, buffer.getvalue())


def shown_part(photo: Photo, picture: np.ndarray, region: Region, scale: float) -> Patch:
    """A part of a picture of the photo's size, made smaller by `scale`, at most 1."""
    x0, y0, x1, y1 = region
    return patch(photo, smaller(picture[y0:y1, x0:x1], scale), region)


def smaller(pixels: np.ndarray, scale: float) -> np.ndarray:
    """An array [h, w, …] averaged down to `scale`, at most 1; of a pixel a side at least."""
    if scale >= 1:
        return np.ascontiguousarray(pixels)
    size = tuple(max(1, round(side * scale)) for side in pixels.shape[1::-1])
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def display_scale(photo: Photo, longest: int) -> float:
    return min(1.0, longest / max(photo.width, photo.height))


def bounds(changed: np.ndarray) -> Region:
    """The box around what is True in [H, W]; of one pixel if nothing is."""
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    if not len(rows):
        return 0, 0, 1, 1
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

"""Pictures for the page: JPEGs of a part of a photo, in the photo's own colours."""

from dataclasses import dataclass

import cv2
import numpy as np

from photodrag.pipeline.editing.blend import bounds_of
from photodrag.pipeline.photos.encoded import encoded
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.samples import Region

SHOWN, PASSING = 93, 85
"""JPEG's quality, of what stays and of what is replaced in a moment."""


@dataclass(frozen=True, eq=False)
class Patch:
    """A JPEG of the photo's pixels x0, y0, x1, y1, at any size."""

    region: Region
    jpeg: bytes


def patch(photo: Photo, pixels: np.ndarray, region: Region, quality: int = SHOWN) -> Patch:
    """A part of a photo as a JPEG. pixels: uint8 RGB [h, w, 3], what lies in the region."""
    colours = photo.colours
    if colours and colours.mode != "RGB":  # a profile of greys doesn't fit RGB samples
        pixels, colours = photo.to_srgb(pixels), None
    profile = colours.profile if colours else None
    sampling = 0 if quality == SHOWN else 2
    return Patch(region, encoded(pixels, "JPEG", profile, quality=quality, subsampling=sampling))


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
    """By how much a photo is made smaller so that its longer side is at most that: at most 1."""
    return min(1.0, longest / max(photo.width, photo.height))


def bounds(changed: np.ndarray) -> Region:
    """The box around what is True in [H, W]; of one pixel if nothing is."""
    return bounds_of(changed, (0, 0, *changed.shape[::-1])) if changed.any() else (0, 0, 1, 1)

"""Reading a mask: white where the picture MAY change."""

from pathlib import Path

import numpy as np

from photodrag.pipeline import samples
from photodrag.pipeline.photo import Photo, read_picture
from photodrag.weights import UserError


def read_mask(path: str | Path, photo: Photo) -> np.ndarray:
    """The mask of a photo: float32 [H, W], 0 (stays) … 1 (may change).

    A grey picture says it by its brightness, and so does a coloured one. Where only the alpha channel varies, that is
    the mask; where colours vary too, what is transparent counts as black. All white means everywhere.
    Raises UserError as `read_photo` does, for another size than the photo's, and for one that is black throughout."""
    mask = read_picture(path)
    if mask.pixels.shape != photo.pixels.shape:
        sizes = f"{mask.width} × {mask.height} pixels, but the photo, as one sees it, {photo.width} × {photo.height}"
        raise UserError(f"The mask {path} has {sizes}: draw it at the photo's own size.")
    weight = samples.luma(mask.pixels).astype(np.float32) / 255
    if mask.alpha is not None and mask.alpha.min() < mask.alpha.max():
        uniform = (mask.pixels == mask.pixels[0, 0]).all()
        opacity = mask.alpha.astype(np.float32) / 255
        weight = opacity if uniform else weight * opacity
    if not weight.any():
        raise UserError(f"The mask {path} is black throughout, so nothing may change: paint white where it may.")
    return weight

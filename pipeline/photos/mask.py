"""What a person gives as a mask, a picture or an array: where the photo may change, and what of it is to be ignored."""

from os import PathLike

import numpy as np

from photodrag.pipeline.photos import samples
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.read import read_picture
from photodrag.weights import UserError


def given_mask(mask: np.ndarray | str | PathLike | None, photo: Photo) -> np.ndarray | str:
    """Where a photo may change: "auto", "face", or float32 [H, W] of 0 … 1. Raises UserError."""
    if mask is None or (isinstance(mask, str) and mask in ("auto", "face")):
        return mask or "auto"
    if isinstance(mask, str | PathLike):
        return read_mask(mask, photo)
    weight = _array(mask, photo)
    if not weight.any():
        raise UserError("The mask is 0 throughout, so nothing may change: set it to 1 where the photo may.")
    return weight


def given_ignored(ignore: np.ndarray | str | PathLike | None, photo: Photo) -> np.ndarray | None:
    """What of a photo is not to be looked at: bool [H, W], where a picture is more white than black, or an array of
    0 … 1 is 0.5 or more; None where that is nowhere. Raises UserError."""
    if ignore is None:
        return None
    weight = _read(ignore, photo) if isinstance(ignore, str | PathLike) else _array(ignore, photo)
    ignored = weight >= 0.5
    return ignored if ignored.any() else None


def read_mask(path: str | PathLike, photo: Photo) -> np.ndarray:
    """The mask of a photo: float32 [H, W], 0 (stays) … 1 (may change).

    A grey picture says it by its brightness, and so does a coloured one. Where only the alpha channel varies, that is
    the mask; where colours vary too, what is transparent counts as black. All white means everywhere.
    Raises UserError as `read_photo` does, for another size than the photo's, and for one that is black throughout."""
    weight = _read(path, photo)
    if not weight.any():
        raise UserError(f"The mask {path} is black throughout, so nothing may change: paint white where it may.")
    return weight


def _read(path: str | PathLike, photo: Photo) -> np.ndarray:
    mask = read_picture(path)
    if mask.pixels.shape != photo.pixels.shape:
        sizes = f"{mask.width} × {mask.height} pixels, but the photo, as one sees it, {photo.width} × {photo.height}"
        raise UserError(f"The mask {path} has {sizes}: draw it at the photo's own size.")
    weight = samples.luma(mask.pixels).astype(np.float32) / 255
    if mask.alpha is not None and mask.alpha.min() < mask.alpha.max():
        uniform = (mask.pixels == mask.pixels[0, 0]).all()
        opacity = mask.alpha.astype(np.float32) / 255
        weight = opacity if uniform else weight * opacity
    return weight


def _array(mask: np.ndarray, photo: Photo) -> np.ndarray:
    try:
        mask = np.asarray(mask)
    except ValueError as error:
        raise UserError("The mask's rows are of different lengths: give an array [H, W] of 0 … 1.") from error
    if mask.shape != photo.pixels.shape[:2]:
        raise UserError(
            f"The mask is {mask.shape}, the photo {photo.pixels.shape[:2]} (rows, columns): make them equal."
        )
    if mask.dtype.kind not in "biuf" or not np.isfinite(mask).all():
        raise UserError("The mask holds something else than finite numbers: give an array of 0 … 1, or of bool.")
    return mask.clip(0, 1).astype(np.float32)

"""Writing the edited photo: where nothing changed, the photo's own samples; whole, or not at all."""

import os
import tempfile
import warnings
from collections.abc import Iterable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from photodrag.pipeline.photos import gain_map, jpeg_blocks, jpeg_file, jpeg_metadata, samples
from photodrag.pipeline.photos.encode import encode, metadata_for
from photodrag.pipeline.photos.gain_map import CameFrom
from photodrag.pipeline.photos.left_out import left_out_of
from photodrag.pipeline.photos.output_formats import FORMATS, JPEG, TIFF, format_of, stored_mode
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.tiff import encode_tiff
from photodrag.weights import UserError
from photodrag.weights.common.files import PART, cannot_write, sweep, write_whole


def default_output(photo: Photo) -> Path:
    """`<stem>-photodrag<suffix>` beside the photo. The suffix stays where that format can hold the photo's samples;
    otherwise it is .png, for CMYK .tif, for JPEGs of other names .jpg, and for kinds that aren't written what fits
    them: .tif for raw files, .jpg for HEIC that is neither transparent nor HDR."""
    suffix = photo.instead or photo.path.suffix
    kept = FORMATS.get(suffix.lower())
    if kept is None or (photo.mode not in kept.modes and not photo.instead):
        suffix = ".jpg" if photo.jpeg else ".tif" if photo.mode == "CMYK" else ".png"
    return photo.path.with_name(f"{photo.path.stem}-photodrag{suffix}")


def check_output(path: str | Path, photo: Photo, inputs: Iterable[str | Path] = ()) -> None:
    """See, before the long computation, that `write_output` will be able to write there.

    inputs: other files that are read (a mask, say) and so must not be replaced.
    Raises UserError for an extension that names no format to write, transparency or a size that the format can't hold,
    a path that is the photo itself or another input, a folder, or in a folder that is missing or can't be written."""
    path = Path(path)
    stored_mode(photo, format_of(path, photo))
    check_writable(path, [photo.path, *inputs])


def check_writable(path: str | Path, inputs: Iterable[str | Path] = ()) -> None:
    """See that a file can be written, or replaced, there, and that it is none of the `inputs`. Raises UserError.

    What killed processes left unfinished in that folder is swept out, if it is older than a day."""
    path = Path(path)
    try:
        for used in inputs:
            if path.exists() and os.path.exists(used) and os.path.samefile(path, used):
                raise UserError(f"{path} is the file that the edit is made from: name another output.")
        if path.exists() and not path.is_file():
            raise UserError(f"Could not write {path}: it is {'a folder' if path.is_dir() else 'no ordinary file'}.")
        if path.exists() and not os.access(path, os.W_OK):
            raise UserError(f"Could not write {path}: it is there already, and write-protected.")
        # Permission bits say little (root, network disks, containers): try it.
        folder = Path(os.path.realpath(path)).parent
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=PART):
            pass
        sweep(folder)
    except OSError as error:
        raise cannot_write(path, error) from error


def write_output(
    photo: Photo,
    edited: np.ndarray,
    changed: np.ndarray,
    path: str | Path,
    deep: samples.Deep | None = None,
    came_from: CameFrom | None = None,
    keep_video: bool = False,
) -> list[str]:
    """Write the edited photo; a file that is there is replaced. Gives what of the photo's file the new one is without:
    see `output_of`, whose arguments these are. Raises as that does, UserError also where the path can't be written, the
    disk being full, say; nothing partial is left, and an older file stays."""
    data, left_out = output_of(photo, edited, changed, path, deep, came_from, keep_video)
    write_whole(Path(path), lambda file: file.write(data))
    return left_out


def output_of(
    photo: Photo,
    edited: np.ndarray,
    changed: np.ndarray,
    path: str | Path,
    deep: samples.Deep | None = None,
    came_from: CameFrom | None = None,
    keep_video: bool = False,
) -> tuple[bytes, list[str]]:
    """The file of the edited photo, in the format of the path's extension; and what of the photo's file it is without,
    in words: pictures of what was before, and what speaks of them; what can't be read, or goes into no such file.

    edited: uint8 [H, W, 3], RGB; changed: bool [H, W], where it may differ from `photo.pixels`; deep: what a 16-bit
    photo changed to, before it was rounded to `edited`; came_from: how its pixels moved, for a gain map to go along;
    keep_video: leave a motion photo's video in it, which shows what was before.
    Where `changed` is False the written samples are those of `photo.native`, in the photo's own mode if the format
    has it (else 8 bits, and RGB instead of CMYK); alpha is the photo's everywhere. A palette or 1-bit photo has become
    RGB or grey. PNG, TIFF, WebP and BMP are lossless. A JPEG that stays one keeps the coefficients of all blocks that
    the edit doesn't touch, its own orientation, and what it says of the picture (jpeg_blocks.py, jpeg_metadata.py);
    where that can't be it is encoded anew with the input's tables and subsampling, others, and AVIF, at quality 95 and
    4:4:4.
    Colour profile, EXIF, XMP and resolution are then those of `photo.metadata`.
    Raises UserError for an extension that names no format to write, and for transparency or a size that it can't hold.
    Raises ValueError when the arrays don't fit the photo.
    """
    if edited.shape != photo.pixels.shape or edited.dtype != np.uint8 or changed.shape != edited.shape[:2]:
        raise ValueError(f"edited {edited.dtype} {edited.shape} or changed {changed.shape} doesn't fit the photo")
    path, changed = Path(path), changed.astype(bool, copy=False)
    kind = format_of(path, photo)
    mode = stored_mode(photo, kind)
    native = samples.with_edit(photo.mode, photo.native, photo.pixels, edited, changed, deep, photo.inks)
    native = samples.convert(photo.mode, native, mode, photo.inks)
    same = _same_jpeg(native, photo, changed, came_from, keep_video) if kind is JPEG and mode == photo.mode else None
    data, left_out = same or (encode(kind, mode, native, photo), left_out_of(photo, kind, mode))
    if kind is TIFF and not _is_readable(data):  # what the photo's file said is so odd that nobody could read it
        data = encode_tiff(mode, native, replace(metadata_for(photo, mode), exif=None))
        left_out = [*left_out, "EXIF and other tags, which are damaged"]
    return data, list(dict.fromkeys(left_out))


def _is_readable(data: bytes) -> bool:
    try:
        with warnings.catch_warnings(), Image.open(BytesIO(data), formats=["TIFF"]) as image:
            warnings.simplefilter("ignore")
            image.load()
            image.getexif()
    except Exception:  # Pillow raises many kinds of errors at odd tags
        return False
    return True


def _same_jpeg(
    native: np.ndarray, photo: Photo, changed: np.ndarray, came_from: CameFrom | None, keep_video: bool
) -> tuple[bytes, list[str]] | None:
    """The photo's JPEG, stored as it is, with the new samples, and what it is without, in words; None where it must be
    encoded anew."""
    if photo.jpeg is None or photo.jpeg.file is None:
        return None
    jpeg, file = photo.jpeg, photo.jpeg.file
    before, after = (samples.turned_back(values, jpeg.orientation) for values in (photo.native, native))
    if not jpeg_blocks.can_be_edited(file, before, after):
        return None
    try:
        picture = jpeg_blocks.with_change(file, before, after, jpeg.progressive)
    except OSError:  # the library's own, at data that it can't take
        return None
    lights = gain_map.gain_map_of(file)
    if lights and came_from:
        lights = gain_map.moved(lights, changed, came_from, jpeg.orientation)
    if lights:
        own = jpeg_file.parse(lights)
        lights = own.with_picture(own, jpeg_metadata.of_gain_map(own))
    about, left_out = jpeg_metadata.carried(file, jpeg.orientation, lights, keep_video)
    data = file.with_picture(picture, about)
    data = data if lights is None else gain_map.with_places(data, lights)
    return data + (jpeg_metadata.video_of(file) if keep_video else b""), left_out

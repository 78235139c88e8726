"""Reading a photo, from whatever file."""

import io
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, UnidentifiedImageError

from photodrag.pipeline.photos import png_file, rarer_files, samples, sixteen_bit
from photodrag.pipeline.photos.avif import is_avif, read_avif
from photodrag.pipeline.photos.heif import is_heif, read_heif
from photodrag.pipeline.photos.inks import inks_of
from photodrag.pipeline.photos.jpeg_coding import bits_of, coding_of, decode
from photodrag.pipeline.photos.jpeg_metadata import iptc_in
from photodrag.pipeline.photos.jxl import is_jxl, read_jxl
from photodrag.pipeline.photos.metadata import Metadata, metadata_of, read_metadata, read_orientation
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.raw import is_raw, read_raw
from photodrag.pipeline.photos.tiff import base_of, exif_of
from photodrag.weights import UserError

MIN_SIDE = 32
LARGEST_TEXT = 64_000_000  # bytes of a PNG's profile or text; Pillow's own limit is a megabyte
FORMATS = (
    *("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "PSD", "QOI", "SGI", "TGA", "TIFF", "WEBP"),
)
"""Pillow's names of what is read, HEIC apart: what photos are kept in. Each further decoder is one more that a file
from anywhere is given to."""
DRAWINGS = {b"%!PS": "EPS", b"\xc5\xd0\xd3\xc6": "EPS", b"\xd7\xcd\xc6\x9a": "WMF", b"\1\0\0\0": "EMF"}
"""How programs to be run rather than pictures begin."""
# Files whose further frames are no animation: other views and gain maps; layers.
ONE_PICTURE = {"MPO", "PSD"}
ROUNDED = {"PPM": 1, "JPEG2000": 2}  # levels by which Pillow may round these in 8 bits
MOST_PIXELS_A_BYTE = 2000  # of a JPEG, though all of it be white
REDUCED_PAGE = 254  # TIFF's NewSubfileType; bit 0: a smaller copy of another page


@dataclass(frozen=True)
class Bounds:
    """How large a file and its picture may be, at most."""

    pixels: int = 300_000_000
    """The largest phone cameras have 200 megapixels."""
    size: int = 4 << 30
    """In bytes: 300 megapixels of 16 bits, uncompressed, with alpha, are 2.4 GB."""


def read_photo(path: str | PathLike, data: bytes | None = None, bounds: Bounds = Bounds()) -> Photo:
    """Read a photo in one of FORMATS, or HEIC, in any mode that Pillow knows.

    data: what the file holds, of which `path` then is but the name.
    Raises UserError, naming the file and what to do, when it is missing, no regular file, empty, unreadable, damaged or
    cut short, no picture, animated, of several pages, beyond the bounds, or below 32 pixels on a side."""
    photo = read_picture(path, data, bounds)
    if min(photo.width, photo.height) < MIN_SIDE:
        size = f"{photo.width} × {photo.height} pixels"
        raise UserError(f"{path} is {size}, too small to be edited: {MIN_SIDE} × {MIN_SIDE} is the least.")
    return photo


def read_picture(path: str | PathLike, data: bytes | None = None, bounds: Bounds = Bounds()) -> Photo:
    """Like `read_photo`, for a picture of any small size, such as a mask."""
    path = Path(path)
    with _opened(path, data, bounds) as file, strict_pillow():
        try:
            check_size = partial(_check_size, bounds)
            start = file.read(64)
            file.seek(0)
            if is_raw(file, path):
                return _photo(path, *read_raw(file, path, check_size), instead=".tif")
            if is_heif(start):
                photo = _photo(path, *read_heif(file, path, check_size))
                return replace(photo, instead=".png" if photo.alpha is not None or photo.chunks else ".jpg")
            if is_jxl(start):
                return _photo(path, *read_jxl(file, path, check_size))
            if is_avif(start):
                photo = _photo(path, *read_avif(file, path, partial(_check_header, bounds, file, path)))
                return replace(photo, instead=".png") if photo.chunks else photo
            if kind := next((name for magic, name in DRAWINGS.items() if start.startswith(magic)), None):
                raise UserError(f"{path} is a drawing ({kind}), not a photo: export it as PNG.")
            with Image.open(file, formats=FORMATS) as image:
                _check_header(bounds, file, path, image)
                return _decode(image, file, path)
        except (UserError, MemoryError):
            raise
        except UnidentifiedImageError:
            raise UserError(_why_unknown(file, path)) from None
        except Exception as error:  # decoders raise many kinds of errors at damaged bytes
            raise UserError(f"{path} is cut short or damaged: copy or download it again.") from error


def _photo(
    path: Path,
    mode: str,
    native: np.ndarray,
    metadata: Metadata,
    chunks: tuple[png_file.Chunk, ...] | None = None,
    instead: str | None = None,
) -> Photo:
    return Photo(path, samples.rgb(mode, native), mode, native, metadata, chunks=chunks, instead=instead)


def _decode(image: Image.Image, file: BinaryIO, path: Path) -> Photo:
    bits, negative = sixteen_bit.colour_bits(image), sixteen_bit.is_negative(image)
    planar = sixteen_bit.is_planar(image)
    tolerance = ROUNDED.get(image.format or "", 0)
    orientation = read_orientation(image)  # this decodes a PNG, so it comes second
    jpeg = coding_of(image, file, orientation) if isinstance(image, JpegImagePlugin.JpegImageFile) else None
    decode(image, file, jpeg)
    left = read_orientation(image)
    chunks = None
    if image.format == "PNG":
        file.seek(0)
        chunks, dropped = png_file.carried(png_file.chunks(file.read()), orientation)
        metadata = png_file.metadata_in(chunks, image.info, dropped)
    elif image.format in rarer_files.READERS:
        file.seek(0)
        said, dropped = rarer_files.said_by(image.format, file.read())
        dropped += ["the comment"] if image.format == "GIF" and image.info.get("comment") else []
        metadata = replace(metadata_of(image.info | said, 1, dropped), iptc=said.get(rarer_files.IPTC))
    else:
        metadata = read_metadata(image, orientation)
    if jpeg is not None and jpeg.file is not None:
        metadata = replace(metadata, iptc=iptc_in(jpeg.file))
    if planar:
        file.seek(0)
        mode, native = sixteen_bit.read_planes(file.read(), image, orientation, path)
    elif bits > 8:
        file.seek(0)
        high = samples.turned(np.asarray(image), left)
        mode, native = sixteen_bit.read_deep(file.read(), high, orientation, path, tolerance, bits)
    else:
        mode, native = samples.from_image(image, path)
        native = samples.turned(65535 - native if negative else native, left)
    tiff = None
    if image.format == "TIFF":
        file.seek(0)
        tiff, dropped = base_of(file.read(), turned=orientation >= 5)
        block = exif_of(tiff) if tiff else None
        iptc = tiff.iptc if tiff else None
        metadata = replace(metadata.lacking(dropped), exif=block or metadata.exif, iptc=iptc)
    pixels = samples.rgb(mode, native, inks_of(mode, metadata.icc_profile))
    lossless = jpeg is not None and not jpeg.qtables and mode != "CMYK"  # as no JPEG is written
    instead = ".png" if lossless else None
    return Photo(path, pixels, mode, native, metadata, jpeg, instead, chunks, tiff)


def _check_header(bounds: Bounds, file: BinaryIO, path: Path, image: Image.Image) -> None:
    _check_size(bounds, path, *image.size)
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        at, size = file.tell(), file.seek(0, io.SEEK_END)
        file.seek(at)
        if image.width * image.height > MOST_PIXELS_A_BYTE * size:
            raise OSError("a picture that isn't in the file")
    count = 1 if image.format in ONE_PICTURE else getattr(image, "n_frames", 1)
    if image.format == "TIFF" and isinstance(image, TiffImagePlugin.TiffImageFile) and count > 1:
        count = _full_pages(image, count)
    if count > 1:
        kind = "pages" if image.format == "TIFF" else "frames"
        raise UserError(f"{path} holds {count} {kind}: save the one to edit as a picture of its own, as PNG say.")


def _check_size(bounds: Bounds, path: Path, width: int, height: int) -> None:
    if width * height > bounds.pixels:
        limit = f"more than {bounds.pixels // 1_000_000} megapixels are not read"
        raise UserError(f"{path} says it is {width:,} × {height:,} pixels; {limit}: save a smaller copy.")


def _full_pages(image: TiffImagePlugin.TiffImageFile, count: int) -> int:
    """How many of a TIFF's pages are no reduced copies of others."""
    full = 0
    for page in range(count):
        image.seek(page)
        full += not image.tag_v2.get(REDUCED_PAGE, 0) & 1
    image.seek(0)
    return full


def _opened(path: Path, data: bytes | None, bounds: Bounds) -> BinaryIO:
    try:
        if data is None:
            status = path.stat()
            if stat.S_ISDIR(status.st_mode):
                raise UserError(f"{path} is a folder: name a picture in it.")
            if not stat.S_ISREG(status.st_mode):
                raise UserError(f"{path} is no regular file: name a picture.")
        size = status.st_size if data is None else len(data)
        if size == 0:
            raise UserError(f"{path} is empty (0 bytes): copy or download it again.")
        if size > bounds.size:
            raise UserError(f"{path} is larger than {bounds.size >> 20:,} MB: save a smaller copy.")
        return path.open("rb") if data is None else io.BytesIO(data)
    except FileNotFoundError:
        raise UserError(f"There is no file {path}: check its name and folder.") from None
    except PermissionError:
        raise UserError(f"{path} cannot be read, permission is denied: change its permissions.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {getattr(error, 'strerror', error)}.") from error


def _why_unknown(file: BinaryIO, path: Path) -> str:
    file.seek(0)
    if bits := bits_of(file):
        return f"{path} is a JPEG of {bits} bits a sample, which cannot be read here: save it as a 16-bit PNG or TIFF."
    kinds = "JPEG, PNG, TIFF, WebP, HEIC, AVIF and others"
    return f"{path} is not a picture of a known kind ({kinds}), or is damaged at its start: save it as PNG or JPEG."


_PILLOW = threading.Lock()


@contextmanager
def strict_pillow() -> Iterator[None]:
    """Pillow's process-wide switches as reading needs them: our own limit of pixels instead of Pillow's, no lenience
    with truncated files, no warnings on stderr."""
    with _PILLOW, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
        texts = PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY
        Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = None, False
        PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY = LARGEST_TEXT, 4 * LARGEST_TEXT
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = before
            PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY = texts

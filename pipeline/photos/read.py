"""Reading a photo: its pixels as a person sees them, and all that is needed to write it back unharmed."""

import hashlib
import os
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, UnidentifiedImageError

from photodrag.pipeline.photos import jpeg_file, png_file, samples, sixteen_bit
from photodrag.pipeline.photos.colours import ColourSpace, space_of
from photodrag.pipeline.photos.heif import is_heif, read_heif
from photodrag.pipeline.photos.metadata import Metadata, read_metadata, read_orientation
from photodrag.pipeline.photos.tiff import Base, base_of, exif_of
from photodrag.weights import UserError

MAX_PIXELS = 300_000_000  # the largest phone cameras have 200 megapixels
MIN_SIDE = 32
LARGEST_TEXT = 64_000_000  # bytes of a PNG's profile or text; Pillow's own limit is a megabyte
DRAWINGS = {"EPS", "WMF"}  # programs to be run rather than pictures
# Files whose further frames are no animation: other views and gain maps; layers.
ONE_PICTURE = {"MPO", "PSD"}
# These are TIFFs to Pillow, which would then find the small preview in them.
RAW_SUFFIXES = {".3fr", ".arw", ".cr2", ".dng", ".erf", ".iiq", ".kdc", ".nef", ".nrw", ".pef", ".raw", ".rw2", ".srw"}
ROUNDED = {"PPM": 1, "JPEG2000": 2}  # levels by which Pillow may round these in 8 bits
MOST_PIXELS_A_BYTE = 2000  # of a JPEG, though all of it be white
LAST_BLOCKS = 4  # of a JPEG, so many may two bytes hold
REACH = 2  # px around them that the smoothing of their colours touches
REDUCED_PAGE = 254  # TIFF's NewSubfileType; bit 0: a smaller copy of another page


@dataclass(frozen=True)
class JpegCoding:
    """How a JPEG was compressed: tables of 64 numbers, and Pillow's number of the chroma subsampling
    (0 4:4:4, 1 4:2:2, 2 4:2:0; rarer ones count as 4:4:4, which loses nothing)."""

    qtables: tuple[tuple[int, ...], ...]
    subsampling: int
    progressive: bool
    data: bytes
    """The file itself."""
    file: jpeg_file.JpegFile | None
    """Its parts; None where it can't be taken apart."""
    orientation: int
    """1 … 8, EXIF's: how what is stored is to be turned."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo, turned as EXIF's orientation says.

    path: where it was read.
    pixels: uint8 [H, W, 3], RGB, without alpha, in the photo's own colour profile.
    mode, native: the samples as the file keeps them (see `samples`), which an output repeats where nothing changes.
        In the mode "RGB" they are `pixels`: write into neither.
    metadata: colour profile, EXIF, XMP, resolution, without orientation and thumbnail.
    jpeg: how it was compressed, if it is a JPEG.
    heif: whether it is a HEIC picture, which is not written.
    chunks: what a PNG says of its picture, for a PNG that is upright; None for other files.
    tiff: what a TIFF says of its picture; None for other files.
    """

    path: Path
    pixels: np.ndarray
    mode: str
    native: np.ndarray
    metadata: Metadata
    jpeg: JpegCoding | None = None
    heif: bool = False
    chunks: tuple[png_file.Chunk, ...] | None = None
    tiff: Base | None = None

    @property
    def height(self) -> int:
        """In pixels, as a person sees the photo."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """In pixels, as a person sees the photo."""
        return self.pixels.shape[1]

    @cached_property
    def alpha(self) -> np.ndarray | None:
        """uint8 [H, W], 255 where opaque; None without an alpha channel."""
        return samples.alpha(self.mode, self.native)

    @cached_property
    def colours(self) -> ColourSpace | None:
        """The space of its pixels; None where that is sRGB, or of ink, or not told."""
        return space_of(self.mode, self.metadata.icc_profile, self.chunks or ())

    @cached_property
    def srgb(self) -> np.ndarray:
        """The pixels as sRGB, uint8 [H, W, 3], for whatever looks at them."""
        return self.to_srgb(self.pixels)

    def to_srgb(self, picture: np.ndarray) -> np.ndarray:
        """A picture in the photo's space, uint8 [H, W, 3], as sRGB."""
        return picture if self.colours is None else self.colours.to_srgb(picture)

    def from_srgb(self, picture: np.ndarray) -> np.ndarray:
        """A picture in sRGB, uint8 [H, W, 3], in the photo's space."""
        return picture if self.colours is None else self.colours.from_srgb(picture)

    @cached_property
    def deep_pixels(self) -> np.ndarray | None:
        """The pixels of a 16-bit photo before they were rounded: float32 [H, W, 3], 0 … 255; None of other photos."""
        return samples.deep_rgb(self.mode, self.native)

    @cached_property
    def key(self) -> str:
        """SHA-256, in hexadecimal, over the shape, the pixels, and what their colours mean where that isn't sRGB: equal
        for equal pictures, whatever their files."""
        digest = hashlib.sha256(repr(self.pixels.shape).encode())
        digest.update(b"" if self.colours is None else self.colours.profile)
        digest.update(self.pixels.data)
        return digest.hexdigest()


def read_photo(path: str | PathLike) -> Photo:
    """Read a photo in any format and mode that Pillow knows, or HEIC.

    Raises UserError, naming the file and what to do, when it is missing, no regular file, empty, unreadable, damaged or
    cut short, no picture, animated, of several pages, larger than 300 megapixels, or below 32 pixels on a side."""
    photo = read_picture(path)
    if min(photo.width, photo.height) < MIN_SIDE:
        size = f"{photo.width} × {photo.height} pixels"
        raise UserError(f"{path} is {size}, too small to be edited: {MIN_SIDE} × {MIN_SIDE} is the least.")
    return photo


def read_picture(path: str | PathLike) -> Photo:
    """Like `read_photo`, for a picture of any small size, such as a mask."""
    path = Path(path)
    with _opened(path) as file, _strict_pillow():
        try:
            start = file.read(64)
            file.seek(0)
            if is_heif(start):
                mode, native, metadata = read_heif(file, path, MAX_PIXELS)
                return Photo(path, samples.rgb(mode, native), mode, native, metadata, heif=True)
            with Image.open(file) as image:
                return _decode(image, file, path)
        except (UserError, MemoryError):
            raise
        except UnidentifiedImageError:
            raise UserError(_why_unknown(file, path)) from None
        except Exception as error:  # decoders raise many kinds of errors at damaged bytes
            raise UserError(f"{path} is cut short or damaged: copy or download it again.") from error


def _decode(image: Image.Image, file: BinaryIO, path: Path) -> Photo:
    _check_header(image, path)
    bits, negative = sixteen_bit.colour_bits(image), sixteen_bit.is_negative(image)
    tolerance = ROUNDED.get(image.format or "", 0)
    orientation = read_orientation(image)  # this decodes a PNG, so it comes second
    jpeg = _jpeg_coding(image, file, orientation) if isinstance(image, JpegImagePlugin.JpegImageFile) else None
    _load(image, jpeg)
    left = read_orientation(image)
    metadata = read_metadata(image, orientation)
    if bits > 8:
        file.seek(0)
        high = samples.turned(np.asarray(image), left)
        mode, native = sixteen_bit.read_deep(file.read(), high, orientation, path, tolerance, bits)
    else:
        mode, native = samples.from_image(image, path)
        native = samples.turned(65535 - native if negative else native, left)
    chunks = None
    if image.format == "PNG":
        file.seek(0)
        chunks, dropped = png_file.carried(png_file.chunks(file.read()), orientation)
        metadata = replace(metadata, dropped=tuple(dict.fromkeys((*metadata.dropped, *dropped))))
    tiff = None
    if image.format == "TIFF":
        file.seek(0)
        tiff, dropped = base_of(file.read(), turned=orientation >= 5)
        block = exif_of(tiff) if tiff else None
        metadata = replace(
            metadata, exif=block or metadata.exif, dropped=tuple(dict.fromkeys((*metadata.dropped, *dropped)))
        )
    return Photo(path, samples.rgb(mode, native), mode, native, metadata, jpeg, chunks=chunks, tiff=tiff)


def _load(image: Image.Image, jpeg: JpegCoding | None) -> None:
    """Decode it; that a JPEG lacks its end marker alone is forgiven."""
    try:
        image.load()
    except OSError:
        if jpeg is None or jpeg.progressive:
            raise
        ImageFile.LOAD_TRUNCATED_IMAGES = True  # within `_strict_pillow`, which sets it back
        image.load()
        # What a JPEG lacks is made up from where it ends. Two bytes less: is that in its last blocks?
        with Image.open(BytesIO(jpeg.data[:-2])) as shorter:
            differs = (np.asarray(image) != np.asarray(shorter)).reshape(*image.size[::-1], -1).any(2)
        if jpeg.file is None:
            raise
        components = jpeg.file.components
        height, width = (8 * max(times) for times in ([c.down for c in components], [c.across for c in components]))
        rows = -(-image.height // height) * height - height - REACH
        first = np.flatnonzero(differs.any(0))
        if not len(first) or differs[:rows].any() or first[0] < image.width - LAST_BLOCKS * width:
            raise


def _check_header(image: Image.Image, path: Path) -> None:
    if image.format in DRAWINGS:
        raise UserError(f"{path} is a drawing ({image.format}), not a photo: export it as PNG.")
    width, height = image.size
    if width * height > MAX_PIXELS:
        limit = f"more than {MAX_PIXELS // 1_000_000} megapixels are not read"
        raise UserError(f"{path} says it is {width:,} × {height:,} pixels; {limit}: save a smaller copy.")
    if isinstance(image, JpegImagePlugin.JpegImageFile) and image.fp is not None:
        size = os.fstat(image.fp.fileno()).st_size
        if width * height > MOST_PIXELS_A_BYTE * size:
            raise UserError(f"{path} is cut short or damaged: copy or download it again.")
    count = 1 if image.format in ONE_PICTURE else getattr(image, "n_frames", 1)
    if image.format == "TIFF" and isinstance(image, TiffImagePlugin.TiffImageFile) and count > 1:
        count = _full_pages(image, count)
    if count > 1:
        kind = "pages" if image.format == "TIFF" else "frames"
        raise UserError(f"{path} holds {count} {kind}: save the one to edit as a picture of its own, as PNG say.")


def _full_pages(image: TiffImagePlugin.TiffImageFile, count: int) -> int:
    """How many of a TIFF's pages are no reduced copies of others."""
    full = 0
    for page in range(count):
        image.seek(page)
        full += not image.tag_v2.get(REDUCED_PAGE, 0) & 1
    image.seek(0)
    return full


def _jpeg_coding(image: JpegImagePlugin.JpegImageFile, file: BinaryIO, orientation: int) -> JpegCoding:
    tables = tuple(tuple(table) for _, table in sorted(image.quantization.items()))
    if image.mode == "CMYK" and image.info.get("adobe_transform") == 2:
        tables = tables[:1]  # YCCK; an output is CMYK, since Pillow writes no other, and no ink bears chroma's table
    sampling, progressive = max(JpegImagePlugin.get_sampling(image), 0), bool(image.info.get("progressive"))
    at = file.tell()
    file.seek(0)
    data = file.read()
    file.seek(at)
    try:
        parts = jpeg_file.parse(data)
    except jpeg_file.DamagedJpeg:
        parts = None
    return JpegCoding(tables, sampling, progressive, data, parts, orientation)


def _opened(path: Path) -> BinaryIO:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise UserError(f"{path} is a folder: name a picture in it.")
        if not stat.S_ISREG(status.st_mode):
            raise UserError(f"{path} is no regular file: name a picture.")
        if status.st_size == 0:
            raise UserError(f"{path} is empty (0 bytes): copy or download it again.")
        if path.suffix.lower() in RAW_SUFFIXES:
            raise UserError(f"{path} is a camera's raw file: develop it first, and give the 16-bit TIFF or the JPEG.")
        return path.open("rb")
    except FileNotFoundError:
        raise UserError(f"There is no file {path}: check its name and folder.") from None
    except PermissionError:
        raise UserError(f"{path} cannot be read, permission is denied: change its permissions.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {getattr(error, 'strerror', error)}.") from error


def _why_unknown(file: BinaryIO, path: Path) -> str:
    file.seek(0)
    if bits := _jpeg_bits(file):
        return f"{path} is a JPEG of {bits} bits a sample, which cannot be read here: save it as a 16-bit PNG or TIFF."
    kinds = "JPEG, PNG, TIFF, WebP, HEIC and others"
    return f"{path} is not a picture of a known kind ({kinds}), or is damaged at its start: save it as PNG or JPEG."


def _jpeg_bits(file: BinaryIO) -> int | None:
    """Of a JPEG that has more or less than 8 of them a sample, how many."""
    file.seek(0)
    try:
        bits = jpeg_file.parse(file.read()).frame.payload[0]
    except jpeg_file.DamagedJpeg:
        return None
    return None if bits == 8 else bits


_PILLOW = threading.Lock()


@contextmanager
def _strict_pillow() -> Iterator[None]:
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

"""How a JPEG was compressed, and decoding one that lacks its end."""

from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFile, JpegImagePlugin

from photodrag.pipeline.photos import jpeg_file

LAST_BLOCKS = 4  # of a JPEG, so many may two bytes hold
REACH = 2  # px around them that the smoothing of their colours touches


@dataclass(frozen=True)
class JpegCoding:
    """How a JPEG was compressed: tables of 64 numbers, and Pillow's number of the chroma subsampling
    (0 4:4:4, 1 4:2:2, 2 4:2:0; rarer ones count as 4:4:4, which loses nothing)."""

    qtables: tuple[tuple[int, ...], ...]
    subsampling: int
    progressive: bool
    file: jpeg_file.JpegFile | None
    """Its parts; None where it can't be taken apart."""
    orientation: int
    """1 … 8, EXIF's: how what is stored is to be turned."""


def coding_of(image: JpegImagePlugin.JpegImageFile, file: BinaryIO, orientation: int) -> JpegCoding:
    """How an opened Pillow image, of that file and EXIF's orientation, was compressed."""
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
    return JpegCoding(tables, sampling, progressive, parts, orientation)


def decode(image: Image.Image, file: BinaryIO, jpeg: JpegCoding | None) -> None:
    """Decode an opened Pillow image of that file; that a JPEG lacks its end marker alone is forgiven."""
    try:
        image.load()
    except OSError:
        if jpeg is None or jpeg.progressive:
            raise
        ImageFile.LOAD_TRUNCATED_IMAGES = True  # within `strict_pillow`, which sets it back
        image.load()
        # What a JPEG lacks is made up from where it ends. Two bytes less: is that in its last blocks?
        file.seek(0)
        with Image.open(BytesIO(file.read()[:-2]), formats=["JPEG"]) as shorter:
            differs = (np.asarray(image) != np.asarray(shorter)).reshape(*image.size[::-1], -1).any(2)
        if jpeg.file is None:
            raise
        components = jpeg.file.components
        height, width = (8 * max(times) for times in ([c.down for c in components], [c.across for c in components]))
        rows = -(-image.height // height) * height - height - REACH
        first = np.flatnonzero(differs.any(0))
        if not len(first) or differs[:rows].any() or first[0] < image.width - LAST_BLOCKS * width:
            raise


def bits_of(file: BinaryIO) -> int | None:
    """Of a JPEG that has more or less than 8 of them a sample, how many."""
    file.seek(0)
    try:
        bits = jpeg_file.parse(file.read()).frame.payload[0]
    except jpeg_file.DamagedJpeg:
        return None
    return None if bits == 8 else bits

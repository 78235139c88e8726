"""Writing TIFF: every mode a photo can have, 16-bit colour included, with its colour profile and EXIF.

Pillow writes no 16-bit colour, and its compressed TIFFs fail on EXIF. A TIFF is an EXIF block with strips of samples,
so Pillow's EXIF writer makes the directory, and zlib the strips (TIFF 6.0; Adobe's deflate supplement of 2002).
"""

import struct
import zlib
from fractions import Fraction

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from photodrag.pipeline.photos.metadata import DROPPED, Metadata

ROWS = 64
STRIP_OFFSETS, FREE = 273, 275
DEFLATE, HORIZONTAL_DIFFERENCES, INCH, UNASSOCIATED_ALPHA = 8, 2, 2, 2
PHOTOMETRIC = {"L": 1, "LA": 1, "L;16": 1, "RGB": 2, "RGBA": 2, "RGB;16": 2, "RGBA;16": 2, "CMYK": 5}


def encode_tiff(mode: str, native: np.ndarray, metadata: Metadata) -> bytes:
    """A TIFF, little-endian and deflated, of samples in any of the modes of `samples`."""
    height, width = native.shape[:2]
    samples = native.reshape(height, width, -1)
    strips = [_strip(samples[y : y + ROWS]) for y in range(0, height, ROWS)]
    starts = np.cumsum([8, *map(len, strips)]).tolist()

    tags = Image.Exif()
    tags.load(metadata.exif or b"")
    for tag in DROPPED & set(tags):
        del tags[tag]
    tags.endian = "<"
    tags.update({256: width, 257: height, 258: (samples.itemsize * 8,) * samples.shape[2], 259: DEFLATE})
    tags.update({262: PHOTOMETRIC[mode], FREE: tuple(starts[:-1]), 277: samples.shape[2], 278: ROWS})
    tags.update({279: tuple(map(len, strips)), 284: 1, 317: HORIZONTAL_DIFFERENCES})
    if mode in ("LA", "RGBA", "RGBA;16"):
        tags[338] = UNASSOCIATED_ALPHA
    if metadata.dpi:
        x, y = (IFDRational(Fraction(value).limit_denominator(1000)) for value in metadata.dpi)
        tags.update({282: x, 283: y, 296: INCH})
    if metadata.xmp:
        tags[700] = metadata.xmp
    if metadata.icc_profile:
        tags[34675] = metadata.icc_profile
    pad = starts[-1] % 2  # a directory begins on a word
    start = starts[-1] + pad
    directory = tags.tobytes(start)[len(b"Exif\0\0") + 8 :]
    return b"".join([b"II*\0", struct.pack("<I", start), *strips, b"\0" * pad, _renamed(directory)])


def _renamed(directory: bytes) -> bytes:
    """Pillow moves what it knows as strip offsets, so they came as a tag that it doesn't know, of the same rank."""
    entries = range(2, 2 + 12 * int.from_bytes(directory[:2], "little"), 12)
    at = next(i for i in entries if int.from_bytes(directory[i : i + 2], "little") == FREE)
    return directory[:at] + STRIP_OFFSETS.to_bytes(2, "little") + directory[at + 2 :]


def _strip(rows: np.ndarray) -> bytes:
    differences = rows.astype(rows.dtype.newbyteorder("<"))
    differences[:, 1:] -= rows[:, :-1]
    return zlib.compress(differences.tobytes(), 6)

"""What a photo's file says besides its pixels: colour profile, EXIF, XMP and resolution.

It is cleaned while it is read, since it goes into a picture that has been turned and edited: no orientation, no
thumbnail or other picture of the unedited face, nothing about how the old file laid out its samples.
"""

import contextlib
import math
import re
from dataclasses import dataclass
from typing import Any

from PIL import Image

ORIENTATION = 0x0112
IFDS = (0x8769, 0x8825)  # Exif and GPS; the IFD of the thumbnail is left behind
WIDTH, HEIGHT = 0xA002, 0xA003
# Orientation; how a TIFF lays out its samples and its sub-files; what Metadata carries by itself (ICC, XMP);
# Photoshop's resources, which hold a thumbnail.
DROPPED = {
    *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, ORIENTATION, 277, 278, 279, 280, 281, 284, 288, 289),
    *(290, 291, 292, 293, 297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 330, 332, 334, 336, 338, 339, 340),
    *(341, 347, *range(512, 522), 529, 530, 531, 532, 700, 34377, 34675),
}


@dataclass(frozen=True)
class Metadata:
    """icc_profile: as in the file; exif: beginning with "Exif", ready for Pillow; xmp: the packet; dpi: (x, y).
    Each is None where the file has none."""

    icc_profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None


def read_metadata(image: Image.Image, orientation: int) -> Metadata:
    """The metadata of a decoded Pillow image whose file had this orientation. A damaged part counts as absent.

    A TIFF's EXIF must have been asked for (`getexif`) before it was decoded."""
    return Metadata(
        icc_profile=image.info.get("icc_profile") or None,
        exif=_clean_exif(image, orientation),
        xmp=_clean_xmp(image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")),
        dpi=_dpi(image.info.get("dpi")),
    )


def read_orientation(image: Image.Image) -> int:
    """EXIF's orientation, 1 … 8, of an opened Pillow image; of a decoded one, what Pillow (it turns TIFFs) left."""
    orientation = 1
    with contextlib.suppress(Exception):  # damaged EXIF raises what it likes, and viewers then don't turn
        orientation = int(image.getexif().get(ORIENTATION, 1))
    return orientation if 1 <= orientation <= 8 else 1


def _clean_exif(image: Image.Image, orientation: int) -> bytes | None:
    # One odd tag must not stop an edit, and Pillow raises many kinds of errors at odd tags.
    with contextlib.suppress(Exception):
        exif, clean = image.getexif(), Image.Exif()
        for tag, value in exif.items():
            if tag not in DROPPED and tag not in IFDS:
                clean[tag] = value
        for tag in IFDS:
            if tags := dict(exif.get_ifd(tag)):
                clean[tag] = tags
        size = clean.get(IFDS[0], {})
        if orientation >= 5 and WIDTH in size and HEIGHT in size:
            size[WIDTH], size[HEIGHT] = size[HEIGHT], size[WIDTH]
        if len(clean):
            clean.endian = "<"
            return clean.tobytes()
    return None


def _clean_xmp(xmp: bytes | str | None) -> bytes | None:
    if isinstance(xmp, str):
        xmp = xmp.encode()
    # A packet that describes further pictures in the file (gain map, depth, motion photo) would now be wrong.
    if not isinstance(xmp, bytes) or re.search(rb"hdrgm:|GContainer|Container:Directory|xmpNote:HasExtendedXMP", xmp):
        return None
    xmp = re.sub(rb'\s*tiff:Orientation="\d*"|<tiff:Orientation>\d*</tiff:Orientation>', b"", xmp)
    return re.sub(rb"<(xmp|xap):Thumbnails>.*?</\1:Thumbnails>", b"", xmp, flags=re.DOTALL) or None


def _dpi(dpi: Any) -> tuple[float, float] | None:
    with contextlib.suppress(TypeError, ValueError, ZeroDivisionError):
        x, y = (float(value) for value in dpi)
        if min(x, y) > 1 and math.isfinite(x + y):  # 1 is Pillow's word for none
            return x, y
    return None

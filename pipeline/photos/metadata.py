"""What a photo's file says besides its pixels: colour profile, EXIF, XMP and resolution.

It is cleaned while it is read, since it goes into a picture that has been turned and edited: upright, no
thumbnail or other picture of the unedited face, nothing about how the old file laid out its samples. A JPEG that stays
one keeps its own instead (jpeg_metadata.py).
"""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from photodrag.pipeline.photos import exif, xmp

CREDENTIALS = "content credentials, which vouch for the photo as it was"
FINER = "what is finer than 8 bits a sample"
INTEROP = 0xA005
MOST_DPI = 1_000_000
IFDS = (0x8769, 0x8825)  # Exif and GPS; the IFD of the thumbnail is left behind
# How a TIFF lays out its samples and its sub-files; orientation, page, white and primaries; what Metadata carries by
# itself (XMP, ICC); Photoshop's resources, which hold a thumbnail.
DROPPED = exif.LAYOUT | {exif.ORIENTATION, 297, 318, 319, 700, 34675, 34377}


@dataclass(frozen=True)
class Metadata:
    """icc_profile: as in the file; exif: beginning with "Exif", ready for Pillow; xmp: the packet; dpi: (x, y); iptc:
    its records. Each is None where the file has none. dropped: what was left out of them, in words."""

    icc_profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    iptc: bytes | None = None
    dropped: tuple[str, ...] = ()

    def lacking(self, words: Iterable[str]) -> "Metadata":
        """The same, of which more was left out."""
        return replace(self, dropped=tuple(dict.fromkeys((*self.dropped, *words))))


def read_metadata(image: Image.Image, orientation: int) -> Metadata:
    """The metadata of a decoded Pillow image whose file had this orientation. A damaged part counts as absent.

    A TIFF's EXIF must have been asked for (`getexif`) before it was decoded."""
    if isinstance(image.info.get("exif"), bytes):
        return metadata_of(image.info, orientation)
    return replace(metadata_of(image.info, orientation), exif=_exif_of_tiff(image, orientation))


def metadata_of(info: Mapping[Any, Any], orientation: int, dropped: Iterable[str] = ()) -> Metadata:
    """The metadata of a picture, of what Pillow calls its info; `dropped`: what else of its file is left out."""
    said, block, packet = list(dropped), info.get("exif"), info.get("xmp") or info.get("XML:com.adobe.xmp")
    if isinstance(block, bytes) and block:
        block, words = exif.patched(block.removeprefix(exif.PREFIX), orientation=1, turned=orientation >= 5)
        said += words
    if isinstance(packet, str):
        packet = packet.encode()
    if isinstance(packet, bytes) and packet:
        packet, words = xmp.patched(packet, turned=True)
        said += words
    return Metadata(
        icc_profile=info.get("icc_profile") or None,
        exif=exif.PREFIX + block if isinstance(block, bytes) and block else None,
        xmp=packet if isinstance(packet, bytes) and packet else None,
        dpi=None if _is_made_up(info) else _dpi(info.get("dpi")),
        dropped=tuple(dict.fromkeys(said)),
    )


def read_orientation(image: Image.Image) -> int:
    """EXIF's orientation, 1 … 8, of an opened Pillow image; of a decoded one, what Pillow (it turns TIFFs) left."""
    orientation = 1
    with contextlib.suppress(Exception):  # damaged EXIF raises what it likes, and viewers then don't turn
        orientation = int(image.getexif().get(exif.ORIENTATION, 1))
    return orientation if 1 <= orientation <= 8 else 1


def _exif_of_tiff(image: Image.Image, orientation: int) -> bytes | None:
    # One odd tag must not stop an edit, and Pillow raises many kinds of errors at odd tags.
    with contextlib.suppress(Exception):
        found, clean = image.getexif(), Image.Exif()
        for tag, value in found.items():
            if tag not in DROPPED and tag not in IFDS:
                clean[tag] = _as_stored(value)
        for tag in IFDS:
            if tags := {key: _as_stored(value) for key, value in found.get_ifd(tag).items() if key != INTEROP}:
                clean[tag] = tags
        size = clean.get(IFDS[0], {})
        if orientation >= 5 and exif.WIDTH in size and exif.HEIGHT in size:
            size[exif.WIDTH], size[exif.HEIGHT] = size[exif.HEIGHT], size[exif.WIDTH]
        if len(clean):
            clean.endian = "<"
            return clean.tobytes()
    return None


def _as_stored(value: Any) -> Any:
    """Pillow reads text as Latin-1, whatever it is, and writes as ASCII what isn't bytes."""
    return value.encode("latin-1", "replace") if isinstance(value, str) else value


def _is_made_up(info: Mapping[Any, Any]) -> bool:
    """Whether the resolution is what Pillow says of a JPEG whose EXIF tells none, or in EXIF, where it stays."""
    return info.get("dpi") == (72, 72) and "exif" in info and info.get("jfif_unit") not in (1, 2)


def _dpi(dpi: Any) -> tuple[float, float] | None:
    with contextlib.suppress(TypeError, ValueError, ZeroDivisionError):
        x, y = (float(value) for value in dpi)
        if min(x, y) > 1 and max(x, y) <= MOST_DPI:  # 1 is Pillow's word for none
            return x, y
    return None

"""A photo's resolution told in its EXIF, for formats that have no other place for it (WebP, AVIF, JPEG XL)."""

import struct
from dataclasses import replace

from photodrag.pipeline.photos.exif import LONG, PREFIX, SHORT, Exif
from photodrag.pipeline.photos.metadata import Metadata
from photodrag.pipeline.photos.tiff import EMPTY, X_RESOLUTION, place_directory, resolution_tags


def with_resolution_in_exif(metadata: Metadata) -> Metadata:
    """The same metadata, in which EXIF tells `dpi`, unless it tells one already; all that it held stays where it was,
    but for its first directory, which goes to its end."""
    if metadata.dpi is None:
        return metadata
    exif = Exif(bytearray((metadata.exif or b"").removeprefix(PREFIX) or EMPTY))
    try:
        entries = exif.entries(exif.first)
    except (struct.error, ValueError):
        return metadata
    if any(entry.tag == X_RESOLUTION for entry in entries):
        return metadata
    others = {entry.tag: bytes(exif.data[entry.at : entry.at + 12]) for entry in entries}
    length = 2 + 12 * exif.number(exif.first, SHORT) + 4
    exif.data[exif.first : exif.first + length] = bytes(length)
    exif.write(4, LONG, place_directory(exif, resolution_tags(metadata.dpi), others))
    return replace(metadata, exif=PREFIX + bytes(exif.data))

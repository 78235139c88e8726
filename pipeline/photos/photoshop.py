"""Photoshop's resources in a JPEG (APP13): IPTC stays, a thumbnail of the photo as it was doesn't (Adobe Photoshop File
Formats Specification, Image Resources Section)."""

import struct

from photodrag.pipeline.photos.exif import THUMBNAIL

PREFIX = b"Photoshop 3.0\0"
SIGNATURES = {b"8BIM", b"AgHg", b"MeSa", b"PHUT", b"DCSR"}
SHOW_THE_OLD = {0x0409, 0x040C, 1058, 1059, 1060}
"""Thumbnails, and EXIF and XMP once more, which may hold some."""
UNREAD = "Photoshop's resources, which can't be read"


def without_thumbnails(resources: bytes) -> tuple[bytes, list[str]]:
    """Resources, without `PREFIX`, less what shows the photo as it was, and what was left out, in words."""
    kept, at, words = [], 0, []
    while resources[at : at + 4] in SIGNATURES and at + 12 <= len(resources):
        (number,) = struct.unpack_from(">H", resources, at + 4)
        name = (resources[at + 6] + 2) // 2 * 2
        if at + 10 + name > len(resources):
            break
        (size,) = struct.unpack_from(">I", resources, at + 6 + name)
        end = at + 10 + name + (size + 1) // 2 * 2
        if number in SHOW_THE_OLD:
            words.append(THUMBNAIL)
        else:
            kept.append(resources[at:end])
        at = end
    if resources[at:].strip(b"\0"):
        words.append(UNREAD)
    return (b"".join(kept) if words else resources), list(dict.fromkeys(words))

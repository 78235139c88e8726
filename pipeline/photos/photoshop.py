"""Photoshop's resources, in JPEG (APP13) and TIFF: IPTC stays, a thumbnail of the photo as it was doesn't (Adobe
Photoshop File Formats Specification, Image Resources Section; IPTC-NAA IIM 4)."""

import hashlib
import struct
from collections.abc import Iterator

from photodrag.pipeline.photos import iptc
from photodrag.pipeline.photos.exif import THUMBNAIL

PREFIX = b"Photoshop 3.0\0"
SIGNATURES = {b"8BIM", b"AgHg", b"MeSa", b"PHUT", b"DCSR"}
IPTC, DIGEST = 0x0404, 0x0425
"""IPTC's records, and the MD5 of them by which Photoshop sees whether another program changed them."""
SHOW_THE_OLD = {0x0409, 0x040C, 1058, 1059, 1060}
"""Thumbnails, and EXIF and XMP once more, which may hold some."""
UNREAD = "Photoshop's resources, which can't be read"


def without_thumbnails(resources: bytes) -> tuple[bytes, list[str]]:
    """Resources, without `PREFIX`, less what shows the photo as it was, and what was left out, in words."""
    kept, at, words, was, now = [], 0, list[str](), b"", b""
    for number, content, start, end in each(resources):
        if number in SHOW_THE_OLD:
            words.append(THUMBNAIL)
        elif number == IPTC and (without := iptc.without_pictures(content))[1]:
            was, now = (_digest(records) for records in (content, without[0]))
            kept.append(resource_of(without[0]))
            words += without[1]
        else:
            kept.append(resources[start:end])
        at = end
    if resources[at:].strip(b"\0"):
        words.append(UNREAD)
    kept = [one.replace(was, now) if was and one[4:6] == DIGEST.to_bytes(2, "big") else one for one in kept]
    return (b"".join(kept) if words else resources), list(dict.fromkeys(words))


def iptc_of(resources: bytes) -> bytes | None:
    """The IPTC records in resources, without `PREFIX`; None without any."""
    return next((content for number, content, *_ in each(resources) if number == IPTC and content), None)


def resource_of(records: bytes) -> bytes:
    """The resource, without `PREFIX`, of IPTC's records."""
    return b"8BIM" + struct.pack(">HHI", IPTC, 0, len(records)) + records + bytes(len(records) % 2)


def _digest(records: bytes) -> bytes:
    return hashlib.md5(records, usedforsecurity=False).digest()


def each(resources: bytes) -> Iterator[tuple[int, bytes, int, int]]:
    """Each resource's number and content, and from … to where it lies, as far as they can be read."""
    at = 0
    while resources[at : at + 4] in SIGNATURES and at + 12 <= len(resources):
        (number,) = struct.unpack_from(">H", resources, at + 4)
        name = (resources[at + 6] + 2) // 2 * 2
        if at + 10 + name > len(resources):
            return
        (size,) = struct.unpack_from(">I", resources, at + 6 + name)
        start, content, end = at, at + 10 + name, at + 10 + name + (size + 1) // 2 * 2
        yield number, resources[content : content + size], start, end
        at = end

"""What JPEG 2000, PSD and GIF say of their picture, which Pillow tells little of (ISO 15444-1, annex I; Adobe Photoshop
File Formats Specification; Adobe's XMP Specification, part 3)."""

import struct
from collections.abc import Callable

from photodrag.pipeline.photos import iptc, photoshop
from photodrag.pipeline.photos.exif import LAYERS
from photodrag.pipeline.photos.item_file import DamagedItems, boxes

EXIF, XMP, PROFILE, IPTC = "exif", "xmp", "icc_profile", "iptc"
JP2, HEADER, COLOURS, UUID = b"\0\0\0\x0cjP  ", b"jp2h", b"colr", b"uuid"
PROFILES = 2, 3
"""Ways to tell colours that are an ICC profile: a simple one, and any."""
UUIDS = {
    b"JpgTiffExif->JP2": EXIF,
    bytes.fromhex("be7acfcb97a942e89c71999491e3afac"): XMP,
    bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"): IPTC,
}
RESOURCES = {1039: PROFILE, 1058: EXIF, 1060: XMP, photoshop.IPTC: IPTC}
XMP_IN_GIF, BEHIND_XMP = b"!\xff\x0bXMP DataXMP", b"\x01\xff\xfe\xfd"
Said = tuple[dict[str, bytes], list[str]]
"""By EXIF, XMP, PROFILE and IPTC, with what was left out of it, in words."""


def said_by(kind: str, data: bytes) -> Said:
    """What a file says of its picture; kind: Pillow's name of its format. Nothing of other formats, or where the file
    is damaged there."""
    reader = READERS.get(kind)
    if reader is None:
        return {}, []
    try:
        said, words = reader(data)
    except (DamagedItems, struct.error, IndexError):
        return {}, ["what the file says of its picture, which is damaged"]
    if IPTC in said:
        said[IPTC], without = iptc.without_pictures(said[IPTC])
        words += without
    return {name: value for name, value in said.items() if value}, words


def _of_jpeg_2000(data: bytes) -> Said:
    said: dict[str, bytes] = {}
    for kind, start, end in boxes(data) if data.startswith(JP2) else ():  # else a bare codestream
        if kind == UUID and (name := UUIDS.get(data[start : start + 16])):
            said.setdefault(name, data[start + 16 : end])
        elif kind == HEADER:
            for inner, first, last in boxes(data, start, end):
                if inner == COLOURS and data[first] in PROFILES:
                    said.setdefault(PROFILE, data[first + 3 : last])
    return said, []


def _of_psd(data: bytes) -> Said:
    at = 26
    at += 4 + struct.unpack_from(">I", data, at)[0]  # a palette
    (size,) = struct.unpack_from(">I", data, at)
    said = {
        RESOURCES[number]: content
        for number, content, *_ in photoshop.each(data[at + 4 : at + 4 + size])
        if number in RESOURCES
    }
    (layers,) = struct.unpack_from(">I", data, at + 4 + size)
    return said, [LAYERS] if layers > 4 else []


def _of_gif(data: bytes) -> Said:
    start = data.find(XMP_IN_GIF) + len(XMP_IN_GIF)
    end = data.find(BEHIND_XMP, start)
    return ({XMP: data[start:end]} if start >= len(XMP_IN_GIF) and end > 0 else {}), []


READERS: dict[str, Callable[[bytes], Said]] = {"JPEG2000": _of_jpeg_2000, "PSD": _of_psd, "GIF": _of_gif}

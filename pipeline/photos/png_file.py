"""A PNG's chunks, and which of them go into the edited picture: what the colours mean, texts, resolution, EXIF and XMP
(PNG Specification, third edition)."""

import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from photodrag.pipeline.photos import exif, iptc, photoshop, xmp
from photodrag.pipeline.photos.exif import THUMBNAIL
from photodrag.pipeline.photos.metadata import CREDENTIALS, Metadata, metadata_of

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = len(SIGNATURE) + 25
"""Bytes until behind IHDR."""
COLOURS = {b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"mDCV", b"cLLI", b"mDCv", b"cLLi"}
TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
XMP_KEY = b"XML:com.adobe.xmp"
OLD_FORM = b"Raw profile type "
IPTC_KEY = "Raw profile type iptc"
OLD_IPTC = (OLD_FORM + b"iptc\0", OLD_FORM + b"8bim\0")
"""ImageMagick's and ExifTool's ways to keep a profile as text, the only ones that there are for IPTC."""
IIM = b"\x1c"
"""How IPTC's records begin."""
C2PA = b"caBX"


class DamagedPng(ValueError):
    """Not a PNG that can be taken apart."""


@dataclass(frozen=True)
class Chunk:
    """kind: its four letters."""

    kind: bytes
    data: bytes

    def encoded(self) -> bytes:
        """As it stands in a file."""
        return b"".join(
            (
                struct.pack(">I", len(self.data)),
                self.kind,
                self.data,
                struct.pack(">I", zlib.crc32(self.kind + self.data)),
            )
        )

    @property
    def safe(self) -> bool:
        """Whether who doesn't know it may copy it though the picture changed."""
        return bool(self.kind[0] & self.kind[3] & 0x20)


def chunks(data: bytes) -> list[Chunk]:
    """A PNG's chunks, without those of the picture itself. Raises DamagedPng."""
    if data[:8] != SIGNATURE:
        raise DamagedPng("no signature")
    found, at = [], 8
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        if at + 12 + size > len(data):
            raise DamagedPng("a chunk is cut short")
        if kind != b"IDAT":
            found.append(Chunk(kind, data[at + 8 : at + 8 + size]))
        at += 12 + size
        if kind == b"IEND":
            break
    return found


def carried(all_chunks: Iterable[Chunk], orientation: int) -> tuple[tuple[Chunk, ...], list[str]]:
    """The chunks for the edited picture, which is upright, and what was left out, in words."""
    kept: list[Chunk] = []
    dropped: list[str] = []
    for chunk in all_chunks:
        new, words = _patched(chunk, orientation)
        kept += [new] if new else []
        dropped += words
    kept.sort(key=lambda chunk: chunk.kind not in COLOURS)  # which must stand before a palette
    return tuple(kept), list(dict.fromkeys(dropped))


def _patched(chunk: Chunk, orientation: int) -> tuple[Chunk | None, list[str]]:
    if chunk.kind == b"eXIf":
        block, words = exif.patched(chunk.data.removeprefix(exif.PREFIX), orientation=1, turned=orientation >= 5)
        return (Chunk(b"eXIf", block) if block else None), words
    if chunk.kind == b"iTXt" and chunk.data.startswith(XMP_KEY + b"\0"):
        return _patched_xmp(chunk)
    if chunk.kind in TEXTS and chunk.data.startswith((OLD_FORM, XMP_KEY)):
        records = _iptc_in(chunk)
        if records is None:
            return None, ["EXIF, XMP or IPTC in an old form, as text"]
        kept, words = iptc.without_pictures(records)
        text = IPTC_KEY.encode() + b"\0\0" + zlib.compress(iptc_text(kept).encode())
        return (Chunk(b"zTXt", text) if words else chunk), words
    if chunk.kind in TEXTS:
        return chunk, []
    if chunk.kind == C2PA:
        return None, [CREDENTIALS]
    return (chunk if chunk.kind in COLOURS or chunk.kind == b"pHYs" or chunk.safe else None), []


def iptc_text(records: bytes) -> str:
    """IPTC's records as a text of `IPTC_KEY`: a line with a name, one with a length, the letters."""
    letters, line = photoshop.resource_of(records).hex(), 72
    lines = [letters[at : at + line] for at in range(0, len(letters), line)]
    return "\n".join(("", "iptc", f"{len(letters) // 2:8}", *lines, ""))


def _iptc_in(chunk: Chunk) -> bytes | None:
    """IPTC's records, b"" where there are none among Photoshop's resources, in hexadecimal letters; None where that
    isn't what a chunk is, or these show the photo as it was."""
    if not chunk.data.startswith(OLD_IPTC) or chunk.kind == b"iTXt":
        return None
    text = chunk.data.partition(b"\0")[2]
    try:
        text = zlib.decompressobj().decompress(text[1:], xmp.LARGEST) if chunk.kind == b"zTXt" else text
        _name, length, letters = text.strip().split(b"\n", 2)
        content = bytes.fromhex(b"".join(letters.split()).decode("ascii"))[: int(length)]
    except (zlib.error, ValueError):
        return None
    if content.startswith(IIM):
        return content
    hides = {THUMBNAIL, photoshop.UNREAD} & {*photoshop.without_thumbnails(content)[1]}
    return None if hides else photoshop.iptc_of(content) or b""


def _patched_xmp(chunk: Chunk) -> tuple[Chunk | None, list[str]]:
    """Its text stands behind: key, 0, whether it is compressed, how, language, 0, translated key, 0."""
    compressed, rest = chunk.data[len(XMP_KEY) + 1 : len(XMP_KEY) + 3], chunk.data[len(XMP_KEY) + 3 :]
    parts = rest.split(b"\0", 2)
    if len(parts) < 3:
        return None, ["XMP, which is damaged"]
    text = parts[2]
    if compressed[:1] == b"\1":
        try:
            text = zlib.decompressobj().decompress(text, xmp.LARGEST + 1)
        except zlib.error:
            return None, ["XMP, which is damaged"]
    packet, words = xmp.patched(text, turned=True)
    head = XMP_KEY + b"\0\0\0" + parts[0] + b"\0" + parts[1] + b"\0"
    return (Chunk(b"iTXt", head + packet) if packet else None), words


def metadata_in(carried_chunks: Iterable[Chunk], info: Mapping[Any, Any], dropped: Iterable[str]) -> Metadata:
    """What carried chunks say, as other files have it; profile and resolution as in Pillow's info of the picture."""
    about = metadata_of({name: info.get(name) for name in ("icc_profile", "dpi")}, 1, dropped)
    for chunk in carried_chunks:
        if chunk.kind == b"eXIf":
            about = replace(about, exif=exif.PREFIX + chunk.data)
        elif chunk.kind == b"iTXt" and chunk.data.startswith(XMP_KEY + b"\0"):
            about = replace(about, xmp=chunk.data[len(XMP_KEY) + 3 :].split(b"\0", 2)[2])
        elif chunk.kind in TEXTS and (records := _iptc_in(chunk)):
            about = replace(about, iptc=records)
    return about


def said_by(metadata: Metadata, code_points: bytes) -> tuple[Chunk, ...]:
    """The chunks of what another file says. code_points: cICP's; the profile is for those who don't know it."""
    found = [Chunk(b"cICP", code_points)]
    if metadata.icc_profile:
        found.append(Chunk(b"iCCP", b"as shown\0\0" + zlib.compress(metadata.icc_profile)))
    if metadata.exif:
        found.append(Chunk(b"eXIf", metadata.exif.removeprefix(exif.PREFIX)))
    if metadata.xmp:
        found.append(Chunk(b"iTXt", XMP_KEY + bytes(5) + metadata.xmp))
    return tuple(found)


def with_chunks(png: bytes, added: Iterable[Chunk]) -> bytes:
    """A PNG with chunks put in front of its picture."""
    return png[:HEADER] + b"".join(chunk.encoded() for chunk in added) + png[HEADER:]

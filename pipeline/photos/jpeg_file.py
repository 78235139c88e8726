"""A JPEG as its parts: the segments that say something about the picture, the compressed picture, what lies behind it
(ITU-T T.81, Annex B)."""

import re
from dataclasses import dataclass
from functools import cached_property

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
SOS, COM = 0xDA, 0xFE
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # SOF0 …, without tables
HUFFMAN_8_BIT = {0xC0, 0xC1, 0xC2}
APP = range(0xE0, 0xF0)
LARGEST, MOST_BEHIND = 65533, 16
"""Bytes that a segment holds; pictures behind one that are looked at."""
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]", re.DOTALL)
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)


class DamagedJpeg(ValueError):
    """Not a JPEG that can be taken apart."""


@dataclass(frozen=True)
class Segment:
    """A marker, 0xE1 say, and what follows its length."""

    marker: int
    payload: bytes

    @property
    def is_about(self) -> bool:
        """Whether it says something about the picture, instead of being needed to decode it."""
        return self.marker in APP or self.marker == COM

    def encoded(self) -> bytes:
        """As it stands in a file."""
        return bytes((0xFF, self.marker)) + (len(self.payload) + 2).to_bytes(2, "big") + self.payload


@dataclass(frozen=True)
class Component:
    """One of a picture's components: its name, and how often it is sampled across and down."""

    name: int
    across: int
    down: int


@dataclass(frozen=True)
class JpegFile:
    """header: the segments before the first scan; scans: from there to the end of the picture, with its marker;
    behind: what comes after that."""

    header: tuple[Segment, ...]
    scans: bytes
    behind: bytes

    @cached_property
    def frame(self) -> Segment:
        """The segment that gives size and components (SOF)."""
        return next(segment for segment in self.header if segment.marker in FRAMES)

    @property
    def components(self) -> tuple[Component, ...]:
        """Those of the frame, in its order."""
        entries = (self.frame.payload[i : i + 3] for i in range(6, 6 + 3 * self.frame.payload[5], 3))
        return tuple(Component(name, factors >> 4, factors & 15) for name, factors, _table in entries)

    @property
    def adobe_transform(self) -> int | None:
        """Adobe's word for the colours: 0 as they are, 1 YCbCr, 2 YCCK; None without one."""
        for segment in self.header:
            if segment.marker == 0xEE and segment.payload[:5] == b"Adobe" and len(segment.payload) >= 12:
                return segment.payload[11]
        return None

    @cached_property
    def pictures_behind(self) -> tuple[tuple["JpegFile", bytes], ...]:
        """The JPEGs that lie behind this one, one after the other, with their bytes; the first MOST_BEHIND."""
        found: list[tuple[JpegFile, bytes]] = []
        behind = self.behind
        while behind[:2] == SOI and len(found) < MOST_BEHIND:
            try:
                picture = parse(behind)
            except DamagedJpeg:
                break
            found.append((picture, behind[: len(behind) - len(picture.behind)]))
            behind = picture.behind
        return tuple(found)

    def with_picture(self, other: "JpegFile", about: tuple[Segment, ...], behind: bytes = b"") -> bytes:
        """A file of this one's segments `about` the picture and another's compressed picture, whose components are
        called as this one's are."""
        names = dict(zip((c.name for c in other.components), (c.name for c in self.components), strict=True))
        needed = [segment for segment in other.header if not segment.is_about]
        needed = [_renamed_frame(s, names) if s.marker in FRAMES else s for s in needed]
        parts = [SOI, *(segment.encoded() for segment in (*about, *needed)), _renamed_scans(other.scans, names), behind]
        return b"".join(parts)


def parse(data: bytes) -> JpegFile:
    """A JPEG's parts; one without an end marker is as if it had one. Raises DamagedJpeg."""
    if data[:2] != SOI:
        raise DamagedJpeg("no start")
    header, at = [], 2
    while True:
        marker, payload, after = _segment(data, at)
        if marker == SOS:
            break
        header.append(Segment(marker, payload))
        at = after
    if not any(segment.marker in FRAMES and len(segment.payload) >= 9 for segment in header):
        raise DamagedJpeg("no frame")
    end = _end_of_scans(data, at)
    scans = data[at:end]
    return JpegFile(tuple(header), scans if scans.endswith(EOI) else scans + EOI, data[end:])


def _segment(data: bytes, at: int) -> tuple[int, bytes, int]:
    """The marker and payload of the segment at a place, and the place behind it."""
    found = _MARKER.search(data, at)  # decoders skip what isn't one, and those that have no segment
    if found is None or data[found.start() + 1] == 0xD9 or len(data) < found.start() + 4:
        raise DamagedJpeg("no segment")
    at = found.start()
    after = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    if after < at + 4 or after > len(data):
        raise DamagedJpeg("a segment is cut short")
    return data[at + 1], data[at + 4 : after], after


def _end_of_scans(data: bytes, at: int) -> int:
    while True:
        _, _, at = _segment(data, at)  # a scan's header, or a table between scans
        if data[at : at + 2] == EOI:
            return at + 2
        found = _NEXT_MARKER.search(data, at)
        if found is None:
            return len(data)
        at = found.start()
        if data[at : at + 2] == EOI:
            return at + 2


def _renamed_frame(frame: Segment, names: dict[int, int]) -> Segment:
    payload = bytearray(frame.payload)
    for i in range(6, 6 + 3 * payload[5], 3):
        payload[i] = names[payload[i]]
    return Segment(frame.marker, bytes(payload))


def _renamed_scans(scans: bytes, names: dict[int, int]) -> bytes:
    renamed, at = bytearray(scans), 0
    while scans[at : at + 2] != EOI:
        marker, payload, after = _segment(scans, at)
        if marker == SOS:
            for i in range(at + 5, at + 5 + 2 * payload[0], 2):
                renamed[i] = names[renamed[i]]
        found = _NEXT_MARKER.search(scans, after)
        if found is None:
            break
        at = found.start()
    return bytes(renamed)

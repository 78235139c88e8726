"""EXIF carried from a photo to its edit: byte for byte, patched in place, so that what points somewhere (a maker's
notes above all) still points there (CIPA DC-008, EXIF 3.0; TIFF 6.0)."""

import re
import struct
from dataclasses import dataclass, field
from typing import Literal

PREFIX = b"Exif\0\0"
ORIENTATION, EXIF_IFD, MAKER_NOTE = 0x0112, 0x8769, 0x927C
WIDTH, HEIGHT = 0xA002, 0xA003
PICTURE_START, PICTURE_LENGTH, STRIP_STARTS, STRIP_LENGTHS = 0x0201, 0x0202, 0x0111, 0x0117
SHOW_THE_OLD = {0x501B: "a thumbnail of Windows", 37724: "Photoshop's layers"}
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Bytes of a value, by its type."""
SHORT, LONG = 3, 4
MOST_ENTRIES = 4096
THUMBNAIL = "the thumbnail"
_JPEG = re.compile(rb"\xff\xd8\xff[\xc0-\xfe]", re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """Of a directory: a tag, its value's type, and of how many."""

    tag: int
    kind: int
    count: int
    at: int
    """Where its twelve bytes lie."""
    start: int
    """Where its value lies."""

    @property
    def size(self) -> int:
        return SIZES.get(self.kind, 1) * self.count


@dataclass
class Exif:
    """A block of EXIF, without `PREFIX`, that is being patched."""

    data: bytearray
    dropped: list[str] = field(default_factory=list)
    blank: list[tuple[int, int]] = field(default_factory=list)
    """What nothing points to any more: from … to."""

    def __post_init__(self) -> None:
        if bytes(self.data[:4]) not in (b"II*\0", b"MM\0*"):
            raise ValueError("no TIFF header")
        self.order: Literal["<", ">"] = "<" if self.data[:1] == b"I" else ">"
        self.first = self.number(4, LONG)

    def number(self, at: int, kind: int) -> int:
        """The whole number at a place."""
        (value,) = struct.unpack_from(self.order + {1: "B", SHORT: "H", LONG: "I"}[kind], self.data, at)
        return int(value)

    def write(self, at: int, kind: int, value: int) -> None:
        """Put a whole number there."""
        struct.pack_into(self.order + {1: "B", SHORT: "H", LONG: "I"}[kind], self.data, at, value)

    def entries(self, ifd: int) -> list[Entry]:
        """Those of a directory. Raises struct.error or ValueError where it isn't one."""
        count = self.number(ifd, SHORT)
        if count > MOST_ENTRIES:
            raise ValueError("no directory")
        found = []
        for at in range(ifd + 2, ifd + 2 + 12 * count, 12):
            tag, kind, values = self.number(at, SHORT), self.number(at + 2, SHORT), self.number(at + 4, LONG)
            large = SIZES.get(kind, 1) * values > 4
            found.append(Entry(tag, kind, values, at, self.number(at + 8, LONG) if large else at + 8))
        return found

    def entry(self, ifd: int, tag: int) -> Entry | None:
        """A directory's entry with that tag."""
        return next((entry for entry in self.entries(ifd) if entry.tag == tag), None)

    def value(self, entry: Entry | None) -> list[int]:
        """An entry's whole numbers; none for other kinds."""
        if entry is None or entry.kind not in (1, SHORT, LONG) or entry.count > MOST_ENTRIES:
            return []
        return [self.number(entry.start + i * SIZES[entry.kind], entry.kind) for i in range(entry.count)]

    def all_values(self, entry: Entry | None) -> list[int]:
        """As `value`, for arrays of any length."""
        if entry is None or entry.kind not in (SHORT, LONG) or entry.start + entry.size > len(self.data):
            return []
        letters = {SHORT: "H", LONG: "I"}
        return list(struct.unpack_from(f"{self.order}{entry.count}{letters[entry.kind]}", self.data, entry.start))

    def replace(self, entry: Entry, value: bytes) -> None:
        """Give an entry of bytes a value that is no longer than the one it had; of four bytes or less it gets zeros."""
        room = entry.size
        self.data[entry.start : entry.start + room] = value[:room].ljust(room, b"\0")
        if len(value) > 4:
            self.write(entry.at + 4, LONG, len(value) // SIZES.get(entry.kind, 1))

    def erase(self, start: int, length: int) -> None:
        """Blank what nothing will point to."""
        end = min(start + length, len(self.data))
        if 0 < start < end:
            self.data[start:end] = bytes(end - start)
            self.blank.append((start, end))

    def remove(self, ifd: int, entry: Entry) -> None:
        """Take an entry out of a directory, and blank its value; later entries move up, what they point to stays."""
        if entry.size > 4:
            self.erase(entry.start, entry.size)
        end = ifd + 2 + 12 * self.number(ifd, SHORT) + 4
        self.data[entry.at : end - 12] = self.data[entry.at + 12 : end]
        self.data[end - 12 : end] = bytes(12)
        self.write(ifd, SHORT, self.number(ifd, SHORT) - 1)

    def shortened(self) -> bytes:
        """The block, without what is blank at its end."""
        end = len(self.data)
        while ends := [start for start, stop in self.blank if stop == end and start < end]:
            end = min(ends)
        return bytes(self.data[:end])


def patched(
    block: bytes | bytearray, orientation: int | None = None, turned: bool = False
) -> tuple[bytes | None, list[str]]:
    """A block of EXIF, without `PREFIX`, as it goes into an edited photo, and what was left out of it in words:
    pictures that show the photo as it was. None where it is damaged.

    orientation: the new one; None leaves it. turned: whether the picture's width and height are exchanged."""
    try:
        exif = Exif(bytearray(block))
        _without_further_directories(exif)
        for tag, words in SHOW_THE_OLD.items():
            if entry := exif.entry(exif.first, tag):
                exif.remove(exif.first, entry)
                exif.dropped.append(words)
        if (
            orientation is not None
            and (entry := exif.entry(exif.first, ORIENTATION))
            and entry.kind in (1, SHORT, LONG)
        ):
            exif.write(entry.start, entry.kind, orientation)
        if directory := exif.value(exif.entry(exif.first, EXIF_IFD)):
            _patch_exif_ifd(exif, directory[0], turned)
    except (struct.error, ValueError, IndexError):
        return None, ["EXIF, which is damaged"]
    return exif.shortened(), exif.dropped


def _without_further_directories(exif: Exif) -> None:
    """The second directory is the thumbnail's; a third has been seen to be a preview's."""
    link = exif.first + 2 + 12 * exif.number(exif.first, SHORT)
    after, seen = exif.number(link, LONG), {exif.first}
    exif.write(link, LONG, 0)
    while after and after not in seen and len(seen) < 8:
        seen.add(after)
        entries = exif.entries(after)
        for starts, lengths in ((PICTURE_START, PICTURE_LENGTH), (STRIP_STARTS, STRIP_LENGTHS)):
            places, sizes = (exif.value(next((e for e in entries if e.tag == tag), None)) for tag in (starts, lengths))
            for place, size in zip(places, sizes, strict=False):
                exif.erase(place, size)
                exif.dropped.append(THUMBNAIL)
        end = after + 2 + 12 * len(entries)
        following = exif.number(end, LONG) if end + 4 <= len(exif.data) else 0
        for entry in entries:
            if entry.size > 4:
                exif.erase(entry.start, entry.size)
        exif.erase(after, end + 4 - after)
        after = following
    exif.dropped = list(dict.fromkeys(exif.dropped))


def _patch_exif_ifd(exif: Exif, ifd: int, turned: bool) -> None:
    width, height = exif.entry(ifd, WIDTH), exif.entry(ifd, HEIGHT)
    if turned and width and height and width.kind == height.kind:
        at, size = slice(width.at + 8, width.at + 12), slice(height.at + 8, height.at + 12)
        exif.data[at], exif.data[size] = exif.data[size], exif.data[at]
    notes = exif.entry(ifd, MAKER_NOTE)
    if notes is None:
        return
    start, end = notes.start, notes.start + notes.size
    while found := _JPEG.search(exif.data, start, end):
        stop = exif.data.find(b"\xff\xd9", found.end(), end)
        stop = end if stop < 0 else stop + 2
        exif.data[found.start() : stop] = bytes(stop - found.start())
        exif.dropped.append("a picture in the maker's notes")
        start = stop
    exif.dropped = list(dict.fromkeys(exif.dropped))

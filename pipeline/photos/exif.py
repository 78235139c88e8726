"""EXIF carried from a photo to its edit: byte for byte, patched in place, so that what points somewhere (a maker's
notes above all) still points there (CIPA DC-008, EXIF 3.0; TIFF 6.0)."""

import re
import struct
from dataclasses import dataclass, field
from typing import Literal

from photodrag.pipeline.photos import jpeg_file

PREFIX = b"Exif\0\0"
ORIENTATION, EXIF_IFD, MAKER_NOTE = 0x0112, 0x8769, 0x927C
WIDTH, HEIGHT = 0xA002, 0xA003
SAMPLES = ((273, 279), (324, 325), (0x0201, 0x0202))
"""Tags of where strips, tiles and JPEG's pictures lie, and how long they are."""
SUB_DIRECTORIES = 330
LAYOUT = {
    *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291),
    *(292, 293, 301, 317, 320, 321, 322, 323, 324, 325, 330, 332, 334, 336, 338, 339, 340, 341, 347),
    *(*range(512, 522), 529, 530, 531, 532),
}
"""What lays out a TIFF's samples, or speaks of how they were stored."""
LAYERS = "Photoshop's layers"
SHOW_THE_OLD = {0x501B: "a thumbnail of Windows", 37724: LAYERS}
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Bytes of a value, by its type."""
SHORT, LONG, IFD = 3, 4, 13
MOST_ENTRIES, MOST_DIRECTORIES = 4096, 64
THUMBNAIL, FURTHER = "the thumbnail", "further pictures in the file"
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
    erased: int = 0
    """How many directories were."""

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
        """An entry's whole numbers; none for other kinds, and for what lies outside."""
        letters = {1: "B", SHORT: "H", LONG: "I", IFD: "I"}
        if entry is None or entry.kind not in letters or entry.start + entry.size > len(self.data):
            return []
        return list(struct.unpack_from(f"{self.order}{entry.count}{letters[entry.kind]}", self.data, entry.start))

    def erase_directory(self, ifd: int) -> int:
        """Blank a directory with the pictures that it tells of, further ones below it too; gives the next one."""
        entries = self.entries(ifd)
        following = self.number(ifd + 2 + 12 * len(entries), LONG)
        self.erased += 1
        if self.erased > MOST_DIRECTORIES:
            raise ValueError("nobody's file is like this")
        for below in (one for entry in entries if entry.tag == SUB_DIRECTORIES for one in self.value(entry)):
            self.erase_chain(below)
        self.erase_samples(ifd)
        for entry in entries:
            if entry.size > 4:
                self.erase(entry.start, entry.size)
        self.erase(ifd, 2 + 12 * len(entries) + 4)
        return following

    def erase_chain(self, ifd: int) -> None:
        """Blank a directory and those that follow it."""
        while ifd:
            ifd = self.erase_directory(ifd)

    def erase_samples(self, ifd: int) -> None:
        """Blank what a directory shows."""
        entries = {entry.tag: entry for entry in self.entries(ifd)}
        for starts, lengths in SAMPLES:
            for place, size in zip(self.value(entries.get(starts)), self.value(entries.get(lengths)), strict=False):
                self.erase(place, size)

    def replace(self, entry: Entry, value: bytes) -> None:
        """Give an entry of bytes a value that is no longer than the one it had; of four bytes or less it gets zeros."""
        room = min(entry.size, max(len(self.data) - entry.start, 0))
        self.data[entry.start : entry.start + room] = value[:room].ljust(room, b"\0")
        if len(value) > 4:
            self.write(entry.at + 4, LONG, len(value) // SIZES.get(entry.kind, 1))

    def erase(self, start: int, length: int) -> None:
        """Blank what nothing will point to."""
        end = min(start + length, len(self.data))
        if self.keeps(start, end) or not 0 < start < end:
            return
        self.data[start:end] = bytes(end - start)
        self.blank.append((start, end))

    def keeps(self, start: int, end: int) -> bool:
        """Whether the header or the first directory lies in a range, which then isn't what it is said to be."""
        directory = self.first + 2 + 12 * self.number(self.first, SHORT) + 4
        return start < 8 or (start < directory and end > self.first)

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
        for start, stop in sorted(self.blank, key=lambda run: -run[1]):
            if stop < end:
                break
            end = min(end, start)
        return bytes(self.data[:end])


def patched(
    block: bytes | bytearray, orientation: int | None = None, turned: bool = False
) -> tuple[bytes | None, list[str]]:
    """A block of EXIF, without `PREFIX`, as it goes into an edited photo, and what was left out of it in words:
    pictures that show the photo as it was. None where it is damaged.

    orientation: the new one; None leaves it. turned: whether the picture's width and height are exchanged."""
    try:
        exif = Exif(bytearray(block))
        exif.entries(exif.first)
    except (struct.error, ValueError):
        return None, ["EXIF, which is damaged"]
    try:
        _without_further_directories(exif)
        for tag, words in SHOW_THE_OLD.items():
            if entry := exif.entry(exif.first, tag):
                exif.remove(exif.first, entry)
                exif.dropped.append(words)
        if orientation is not None and (entry := exif.entry(exif.first, ORIENTATION)):
            exif.write(entry.at + 2, SHORT, SHORT)  # whatever type it had
            exif.write(entry.at + 4, LONG, 1)
            exif.write(entry.at + 8, LONG, 0)
            exif.write(entry.at + 8, SHORT, orientation)
        if turned:
            _exchange(exif, exif.first, 256, 257)  # a TIFF's width and height, which some phones tell there
        if directory := exif.value(exif.entry(exif.first, EXIF_IFD)):
            _patch_exif_ifd(exif, directory[0], turned)
    except (struct.error, ValueError, IndexError):
        return None, ["EXIF, which is damaged"]
    return exif.shortened(), list(dict.fromkeys(exif.dropped))


def without(block: bytes, tag: int) -> bytes:
    """A block of EXIF, without `PREFIX`, less a tag of its first directory. One that can't be read stays."""
    try:
        exif = Exif(bytearray(block))
        if entry := exif.entry(exif.first, tag):
            exif.remove(exif.first, entry)
    except (struct.error, ValueError, IndexError):
        return block
    return bytes(exif.data)


def of_orientation(orientation: int) -> bytes:
    """A block of EXIF, without `PREFIX`, that tells an orientation and nothing else."""
    return b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, ORIENTATION, SHORT, 1, orientation, 0, 0)


def _without_further_directories(exif: Exif) -> None:
    """The second directory is the thumbnail's, a third has been seen to be a preview's; some lie below the first."""
    if entry := exif.entry(exif.first, SUB_DIRECTORIES):
        for below in exif.value(entry):
            exif.erase_chain(below)
        exif.remove(exif.first, entry)
        exif.dropped.append(FURTHER)
    link = exif.first + 2 + 12 * exif.number(exif.first, SHORT)
    after = exif.number(link, LONG)
    exif.write(link, LONG, 0)
    if 8 <= after < len(exif.data) - 6:  # else it leads nowhere, and nobody sees what it would show
        exif.erase_chain(after)
        exif.dropped.append(THUMBNAIL)


def _patch_exif_ifd(exif: Exif, ifd: int, turned: bool) -> None:
    if turned:
        _exchange(exif, ifd, WIDTH, HEIGHT)
    notes = exif.entry(ifd, MAKER_NOTE)
    if notes is None:
        return
    start, end = notes.start, min(notes.start + notes.size, len(exif.data))
    while found := _JPEG.search(exif.data, start, end):
        start = _end_of_picture(bytes(exif.data[found.start() : end])) + found.start()
        exif.data[found.start() : start] = bytes(start - found.start())
        exif.dropped.append("a picture in the maker's notes")


def _exchange(exif: Exif, ifd: int, *tags: int) -> None:
    """The values of a directory's two tags, with their types: SHORT and LONG have been seen side by side."""
    first, second = (exif.entry(ifd, tag) for tag in tags)
    if first and second:
        at, other = slice(first.at + 2, first.at + 12), slice(second.at + 2, second.at + 12)
        exif.data[at], exif.data[other] = exif.data[other], exif.data[at]


def _end_of_picture(data: bytes) -> int:
    """How long the JPEG is that begins there: all of it where it can't be taken apart."""
    try:
        return len(data) - len(jpeg_file.parse(data).behind)
    except jpeg_file.DamagedJpeg:
        return len(data)

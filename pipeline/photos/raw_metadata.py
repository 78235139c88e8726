"""What a camera's raw file says that is true of the picture developed from it: written into a block of EXIF of its own,
value by value as it stands there, for what points somewhere does so in that file alone."""

import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

from PIL import ExifTags

from photodrag.pipeline.photos import exif, jpeg_file, xmp
from photodrag.pipeline.photos.colour_profile import matrix_profile
from photodrag.pipeline.photos.colours import PRIMARIES
from photodrag.pipeline.photos.exif import LONG, SHORT, SIZES, Exif
from photodrag.pipeline.photos.item_file import DamagedItems, boxes
from photodrag.pipeline.photos.metadata import Metadata
from photodrag.pipeline.photos.tiff import EMPTY, LARGEST_EXIF, XMP, Tags, iptc_of, place_directory

MAIN, GPS_IFD = 0, 0x8825
KEPT = {269, 270, 271, 272, 305, 306, 315, 316, 18246, 33432}
"""Of the first directory: titles, camera, program, times, names, rating, rights; all else is of the raw samples."""
INTEROP, COLOUR_SPACE, SRGB = 0xA005, 0xA001, 1
OF_THE_RAW = {exif.MAKER_NOTE, exif.WIDTH, exif.HEIGHT, COLOUR_SPACE, INTEROP}
NOTES = "the maker's notes, which hold in the raw file alone"
PROFILE = matrix_profile("sRGB", PRIMARIES[1])
"""Told though it is sRGB, for EXIF of a raw file may speak of another."""
TIFF_STARTS = (b"II*\0", b"MM\0*")
CR3, UUID = b"ftypcrx ", 16
MOST = 64_000_000
"""Bytes at a raw file's start in which what it says is looked for."""


def metadata_of_raw(file: BinaryIO, preview: bytes) -> Metadata:
    """The metadata of a developed raw file. preview: the JPEG in it, where some cameras alone tell EXIF; may be b""."""
    file.seek(0)
    data = file.read(MOST)
    with suppress(struct.error, ValueError, IndexError, StopIteration):
        main, others = _directories(data, preview)
        block, dropped = _block(main, others)
        packet, words = None, list[str]()
        if entry := main.entry(main.first, XMP):
            packet, words = xmp.patched(bytes(main.data[entry.start : entry.start + entry.size]), turned=True)
        records, of_iptc = iptc_of(main)
        said = tuple(dict.fromkeys([*dropped, *words, *of_iptc]))
        return Metadata(PROFILE, exif.PREFIX + block, packet, iptc=records, dropped=said)
    return Metadata(PROFILE, dropped=("EXIF, which can't be read",))


def _directories(data: bytes, preview: bytes) -> tuple[Exif, dict[int, tuple[Exif, int]]]:
    """The block with the first directory, and blocks and places of EXIF's and GPS', by the tags that point to them."""
    if data[4:12] == CR3:
        parts = dict(_parts_of_cr3(data))
        main = Exif(bytearray(parts[b"CMT1"]))
        below = {exif.EXIF_IFD: b"CMT2", GPS_IFD: b"CMT4"}
        blocks = {tag: Exif(bytearray(parts[kind])) for tag, kind in below.items() if kind in parts}
        return main, {tag: (block, block.first) for tag, block in blocks.items()}
    if data.startswith(TIFF_STARTS):
        main = Exif(bytearray(data))
    else:
        told = (segment.payload for segment in jpeg_file.parse(preview).header if segment.marker == 0xE1)
        block = next(payload for payload in told if payload.startswith(exif.PREFIX))
        main = Exif(bytearray(block.removeprefix(exif.PREFIX)))
    places = {tag: main.value(main.entry(main.first, tag)) for tag in (exif.EXIF_IFD, GPS_IFD)}
    return main, {tag: (main, place[0]) for tag, place in places.items() if place}


def _parts_of_cr3(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """What Canon's box in the film's header holds: CMT1 … CMT4 are TIFFs of one directory each."""
    try:
        for kind, start, end in boxes(data):
            if kind == b"moov":
                for inner, first, last in boxes(data, start, end):
                    if inner == b"uuid":
                        yield from ((name, data[a:b]) for name, a, b in boxes(data, first + UUID, last))
    except DamagedItems:  # the samples, beyond what was read, are cut short
        return


def _block(main: Exif, others: dict[int, tuple[Exif, int]]) -> tuple[bytes, list[str]]:
    start = b"II*\0" if main.order == "<" else b"MM\0*"
    block = Exif(bytearray(start + struct.pack(main.order + "I", 8) + EMPTY[8:]))
    first = {tag: value for tag, value in _values(main, main.first).items() if tag in KEPT}
    directories, dropped = {MAIN: first}, []
    for tag, (source, ifd) in others.items():
        values = _values(source, ifd)
        dropped += [NOTES] if tag == exif.EXIF_IFD and exif.MAKER_NOTE in values else []
        directories[tag] = {one: value for one, value in values.items() if tag == GPS_IFD or one not in OF_THE_RAW}
        directories[tag] |= {COLOUR_SPACE: (SHORT, [SRGB])} if tag == exif.EXIF_IFD else {}
    dropped += _without_longest(directories)
    for tag in [one for one in directories if one != MAIN and directories[one]]:
        first[tag] = (LONG, [place_directory(block, directories[tag])])
    block.write(4, LONG, place_directory(block, first))
    return bytes(block.data), dropped


def _without_longest(directories: dict[int, Tags]) -> list[str]:
    """Take the longest values out of directories until these fit into a JPEG; gives what went, in words."""
    sizes = {(ifd, tag): 12 + len(value) for ifd, tags in directories.items() for tag, (_, value) in tags.items()}
    total, words = sum(sizes.values()), []
    for (ifd, tag), size in sorted(sizes.items(), key=lambda one: -one[1]):
        if total <= LARGEST_EXIF:
            break
        del directories[ifd][tag]
        total -= size
        words.append(f"EXIF's {ExifTags.TAGS.get(tag, f'tag {tag}')}, which is too long")
    return words


def _values(source: Exif, ifd: int) -> Tags:
    """A directory's values of known types, as they stand there; it and they are in the same byte order."""
    entries = [one for one in source.entries(ifd) if one.kind in SIZES and one.start + one.size <= len(source.data)]
    return {one.tag: (one.kind, bytes(source.data[one.start : one.start + one.size])) for one in entries}

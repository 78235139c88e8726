"""Writing TIFF: every mode a photo can have, 16-bit colour included, around what a file says of its picture.

EXIF is a TIFF's directory with what it points to. So that nothing has to move, a file begins with such a block as it
is: the one from a JPEG, say, or a whole TIFF whose samples were blanked. Behind it come new samples (deflated strips),
or in the places of old ones, and a new first directory, of the old one's entries and those that lay out the samples
(TIFF 6.0; Adobe's deflate supplement of 2002)."""

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Literal

import numpy as np

from photodrag.pipeline.photos import iptc, photoshop, xmp
from photodrag.pipeline.photos.exif import LAYOUT, LONG, ORIENTATION, PREFIX, SHORT, SIZES, Exif
from photodrag.pipeline.photos.exif import patched as patched_exif
from photodrag.pipeline.photos.metadata import Metadata

ROWS = 64
EMPTY = b"II*\0\x08\0\0\0" + bytes(6)
PHOTOSHOP, XMP, ICC = 34377, 700, 34675
IPTC = 33723
PATCHED: dict[int, Callable[[bytes], tuple[bytes | None, list[str]]]] = {
    PHOTOSHOP: photoshop.without_thumbnails,
    XMP: partial(xmp.patched, turned=True),
    IPTC: iptc.without_pictures,
}
"""What goes into the edited picture of some tags' bytes, and what is left out of them, in words."""
ELSEWHERE, LARGEST_EXIF = (XMP, ICC, IPTC, PHOTOSHOP), 60_000
"""What other files keep beside EXIF (IPTC among it), and how long that may be in a JPEG."""
NOT_CARRIED = LAYOUT | {32995, 32996, 32997, 32998}
"""Of the old directory: SGI's tags, too, mislead whoever reads the samples."""
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, TRANSFER_FUNCTION = 282, 283, 296, 301
KINDS = {X_RESOLUTION: 5, Y_RESOLUTION: 5, RESOLUTION_UNIT: SHORT}
"""Of what other programs need to read a file at all, the types that it must have."""
DEFLATE, HORIZONTAL_DIFFERENCES, INCH, UNASSOCIATED_ALPHA = 8, 2, 2, 2
PHOTOMETRIC = {"L": 1, "LA": 1, "L;16": 1, "RGB": 2, "RGBA": 2, "RGB;16": 2, "RGBA;16": 2, "CMYK": 5}
Tags = dict[int, tuple[int, list[int] | bytes]]
"""Of a directory: a type and values each; bytes as they stand in the file."""


@dataclass(frozen=True)
class Base:
    """A TIFF's bytes as they go around an edited picture, deflated: all samples blank, upright, no further pictures."""

    deflated: bytes
    free: tuple[tuple[int, int], ...]
    """Where samples were: from … to."""

    iptc: bytes | None
    """Its records."""

    @classmethod
    def of(cls, data: bytes, free: list[tuple[int, int]], records: bytes | None) -> "Base":
        """That of a TIFF whose samples were blanked."""
        apart: list[tuple[int, int]] = []
        for start, end in sorted(free):  # some lie over each other
            if apart and start <= apart[-1][1]:
                apart[-1] = apart[-1][0], max(end, apart[-1][1])
            else:
                apart.append((start, end))
        within = tuple((start, min(end, len(data))) for start, end in apart if start < len(data))
        return cls(zlib.compress(data, 1), within, records)


def base_of(data: bytes, turned: bool) -> tuple[Base | None, list[str]]:
    """What a TIFF gives an edited picture, and what was left out of it, in words. None where it can't be taken apart
    (BigTIFF). turned: whether its width and height are exchanged."""
    try:
        exif = Exif(bytearray(data))
        if not _shows_all(exif):
            raise ValueError("samples lie elsewhere, too")
        for entry in exif.entries(exif.first):
            if entry.tag in PATCHED and entry.size > 4:
                was = bytes(exif.data[entry.start : entry.start + entry.size])
                kept, words = PATCHED[entry.tag](was)
                if kept != was:
                    exif.replace(entry, (kept or b"") + bytes(-len(kept or b"") % SIZES.get(entry.kind, 1)))
                exif.dropped += words
        exif.erase_samples(exif.first)
        block, dropped = patched_exif(exif.data, orientation=1, turned=turned)
    except (struct.error, ValueError, IndexError):
        block, dropped = None, []
    if block is None:
        return None, ["what the TIFF says of its picture, for it can't be taken apart"]
    return Base.of(block, exif.blank, iptc_of(exif)[0]), list(dict.fromkeys([*exif.dropped, *dropped]))


def iptc_of(exif: Exif) -> tuple[bytes | None, list[str]]:
    """The IPTC records that a directory holds, alone or among Photoshop's resources, None without any, and what was
    left out of them, in words: pictures."""
    records = None
    if entry := exif.entry(exif.first, IPTC):  # of bytes, whatever its type says
        records = bytes(exif.data[entry.start : entry.start + entry.size])
    elif entry := exif.entry(exif.first, PHOTOSHOP):
        records = photoshop.iptc_of(bytes(exif.data[entry.start : entry.start + entry.size]))
    kept, words = iptc.without_pictures(records or b"")
    return kept or None, words


def exif_of(base: Base) -> bytes | None:
    """A TIFF's EXIF as other files have it, with `PREFIX`; None where it is longer than they hold."""
    exif = Exif(bytearray(zlib.decompress(base.deflated)))
    exif.blank += base.free
    try:
        for tag in ELSEWHERE:
            if entry := exif.entry(exif.first, tag):
                exif.remove(exif.first, entry)
        block = Exif(bytearray(exif.shortened()))
        true = _still_true(block, 8, PHOTOMETRIC["RGB"])
        return PREFIX + _with_directory(block, {}, true) if len(block.data) <= LARGEST_EXIF else None
    except (struct.error, ValueError):
        return None


def _shows_all(exif: Exif) -> bool:
    """Whether the first directory tells where all of its samples lie, as far as that can be seen."""
    values = {entry.tag: exif.value(entry) for entry in exif.entries(exif.first)}
    lengths = values.get(279) or values.get(325) or []
    plain = values.get(259, [1]) == [1]
    bits = sum(values.get(258, [1])) * max(1, values.get(277, [1])[0] // max(1, len(values.get(258, [1]))))
    least = (values.get(256, [0])[0] * bits + 7) // 8 * values.get(257, [0])[0] if plain else 1
    starts = values.get(273) or values.get(324) or values.get(513) or []
    places = list(zip(starts, lengths, strict=False))
    return (
        len(starts) == len(lengths) > 0
        and sum(lengths) >= least
        and not any(exif.keeps(start, start + length) or start >= len(exif.data) for start, length in places)
    )


def encode_tiff(mode: str, native: np.ndarray, metadata: Metadata, base: Base | None = None) -> bytes:
    """A TIFF of samples in any of the modes of `samples`, deflated. base: what it begins with; else the metadata's
    EXIF, and its profile, XMP and resolution."""
    exif = (
        Exif(bytearray(zlib.decompress(base.deflated)))
        if base
        else _around((metadata.exif or b"").removeprefix(PREFIX))
    )
    free = list(base.free) if base else []
    height, width = native.shape[:2]
    samples = native.reshape(height, width, -1)
    strips = [_strip(samples[y : y + ROWS], exif.order) for y in range(0, height, ROWS)]
    places = [_placed(exif.data, strip, free) for strip in strips]

    tags: Tags = {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [samples.itemsize * 8] * samples.shape[2]),
        259: (SHORT, [DEFLATE]),
        262: (SHORT, [PHOTOMETRIC[mode]]),
        273: (LONG, places),
        ORIENTATION: (SHORT, [1]),
        277: (SHORT, [samples.shape[2]]),
        278: (LONG, [ROWS]),
        279: (LONG, [len(strip) for strip in strips]),
        284: (SHORT, [1]),
        317: (SHORT, [HORIZONTAL_DIFFERENCES]),
    }
    if mode in ("LA", "RGBA", "RGBA;16"):
        tags[338] = (SHORT, [UNASSOCIATED_ALPHA])
    if not base:
        tags |= _said(metadata)
    return _with_directory(exif, tags, _still_true(exif, samples.itemsize * 8, PHOTOMETRIC[mode]))


def _still_true(exif: Exif, bits: int, photometric: int) -> set[int]:
    """Of what a directory says of its samples, the tags that are true of other ones of these bits and meaning, too."""
    entry, meaning = exif.entry(exif.first, TRANSFER_FUNCTION), exif.entry(exif.first, 262)
    fits = entry and entry.kind == SHORT and entry.count in (2**bits, 3 * 2**bits)
    return {TRANSFER_FUNCTION} if fits and exif.value(meaning) == [photometric] else set()


def _around(block: bytes) -> Exif:
    """A block of EXIF, without `PREFIX`, to put samples behind; an empty one where it can't be read."""
    try:
        exif = Exif(bytearray(block))
        exif.entries(exif.first)
        return exif
    except (struct.error, ValueError):
        return Exif(bytearray(EMPTY))


def _said(metadata: Metadata) -> Tags:
    tags: Tags = {}
    if metadata.dpi:
        tags |= resolution_tags(metadata.dpi)
    if metadata.xmp:
        tags[XMP] = (1, metadata.xmp)
    if metadata.icc_profile:
        tags[ICC] = (7, metadata.icc_profile)
    if metadata.iptc:
        tags[IPTC] = (7, metadata.iptc)
    return tags


def resolution_tags(dpi: tuple[float, float]) -> Tags:
    """The tags that tell dots an inch, across and down."""
    x, y = (round(value * 1000) for value in dpi)
    return {X_RESOLUTION: (5, [x, 1000]), Y_RESOLUTION: (5, [y, 1000]), RESOLUTION_UNIT: (SHORT, [INCH])}


def _with_directory(exif: Exif, tags: Tags, true: set[int]) -> bytes:
    """The block with a new first directory, of these tags and the old one's others, `true` ones of NOT_CARRIED too."""
    old = [entry for entry in exif.entries(exif.first) if entry.tag not in (NOT_CARRIED - true) | tags.keys()]
    old = [entry for entry in old if KINDS.get(entry.tag, entry.kind) == entry.kind]
    others = {entry.tag: bytes(exif.data[entry.at : entry.at + 12]) for entry in old}
    length = 2 + 12 * exif.number(exif.first, SHORT) + 4
    exif.data[exif.first : exif.first + length] = bytes(length)
    exif.write(4, LONG, place_directory(exif, tags, others))
    return bytes(exif.data)


def place_directory(exif: Exif, tags: Tags, others: Mapping[int, bytes] = MappingProxyType({})) -> int:
    """Put a directory at a block's end, of tags and of others' twelve bytes; gives the place."""
    entries = dict(others)
    for tag, (kind, values) in tags.items():
        letters = {SHORT: "H", LONG: "I", 5: "I"}
        packed = (
            values if isinstance(values, bytes) else struct.pack(f"{exif.order}{len(values)}{letters[kind]}", *values)
        )
        count = len(packed) // SIZES[kind]
        if len(packed) > 4:
            packed = struct.pack(exif.order + "I", _placed(exif.data, packed, []))
        entries[tag] = struct.pack(exif.order + "HHI", tag, kind, count) + packed.ljust(4, b"\0")
    number = struct.pack(exif.order + "H", len(entries))
    return _placed(exif.data, number + b"".join(entries[tag] for tag in sorted(entries)) + bytes(4), [])


def _placed(data: bytearray, piece: bytes, free: list[tuple[int, int]]) -> int:
    """Put a piece where nothing is any more, or at the end, on a word; gives the place."""
    for number, (start, end) in enumerate(free):
        start += start % 2
        if end - start >= len(piece):
            data[start : start + len(piece)] = piece
            free[number] = (start + len(piece) + len(piece) % 2, end)
            return start
    data += bytes(len(data) % 2)
    data += piece
    return len(data) - len(piece)


def _strip(rows: np.ndarray, order: Literal["<", ">"]) -> bytes:
    differences = rows.copy()
    differences[:, 1:] -= rows[:, :-1]
    return zlib.compress(differences.astype(rows.dtype.newbyteorder(order)).tobytes(), 6)

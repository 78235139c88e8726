"""Files of items, as AVIF is one: pictures, EXIF and XMP with their properties, in boxes (ISO 14496-12, 8.11;
ISO 23008-12)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_ITEMS = 4096
"""In a file, or places of one item: more than a grid of 200 megapixels needs."""
ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")


class DamagedItems(ValueError):
    """Not a file of items that can be taken apart."""


@dataclass
class Item:
    """kind: its four letters; places: from … to, each in the file, or in its own store of small ones."""

    kind: bytes = b""
    content_type: bytes = b""
    places: list[tuple[int, int]] = field(default_factory=list)
    stored: bool = False
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)

    def property(self, kind: bytes) -> bytes | None:
        """The first of its properties of that kind."""
        return next((data for name, data in self.properties if name == kind), None)


@dataclass(frozen=True)
class ItemFile:
    """primary: the number of the item that is shown; references: what, from which item, to which ones."""

    data: bytes
    store: bytes
    items: dict[int, Item]
    primary: int
    references: tuple[tuple[bytes, int, tuple[int, ...]], ...]

    def content(self, number: int) -> bytes:
        """An item's bytes. Raises DamagedItems where they aren't all there, or more than the file has."""
        item = self.items[number]
        source = self.store if item.stored else self.data
        if any(end > len(source) for _, end in item.places) or sum(e - s for s, e in item.places) > len(source):
            raise DamagedItems("an item lies outside of the file")
        return b"".join(source[start:end] for start, end in item.places)

    def sources(self, kind: bytes, to: int) -> list[int]:
        """The items that refer so to one."""
        return [number for what, number, others in self.references if what == kind and to in others]

    def targets(self, kind: bytes, number: int) -> tuple[int, ...]:
        """The items to which one refers so, in its order."""
        return next((others for what, start, others in self.references if (what, start) == (kind, number)), ())

    @property
    def first_coded(self) -> int:
        """The item whose codec's configuration speaks for the primary one: a grid's first tile, or that one itself."""
        return (self.targets(b"dimg", self.primary) or (self.primary,))[0]

    @property
    def alpha(self) -> int | None:
        """The item that says how opaque the primary one is; None without one."""
        kinds = {number: self.items[number].property(b"auxC") or b"" for number in self.sources(b"auxl", self.primary)}
        return next((number for number, kind in kinds.items() if kind[4:].split(b"\0")[0] in ALPHA), None)


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """The boxes that lie in a range: their kind, and from … to of what they hold. Raises DamagedItems."""
    at, end = start, len(data) if end is None else end
    while at + 8 <= end:
        size, kind, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        size = size or end - at
        if size < head or at + size > end:
            raise DamagedItems("a box is cut short")
        yield kind, at + head, at + size
        at += size


def parse(data: bytes) -> ItemFile:
    """A file's items. Raises DamagedItems."""
    try:
        return _parse(data)
    except (IndexError, KeyError, StopIteration) as error:
        raise DamagedItems("a box without what it must hold") from error


def _parse(data: bytes) -> ItemFile:
    start, end = next((start, end) for kind, start, end in boxes(data) if kind == b"meta")
    meta = {kind: (start, end) for kind, start, end in boxes(data, start + 4, end)}
    items: dict[int, Item] = {}
    for _, start, end in boxes(data, *_entries(data, *meta[b"iinf"])):
        read = _Reader(data, start, end)
        version = read.number(4) >> 24
        number, _ = read.number(4 if version >= 3 else 2), read.number(2)
        item = items.setdefault(number, Item(read.bytes(4)))
        item.content_type = data[read.at : end].split(b"\0")[1:2][0] if item.kind == b"mime" else b""
        if len(items) > MOST_ITEMS:
            raise DamagedItems("too many items")
    _locate(_Reader(data, *meta[b"iloc"]), items)
    if b"iprp" in meta:
        _add_properties(data, *meta[b"iprp"], items)
    read = _Reader(data, *meta[b"pitm"])
    primary = read.number(2 if read.number(4) >> 24 == 0 else 4)
    if primary not in items:
        raise DamagedItems("no picture is shown")
    references = tuple(_references(data, *meta[b"iref"])) if b"iref" in meta else ()
    known = tuple(one for one in references if {one[1], *one[2]} <= items.keys())
    store = data[slice(*meta[b"idat"])] if b"idat" in meta else b""
    return ItemFile(data, store, items, primary, known)


@dataclass
class _Reader:
    """Numbers, one after the other, of a range of bytes."""

    data: bytes
    at: int
    end: int

    def number(self, size: int) -> int:
        return int.from_bytes(self.bytes(size), "big")

    def bytes(self, size: int) -> bytes:
        if self.at + size > self.end:
            raise DamagedItems("a box is cut short")
        self.at += size
        return self.data[self.at - size : self.at]


def _entries(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the entries of a box lie that has a version and tells how many there are."""
    return start + (6 if data[start] == 0 else 8), end


def _locate(read: _Reader, items: dict[int, Item]) -> None:
    version = read.number(4) >> 24
    sizes = read.number(2)
    offset, length, base, index = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    most = 4 * MOST_ITEMS
    for _ in range(read.number(2 if version < 2 else 4)):
        number = read.number(2 if version < 2 else 4)
        way = read.number(2) & 15 if version else 0
        read.number(2)  # of which file: this one
        start, count = read.number(base), read.number(2)
        most -= count  # a place may take no bytes of the file
        if most < 0:
            raise DamagedItems("too many places")
        places = []
        for _ in range(count):
            read.number(index if version else 0)
            first = start + read.number(offset)
            places.append((first, first + read.number(length)))
        if number in items and way < 2:
            items[number].places, items[number].stored = places, way == 1


def _add_properties(data: bytes, start: int, end: int, items: dict[int, Item]) -> None:
    within = list(boxes(data, start, end))
    first, last = next((start, end) for kind, start, end in within if kind == b"ipco")
    known = [(kind, data[start:end]) for kind, start, end in boxes(data, first, last)]
    for start, end in ((start, end) for kind, start, end in within if kind == b"ipma"):
        read = _Reader(data, start, end)
        version = read.number(4)
        wide = version & 1
        for _ in range(read.number(4)):
            number = read.number(2 if version >> 24 == 0 else 4)
            for _ in range(read.number(1)):
                which = read.number(2) & 0x7FFF if wide else read.number(1) & 0x7F
                if number in items and 1 <= which <= len(known) and len(items[number].properties) < MOST_ITEMS:
                    items[number].properties.append(known[which - 1])


def _references(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, tuple[int, ...]]]:
    size = 2 if data[start] == 0 else 4
    for kind, first, last in boxes(data, start + 4, end):
        read = _Reader(data, first, last)
        number, count = read.number(size), read.number(2)
        yield kind, number, tuple(read.number(size) for _ in range(count))

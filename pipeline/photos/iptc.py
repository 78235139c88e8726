"""IPTC's records, less pictures among them, which show the photo as it was (Information Interchange Model 4.2)."""

from collections.abc import Iterator

START = 0x1C
"""The byte with which each begins."""
PICTURES = {(2, 200), (2, 201), (2, 202), (8, 10)}
"""Records and their data sets: a preview's format, its version, the preview; a subfile, which is the picture itself."""
PREVIEW, UNREAD = "a preview in IPTC", "a part of IPTC, which can't be read"
JPEG = b"\xff\xd8\xff"


def without_pictures(records: bytes) -> tuple[bytes, list[str]]:
    """The records less pictures, and what was left out, in words; what isn't of this form stays if it hides no JPEG."""
    kept, words, at = [], list[str](), 0
    for name, end in _each(records):
        if name in PICTURES:
            words.append(PREVIEW)
        else:
            kept.append(records[at:end])
        at = end
    if JPEG in records[at:]:
        words.append(UNREAD)
    else:
        kept.append(records[at:])
    return (b"".join(kept) if words else records), list(dict.fromkeys(words))


def _each(records: bytes) -> Iterator[tuple[tuple[int, int], int]]:
    """Each one's record and data set, and where it ends, as far as they can be read."""
    at = 0
    while at + 5 <= len(records) and records[at] == START:
        size, head = int.from_bytes(records[at + 3 : at + 5], "big"), 5
        if size & 0x8000:  # then it is the number of bytes that tell the size
            head += size & 0x7FFF
            size = int.from_bytes(records[at + 5 : at + head], "big") if head <= 13 else len(records)
        if at + head + size > len(records):
            return
        name, at = (records[at + 1], records[at + 2]), at + head + size
        yield name, at

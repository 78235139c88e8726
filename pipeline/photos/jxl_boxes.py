"""A JPEG XL's boxes and header, as far as its decoder doesn't tell of them: what lies in them compressed, unpacked
within bounds, and how the picture is turned (ISO 18181-1, annex D; 18181-2)."""

from dataclasses import dataclass

from photodrag.pipeline.photos.item_file import boxes

CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
COMPRESSED, WHOLE, PART = b"brob", b"jxlc", b"jxlp"
LARGEST = 16_000_000
"""Bytes of all that is unpacked."""
NAMES = {b"Exif": "EXIF", b"xml ": "XMP"}
SIZES = 9, 13, 18, 30
"""Bits in which a side is told."""


def box(kind: bytes, content: bytes) -> bytes:
    """As it stands in a file."""
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def unpacked(data: bytes) -> tuple[bytes, list[str]]:
    """A JPEG XL in which no box is compressed (by Brotli), and what was left out of it for that, in words: what is
    damaged, or larger unpacked than anybody's metadata is. Raises DamagedItems."""
    import brotli

    if not data.startswith(CONTAINER):
        return data, []
    parts, dropped, at, left = [], [], 0, LARGEST
    for kind, start, end in boxes(data):
        whole, at = data[at:end], end
        if kind == COMPRESSED:
            inner, unpacking = data[start : start + 4], brotli.Decompressor()
            try:
                content = unpacking.process(data[start + 4 : end], output_buffer_limit=left + 1)
                fits = unpacking.is_finished() and len(content) <= left
            except brotli.error:
                fits = False
            left -= len(content) if fits else 0
            whole = box(inner, content) if fits else b""
            what = NAMES.get(inner, "a part")
            dropped += [] if fits else [f"{what} of the JPEG XL that is compressed, and damaged or too large"]
        parts.append(whole)
    return b"".join(parts), dropped


def orientation_of(data: bytes) -> int:
    """How the picture is turned, 1 … 8, as EXIF counts; 1 where that isn't told. Raises DamagedItems."""
    codestream = data
    if data.startswith(CONTAINER):
        found = (data[start + 4 * (kind == PART) : end] for kind, start, end in boxes(data) if kind in (WHOLE, PART))
        codestream = next(found, b"")
    read = _Bits(int.from_bytes(codestream[2:34], "little"))
    small = read.next(1)
    for side in range(2):
        if side == 0 or read.next(3) == 0:  # else the width is told as a ratio
            read.next(5 if small else SIZES[read.next(2)])
    return 1 + read.next(3) if not read.next(1) and read.next(1) else 1


@dataclass
class _Bits:
    """Numbers of some bits each, from the lowest on."""

    rest: int

    def next(self, count: int) -> int:
        value = self.rest & (1 << count) - 1
        self.rest >>= count
        return value

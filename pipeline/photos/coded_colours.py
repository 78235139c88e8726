"""Colours that a file of items names by numbers (ITU-T H.273): in its own box, or else where the codec does: in AV1's
sequence header, or HEVC's parameter sets (AV1 Image File Format 1.1; MIAF, ISO 23000-22, 7.3.6.4)."""

from contextlib import suppress
from typing import Any

from photodrag.pipeline.photos.item_file import ItemFile

NOT_TOLD = 2
SEQUENCE_HEADER, HAS_SIZE, HAS_EXTENSION = 1, 2, 4
"""Of what kind one of AV1's units is, and bits of its first byte (AV1 Bitstream Specification, 5.3)."""
MOST_UNITS = 64
CONFIGURATION = b"\x81\0\0\0"
"""How AV1's configuration record begins; FFmpeg looks at nothing else of this part (AV1-ISOBMFF, 2.3)."""


def numbers_of(items: ItemFile) -> tuple[int, int]:
    """The numbers of the primary item's colour primaries and transfer characteristics; NOT_TOLD where nothing says."""
    nclx = nclx_of(items) or bytes(4) + 2 * NOT_TOLD.to_bytes(2, "big")
    primaries, transfer = int.from_bytes(nclx[4:6], "big"), int.from_bytes(nclx[6:8], "big")
    if NOT_TOLD not in (primaries, transfer):
        return primaries, transfer
    coded = _of_the_codec(items)
    return coded[0] if primaries == NOT_TOLD else primaries, coded[1] if transfer == NOT_TOLD else transfer


def nclx_of(items: ItemFile) -> bytes | None:
    """What the primary item's box of named colours holds; None without one."""
    properties = items.items[items.primary].properties
    return next((d for kind, d in properties if kind == b"colr" and d[:4] == b"nclx" and len(d) >= 11), None)


def _of_the_codec(items: ItemFile) -> tuple[int, int]:
    """As FFmpeg's decoders tell it before they decode anything; a grid's are those of its first tile."""
    import av  # brings all of FFmpeg, so it is loaded where it is needed

    item = items.items[items.first_coded]
    decoder, told = "hevc", item.property(b"hvcC")
    if told is None and item.property(b"av1C") is not None:
        header = _sequence_header(items.content(items.first_coded))
        decoder, told = "libdav1d", CONFIGURATION + header if header else None
    if told is None:
        return NOT_TOLD, NOT_TOLD
    with suppress(av.FFmpegError, ValueError):  # what is damaged there is told when the picture is decoded
        context: Any = av.CodecContext.create(decoder, "r")
        context.extradata = told
        context.thread_count = 1
        context.open()
        return int(context.color_primaries), int(context.color_trc)
    return NOT_TOLD, NOT_TOLD


def _sequence_header(coded: bytes) -> bytes | None:
    """The first unit of AV1 that is one, whole; None without it among the first ones."""
    at = 0
    for _ in range(MOST_UNITS):
        if at >= len(coded) or not coded[at] & HAS_SIZE:
            return None
        start, kind = at, coded[at] >> 3 & 15
        at += 2 if coded[at] & HAS_EXTENSION else 1
        size = 0
        for place, byte in enumerate(coded[at : at + 8]):  # seven bits each, the lowest first
            size |= (byte & 0x7F) << 7 * place
            if not byte & 0x80:
                at += place + 1
                break
        else:
            return None
        at += size
        if kind == SEQUENCE_HEADER:
            return coded[start:at]
    return None

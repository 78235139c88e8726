"""Files of items, as AVIF and HEIC are, made by hand (ISO 14496-12, 8.11; ISO 23008-12)."""

import struct

NEEDED = {b"av1C", b"hvcC", b"irot", b"imir", b"clap"}
"""Properties without which an item can't be shown."""


def box(kind: bytes, *parts: bytes, version: int | None = None) -> bytes:
    body = (b"" if version is None else struct.pack(">I", version << 24)) + b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def container(items, references=(), primary=1, brand=b"avif") -> bytes:
    """items: kind, content and properties (as boxes) of each; references: what, from, to."""
    told = [box(b"infe", struct.pack(">HH", n, 0), i[0], b"\0", version=2) for n, i in enumerate(items, 1)]
    properties = [one for item in items for one in item[2]]
    associated, number = b"", 0
    for n, item in enumerate(items, 1):
        needed = (0x80 * (one[4:8] in NEEDED) for one in item[2])
        indices = bytes(number + i + bit for i, bit in enumerate(needed, 1))
        associated, number = associated + struct.pack(">HB", n, len(indices)) + indices, number + len(indices)
    iprp = box(b"iprp", box(b"ipco", *properties), box(b"ipma", struct.pack(">I", len(items)), associated, version=0))
    iref = box(
        b"iref",
        *(box(what, struct.pack(f">HH{len(to)}H", start, len(to), *to)) for what, start, to in references),
        version=0,
    )
    brands = box(b"ftyp", brand + b"\0\0\0\0" + brand + b"mif1miaf")
    size = 0
    for _ in range(2):  # the places depend on how long what tells them is
        places, at = b"", size
        for n, item in enumerate(items, 1):
            places += struct.pack(">HHHII", n, 0, 1, at, len(item[1]))
            at += len(item[1])
        meta = box(
            b"meta",
            box(b"hdlr", b"\0\0\0\0pict", bytes(13), version=0),
            box(b"pitm", struct.pack(">H", primary), version=0),
            box(b"iloc", b"\x44\0", struct.pack(">H", len(items)), places, version=0),
            box(b"iinf", struct.pack(">H", len(items)), *told, version=0),
            iprp,
            iref if references else b"",
            version=0,
        )
        size = len(brands) + len(meta) + 8
    return brands + meta + box(b"mdat", *(item[1] for item in items))

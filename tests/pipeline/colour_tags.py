"""What a PNG or a JPEG says of its colours, read by hand."""

import struct

import numpy as np

COLORANTS = {
    b"rXYZ": (0.4361, 0.2225, 0.0139),
    b"gXYZ": (0.3851, 0.7169, 0.0971),
    b"bXYZ": (0.1431, 0.0606, 0.7141),
}
"""sRGB's under D50, as the ICC's own profiles of it have them."""
CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
"""IEC 61966-2-1's: (a·x + b)^g from d on, c·x below it."""


def says_srgb(data: bytes) -> bool:
    """Whether it is told that the colours are sRGB, and nothing else is."""
    if data.startswith(b"\x89PNG"):
        kinds = png_kinds(data)
        return kinds.count(b"sRGB") == 1 and not {b"iCCP", b"cICP", b"gAMA", b"cHRM"} & {*kinds}
    profile = profile_of(data)
    return profile is not None and is_srgb(profile)


def png_kinds(data: bytes) -> list[bytes]:
    """The chunks before the picture."""
    kinds, at = [], 8
    while (kind := data[at + 4 : at + 8]) != b"IDAT":
        kinds.append(kind)
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return kinds


def profile_of(jpeg: bytes) -> bytes | None:
    """The ICC profile of a JPEG that has it in one segment (ICC.1:2010, B.4)."""
    at = 2
    while jpeg[at + 1] != 0xDA:
        size = int.from_bytes(jpeg[at + 2 : at + 4], "big")
        content = jpeg[at + 4 : at + 2 + size]
        if jpeg[at + 1] == 0xE2 and content.startswith(b"ICC_PROFILE\0\1\1"):
            return content[14:]
        at += 2 + size
    return None


def is_srgb(profile: bytes) -> bool:
    """By its colorants and its curves (ICC.1:2010, 10.15, 10.28)."""
    (count,) = struct.unpack_from(">I", profile, 128)
    places = {kind: (at, size) for kind, at, size in struct.iter_unpack(">4sII", profile[132 : 132 + 12 * count])}
    tags = {kind: profile[at : at + size] for kind, (at, size) in places.items()}
    curves = [tags[kind] for kind in (b"rTRC", b"gTRC", b"bTRC")]
    return (
        int.from_bytes(profile[:4], "big") == len(profile)
        and profile[16:20] == b"RGB "
        and all(np.allclose(fixed(tags[kind][8:]), value, atol=2e-4) for kind, value in COLORANTS.items())
        and all(one[:4] == b"para" and np.allclose(fixed(one[12:])[:5], CURVE, atol=1e-4) for one in curves)
    )


def fixed(data: bytes) -> np.ndarray:
    return np.frombuffer(data, ">i4") / 65536

"""A colour profile for a file that names its primaries and has none (ICC.1:2010, v2 matrix/TRC display profiles)."""

import struct
from collections.abc import Sequence

import numpy as np

D50 = (0.9642, 1.0, 0.8249)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
V = np.linspace(0, 1, 4096)
"""The values at which a curve is sampled."""
SRGB_CURVE = np.where(V <= 0.04045, V / 12.92, ((V + 0.055) / 1.055) ** 2.4)


def matrix_profile(name: str, primaries: Sequence[float], curve: np.ndarray = SRGB_CURVE) -> bytes:
    """A profile of RGB. primaries: x and y of red, green, blue and white. curve: the light, 0 … 1, of each of V."""
    red, green, blue, white = (
        (x / y, 1.0, (1 - x - y) / y) for x, y in zip(primaries[::2], primaries[1::2], strict=True)
    )
    columns = np.stack((red, green, blue), 1)
    to_xyz = columns * np.linalg.solve(columns, white)
    cones = BRADFORD @ np.array(D50) / (BRADFORD @ np.array(white))
    colorants = (np.linalg.inv(BRADFORD) @ np.diag(cones) @ BRADFORD @ to_xyz).T
    table_of_curve = b"curv\0\0\0\0" + struct.pack(">I", len(V)) + (curve * 65535).round().astype(">u2").tobytes()
    words = name.encode("ascii") + b"\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(words)) + words + bytes(78),
        b"cprt": b"text\0\0\0\0No copyright\0",
        b"wtpt": _xyz(D50),
        b"rXYZ": _xyz(colorants[0]),
        b"gXYZ": _xyz(colorants[1]),
        b"bXYZ": _xyz(colorants[2]),
        b"rTRC": table_of_curve,
        b"gTRC": table_of_curve,
        b"bTRC": table_of_curve,
    }
    start = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    places: dict[bytes, int] = {}
    for tag, value in tags.items():
        if value not in places:
            places[value] = start + len(data)
            data += value + bytes(-len(value) % 4)
        table += tag + struct.pack(">II", places[value], len(value))
    header = struct.pack(">I4sI4s4s4s", start + len(data), bytes(4), 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _xyz(D50)[8:] + bytes(48)
    return header + table + data


def _xyz(values: Sequence[float] | np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(float(value) * 65536) for value in values))

"""Small camera raw files, made by hand (Adobe's DNG specification 1.4; TIFF 6.0)."""

import struct

import numpy as np

TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
"""Linear sRGB to XYZ of D65 (IEC 61966-2-1)."""
WHITE, BLACK = 16383, 1024
PREVIEW = 40
NEUTRAL = (0.5, 1.0, 0.8)
"""What the camera makes of a grey."""
BYTE, ASCII, SHORT, LONG, RATIONAL, SRATIONAL = 1, 2, 3, 4, 5, 10
LETTERS = {BYTE: "B", SHORT: "H", LONG: "I", RATIONAL: "I", SRATIONAL: "i"}


def mosaic(light: np.ndarray) -> np.ndarray:
    """uint16 [H, W], as a sensor of pattern RGGB, of that NEUTRAL, records linear sRGB light, 0 … 1, [H, W, 3]."""
    seen = light * NEUTRAL * (WHITE - BLACK) + BLACK
    raw = seen[..., 1].copy()
    raw[::2, ::2], raw[1::2, 1::2] = seen[::2, ::2, 0], seen[1::2, 1::2, 2]
    return raw.round().astype(np.uint16)


def dng(
    raw: np.ndarray,
    orientation: int = 1,
    exif: dict | None = None,
    order: str = "<",
    of_one_colour: bool = False,
    **more: tuple | dict,
) -> bytes:
    """A DNG of uint16 samples [H, W] whose first directory shows a grey preview, as cameras have it. exif: tags of
    its EXIF directory, a type and values each; more: such of the first one, as
    t700 say, and gps, those of GPS' directory. of_one_colour: whether the sensor has no filters."""
    height, width = raw.shape
    # The camera's own colours are sRGB's, weighted as it sees them.
    matrix = np.diag(NEUTRAL) @ np.linalg.inv(TO_XYZ)
    fractions = [number for value in matrix.ravel() for number in (round(value * 10000), 10000)]
    preview = bytes([128]) * (PREVIEW * PREVIEW * 3)
    data = bytearray((b"II*\0" if order == "<" else b"MM\0*") + bytes(4))

    def placed(piece: bytes) -> int:
        data.extend(bytes(len(data) % 2))
        data.extend(piece)
        return len(data) - len(piece)

    def directory(tags: dict) -> int:
        entries = b""
        for tag, (kind, values) in sorted(tags.items()):
            packed = (
                values if isinstance(values, bytes) else struct.pack(f"{order}{len(values)}{LETTERS[kind]}", *values)
            )
            count = len(values) // (2 if kind in (RATIONAL, SRATIONAL) else 1)
            value = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack(order + "I", placed(packed))
            entries += struct.pack(order + "HHI", tag, kind, count) + value
        return placed(struct.pack(order + "H", len(tags)) + entries + bytes(4))

    sensor = {
        254: (LONG, [0]), 256: (LONG, [width]), 257: (LONG, [height]), 258: (SHORT, [16]), 259: (SHORT, [1]),
        262: (SHORT, [32803]), 273: (LONG, [placed(raw.astype(order + "u2").tobytes())]), 277: (SHORT, [1]),
        278: (LONG, [height]), 279: (LONG, [raw.nbytes]), 284: (SHORT, [1]), 33421: (SHORT, [2, 2]),
        33422: (BYTE, bytes([0, 1, 1, 2])), 50714: (LONG, [BLACK]), 50717: (LONG, [WHITE]),
    }  # fmt: skip
    if of_one_colour:
        sensor = {tag: value for tag, value in sensor.items() if tag not in (33421, 33422)} | {262: (SHORT, [34892])}
    shown = {
        254: (LONG, [1]), 256: (LONG, [PREVIEW]), 257: (LONG, [PREVIEW]), 258: (SHORT, [8, 8, 8]), 259: (SHORT, [1]),
        262: (SHORT, [2]), 271: (ASCII, b"Maker\0"), 272: (ASCII, b"Model 1\0"), 273: (LONG, [placed(preview)]),
        274: (SHORT, [orientation]), 277: (SHORT, [3]), 278: (LONG, [PREVIEW]), 279: (LONG, [len(preview)]),
        315: (ASCII, "José\0".encode()), 330: (LONG, [directory(sensor)]),
        50706: (BYTE, bytes([1, 4, 0, 0])), 50707: (BYTE, bytes([1, 1, 0, 0])), 50708: (ASCII, b"Maker Model 1\0"),
        50721: (SRATIONAL, fractions), 50728: (RATIONAL, [v for n in NEUTRAL for v in (round(n * 1000), 1000)]),
        50778: (SHORT, [21]),
    }  # fmt: skip
    if of_one_colour:
        del shown[50721], shown[50728]
    shown |= {34665: (LONG, [directory(exif)])} if exif else {}
    shown |= {34853: (LONG, [directory(more.pop("gps"))])} if "gps" in more else {}
    shown |= {int(tag[1:]): value for tag, value in more.items()}
    data[4:8] = struct.pack(order + "I", directory(shown))
    return bytes(data)

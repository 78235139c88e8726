"""A video codec's planes as RGB: luma and chroma of any depth, range and sampling (ITU-T H.273, 8.3)."""

from dataclasses import dataclass

import cv2
import numpy as np

LUMA = {1: (0.2126, 0.0722), 2: (0.299, 0.114), 4: (0.30, 0.11), 5: (0.299, 0.114), 6: (0.299, 0.114)}
LUMA |= {7: (0.212, 0.087), 9: (0.2627, 0.0593)}
"""How much red and blue a luma has, by the number of the matrix; 2, not told, is as libavif has it."""
IDENTITY = 0


@dataclass(frozen=True)
class Planes:
    """values: luma, then chroma, or luma alone, or of IDENTITY green, blue, red: uint8 or uint16 [h, w], in their
    lowest bits. full: whether they go from black to white through all their values."""

    values: tuple[np.ndarray, ...]
    bits: int
    full: bool
    matrix: int


def is_known(planes: Planes) -> bool:
    """Whether `rgb` takes their matrix."""
    return len(planes.values) == 1 or planes.matrix in (IDENTITY, *LUMA)


def rgb(planes: Planes) -> np.ndarray:
    """uint16 [H, W], grey, or [H, W, 3], RGB, of the full range."""
    luma = _luma(planes, 0)
    if len(planes.values) == 1:
        return _as_16_bits(luma)
    if planes.matrix == IDENTITY:
        return _as_16_bits(np.dstack([_luma(planes, 2), luma, _luma(planes, 1)]))
    blueness, redness = (_enlarged(_chroma(planes, i), luma.shape) for i in (1, 2))
    of_red, of_blue = LUMA[planes.matrix]
    red = luma + 2 * (1 - of_red) * redness
    blue = luma + 2 * (1 - of_blue) * blueness
    green = (luma - of_red * red - of_blue * blue) / (1 - of_red - of_blue)
    return _as_16_bits(np.dstack([red, green, blue]))


def _luma(planes: Planes, number: int) -> np.ndarray:
    """float32 [h, w], 0 … 1; of 8 bits 16 … 235 if the range isn't full."""
    values, steps = planes.values[number].astype(np.float32), 2.0 ** (planes.bits - 8)
    return values / (2**planes.bits - 1) if planes.full else (values / steps - 16) / 219


def _chroma(planes: Planes, number: int) -> np.ndarray:
    """float32 [h, w], -0.5 … 0.5; of 8 bits 16 … 240 if the range isn't full."""
    values, steps = planes.values[number].astype(np.float32), 2.0 ** (planes.bits - 8)
    return (values - 128 * steps) / (2**planes.bits - 1) if planes.full else (values / steps - 128) / 224


def _enlarged(chroma: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Chroma at luma's size [H, W]; between samples, which lie in the middle of the pixels they are of, it goes
    evenly."""
    by_y, by_x = (-(-whole // part) for whole, part in zip(shape, chroma.shape, strict=True))
    if (by_y, by_x) == (1, 1):
        return chroma
    size = chroma.shape[1] * by_x, chroma.shape[0] * by_y
    return cv2.resize(chroma, size, interpolation=cv2.INTER_LINEAR)[: shape[0], : shape[1]]


def _as_16_bits(values: np.ndarray) -> np.ndarray:
    return (values * 65535).round().clip(0, 65535).astype(np.uint16)

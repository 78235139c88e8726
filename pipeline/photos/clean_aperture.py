"""The part of a coded picture that is to be seen, where its file names one (ISO 14496-12, 12.1.4; MIAF, ISO 23000-22,
7.3.6.7): before any turning."""

import struct
from fractions import Fraction

import numpy as np

from photodrag.pipeline.photos.item_file import DamagedItems


def cropped(native: np.ndarray, aperture: bytes | None) -> np.ndarray:
    """Samples [H, W, ...] as stored, less what lies outside of a `clap` property.

    Raises DamagedItems for one that is cut short, or whose edges fall between pixels or outside of the picture."""
    if aperture is None:
        return native
    height, width = native.shape[:2]
    try:
        numbers = struct.unpack(">IIIIiIiI", aperture[:32])
        across, down, right, low = (Fraction(*numbers[at : at + 2]) for at in (0, 2, 4, 6))
    except (struct.error, ZeroDivisionError) as error:
        raise DamagedItems("a crop that is none") from error
    left, top = right + (width - across) / 2, low + (height - down) / 2  # what they tell is where the middles lie
    edges = left, top, left + across, top + down
    whole = all(edge.denominator == 1 for edge in edges)
    if not whole or not (0 <= left < left + across <= width and 0 <= top < top + down <= height):
        raise DamagedItems("a crop that is none")
    x0, y0, x1, y1 = (int(edge) for edge in edges)
    return np.ascontiguousarray(native[y0:y1, x0:x1])

"""Resampling a picture by an affine map, right in both directions: averaged when shrunk, bicubic when enlarged.

Points are (x, y) with the CENTRE of a pixel at integer coordinates, as a person reads them off an image viewer;
a picture W pixels wide therefore covers x from -0.5 to W - 0.5.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

STRIP_SAMPLES = 1 << 21  # samples held at once before they are averaged: bounds the memory of a strong reduction


def warp(source: np.ndarray, matrix: np.ndarray, size: tuple[int, int], border: int) -> np.ndarray:
    """Draws `source` on a grid of `size` = (width, height), with every output pixel the mean over its footprint.

    source: [H, W] or [H, W, C], uint8, or any numbers (computed as float32), any C.
    matrix: float64 [2, 3], takes a point of the OUTPUT to a point of the source.
    border: what lies beyond the source, an OpenCV border constant: BORDER_REFLECT_101, BORDER_REPLICATE …
    Returns [height, width] or [height, width, C] in uint8 or float32; the values of each channel stay within its own
    range in the source, so that a mask in [0, 1] remains one, whatever lies beside it.
    """
    source = _samples(source)
    width, height = size
    matrix = np.asarray(matrix, np.float64)
    output = np.empty((height, width, *source.shape[2:]), source.dtype)
    if output.size == 0:
        return output
    # Source pixels per output pixel. Above one, each output pixel is the mean of n × n bicubic samples that lie
    # at most one source pixel apart.
    reduction = np.linalg.norm(matrix[:, :2], axis=0).max()
    n = max(1, int(np.ceil(reduction * 0.999)))
    rows = max(1, STRIP_SAMPLES // (n * n * width))
    drawn, groups = output.reshape(height, width, -1), exact_groups(source)
    parts = [(group, part, None if source.dtype == np.uint8 else _range(part)) for group, part in groups]
    for top in range(0, height, rows):
        count = min(rows, height - top)
        sample = _bicubic(matrix @ _fine_to_output(n, top), (n * width, n * count), border)
        for group, part, bounds in parts:
            samples = sample(part)
            if n > 1:
                samples = cv2.resize(samples, (width, count), interpolation=cv2.INTER_AREA)
            if bounds:
                samples = _within(samples, *bounds)
            drawn[top : top + count, :, group] = samples.reshape(count, width, -1)
    return output


def remapped(source: np.ndarray, x: np.ndarray, y: np.ndarray, interpolation: int, border: int) -> np.ndarray:
    """OpenCV's remap, exact for any number of channels: `source` [H, W] or [H, W, C] read at points float32 [h, w].

    uint8 gives uint8, any other numbers float32."""
    parts = [part for _, part in exact_groups(_samples(source))]
    read = [cv2.remap(part, x, y, interpolation, borderMode=border).reshape(*x.shape, -1) for part in parts]
    return (read[0] if len(read) == 1 else np.concatenate(read, axis=2)).reshape(*x.shape, *source.shape[2:])


def _samples(source: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(source if source.dtype == np.uint8 else source.astype(np.float32, copy=False))


def exact_groups(source: np.ndarray) -> list[tuple[slice, np.ndarray]]:
    """A picture [H, W] or [H, W, C] in parts of 1, 3 or 4 channels, and which of its channels each is: of other numbers
    of them (and types, see `_samples`) OpenCV rounds coordinates to 1/32 px (findings/opencv-rounds-coordinates.sh)."""
    channels, start = source.shape[2] if source.ndim == 3 else 1, 0
    groups = []
    while start < channels:
        left = channels - start
        count = {2: 1, 6: 3}.get(left, min(left, 4))
        part = source if count == channels else np.ascontiguousarray(source[..., start : start + count])
        groups.append((slice(start, start + count), part))
        start += count
    return groups


def _range(part: np.ndarray) -> tuple[Any, Any]:
    """The least and greatest value of each channel, as OpenCV takes them: up to four numbers, filled up."""
    flat = part.reshape(len(part), -1)  # along whole rows first, which is a hundred times as fast
    least, most = (rows.reshape(part.shape[1], -1) for rows in (flat.min(0), flat.max(0)))
    spare = (0.0,) * (4 - least.shape[1])
    return (*least.min(0).tolist(), *spare), (*most.max(0).tolist(), *spare)


def _within(samples: np.ndarray, least: Any, most: Any) -> np.ndarray:
    """Samples [h, w] or [h, w, C], each channel within its bounds (see `_range`)."""
    if samples.shape[0] <= 4:  # of so few rows OpenCV takes four numbers for a picture
        channels = samples.shape[2] if samples.ndim == 3 else 1
        return samples.reshape(*samples.shape[:2], channels).clip(least[:channels], most[:channels])
    return cv2.max(cv2.min(samples, most, dst=samples), least, dst=samples)


def _fine_to_output(n: int, top: int) -> np.ndarray:
    """[3, 3]: from points of a grid n times as fine, whose first row is output row `top`, to points of the output."""
    shift = 0.5 / n - 0.5
    return np.array([[1 / n, 0, shift], [0, 1 / n, shift + top], [0, 0, 1]])


def _bicubic(matrix: np.ndarray, size: tuple[int, int], border: int) -> Callable[[np.ndarray], np.ndarray]:
    """Keys' cubic convolution (1981) with his a = -1/2, the one value that moves nothing: a ramp stays a ramp. Gives
    what draws a source of 1, 3 or 4 channels.

    OpenCV's bicubic is fixed at a = -3/4, which shifts edges by up to 0.05 px. The kernel is affine in a, so
    K(-1/2) = 2/3 K(-3/4) + 1/3 K(0), and K(0) is bilinear interpolation with the fraction f bent to 3f² - 2f³.
    """
    u, v = np.arange(size[0]), np.arange(size[1])[:, None]
    x, y = (_bent(row[0] * u + row[1] * v + row[2]) for row in matrix)

    def sample(source: np.ndarray) -> np.ndarray:
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        sharp = cv2.warpAffine(source, matrix, size, flags=flags, borderMode=border)
        soft = cv2.remap(source, x, y, cv2.INTER_LINEAR, borderMode=border)
        return cv2.addWeighted(sharp, 2 / 3, soft, 1 / 3, 0)

    return sample


def _bent(coordinate: np.ndarray) -> np.ndarray:
    whole = np.floor(coordinate)
    f = (coordinate - whole).astype(np.float32)
    return whole.astype(np.float32) + f * f * (3 - 2 * f)

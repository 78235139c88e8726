"""Resampling a picture by an affine map, right in both directions: averaged when shrunk, bicubic when enlarged.

Points are (x, y) with the CENTRE of a pixel at integer coordinates, as a person reads them off an image viewer;
a picture W pixels wide therefore covers x from -0.5 to W - 0.5.
"""

import cv2
import numpy as np

STRIP_SAMPLES = 1 << 21  # samples held at once before they are averaged: bounds the memory of a strong reduction
CHANNELS_AT_ONCE = 4  # what OpenCV's warp takes


def warp(source: np.ndarray, matrix: np.ndarray, size: tuple[int, int], border: int) -> np.ndarray:
    """Draws `source` on a grid of `size` = (width, height), with every output pixel the mean over its footprint.

    source: [H, W] or [H, W, C], uint8, or any numbers (computed as float32), any C.
    matrix: float64 [2, 3], takes a point of the OUTPUT to a point of the source.
    border: what lies beyond the source, an OpenCV border constant: BORDER_REFLECT_101, BORDER_REPLICATE …
    Returns [height, width] or [height, width, C] in uint8 or float32; values stay within the source's own range,
    so that a mask in [0, 1] remains one.
    """
    source = np.ascontiguousarray(source if source.dtype == np.uint8 else source.astype(np.float32))
    if source.ndim == 3 and source.shape[2] > CHANNELS_AT_ONCE:
        starts = range(0, source.shape[2], CHANNELS_AT_ONCE)
        parts = [warp(source[..., i : i + CHANNELS_AT_ONCE], matrix, size, border) for i in starts]
        return np.concatenate(parts, axis=2)

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
    for top in range(0, height, rows):
        strip = output[top : top + rows]
        samples = _bicubic(source, matrix @ _fine_to_output(n, top), (n * width, n * len(strip)), border)
        if n > 1:
            samples = cv2.resize(samples, (width, len(strip)), interpolation=cv2.INTER_AREA)
        strip[:] = samples.reshape(strip.shape)
    if output.dtype != np.uint8:
        np.clip(output, source.min(), source.max(), out=output)
    return output


def _fine_to_output(n: int, top: int) -> np.ndarray:
    """[3, 3]: from points of a grid n times as fine, whose first row is output row `top`, to points of the output."""
    shift = 0.5 / n - 0.5
    return np.array([[1 / n, 0, shift], [0, 1 / n, shift + top], [0, 0, 1]])


def _bicubic(source: np.ndarray, matrix: np.ndarray, size: tuple[int, int], border: int) -> np.ndarray:
    """Keys' cubic convolution (1981) with his a = -1/2, the one value that moves nothing: a ramp stays a ramp.

    OpenCV's bicubic is fixed at a = -3/4, which shifts edges by up to 0.05 px. The kernel is affine in a, so
    K(-1/2) = 2/3 K(-3/4) + 1/3 K(0), and K(0) is bilinear interpolation with the fraction f bent to 3f² - 2f³.
    """
    sharp = cv2.warpAffine(source, matrix, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=border)
    u, v = np.arange(size[0]), np.arange(size[1])[:, None]
    x, y = (_bent(row[0] * u + row[1] * v + row[2]) for row in matrix)
    soft = cv2.remap(source, x, y, cv2.INTER_LINEAR, borderMode=border)
    return cv2.addWeighted(sharp, 2 / 3, soft, 1 / 3, 0)


def _bent(coordinate: np.ndarray) -> np.ndarray:
    whole = np.floor(coordinate)
    f = (coordinate - whole).astype(np.float32)
    return whole.astype(np.float32) + f * f * (3 - 2 * f)

"""Editing a JPEG without encoding it anew: what an edit adds is added to the quantised coefficients of the blocks that
it touches, and those of all other blocks stay what they were (ITU-T T.81, A.3; the JFIF specification's colours)."""

from typing import Any

import numpy as np

from photodrag.pipeline.photos import jpeg_file, jpeg_library, samples
from photodrag.pipeline.photos.jpeg_file import JpegFile
from photodrag.pipeline.photos.window import window_of

SIDE = 8
MOST_AC, MOST_DC = 1023, 1024
"""Of a quantised coefficient, which baseline Huffman codes can tell."""
YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
"""From RGB differences to those of Y, Cb, Cr."""
_k = np.arange(SIDE)
DCT = np.cos((2 * _k + 1) * _k[:, None] * np.pi / (2 * SIDE)) * np.where(_k == 0, 1 / SIDE, 2 / SIDE)[:, None] ** 0.5
"""Rows are frequencies: DCT @ block @ DCT.T is the block's transform."""


def can_be_edited(file: JpegFile, before: np.ndarray, after: np.ndarray) -> bool:
    """Whether `with_change` takes it: 8 bits, Huffman codes, 1, 3 or 4 components, each sampled a whole number of
    times less often than the most; no change of black ink, which the library silently leaves as it was
    (findings/jpeglib-keeps-black.sh); and whether the library is there, which has no wheels for some machines."""
    try:
        import jpeglib  # noqa: F401
    except ImportError:
        return False
    across, down = _most(file)
    whole = all(across % c.across == 0 and down % c.down == 0 for c in file.components)
    frame = file.frame
    return (
        frame.marker in jpeg_file.HUFFMAN_8_BIT
        and frame.payload[0] == 8
        and len(file.components) in (1, 3, 4)
        and frame.payload[1:3] != b"\0\0"  # its height is told later (DNL)
        and whole
        and not (len(file.components) == 4 and (before[..., 3] != after[..., 3]).any())
    )


def with_change(file: JpegFile, before: np.ndarray, after: np.ndarray, progressive: bool) -> JpegFile:
    """A JPEG to whose picture the difference of two was added.

    before, after: uint8 [H, W] or [H, W, C], as the file stores the picture (not turned), in Pillow's grey, RGB, CMYK.
    progressive: whether the compressed picture is to be. Raises OSError where the library can't read or write it."""

    def change(picture: Any) -> None:
        coefficients = [plane for plane in (picture.Y, picture.Cb, picture.Cr, picture.K) if plane is not None]
        tables = [np.maximum(picture.qt[number], 1).astype(float) for number in picture.quant_tbl_no]
        place, planes = _window(file, before, after)
        for component, plane, coefs, table in zip(file.components, planes, coefficients, tables, strict=True):
            _add(coefs, table, *_reduced(file, component, place, plane))

    return jpeg_file.parse(jpeg_library.with_coefficients(_bare(file), change, progressive))


def _bare(file: JpegFile) -> bytes:
    """A JPEG without what it says, of which the library takes 50 segments, but for what tells its colours."""
    needed = [s for s in file.header if not s.is_about or s.payload.startswith((b"JFIF\0", b"Adobe"))]
    return b"".join((jpeg_file.SOI, *(segment.encoded() for segment in needed), file.scans))


def _most(file: JpegFile) -> tuple[int, int]:
    return max(c.across for c in file.components), max(c.down for c in file.components)


def _window(file: JpegFile, before: np.ndarray, after: np.ndarray) -> tuple[tuple[int, int], list[np.ndarray]]:
    """The place (x, y) and the planes [h, w], one a component, of what differs between two pictures: whole MCUs."""
    across, down = (SIDE * most for most in _most(file))
    window = window_of(samples.differ(before, after))
    if window is None:
        return (0, 0), [np.zeros((0, 0))] * len(file.components)
    rows, columns = window
    top, left = rows.start // down * down, columns.start // across * across
    bottom, right = -(-rows.stop // down) * down, -(-columns.stop // across) * across
    part = np.atleast_3d(after[top:bottom, left:right].astype(np.float64) - before[top:bottom, left:right])
    beyond = (bottom - top - part.shape[0], right - left - part.shape[1])
    part = np.pad(part, ((0, beyond[0]), (0, beyond[1]), (0, 0)), mode="edge")
    return (left, top), list(np.moveaxis(_stored(file, part), -1, 0))


def _stored(file: JpegFile, part: np.ndarray) -> np.ndarray:
    """A difference [h, w, C] of grey, RGB or CMYK as one of the components that the file keeps."""
    count = len(file.components)
    if count == 4:  # ink is kept as its absence, as Adobe does, which Pillow turns round
        inks = -part
        return np.concatenate((part[..., :3] @ YCC.T, inks[..., 3:]), -1) if file.adobe_transform == 2 else inks
    return part @ YCC.T if count == 3 and not _is_rgb(file) else part


def _is_rgb(file: JpegFile) -> bool:
    """As libjpeg decides it: by JFIF's marker, Adobe's, and then by the components' names."""
    if any(segment.marker == 0xE0 and segment.payload[:5] == b"JFIF\0" for segment in file.header):
        return False
    if file.adobe_transform is not None:
        return file.adobe_transform == 0
    return [component.name for component in file.components] == list(b"RGB")


def _reduced(
    file: JpegFile, component: jpeg_file.Component, place: tuple[int, int], plane: np.ndarray
) -> tuple[tuple[int, int], np.ndarray]:
    """Where in a component's own samples a plane [h, w] lies, and its means there."""
    (across, down), (x, y) = _most(file), place
    by_x, by_y = across // component.across, down // component.down
    height, width = plane.shape[0] // by_y, plane.shape[1] // by_x
    return (x // by_x, y // by_y), plane.reshape(height, by_y, width, by_x).mean((1, 3))


def _add(coefficients: np.ndarray, table: np.ndarray, place: tuple[int, int], plane: np.ndarray) -> None:
    """Add a plane [h, w] at a place (x, y) to quantised coefficients [rows, columns, 8, 8], which are changed."""
    rows, columns = plane.shape[0] // SIDE, plane.shape[1] // SIDE
    blocks = plane.reshape(rows, SIDE, columns, SIDE).swapaxes(1, 2)
    x, y = place[0] // SIDE, place[1] // SIDE
    # A component that is sampled less may have a block less than whole MCUs have, at the right and at the bottom.
    old = coefficients[y : y + rows, x : x + columns]
    added = DCT @ blocks[: old.shape[0], : old.shape[1]] @ DCT.T / table
    new = np.rint(old + added)
    limits = np.full((SIDE, SIDE), MOST_AC)
    limits[0, 0] = MOST_DC
    touched = added.any((2, 3), keepdims=True)
    old[:] = np.where(touched, new.clip(-limits, limits), old)

"""Reading AVIF: Pillow decodes 8 bits; more are decoded by dav1d, which FFmpeg brings (PyAV), and written as 16.

Cropped and turned once, as its container says (AV1 Image File Format 1.1; MIAF, ISO 23000-22)."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from photodrag.pipeline.photos import item_file, samples, ycc
from photodrag.pipeline.photos.clean_aperture import cropped
from photodrag.pipeline.photos.coded_colours import nclx_of
from photodrag.pipeline.photos.item_file import DamagedItems, ItemFile
from photodrag.pipeline.photos.metadata import Metadata, metadata_of, read_orientation
from photodrag.pipeline.photos.named_colours import with_named_colours
from photodrag.pipeline.photos.png_file import Chunk
from photodrag.pipeline.photos.ycc import Planes
from photodrag.weights import UserError

BRANDS = (b"avif", b"avis")
HIGH_DEPTH, TWELVE_BITS, MONOCHROME = 0x40, 0x20, 0x10
"""In the third byte of a codec's configuration."""
MOST_TILES, LEAST_TILE = 1024, 64 * 64
"""Of a grid; and pixels of one, which may be larger than the picture needs."""
FULL_RANGE = 2
"""FFmpeg's number of it."""
FURTHER = "further pictures in the file, of what was before (a gain map, say)"


def is_avif(start: bytes) -> bool:
    """Whether a file that starts so, with 64 bytes, is an AVIF picture."""
    return start[4:8] == b"ftyp" and any(brand in start[8:] for brand in BRANDS)


def read_avif(
    file: BinaryIO, path: Path, check: Callable[[Image.Image], None]
) -> tuple[str, np.ndarray, Metadata, tuple[Chunk, ...] | None]:
    """The mode, samples (see `samples`) and metadata of an AVIF picture, upright, and what a PNG of it says (of HDR's
    colours; None of others).

    check: is given the opened, not yet decoded picture, and raises what it likes. Raises UserError for what is stored
    in a rare way, and what its readers do for damaged ones."""
    data = file.read()
    file.seek(0)
    items = item_file.parse(data)
    with Image.open(file) as image:
        check(image)
        orientation = read_orientation(image)  # as the container says, whatever EXIF does
        if _bits(items) > 8:
            native = _deep(items, path, image.size)
            mode = {1: "L;16", 3: "RGB;16", 4: "RGBA;16"}[native.shape[2] if native.ndim == 3 else 1]
        else:
            mode, native = samples.from_image(image, path)
            if mode == "RGB" and _configuration(items)[2] & MONOCHROME:
                mode, native = "L", native[..., 0]  # which Pillow has made RGB
        said = dict(image.info)
    native = cropped(native, items.items[items.primary].property(b"clap"))
    metadata, chunks = with_named_colours(_metadata(items, said, orientation), mode, items)
    return mode, samples.turned(native, orientation), metadata, chunks


def _configuration(items: ItemFile) -> bytes:
    """The primary item's codec's (AV1-ISOBMFF, 2.3); a grid's is that of its first tile."""
    return items.items[items.first_coded].property(b"av1C") or bytes(4)


def _bits(items: ItemFile) -> int:
    """Of a sample."""
    flags = _configuration(items)[2]
    return (12 if flags & TWELVE_BITS else 10) if flags & HIGH_DEPTH else 8


def _metadata(items: ItemFile, said: dict, orientation: int) -> Metadata:
    """Pillow's, but for EXIF, which it writes anew where the container's orientation is another."""
    found = {items.items[number].kind: number for number in items.sources(b"cdsc", items.primary)}
    said["exif"] = _exif(items.content(found[b"Exif"])) if b"Exif" in found else None
    alpha, others = items.alpha, items.sources(b"auxl", items.primary)
    further = any(number != alpha for number in others) or any(one.kind == b"tmap" for one in items.items.values())
    return metadata_of(said, orientation, [FURTHER] if further else [])


def _exif(content: bytes) -> bytes:
    """The block; its place in the item is told by the first four bytes."""
    return content[4 + int.from_bytes(content[:4], "big") :]


def _deep(items: ItemFile, path: Path, size: tuple[int, int]) -> np.ndarray:
    """uint16 [H, W], or [H, W, 3 or 4], of the primary item and its alpha, as stored."""
    planes = _planes(items, items.primary, size)
    if nclx := nclx_of(items):
        planes = replace(planes, matrix=int.from_bytes(nclx[8:10], "big"), full=bool(nclx[10] & 0x80))
    if not ycc.is_known(planes):
        matrix = planes.matrix
        raise UserError(f"{path} keeps its colours in a rare way (matrix {matrix}): save it as a 16-bit PNG or TIFF.")
    colours = ycc.rgb(planes)
    if items.alpha is None:
        return colours
    if items.targets(b"prem", items.primary):
        raise UserError(f"{path} has colours multiplied by their opacity: save it as a 16-bit PNG or TIFF.")
    opacity = _planes(items, items.alpha, size)
    grey = colours.ndim == 2
    return np.dstack([*([colours] * 3 if grey else [colours]), ycc.rgb(replace(opacity, values=opacity.values[:1]))])


def _planes(items: ItemFile, number: int, size: tuple[int, int]) -> Planes:
    """An item's components, of a picture of that size; a grid's tiles side by side (ISO 23008-12, 6.6.2.3)."""
    most = size[0] * size[1]
    if items.items[number].kind != b"grid":
        planes = _decoded(items.content(number), most)
        if planes.values[0].shape != size[::-1]:
            raise DamagedItems("a picture of another size than it says")
        return planes
    tiles, grid = items.targets(b"dimg", number), items.content(number)
    rows, columns = grid[2] + 1, grid[3] + 1
    if rows * columns != len(tiles) or len(tiles) > MOST_TILES:
        raise DamagedItems("a grid of other tiles than it says")
    decoded = [_decoded(items.content(tile), 4 * most // len(tiles)) for tile in tiles]
    first = decoded[0]
    whole = []
    for i, values in enumerate(first.values):
        rows_of = [np.hstack([one.values[i] for one in decoded[y * columns :][:columns]]) for y in range(rows)]
        plane = np.vstack(rows_of)
        by_y, by_x = (round(a / b) for a, b in zip(first.values[0].shape, values.shape, strict=True))
        whole.append(plane[: -(-size[1] // by_y), : -(-size[0] // by_x)])
    if whole[0].shape != size[::-1]:
        raise DamagedItems("a grid that is smaller than it says")
    return replace(first, values=tuple(whole))


def _decoded(data: bytes, most: int) -> Planes:
    """A frame of AV1, of at most so many pixels."""
    import av  # brings all of FFmpeg, so it is loaded where it is needed

    decoder: Any = av.CodecContext.create("libdav1d", "r")
    decoder.options = {"max_pixels": str(max(most, LEAST_TILE))}
    frame = next(one for packet in (av.Packet(data), None) for one in decoder.decode(packet))
    if not isinstance(frame, av.VideoFrame):
        raise DamagedItems("no picture")
    bits = frame.format.components[0].bits
    kind = np.dtype("<u2") if bits > 8 else np.dtype("u1")
    values = []
    for plane in frame.planes:
        rows = np.frombuffer(memoryview(plane), kind).reshape(-1, plane.line_size // kind.itemsize)
        values.append(rows[: plane.height, : plane.width])
    return Planes(tuple(values), bits, frame.color_range == FULL_RANGE, int(frame.colorspace))

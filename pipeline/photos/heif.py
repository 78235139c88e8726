"""Reading HEIC, as phones make it: cropped and turned once, by libheif, 10 and 12 bits as 16, its colours named.

What lies beside the photo in such a file (depth, gain maps, thumbnails) is not read."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from photodrag.pipeline.photos import item_file
from photodrag.pipeline.photos.metadata import Metadata, metadata_of
from photodrag.pipeline.photos.named_colours import with_named_colours
from photodrag.pipeline.photos.png_file import Chunk

BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"}
FURTHER = {"depth_images": "the depth map", "aux": "further pictures in the file, of what was before (a gain map, say)"}


def is_heif(start: bytes) -> bool:
    """Whether a file that starts so, with 64 bytes, is a HEIC picture; an AVIF may be called alike."""
    return start[4:8] == b"ftyp" and start[8:12] in BRANDS and b"avif" not in start


def read_heif(
    file: BinaryIO, path: Path, check_size: Callable[[Path, int, int], None]
) -> tuple[str, np.ndarray, Metadata, tuple[Chunk, ...] | None]:
    """The mode, samples (see `samples`) and metadata of a HEIC picture, upright, and what a PNG says of one of HDR.

    check_size: is given path, width and height, and raises what it likes. Raises what pi_heif does for damaged ones."""
    import pi_heif  # its first use takes a while

    items = item_file.parse(file.read())
    kinds = (item.kind + item.content_type for item in items.items.values())
    if not all(kind.isascii() for kind in kinds):  # pi_heif takes these for text
        raise item_file.DamagedItems("an item of no known type")
    file.seek(0)
    picture = pi_heif.open_heif(file, convert_hdr_to_8bit=False)
    width, height = picture.size
    check_size(path, width, height)
    native = np.array(picture)  # a copy, for the array is gone with the picture (findings/pi-heif-arrays.sh)
    mode = "L" if native.ndim == 2 else {3: "RGB", 4: "RGBA"}[native.shape[2]]
    if native.dtype == np.uint16:
        mode, native = f"{mode};16", _full_range(native, picture.info["bit_depth"])
    dropped = [words for name, words in FURTHER.items() if picture.info.get(name)]
    metadata, chunks = with_named_colours(metadata_of(picture.info, 1, dropped), mode, items)
    return mode, np.ascontiguousarray(native), metadata, chunks


def _full_range(values: np.ndarray, bits: int) -> np.ndarray:
    """Samples of so many bits, at the top of 16, stretched over all of these."""
    most = 2**bits - 1
    return ((values >> (16 - bits)).astype(np.uint32) * 65535 // most).astype(np.uint16)

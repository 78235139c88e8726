"""Reading and writing JPEG XL, where the extra `jxl` is installed (libjxl, by pylibjxl): 8 bits, written losslessly."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np

from photodrag.pipeline.photos import exif
from photodrag.pipeline.photos.item_file import boxes
from photodrag.pipeline.photos.jxl_boxes import CONTAINER, box, orientation_of, unpacked
from photodrag.pipeline.photos.metadata import CREDENTIALS, FINER, Metadata, metadata_of
from photodrag.weights import UserError

FILE_TYPE = b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
SIGNATURES = (b"\xff\x0a", CONTAINER)
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
EFFORT = 3
"""Of 1 … 11: each step above takes twice as long, and saves a twentieth."""


def is_jxl(start: bytes) -> bool:
    """Whether a file that starts so is a JPEG XL picture."""
    return start.startswith(SIGNATURES)


def can_jxl() -> bool:
    """Whether the extra is installed."""
    try:
        import brotli  # noqa: F401
        import pylibjxl  # noqa: F401
    except ImportError:
        return False
    return True


def read_jxl(
    file: BinaryIO, path: Path, check_size: Callable[[Path, int, int], None]
) -> tuple[str, np.ndarray, Metadata]:
    """The mode, samples (see `samples`) and metadata of a JPEG XL picture, upright: the decoder turns it.

    check_size: is given path, width and height, and raises what it likes. Raises UserError without the extra, and for
    an animation, and what pylibjxl does for damaged ones."""
    if not can_jxl():
        raise UserError(f"{path} is JPEG XL: pip install 'photodrag[jxl]' to have it read, or save it as a PNG.")
    import pylibjxl

    data = file.read()
    told = pylibjxl.probe(data)
    check_size(path, told["width"], told["height"])
    if told["have_animation"]:
        raise UserError(f"{path} is an animation: save the picture to edit as one of its own, as PNG say.")
    data, untold = unpacked(data)
    native, said = pylibjxl.decode(data, metadata=True)
    mode = MODES[1 if native.ndim == 2 else native.shape[2]]
    dropped = [*untold, FINER] if told["bits_per_sample"] > 8 else untold
    dropped += [CREDENTIALS] if said.get("jumbf") else []
    about = {"icc_profile": said.get("icc"), "exif": said.get("exif"), "xmp": said.get("xmp")}
    return mode, native, metadata_of(about, orientation_of(data), dropped)


def encode_jxl(native: np.ndarray, metadata: Metadata) -> bytes:
    """A JPEG XL of uint8 samples, "L", "RGB" or "RGBA", with what is said of them, the profile if
    `takes_profile` says so."""
    import pylibjxl

    block, xmp, icc = (metadata.exif or b"").removeprefix(exif.PREFIX) or None, metadata.xmp, metadata.icc_profile
    native = np.ascontiguousarray(native)
    icc = icc if icc and takes_profile(MODES[1 if native.ndim == 2 else native.shape[2]], icc) else None
    data = pylibjxl.encode(native, effort=EFFORT, lossless=True, icc=icc)
    # By itself it would compress these, and then exiftool and exiv2 as they are installed read nothing.
    said = (box(b"Exif", bytes(4) + block) if block else b"") + (box(b"xml ", xmp) if xmp else b"")
    if not data.startswith(CONTAINER):
        data = CONTAINER + FILE_TYPE + box(b"jxlc", data)
    start = next(end for kind, _, end in boxes(data) if kind == b"ftyp")
    return data[:start] + said + data[start:]


@lru_cache(maxsize=4)
def takes_profile(mode: str, icc: bytes) -> bool:
    """Whether a JPEG XL of such samples takes a profile: not one of other colours, nor what is none."""
    import pylibjxl

    try:
        pylibjxl.encode(np.zeros((1, 1) if mode == "L" else (1, 1, len(mode)), np.uint8), lossless=True, icc=icc)
    except RuntimeError:
        return False
    return True

"""Reading and writing JPEG XL, where the extra `jxl` is installed (libjxl, by pylibjxl): 8 bits, written losslessly."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from photodrag.pipeline.photos import exif
from photodrag.pipeline.photos.item_file import boxes
from photodrag.pipeline.photos.metadata import CREDENTIALS, FINER, Metadata, metadata_of
from photodrag.weights import UserError

CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
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
    native, said = pylibjxl.decode(data, metadata=True)
    mode = MODES[1 if native.ndim == 2 else native.shape[2]]
    dropped = [FINER] if told["bits_per_sample"] > 8 else []
    dropped += [CREDENTIALS] if said.get("jumbf") else []
    about = {"icc_profile": said.get("icc"), "exif": said.get("exif"), "xmp": said.get("xmp")}
    return mode, native, metadata_of(about, 1, dropped)


def encode_jxl(native: np.ndarray, metadata: Metadata) -> bytes:
    """A JPEG XL of uint8 samples, "L", "RGB" or "RGBA", with what is said of them, but for resolution."""
    import pylibjxl

    block, xmp, icc = (metadata.exif or b"").removeprefix(exif.PREFIX) or None, metadata.xmp, metadata.icc_profile
    native = np.ascontiguousarray(native)
    try:
        data = pylibjxl.encode(native, effort=EFFORT, lossless=True, icc=icc)
    except RuntimeError:  # a profile of other colours than these, or none at all
        data = pylibjxl.encode(native, effort=EFFORT, lossless=True)
    # By itself it would compress these, and then exiftool and exiv2 as they are installed read nothing.
    said = (_box(b"Exif", bytes(4) + block) if block else b"") + (_box(b"xml ", xmp) if xmp else b"")
    if not data.startswith(CONTAINER):
        data = CONTAINER + FILE_TYPE + _box(b"jxlc", data)
    start = next(end for kind, _, end in boxes(data) if kind == b"ftyp")
    return data[:start] + said + data[start:]


def _box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content

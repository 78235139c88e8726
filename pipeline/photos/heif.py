"""Reading HEIC, as phones make it: its own turning applied once, 10 and 12 bits as 16, its colours named.

What lies beside the photo in such a file (depth, gain maps, thumbnails) is not read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from photodrag.pipeline.photos.colour_profile import matrix_profile
from photodrag.pipeline.photos.metadata import Metadata, metadata_of
from photodrag.weights import UserError

BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"}
SRGB, DISPLAY_P3 = 1, 12
"""Colour primaries, and …"""
HDR = {16: "PQ", 18: "HLG"}
"""… transfer characteristics, by their numbers (ITU-T H.273)."""
FURTHER = {"depth_images": "the depth map", "aux": "further pictures in the file, of what was before (a gain map, say)"}


def is_heif(start: bytes) -> bool:
    """Whether a file that starts so, with 64 bytes, is a HEIC picture; an AVIF may be called alike."""
    return start[4:8] == b"ftyp" and start[8:12] in BRANDS and b"avif" not in start


def read_heif(
    file: BinaryIO, path: Path, check_size: Callable[[Path, int, int], None]
) -> tuple[str, np.ndarray, Metadata]:
    """The mode, samples (see `samples`) and metadata of a HEIC picture, upright.

    check_size: is given path, width and height, and raises what it likes. Raises UserError for one that has HDR's
    curves, and what pi_heif does for damaged ones."""
    import pi_heif  # its first use takes a while

    picture = pi_heif.open_heif(file, convert_hdr_to_8bit=False)
    width, height = picture.size
    check_size(path, width, height)
    colours = picture.info.get("nclx_profile") or {}
    if curve := HDR.get(int(colours.get("transfer_characteristics", 2))):
        raise UserError(
            f"{path} is an HDR picture ({curve}), which cannot be edited here: export it as an ordinary JPEG."
        )
    native = np.array(picture)  # a copy, for the array is gone with the picture (findings/pi-heif-arrays.sh)
    mode = "L" if native.ndim == 2 else {3: "RGB", 4: "RGBA"}[native.shape[2]]
    if native.dtype == np.uint16:
        mode, native = f"{mode};16", _full_range(native, picture.info["bit_depth"])
    return mode, np.ascontiguousarray(native), _metadata(picture.info, colours)


def _full_range(values: np.ndarray, bits: int) -> np.ndarray:
    """Samples of so many bits, at the top of 16, stretched over all of these."""
    most = 2**bits - 1
    return ((values >> (16 - bits)).astype(np.uint32) * 65535 // most).astype(np.uint16)


def _metadata(info: dict[str, Any], colours: dict[str, Any]) -> Metadata:
    profile = info.get("icc_profile")
    if not profile and colours.get("color_primaries") == DISPLAY_P3:
        profile = matrix_profile("Display P3", [colours[f"color_primary_{name}"] for name in PRIMARIES])
    dropped = [words for name, words in FURTHER.items() if info.get(name)]
    return metadata_of(info | {"icc_profile": profile}, 1, dropped)


PRIMARIES = [f"{name}_{axis}" for name in ("red", "green", "blue", "white") for axis in "xy"]

"""Camera raw files, developed where the extra `raw` is installed (LibRaw, by rawpy): told apart by what is in them, for
many are TIFFs of which other programs show a small preview."""

import io
import mmap
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from photodrag.pipeline.photos import exif
from photodrag.pipeline.photos.exif import Exif
from photodrag.pipeline.photos.metadata import Metadata
from photodrag.pipeline.photos.raw_metadata import metadata_of_raw
from photodrag.weights import UserError

SUFFIXES = {".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".fff", ".iiq", ".kdc", ".mos", ".mrw", ".nef"}
SUFFIXES |= {".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".srw", ".x3f"}
SIGNATURES = (
    b"FUJIFILMCCD-RAW",
    *(b"IIRO", b"IIRS", b"MMOR"),  # Olympus
    *(b"IIU\0", b"\0MRM", b"FOVb", b"IIII", b"MMMM"),  # Panasonic, Minolta, Sigma, Phase One
    b"II\x1a\0\0\0HEAPCCDR",  # Canon, the oldest …
)
CR2_AT, CR2, CR3 = 8, b"CR", b"ftypcrx "
TIFF_STARTS = (b"II*\0", b"MM\0*")
COLOUR_FILTERS, LINEAR_RAW = 32803, 34892
"""What a directory's samples are (TIFF/EP; DNG 1.4)."""
PHOTOMETRIC, DNG_VERSION, BASELINE_EXPOSURE = 262, 50706, 50730
MOST_DIRECTORIES = 32
EXPOSURES = 0.25, 8.0
"""How much darker and brighter LibRaw can make it."""
SETTINGS: dict[str, Any] = {
    "use_camera_wb": True,  # the photographer's
    "no_auto_bright": True,  # which would clip a hundredth of every photo
    "adjust_maximum_thr": 0.9,  # white is what the file says; where the brightest comes near it, that
    "gamma": (2.4, 12.92),  # sRGB's curve; LibRaw's own is BT.709's
    "output_bps": 16,
}
"""LibRaw's; all else is as it has it: sRGB, highlights clipped, AHD, turned as the camera says."""


def is_raw(file: BinaryIO, path: Path) -> bool:
    """Whether an opened file is a camera's raw file, by its content; where that may be any TIFF, by its name, too."""
    start = file.read(32)
    file.seek(0)
    if start.startswith(SIGNATURES) or start[4:12] == CR3 or start[CR2_AT : CR2_AT + 2] == CR2:
        return True
    if not start.startswith(TIFF_STARTS):
        return path.suffix.lower() in SUFFIXES and not start.startswith((b"\xff\xd8\xff", b"\x89PNG"))
    if path.suffix.lower() in SUFFIXES:
        return True
    with suppress(struct.error, ValueError), _bytes_of(file) as data:
        opened = Exif(cast(bytearray, data))
        for ifd in _directories(opened):
            kind = opened.value(opened.entry(ifd, PHOTOMETRIC))
            if kind in ([COLOUR_FILTERS], [LINEAR_RAW]) or opened.entry(ifd, DNG_VERSION):
                return True
    return False


def _bytes_of(file: BinaryIO) -> Any:
    """A context with what a file holds, of which only what is asked for is read."""
    if isinstance(file, io.BytesIO):
        return file.getbuffer()
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _directories(opened: Exif) -> Iterator[int]:
    """Where a TIFF's directories lie: those that follow each other, and those below them."""
    left, seen = [opened.first], set[int]()
    while left and len(seen) < MOST_DIRECTORIES:
        ifd = left.pop(0)
        if not ifd or ifd in seen:
            continue
        seen.add(ifd)
        yield ifd
        entries = opened.entries(ifd)
        left += [below for one in entries if one.tag == exif.SUB_DIRECTORIES for below in opened.value(one)]
        left.append(opened.number(ifd + 2 + 12 * len(entries), exif.LONG))


def read_raw(
    file: BinaryIO, path: Path, check_size: Callable[[Path, int, int], None]
) -> tuple[str, np.ndarray, Metadata]:
    """The mode ("RGB;16"), samples and metadata of a raw file, developed as SETTINGS say, sRGB, upright.

    check_size: is given path, width and height, and raises what it likes. Raises UserError without the extra, and for
    cameras that LibRaw doesn't know, and what that raises for damaged ones."""
    try:
        import rawpy
    except ImportError:
        how = "pip install 'photodrag[raw]' to have it developed, or give the 16-bit TIFF or the JPEG of it"
        raise UserError(f"{path} is a camera's raw file: {how}.") from None
    held = _Held(file.read())
    try:
        with rawpy.imread(cast(BinaryIO, held)) as raw:
            check_size(path, raw.sizes.width, raw.sizes.height)
            native = raw.postprocess(**SETTINGS, **_exposure(file))
            metadata = metadata_of_raw(file, _jpeg_in(raw))
            native = np.repeat(native, 3, 2) if native.shape[2] == 1 else native  # of a camera that sees no colours
    except (rawpy.LibRawFileUnsupportedError, rawpy.NotSupportedError):
        what = "is damaged, or of a camera that is not known here"
        raise UserError(f"{path} {what}: copy it again, or give the 16-bit TIFF or the JPEG of it.") from None
    return "RGB;16", np.ascontiguousarray(native), metadata


class _Held:
    """A file's bytes, which stay where they are as long as this does. LibRaw reads from there to the end, but rawpy
    itself lets go of what a file gave it."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self) -> bytes:
        """All of them: no copy."""
        return self.data


def _jpeg_in(raw: Any) -> bytes:
    """The preview, if it is a JPEG."""
    with suppress(Exception):  # LibRaw has an error of its own for each way in which there may be none
        thumbnail = raw.extract_thumb().data
        return thumbnail if isinstance(thumbnail, bytes) else b""
    return b""


def _exposure(file: BinaryIO) -> dict[str, Any]:
    """LibRaw's setting of how much brighter a DNG is meant to be than its samples (DNG 1.4, BaselineExposure)."""
    file.seek(0)
    with suppress(struct.error, ValueError, ZeroDivisionError), _bytes_of(file) as data:
        opened = Exif(cast(bytearray, data))
        if entry := opened.entry(opened.first, BASELINE_EXPOSURE):
            above, below = struct.unpack_from(opened.order + "ii", data, entry.start)
            shift = float(np.clip(2.0 ** (above / below), *EXPOSURES))
            return {"exp_shift": shift, "exp_preserve_highlights": 1.0} if shift != 1 else {}
    return {}

"""16-bit colour, which Pillow reduces to 8 bits when it reads and cannot write: OpenCV keeps it."""

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from photodrag.pipeline.photos.samples import turned
from photodrag.weights import UserError

BITS, PLANAR, PHOTOMETRIC, WHITE_IS_ZERO, RGB = 258, 284, 262, 0, 2
"""Tags of a TIFF: of bits a sample, whether a plane follows the other, and what is white, or that it is RGB."""
MORE_SAMPLES, UNASSOCIATED_ALPHA = 338, 2
CANNOT_BE_KEPT = "stores 16-bit colour in a way that cannot be kept: save it as RGB, PNG or TIFF, first."


def colour_bits(image: Image.Image) -> int:
    """Of how many bits the colour samples of an opened, not yet decoded Pillow image are: 8, or up to 16."""
    if image.mode.startswith("I") or not isinstance(image, ImageFile):
        return 8
    if image.format == "JPEG2000":
        return max(8, _jpeg_2000_bits(image))
    if image.format == "PPM":
        return 16 if any(isinstance(tile[3], tuple) and tile[3][-1] > 255 for tile in image.tile) else 8
    return 16 if any(";16" in str(tile[3]) for tile in image.tile) or is_planar(image) else 8


def is_negative(image: Image.Image) -> bool:
    """Whether an opened Pillow image is a TIFF of 16-bit grey in which 0 is white, which Pillow leaves so."""
    return isinstance(image, TiffImageFile) and image.mode == "I;16" and image.tag_v2.get(PHOTOMETRIC) == WHITE_IS_ZERO


def is_planar(image: Image.Image) -> bool:
    """Whether it is a TIFF of 16-bit colour whose planes follow each other, which Pillow and OpenCV mix up."""
    if not isinstance(image, TiffImageFile):
        return False
    return image.tag_v2.get(PLANAR) == 2 and max(image.tag_v2.get(BITS, (1,))) > 8


def _jpeg_2000_bits(image: ImageFile) -> int:
    """As its header says (ITU-T T.800, A.5.1)."""
    if image.fp is None:
        return 8
    at = image.fp.tell()
    image.fp.seek(0)
    start = image.fp.read(4096)
    image.fp.seek(at)
    size = start.find(b"\xff\x4f\xff\x51") + 2  # where it begins, and its first segment
    return (start[size + 40] & 0x7F) + 1 if 2 <= size < len(start) - 40 else 8


def read_deep(
    data: bytes, high: np.ndarray, orientation: int, name: object, tolerance: int = 0, bits: int = 16
) -> tuple[str, np.ndarray]:
    """The mode, "RGB;16" or "RGBA;16", and the samples [H, W, C] of an encoded picture, turned as a person sees it.

    high: uint8 [H, W, C], what Pillow made of the same file, turned: the high bytes, against which the samples are
    checked, to within `tolerance`. So it doesn't matter whether OpenCV obeys this format's orientation, or how it takes
    the channels. bits: those of the samples, which are stretched to 16.
    Raises UserError, naming `name`, when the two disagree (CMYK, premultiplied alpha)."""
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # it prints every private TIFF tag
    try:
        samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    finally:
        cv2.utils.logging.setLogLevel(level)
    if samples is not None and samples.dtype == np.uint16 and samples.ndim == 3:
        deep: NDArray[np.uint16] = np.asarray(samples[..., [2, 1, 0, 3][: samples.shape[2]]], np.uint16)
        if bits < 16:
            deep = (np.minimum(deep, 2**bits - 1).astype(np.uint32) * 65535 // (2**bits - 1)).astype(np.uint16)
        channels = high.shape[2] if high.ndim == 3 else 1
        for candidate in (deep, turned(deep, orientation)):
            same_shape = candidate.shape[:2] == high.shape[:2] and candidate.shape[2] >= channels
            if same_shape and _alike(candidate[..., :channels] >> 8, high, tolerance):
                # Pillow gives RGB both without alpha and where one colour is transparent; the latter OpenCV widens.
                return ("RGB;16" if candidate.shape[2] == 3 else "RGBA;16"), np.ascontiguousarray(candidate)
    raise UserError(f"{name} {CANNOT_BE_KEPT}")


def read_planes(data: bytes, image: Image.Image, orientation: int, name: object) -> tuple[str, np.ndarray]:
    """Like `read_deep`, of a TIFF that `is_planar`, opened as `image`; by libtiff alone.

    Raises UserError, naming `name`, where it is neither RGB nor that with an alpha channel of its own."""
    assert isinstance(image, TiffImageFile)
    tags, size = image.tag_v2, image.size
    channels = {(): 3, (UNASSOCIATED_ALPHA,): 4}.get(tuple(tags.get(MORE_SAMPLES, ())))
    if tags.get(PHOTOMETRIC) == RGB and channels and tuple(tags.get(BITS, ())) == (16,) * channels:
        planes = imagecodecs.tiff_decode(data, index=0)
        if planes.dtype == np.uint16 and planes.shape == (channels, *size[::-1]):
            native = turned(np.moveaxis(planes, 0, 2), orientation)
            return ("RGB;16" if channels == 3 else "RGBA;16"), np.ascontiguousarray(native)
    raise UserError(f"{name} {CANNOT_BE_KEPT}")


def _alike(a: np.ndarray, b: np.ndarray, tolerance: int) -> bool:
    differences = (a.astype(np.int32) - b + tolerance) % 256  # Pillow rounds a JPEG 2000's brightest levels up to 0
    return bool((differences <= 2 * tolerance).all())


def png_of_deep(native: np.ndarray, metadata_png: bytes) -> bytes:
    """A PNG of uint16 samples [H, W, 3 or 4], with the metadata of another PNG (of one pixel, say)."""
    order = [2, 1, 0, 3][: native.shape[2]]
    data = cv2.imencode(".png", native[..., order])[1].tobytes()
    header = 33  # signature and IHDR
    return data[:header] + metadata_png[header : metadata_png.rindex(b"IDAT") - 4] + data[header:]

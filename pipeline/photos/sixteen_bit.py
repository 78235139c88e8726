"""16-bit colour, which Pillow reduces to 8 bits when it reads and cannot write: OpenCV keeps it."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile

from photodrag.pipeline.photos.samples import turned
from photodrag.weights import UserError


def is_deep(image: Image.Image) -> bool:
    """Whether an opened, not yet decoded Pillow image has 16-bit colour samples in its file."""
    if image.mode.startswith("I") or not isinstance(image, ImageFile):
        return False
    return any(";16" in str(tile[3]) for tile in image.tile)


def read_deep(data: bytes, high: np.ndarray, orientation: int, name: object) -> tuple[str, np.ndarray]:
    """The mode, "RGB;16" or "RGBA;16", and the samples [H, W, C] of an encoded picture, turned as a person sees it.

    high: uint8 [H, W, C], what Pillow made of the same file, turned: the high bytes, against which the samples are
    checked. So it doesn't matter whether OpenCV obeys this format's orientation, or how it takes the channels.
    Raises UserError, naming `name`, when the two disagree (CMYK, premultiplied alpha)."""
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # it prints every private TIFF tag
    try:
        samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    finally:
        cv2.utils.logging.setLogLevel(level)
    if samples is not None and samples.dtype == np.uint16 and samples.ndim == 3:
        deep: NDArray[np.uint16] = np.asarray(samples[..., [2, 1, 0, 3][: samples.shape[2]]], np.uint16)
        channels = high.shape[2] if high.ndim == 3 else 1
        for candidate in (deep, turned(deep, orientation)):
            same_shape = candidate.shape[:2] == high.shape[:2] and candidate.shape[2] >= channels
            if same_shape and np.array_equal(candidate[..., :channels] >> 8, high):
                # Pillow gives RGB both without alpha and where one colour is transparent; the latter OpenCV widens.
                return ("RGB;16" if candidate.shape[2] == 3 else "RGBA;16"), np.ascontiguousarray(candidate)
    raise UserError(f"{name} stores 16-bit colour in a way that cannot be kept: save it as RGB, PNG or TIFF, first.")


def png_of_deep(native: np.ndarray, metadata_png: bytes) -> bytes:
    """A PNG of uint16 samples [H, W, 3 or 4], with the metadata of another PNG (of one pixel, say)."""
    order = [2, 1, 0, 3][: native.shape[2]]
    data = cv2.imencode(".png", native[..., order])[1].tobytes()
    header = 33  # signature and IHDR
    return data[:header] + metadata_png[header : metadata_png.rindex(b"IDAT") - 4] + data[header:]

"""Ultra HDR: the gain map behind a JPEG, which says how much brighter each place is on a bright screen, goes along with
an edit (Google's Ultra HDR image format 1.1; ISO 21496-1; CIPA DC-007, Multi-Picture Format)."""

import struct
from collections.abc import Callable
from io import BytesIO

import cv2
import numpy as np
from PIL import Image

from photodrag.pipeline.photos import jpeg_blocks, jpeg_file, samples
from photodrag.pipeline.photos.jpeg_file import JpegFile, Segment

ISO = b"urn:iso:std:iso:ts:21496:-1\0"
ADOBE = b"http://ns.adobe.com/hdr-gain-map/1.0/"
MPF = b"MPF\0"
CameFrom = Callable[[np.ndarray], np.ndarray]
"""From points [N, 2] of an edited photo, (x, y) in its pixels, to how far off each came from: offsets [N, 2]."""


def gain_map_of(file: JpegFile) -> bytes | None:
    """The gain map, a JPEG, that lies behind a JPEG; None where there is none."""
    for picture, data in file.pictures_behind:
        if any(s.is_about and (s.payload.startswith(ISO) or ADOBE in s.payload) for s in picture.header):
            return data
    return None


def behind_pictures(file: JpegFile) -> bytes:
    """What lies behind all pictures of a file."""
    length = sum(len(data) for _, data in file.pictures_behind)
    return file.behind[length:]


def moved(gain_map: bytes, changed: np.ndarray, came_from: CameFrom, orientation: int) -> bytes | None:
    """The gain map of an edited photo: moved as its pixels were. None where it can't be, or is damaged.

    changed: bool [H, W], of the photo as a person sees it. orientation: EXIF's of it."""
    try:
        with Image.open(BytesIO(gain_map), formats=["JPEG"]) as image:
            if image.width * image.height > changed.size:
                return None
            progressive, stored = bool(image.info.get("progressive")), np.asarray(image)
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    before = samples.turned(stored, orientation)
    height, width = before.shape[:2]
    across, down = changed.shape[1] / width, changed.shape[0] / height
    y, x = np.mgrid[:height, :width].astype(np.float64)
    places = np.stack(((x + 0.5) * across - 0.5, (y + 0.5) * down - 0.5), -1)
    offsets = came_from(places.reshape(-1, 2)).reshape(height, width, 2) / (across, down)
    at_x, at_y = (x + offsets[..., 0]).astype(np.float32), (y + offsets[..., 1]).astype(np.float32)
    read = cv2.remap(before, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.resize(changed.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    share = share if before.ndim == 2 else share[..., None]
    after = (before + share * (read.astype(np.float32) - before)).round().astype(np.uint8)
    file, (old, new) = jpeg_file.parse(gain_map), (samples.turned_back(x, orientation) for x in (before, after))
    if not jpeg_blocks.can_be_edited(file, old, new):
        return None
    try:
        picture = jpeg_blocks.with_change(file, old, new, progressive)
    except OSError:
        return None
    return file.with_picture(picture, tuple(segment for segment in file.header if segment.is_about))


def further_pictures() -> Segment:
    """An MPF segment of a picture and its gain map, whose sizes and places `with_places` fills in."""
    entries = struct.pack(">H", 3)
    entries += struct.pack(">HHI4s", 0xB000, 7, 4, b"0100")
    entries += struct.pack(">HHII", 0xB001, 4, 1, 2)
    entries += struct.pack(">HHII", 0xB002, 7, 16 * 2, 8 + 2 + 3 * 12 + 4)
    kinds = struct.pack(">8I", 0x00030000, 0, 0, 0, 0, 0, 0, 0)
    return Segment(0xE2, MPF + b"MM\0*" + struct.pack(">I", 8) + entries + bytes(4) + kinds)


def with_places(picture: bytes, gain_map: bytes) -> bytes:
    """A JPEG with the segment of `further_pictures`, and its gain map behind it."""
    header = picture.index(MPF + b"MM\0*\0\0\0\x08\0\x03\xb0\0") + len(MPF)
    entries = header + 8 + 2 + 3 * 12 + 4
    whole = bytearray(picture)
    struct.pack_into(">I", whole, entries + 4, len(picture))
    struct.pack_into(">II", whole, entries + 16 + 4, len(gain_map), len(picture) - header)
    return bytes(whole) + gain_map

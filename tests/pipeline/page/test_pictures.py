"""What the page is sent of a photo means the colours that the photo's file means."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from colour_tags import profile_of, says_srgb
from pictures import smooth
from PIL import Image, ImageCms

from photodrag.pipeline.page.pictures import patch
from photodrag.pipeline.photos.colour_profile import D50, matrix_profile
from photodrag.pipeline.photos.read import read_photo

P3 = matrix_profile("P3", (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290))


def grey_profile(gamma: float) -> bytes:
    """ICC.1:2010, 8.4.3: the white point and a curve, u8Fixed8."""
    parts = {
        b"desc": b"desc\0\0\0\0\0\0\0\1\0" + bytes(79),
        b"cprt": b"text\0\0\0\0\0\0\0\0",
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * value) for value in D50)),
        b"kTRC": b"curv\0\0\0\0" + struct.pack(">IH", 1, round(256 * gamma)) + b"\0\0",
    }
    start, table, data = 132 + 12 * len(parts), struct.pack(">I", len(parts)), b""
    for name, part in parts.items():
        table += name + struct.pack(">II", start + len(data), len(part))
        data += part + bytes(-len(part) % 4)
    header = struct.pack(">I4sI4s4s4s", start + len(data), bytes(4), 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    white = struct.pack(">3i", *(round(65536 * value) for value in D50))
    return header + bytes(12) + b"acsp" + bytes(28) + white + bytes(48) + table + data


@pytest.mark.parametrize("kind", ["untold", "sRGB", "P3", "grey", "grey of another curve", "a PNG's gamma", "inks"])
def test_a_patch_means_what_the_photo_means(tmp_path, kind):
    picture, path = Image.fromarray(smooth()), tmp_path / ("a.tif" if kind == "inks" else "a.png")
    options = {}
    if kind == "P3":
        options["icc_profile"] = P3
    if kind == "sRGB":
        options["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if kind == "grey of another curve":
        options["icc_profile"] = grey_profile(1.0)
    if kind.startswith("grey") or kind == "a PNG's gamma":
        picture = picture.convert("L")
    if kind == "inks":
        picture = picture.convert("CMYK")
    picture.save(path, **options)
    if kind == "a PNG's gamma":
        data = path.read_bytes()
        body = b"gAMA" + struct.pack(">I", 100_000)
        path.write_bytes(data[:33] + struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body)) + data[33:])
    photo = read_photo(path)
    sent = patch(photo, photo.pixels, (0, 0, photo.width, photo.height)).jpeg
    assert says_srgb(sent) == (kind not in ("P3", "a PNG's gamma"))
    with Image.open(BytesIO(sent)) as image:
        own = ImageCms.ImageCmsProfile(BytesIO(profile_of(sent)))
        shown = np.array(ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"))).astype(int)
    assert np.abs(shown - photo.srgb).mean() < 2

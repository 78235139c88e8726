"""What JPEG 2000, PSD and GIF say of their picture goes into the PNG that is written of them, or is told to be left
out. The files are made by hand around Pillow's."""

import io
import struct

import numpy as np
import pytest
from item_boxes import box
from pictures import HEIGHT, WIDTH, noise
from PIL import Image

from photodrag.pipeline.photos import write
from photodrag.pipeline.photos.colour_profile import matrix_profile
from photodrag.pipeline.photos.colours import PRIMARIES
from photodrag.pipeline.photos.iptc import PREVIEW
from photodrag.pipeline.photos.read import read_photo

P3 = matrix_profile("Display P3", PRIMARIES[12])
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:creator="me"/>'
IPTC, OLD = b"\x1c\x02\x5a\0\x05Paris", b"\x1c\x02\xca\0\x03abc"
UNCHANGED = np.zeros((HEIGHT, WIDTH), bool)


def exif() -> bytes:
    block = Image.Exif()
    block[0x0112], block[0x010F] = 6, "Maker"
    return block.tobytes().removeprefix(b"Exif\0\0")


def jpeg_2000(samples: np.ndarray) -> bytes:
    made = io.BytesIO()
    Image.fromarray(samples).save(made, "JPEG2000", irreversible=False)
    data = made.getvalue()
    size = int.from_bytes(data[32:36], "big")
    assert data[36:40] == b"jp2h"
    header = data[40 : 32 + size]
    colours = header.index(b"colr") - 4
    profile = box(b"colr", b"\2\0\0", P3)
    about = [
        box(b"uuid", b"JpgTiffExif->JP2", exif()),
        box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac"), XMP),
        box(b"uuid", bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"), IPTC + OLD),
    ]
    return b"".join((data[:32], box(b"jp2h", header[:colours], profile), *about, data[32 + size :]))


def psd(samples: np.ndarray, layers: bytes = b"") -> bytes:
    def resource(number: int, content: bytes) -> bytes:
        return b"8BIM" + struct.pack(">HHI", number, 0, len(content)) + content + bytes(len(content) % 2)

    about = resource(1058, exif()) + resource(1060, XMP) + resource(1028, IPTC + OLD) + resource(1039, P3)
    start = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHHI", 3, HEIGHT, WIDTH, 8, 3, 0)
    behind = struct.pack(">I", len(layers)) + layers + b"\0\0" + samples.transpose(2, 0, 1).tobytes()
    return start + struct.pack(">I", len(about)) + about + behind


@pytest.mark.parametrize(("name", "make"), [("a.jp2", jpeg_2000), ("a.psd", psd)])
def test_all_of_it_goes_along(tmp_path, name, make):
    """Neither is turned by what its EXIF says, which then says that it is upright."""
    samples = noise(3)
    (tmp_path / name).write_bytes(make(samples))
    photo, out = read_photo(tmp_path / name), tmp_path / "out.png"
    assert np.array_equal(photo.native, samples)
    assert write.write_output(photo, photo.pixels, UNCHANGED, out) == [PREVIEW]
    again = read_photo(out).metadata
    assert (again.icc_profile, again.xmp, again.iptc) == (P3, XMP, IPTC)
    block = Image.Exif()
    block.load(again.exif)
    assert block[0x0112] == 1 and block[0x010F] == "Maker"


def test_what_stays_behind_is_told(tmp_path):
    (tmp_path / "a.psd").write_bytes(psd(noise(3), layers=struct.pack(">I", 8) + bytes(12)))
    photo = read_photo(tmp_path / "a.psd")
    assert "Photoshop's layers" in photo.metadata.dropped and photo.metadata.xmp == XMP
    Image.fromarray(noise()).save(tmp_path / "a.gif", comment=b"a comment")
    assert read_photo(tmp_path / "a.gif").metadata.dropped == ("the comment",)


def test_a_gifs_xmp(tmp_path):
    made = io.BytesIO()
    Image.fromarray(noise()).save(made, "GIF")
    data, trailer = made.getvalue(), bytes((1, *range(255, -1, -1), 0))
    at = data.index(b",", 13 + 3 * 256)
    (tmp_path / "a.gif").write_bytes(data[:at] + b"!\xff\x0bXMP DataXMP" + XMP + trailer + data[at:])
    with Image.open(tmp_path / "a.gif") as image:  # which passes over it
        assert image.size == (WIDTH, HEIGHT)
    photo = read_photo(tmp_path / "a.gif")
    assert photo.metadata.xmp == XMP and photo.metadata.dropped == ()


@pytest.mark.parametrize(("name", "make"), [("a.jp2", jpeg_2000), ("a.psd", psd)])
def test_spoilt_ones(tmp_path, name, make):
    """Whatever their numbers are, a photo or a sentence comes of it."""
    data = make(noise(3))
    rng = np.random.default_rng(0)
    for _ in range(60):
        spoilt = bytearray(data)
        spoilt[rng.integers(26, 800)] = rng.integers(256)
        (tmp_path / name).write_bytes(spoilt)
        try:
            read_photo(tmp_path / name)
        except Exception as error:
            assert type(error).__name__ == "UserError" and name in str(error)

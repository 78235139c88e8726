"""Reading HEIC. The pictures in heic/, 64 × 48, were written by pillow-heif 1.8.1 (x265, quality 95; PQ 80): red
grows to the right by 3.5 levels a pixel, green downwards by 5, blue is 90. Grey is the red of it; "deep" has 10 bits;
"odd" is 67 × 49. "grid" is 170 × 100, of 3 × 2 tiles of 64 × 64 that were written so, put together by item_boxes.py:
red grows by 1.2, green by 1.8.
"""

import io
import shutil
import struct
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageCms

from photodrag.pipeline.photos import item_file, write
from photodrag.pipeline.photos.colour_profile import matrix_profile
from photodrag.pipeline.photos.heif import _full_range
from photodrag.pipeline.photos.png_file import chunks
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError

HEIC = Path(__file__).parent / "heic"


def ramp(width=64, height=48) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack((3.5 * x, 5.0 * y, np.full(x.shape, 90.0)), -1)


@pytest.mark.parametrize(
    ("name", "mode", "error"),
    [("plain", "RGB", 2.0), ("p3", "RGB", 2.0), ("alpha", "RGBA", 4.0), ("deep", "RGB;16", 4.0), ("grey", "L", 2.0)],
)
def test_pictures_are_read(name, mode, error):
    photo = read_photo(HEIC / f"{name}.heic")
    expected = ramp() if name != "grey" else ramp()[..., :1].repeat(3, -1)
    assert photo.mode == mode and photo.pixels.shape == (48, 64, 3)
    assert np.abs(photo.pixels - expected).mean() < error
    if name == "deep":
        assert photo.native.dtype == np.uint16 and len(np.unique(photo.native >> 6)) > 200
    if name == "alpha":
        assert np.abs(photo.alpha - np.clip(np.arange(64) * 4, 0, 255)).mean() < 3


def test_rows_that_are_padded():
    assert np.abs(read_photo(HEIC / "odd.heic").pixels - ramp(67, 49)).mean() < 2


def test_a_grid_is_read_whole():
    photo = read_photo(HEIC / "grid.heic")
    y, x = np.mgrid[:100, :170]
    assert photo.pixels.shape == (100, 170, 3)
    assert np.abs(photo.pixels - np.stack((1.2 * x, 1.8 * y, np.full(x.shape, 90.0)), -1)).max() < 4


def test_a_crop_is_applied_once(tmp_path):
    """As stored it is 64 × 64; the crop's middle lies right of, and above, its own. It is turned afterwards."""
    data = (HEIC / "turned.heic").read_bytes()
    at = data.index(b"clap") + 4
    crop = struct.pack(">IIIIiIiI", 40, 1, 32, 1, 2, 1, -10, 1)
    (tmp_path / "a.heic").write_bytes(data[:at] + crop + data[at + len(crop) :])
    photo = read_photo(tmp_path / "a.heic")
    assert photo.pixels.shape == (40, 32, 3)
    assert np.abs(photo.pixels - np.rot90(ramp(64, 64)[6:38, 14:54], -1)).mean() < 4


def test_hdr_that_only_the_codec_names(tmp_path):
    """The box that names colours is another one here, which nobody knows; x265 has told them in the stream, too."""
    data = (HEIC / "pq.heic").read_bytes()
    assert data.count(b"colr") == 1
    (tmp_path / "a.heic").write_bytes(data.replace(b"colr", b"frob"))
    photo, named = read_photo(tmp_path / "a.heic"), read_photo(HEIC / "pq.heic")
    assert photo.chunks == named.chunks and photo.chunks[0].data == bytes((9, 16, 0, 1))
    assert np.array_equal(photo.srgb, named.srgb)
    plain = (HEIC / "plain.heic").read_bytes().replace(b"colr", b"frob")
    (tmp_path / "b.heic").write_bytes(plain)
    assert read_photo(tmp_path / "b.heic").chunks is None


def test_a_turn_is_applied_once(tmp_path):
    """The container's own; a phone says it in EXIF, too."""
    data = (HEIC / "turned.heic").read_bytes()
    at = data.index(b"MM\0*")
    entry = data.index(b"\x01\x12\0\x03\0\0\0\x01", at)
    for told in (1, 6, 8):
        path = tmp_path / f"{told}.heic"
        path.write_bytes(data[: entry + 8] + bytes((0, told)) + data[entry + 10 :])
        photo = read_photo(path)
        assert photo.pixels.shape == (64, 48, 3)
        assert np.abs(photo.pixels - np.rot90(ramp(), -1)).mean() < 4
        exif = Image.Exif()
        exif.load(photo.metadata.exif)
        assert exif[0x0112] == 1 and exif[0x010F] == "Maker"
        assert photo.metadata.icc_profile and photo.metadata.xmp


def test_ten_bits_reach_from_black_to_white():
    assert np.array_equal(_full_range(np.array([0, 512, 1023], np.uint16) << 6, 10), [0, 32799, 65535])


def test_a_jpeg_comes_out(tmp_path):
    shutil.copy(HEIC / "p3.heic", tmp_path / "IMG_1.HEIC")
    photo = read_photo(tmp_path / "IMG_1.HEIC")
    out = write.default_output(photo)
    assert out.name == "IMG_1-photodrag.jpg"
    assert write.default_output(read_photo(HEIC / "alpha.heic")).suffix == ".png"
    write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), out)
    with Image.open(out) as image:
        assert image.layer[0][1:3] == (1, 1)  # 4:4:4
        assert ImageCms.getProfileDescription(
            ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        ).strip() == ("Display P3")


def test_colours_of_a_named_primary_are_shown_as_they_are():
    """Little CMS, given the profile, takes P3's red to where it lies beyond sRGB's, and its grey to grey."""
    primaries = [0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329]
    profile = ImageCms.ImageCmsProfile(io.BytesIO(matrix_profile("Display P3", primaries)))
    lab = ImageCms.createProfile("LAB")
    transform = ImageCms.buildTransform(profile, lab, "RGB", "LAB", renderingIntent=1)
    picture = Image.fromarray(np.array([[[255, 0, 0], [128, 128, 128], [255, 255, 255]]], np.uint8))
    red, grey, white = np.asarray(ImageCms.applyTransform(picture, transform))[0].view(np.int8).astype(int)
    assert grey[1:].tolist() == [0, 0] and white[1:].tolist() == [0, 0]
    # Apple's own profile has X, Y, Z = 0.5151, 0.2412, -0.0011 for red, which is L, a, b = 56.2, 94.4, 98.9.
    assert np.abs(red[1:] - [94.4, 98.9]).max() < 1.5 and abs((red[0] & 255) / 2.55 - 56.2) < 1


def test_hdr_goes_into_a_png_of_16_bits(tmp_path):
    """Which names the same colours; what looks at it sees it within sRGB's range."""
    shutil.copy(HEIC / "pq.heic", tmp_path)
    photo = read_photo(tmp_path / "pq.heic")
    out = write.default_output(photo)
    assert out.name == "pq-photodrag.png" and photo.mode == "RGB;16"
    write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), out)
    assert {chunk.kind: chunk.data for chunk in chunks(out.read_bytes())}[b"cICP"] == bytes((9, 16, 0, 1))
    assert np.array_equal(read_photo(out).native, photo.native)
    assert photo.srgb[..., 1].std() > 10 and np.abs(photo.srgb.astype(int) - photo.pixels).mean() > 10


@pytest.mark.parametrize("left", [20, 300, 700])
def test_damaged_ones(tmp_path, left):
    (tmp_path / "a.heic").write_bytes((HEIC / "plain.heic").read_bytes()[:left])
    with pytest.raises(UserError, match=r"a\.heic is (cut short or damaged|not a picture)"):
        read_photo(tmp_path / "a.heic")


def test_places_without_end_are_refused():
    """Of an item, each of which takes no bytes: as many are read as a picture can have."""
    entry = struct.pack(">IHHH", 9, 0, 0, 65535)
    data = b"\2\0\0\0\0\0" + struct.pack(">I", 1000) + 1000 * entry
    with pytest.raises(item_file.DamagedItems, match="too many places"):
        item_file._locate(item_file._Reader(data, 0, len(data)), {})


def test_an_item_of_no_known_type_is_refused(tmp_path, monkeypatch):
    """Before the library, which takes it for text, sees it."""
    items = SimpleNamespace(items={1: item_file.Item(kind=b"hv\xa21")})
    monkeypatch.setattr(item_file, "parse", lambda data: items)
    with pytest.raises(UserError, match="cut short or damaged"):
        read_photo(next(HEIC.glob("*.heic")))

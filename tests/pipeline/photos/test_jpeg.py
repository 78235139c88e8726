"""A JPEG that is edited stays that JPEG: where nothing changed, and in what it says."""

import struct
import sys
import tempfile

import imagecodecs
import numpy as np
import pytest
from pictures import HEIGHT, WIDTH, smooth
from PIL import Image, ImageCms

from photodrag.pipeline.photos import jpeg_blocks, jpeg_file, jpeg_metadata, write
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError

SIDE = 203
X0, Y0, X1, Y1 = 70, 37, 121, 90
"""Where the photo is changed."""
KINDS = {
    "4:4:4": {"subsampling": 0},
    "4:2:2": {"subsampling": 1},
    "4:2:0": {"subsampling": 2},
    "progressive": {"progressive": True, "subsampling": 2},
    "optimised": {"optimize": True},
    "restarts": {"restart_marker_blocks": 3},
    "rgb": {"keep_rgb": True},
    "coarse": {"quality": 20},
    "grey": {"mode": "L"},
    "inks": {"mode": "CMYK"},
}


def scene() -> np.ndarray:
    """Smooth colours with an edge, and grain, uint8 [SIDE, SIDE, 3]."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    colours = np.stack((120 + 80 * np.sin(5 * x), 110 + 70 * np.cos(4 * y), 100 + 60 * x * y), -1)
    colours[y > 0.6] -= 35
    return (colours + np.random.default_rng(1).normal(0, 4, colours.shape)).round().clip(0, 255).astype(np.uint8)


def jpeg(path, mode="RGB", orientation=1, **options):
    exif = Image.Exif()
    exif.update({0x0112: orientation, 0x010F: "Maker"})
    Image.fromarray(scene()).convert(mode).save(path, **({"quality": 88, "exif": exif.tobytes()} | options))
    return path


def edited(photo) -> tuple[np.ndarray, np.ndarray]:
    """A photo with a soft dark spot, and where it differs."""
    y, x = np.mgrid[: photo.height, : photo.width]
    spot = np.exp(-(((x - 95) / 14) ** 2) - ((y - 63) / 14) ** 2)
    changed = (x >= X0) & (x < X1) & (y >= Y0) & (y < Y1)
    picture = (photo.pixels * (1 - 0.5 * (spot * changed)[..., None])).round().astype(np.uint8)
    return picture, changed


def touched(photo, picture) -> np.ndarray:
    """The pixels of MCUs in which something differs, and those to which the smoothing of their chroma reaches, as the
    file is stored: bool [H, W]."""
    differs = (photo.pixels != picture).any(2)
    rows, columns = np.nonzero(differs)
    reach = np.zeros_like(differs)
    reach[
        rows.min() // 16 * 16 : (rows.max() // 16 + 1) * 16, columns.min() // 16 * 16 : (columns.max() // 16 + 1) * 16
    ] = 1
    return np.pad(reach, 2, mode="edge")[:-4, 2:-2] | np.pad(reach, 2, mode="edge")[4:, 2:-2] | reach | (
        np.pad(reach, 2, mode="edge")[2:-2, :-4] | np.pad(reach, 2, mode="edge")[2:-2, 4:]
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_that_no_edit_touches_stay(tmp_path, kind):
    photo = read_photo(jpeg(tmp_path / "a.jpg", **KINDS[kind]))
    picture, changed = edited(photo)
    write.write_output(photo, picture, changed, tmp_path / "out.jpg")
    with Image.open(tmp_path / "a.jpg") as before, Image.open(tmp_path / "out.jpg") as after:
        old, new = np.asarray(before).astype(int), np.asarray(after).astype(int)
        assert after.mode == before.mode and after.quantization == before.quantization
        assert bool(after.info.get("progressive")) == bool(before.info.get("progressive"))
        assert [layer[1:3] for layer in after.layer] == [layer[1:3] for layer in before.layer]
    far = ~touched(photo, picture)
    assert far.mean() > 0.5 and np.array_equal(new[far], old[far])
    again = read_photo(tmp_path / "out.jpg").pixels.astype(int)
    error, size = np.abs(again - picture)[changed].mean(), np.abs(photo.pixels.astype(int) - picture)[changed].mean()
    assert error < (0.3 if kind == "coarse" else 0.12) * size
    assert (tmp_path / "out.jpg").stat().st_size < 1.05 * (tmp_path / "a.jpg").stat().st_size


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_edited_as_it_lies(tmp_path, orientation):
    photo = read_photo(jpeg(tmp_path / "a.jpg", orientation=orientation, subsampling=2))
    picture, changed = edited(photo)
    write.write_output(photo, picture, changed, tmp_path / "out.jpg")
    again = read_photo(tmp_path / "out.jpg")
    assert again.jpeg.orientation == orientation
    assert np.abs(again.pixels.astype(int) - picture)[changed].mean() < 1.5
    far = np.ones(changed.shape, bool)
    far[Y0 - 18 : Y1 + 18, X0 - 18 : X1 + 18] = False
    assert np.array_equal(again.pixels[far], photo.pixels[far])


def test_an_edit_that_changes_nothing_changes_nothing(tmp_path):
    photo = read_photo(jpeg(tmp_path / "a.jpg"))
    write.write_output(photo, photo.pixels, np.ones(photo.pixels.shape[:2], bool), tmp_path / "out.jpg")
    assert np.array_equal(read_photo(tmp_path / "out.jpg").pixels, photo.pixels)


def test_the_corner_of_a_photo(tmp_path):
    """Whose last blocks reach beyond it."""
    photo = read_photo(jpeg(tmp_path / "a.jpg", subsampling=2))
    picture, changed = photo.pixels.copy(), np.zeros(photo.pixels.shape[:2], bool)
    picture[-9:, -5:] = 200
    changed[-9:, -5:] = True
    write.write_output(photo, picture, changed, tmp_path / "out.jpg")
    again = read_photo(tmp_path / "out.jpg").pixels
    assert np.abs(again[-7:, -3:].astype(int) - 200).mean() < 25
    assert np.array_equal(again[:-20, :-20], photo.pixels[:-20, :-20])


def test_black_ink_that_changes_is_encoded_anew(tmp_path):
    photo = read_photo(jpeg(tmp_path / "a.jpg", mode="CMYK"))
    native = photo.native.copy()
    native[..., 3] = 90
    photo.native[...] = native  # a photo with black in it
    Image.fromarray(native, "CMYK").save(tmp_path / "black.jpg", quality=90)
    photo = read_photo(tmp_path / "black.jpg")
    picture, changed = photo.pixels.copy(), np.zeros(photo.pixels.shape[:2], bool)
    picture[Y0:Y1, X0:X1], changed[Y0:Y1, X0:X1] = 250, True  # lighter than its black lets it be
    write.write_output(photo, picture, changed, tmp_path / "out.jpg")
    assert (
        np.abs(read_photo(tmp_path / "out.jpg").pixels[Y0 + 8 : Y1 - 8, X0 + 8 : X1 - 8].astype(int) - 250).mean() < 4
    )


def test_without_the_library_it_is_encoded_anew(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jpeglib", None)
    photo = read_photo(jpeg(tmp_path / "a.jpg", orientation=6))
    picture, changed = edited(photo)
    write.write_output(photo, picture, changed, tmp_path / "out.jpg")
    again = read_photo(tmp_path / "out.jpg")
    assert np.abs(again.pixels.astype(int) - picture).mean() < 2


def test_what_it_says_stays_to_the_byte(tmp_path):
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = jpeg(tmp_path / "a.jpg", icc_profile=icc, comment="a comment", dpi=(300, 300))
    iptc = b"8BIM\x04\x04\0\0\0\0\0\x0a\x1c\x02\x50\0\x05Maria"
    segments = [(0xED, b"Photoshop 3.0\0" + iptc + b"\0"), (0xE5, b"a maker's own"), (0xEC, b"Ducky\0\1\0\4\0\0\0\x50")]
    insert(path, segments)
    photo = read_photo(path)
    picture, changed = edited(photo)
    without = write.write_output(photo, picture, changed, tmp_path / "out.jpg")
    before, after = (jpeg_file.parse((tmp_path / name).read_bytes()) for name in ("a.jpg", "out.jpg"))
    assert [s for s in after.header if s.is_about] == [s for s in before.header if s.is_about]
    assert len([s for s in after.header if s.is_about]) >= 7
    assert without == []


def insert(path, segments) -> None:
    """Put segments into a JPEG, after its first one."""
    file = jpeg_file.parse(path.read_bytes())
    added = tuple(jpeg_file.Segment(*segment) for segment in segments)
    header = b"".join(s.encoded() for s in (file.header[0], *added, *file.header[1:]))
    path.write_bytes(jpeg_file.SOI + header + file.scans + file.behind)


OLD = b"\xff\xd8\xff\xe0the old face\xff\xd9"
DEPTH = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"'
    b' xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/" GDepth:Data="the old face"/>'
)


@pytest.mark.parametrize(
    ("marker", "payload", "words"),
    [
        (0xE0, b"JFXX\0\x10" + OLD, "the thumbnail"),
        (0xE1, jpeg_metadata.XMP + DEPTH, "the depth map"),
        (0xE1, jpeg_metadata.EXTENDED_XMP + b"0" * 40 + OLD, "extended XMP"),
        (0xEB, b"JP\0\1\0\0\0\1" + OLD, "content credentials"),
        (
            0xED,
            b"Photoshop 3.0\0" + b"8BIM\x04\x0c\0\0" + struct.pack(">I", len(OLD) + 1) + OLD + b"\0\0",
            "the thumbnail",
        ),
    ],
    ids=["jfxx", "depth", "extended", "credentials", "photoshop"],
)
def test_what_shows_the_old_face_goes(tmp_path, marker, payload, words):
    path = jpeg(tmp_path / "a.jpg")
    insert(path, [(marker, payload)])
    assert b"the old face" in path.read_bytes()
    photo = read_photo(path)
    without = write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), tmp_path / "out.jpg")
    data = (tmp_path / "out.jpg").read_bytes()
    assert b"the old face" not in data and b"Maker" in data
    assert (b'xmp:Rating="4"' in data) == (b"Rating" in payload)
    assert [word for word in without if word.startswith(words)]


@pytest.mark.parametrize(
    ("behind", "words"), [(b"\0\0\0\x18ftypmp42", "the video"), (OLD, "further pictures"), (b"\0" * 64, None)]
)
def test_what_lies_behind_the_picture_goes(tmp_path, behind, words):
    path = jpeg(tmp_path / "a.jpg")
    with path.open("ab") as file:
        file.write(behind)
    photo = read_photo(path)
    without = write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), tmp_path / "out.jpg")
    assert jpeg_file.parse((tmp_path / "out.jpg").read_bytes()).behind == b""
    said = without
    assert said == [] if words is None else said[0].startswith(words)


def test_a_missing_end_marker_is_forgiven(tmp_path):
    whole = jpeg(tmp_path / "a.jpg").read_bytes()
    (tmp_path / "b.jpg").write_bytes(whole[:-2])
    photo = read_photo(tmp_path / "b.jpg")
    assert np.array_equal(photo.pixels, read_photo(tmp_path / "a.jpg").pixels)
    picture, changed = edited(photo)
    write.write_output(photo, picture, changed, tmp_path / "out.jpg")
    assert (tmp_path / "out.jpg").read_bytes().endswith(jpeg_file.EOI)
    for left in (0.3, 0.6, 0.9):
        (tmp_path / "cut.jpg").write_bytes(whole[: int(left * len(whole))])
        with pytest.raises(UserError, match="cut short or damaged"):
            read_photo(tmp_path / "cut.jpg")


def test_twelve_bits_are_refused_by_name(tmp_path):
    data = bytearray(jpeg(tmp_path / "a.jpg").read_bytes())
    frame = data.index(b"\xff\xc0")
    data[frame + 4] = 12
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(UserError, match="JPEG of 12 bits a sample"):
        read_photo(tmp_path / "a.jpg")


def test_the_transform_is_orthonormal():
    assert np.allclose(jpeg_blocks.DCT @ jpeg_blocks.DCT.T, np.eye(8))


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe0\0\x01", b"\xff\xd8\xff\xe0\0\x10JFIF", b"GIF89a"]
)
def test_what_is_no_jpeg(data):
    with pytest.raises(jpeg_file.DamagedJpeg):
        jpeg_file.parse(data)


def test_parts_make_the_whole(tmp_path):
    for options in ({}, {"progressive": True}, {"restart_marker_blocks": 2}):
        data = jpeg(tmp_path / "a.jpg", **options).read_bytes() + b"behind"
        file = jpeg_file.parse(data)
        assert jpeg_file.SOI + b"".join(s.encoded() for s in file.header) + file.scans + file.behind == data
        assert file.behind == b"behind" and len(file.components) == 3


def test_small_pictures(tmp_path):
    Image.fromarray(smooth()).save(tmp_path / "a.jpg", quality=90)
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.pixels.shape == (HEIGHT, WIDTH, 3) and photo.jpeg.file is not None


@pytest.mark.parametrize("ended", ["well", "badly"])
def test_the_library_leaves_nothing_of_the_photo(ended, tmp_path, monkeypatch):
    """It knows files alone. On Linux none of them holds anything that a kill would leave, elsewhere none that stays."""
    photo, folder = read_photo(jpeg(tmp_path / "a.jpg", subsampling=0)), tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    seen, add = [], jpeg_blocks._add

    def look(*given) -> None:
        seen.extend(path.is_symlink() for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
        add(*given)
        if ended == "badly":
            raise OSError("as the library's own")

    monkeypatch.setattr(jpeg_blocks, "_add", look)
    picture, changed = edited(photo)
    write.write_output(photo, picture, changed, tmp_path / "b.jpg")
    assert seen and list(folder.iterdir()) == []
    assert sys.platform != "linux" or all(seen)


def test_the_library_copies_into_no_file_that_stays(tmp_path, monkeypatch):
    """Which it does of its own, where it can't write (findings/jpeglib-leaves-files.sh)."""
    import jpeglib

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    photo = read_photo(jpeg(tmp_path / "a.jpg", subsampling=0))
    write_dct = jpeglib.DCTJPEG.write_dct
    monkeypatch.setattr(jpeglib.DCTJPEG, "write_dct", lambda self, path, **more: write_dct(self, "/nowhere/b", **more))
    picture, changed = edited(photo)
    write.write_output(photo, picture, changed, tmp_path / "b.jpg")  # encoded anew
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_lossless_jpeg_becomes_a_fine_one(tmp_path, mode):
    """It has no tables to be encoded with anew (SOF3). By default it becomes a PNG, which is lossless."""
    samples = np.asarray(Image.fromarray(scene()).convert(mode))
    (tmp_path / "a.jpg").write_bytes(imagecodecs.jpeg_encode(samples, lossless=True))
    photo = read_photo(tmp_path / "a.jpg")
    assert np.array_equal(photo.native, samples)
    picture, changed = edited(photo)
    write.write_output(photo, picture, changed, tmp_path / "out.jpg")
    Image.fromarray(picture).convert(mode).save(tmp_path / "fine.jpg", quality=95, subsampling=0)
    assert np.array_equal(read_photo(tmp_path / "out.jpg").native, read_photo(tmp_path / "fine.jpg").native)
    assert write.default_output(photo).name == "a-photodrag.png"

"""Camera raw files: told apart, developed, and what they say of the picture."""

import builtins
import io
import shutil
import struct
import subprocess
import sys

import numpy as np
import pytest
from dng import ASCII, BLACK, BYTE, PREVIEW, RATIONAL, SRATIONAL, WHITE, dng, mosaic
from pictures import noise, tiff
from PIL import Image, ImageCms

from photodrag.pipeline.photos import write
from photodrag.pipeline.photos.metadata import FINER
from photodrag.pipeline.photos.raw_metadata import NOTES, metadata_of_raw
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError

rawpy = pytest.importorskip("rawpy")
HEIGHT, WIDTH = 96, 128
UNDEFINED = 7
EXIF = {
    0x829A: (RATIONAL, [1, 125]),
    0x9003: (ASCII, b"2020:01:02 03:04:05\0"),
    0x927C: (UNDEFINED, b"notes that point somewhere"),
    0x9286: (UNDEFINED, b"UNICODE\0G\0r\0\xfc\0"),
    0xA001: (3, [65535]),
    0xA301: (UNDEFINED, b"\1"),
    0xA434: (ASCII, "Zoom 24–70 ü\0".encode()),
}
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:creator="me"/>'


def light(most=0.6) -> np.ndarray:
    """Linear light without hard edges; none of its corners is like another."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([x / WIDTH, y / HEIGHT, (x + 2 * y) / (WIDTH + 2 * HEIGHT)], -1) * most


def encoded(values: np.ndarray) -> np.ndarray:
    """As sRGB (IEC 61966-2-1)."""
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * np.maximum(values, 0) ** (1 / 2.4) - 0.055)


def read(tmp_path, data: bytes, name="a.dng"):
    (tmp_path / name).write_bytes(data)
    return read_photo(tmp_path / name)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", ["a.dng", "a.tif", "a"])
def test_it_is_developed_whatever_it_is_called(tmp_path, name, order):
    """The sensor's picture, not the preview; as bright as the light was, in sRGB, and neutral where that was."""
    photo = read(tmp_path, dng(mosaic(light()), order=order), name)
    assert photo.mode == "RGB;16" and photo.pixels.shape == (HEIGHT, WIDTH, 3) and PREVIEW < HEIGHT
    inside = np.abs(photo.native / 65535 - encoded(light()))[8:-8, 8:-8]
    assert inside.max() < 0.02 and inside.mean() < 0.005
    assert len(np.unique(photo.native)) > 1000 and photo.colours is None
    assert write.default_output(photo).name == ("a-photodrag.tif")


def test_brightness_does_not_depend_on_what_is_shown(tmp_path):
    dark, bright = (read(tmp_path, dng(mosaic(light(most)))).native / 65535 for most in (0.2, 0.8))
    assert np.abs(dark - encoded(light(0.2)))[8:-8, 8:-8].max() < 0.02
    assert np.abs(bright - encoded(light(0.8)))[8:-8, 8:-8].max() < 0.02


def test_a_dng_may_be_meant_to_be_brighter(tmp_path):
    photo = read(tmp_path, dng(mosaic(light(0.2)), t50730=(SRATIONAL, [1, 1])))
    assert np.abs(photo.native / 65535 - encoded(light(0.4)))[8:-8, 8:-8].mean() < 0.02


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_turned_once(tmp_path, orientation):
    plain = read(tmp_path, dng(mosaic(light()))).native.astype(int)
    photo = read(tmp_path, dng(mosaic(light()), orientation))
    across = plain.swapaxes(0, 1)
    turned = {
        **{1: plain, 2: plain[:, ::-1], 3: plain[::-1, ::-1], 4: plain[::-1]},
        **{5: across, 6: across[:, ::-1], 7: across[::-1, ::-1], 8: across[::-1]},
    }[orientation]
    assert photo.native.shape == turned.shape and np.abs(photo.native - turned).max() < 300
    exif = Image.Exif()
    exif.load(photo.metadata.exif)
    assert 0x0112 not in exif


@pytest.mark.parametrize("order", ["<", ">"])
def test_what_it_says_of_the_picture(tmp_path, order):
    gps = {1: (ASCII, b"N\0"), 2: (RATIONAL, [48, 1, 6, 1, 0, 1])}
    data = dng(mosaic(light()), 6, EXIF, order, t700=(BYTE, XMP), t33723=(BYTE, b"\x1c\2\x5a\0\1M"), gps=gps)
    photo = read(tmp_path, data)
    assert photo.metadata.dropped == (NOTES,) and photo.metadata.iptc == b"\x1c\2\x5a\0\1M"
    assert photo.metadata.xmp == XMP
    name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(photo.metadata.icc_profile)))
    assert name.strip() == "sRGB"
    unchanged = np.zeros(photo.pixels.shape[:2], bool)
    for suffix in ("tif", "jpg", "png"):
        out = tmp_path / f"out.{suffix}"
        left_out = write.write_output(photo, photo.pixels, unchanged, out)
        assert NOTES in left_out and (FINER in left_out) == (suffix == "jpg")
        with Image.open(out) as image:
            exif = image.getexif()
            details, places = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
        assert exif[0x010F] == "Maker" and "José".encode() in out.read_bytes() + photo.metadata.exif
        assert details[0x9003] == "2020:01:02 03:04:05" and details[0x829A] == 1 / 125 and details[0xA301] == b"\1"
        assert details[0xA001] == 1 and 0x927C not in details and details[0x9286].startswith(b"UNICODE")
        assert places[1] == "N" and places[2] == (48.0, 6.0, 0.0)
        assert b"notes that point somewhere" not in out.read_bytes() and np.array_equal(
            read_photo(out).pixels.shape, photo.pixels.shape
        )


def test_what_is_too_long_for_exif_goes_alone_and_is_told(tmp_path):
    """A comment of 70 kB, a title of 80 kB; the camera, the exposure and a long but fitting lens stay."""
    lens = b"Zoom " * 3000 + b"\0"
    details = EXIF | {0x9286: (UNDEFINED, b"ASCII\0\0\0" + b"ab" * 35_000), 0xA434: (ASCII, lens)}
    photo = read(tmp_path, dng(mosaic(light()), 6, details, t270=(ASCII, b"title " * 13_000 + b"\0")))
    words = ["EXIF's UserComment, which is too long", "EXIF's ImageDescription, which is too long"]
    assert sorted(photo.metadata.dropped) == sorted([NOTES, *words])
    left_out = write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), tmp_path / "out.jpg")
    assert set(words) < set(left_out)
    with Image.open(tmp_path / "out.jpg") as image:
        exif = image.getexif()
    assert exif[0x010F] == "Maker" and 0x010E not in exif
    kept = exif.get_ifd(0x8769)
    assert 0x9286 not in kept and kept[0x829A] == 1 / 125 and kept[0xA434] == lens[:-1].decode()


def test_a_sensor_of_one_colour(tmp_path):
    """Its grey becomes the same in all three samples, as bright as the light was."""
    grey = light()[..., :1].repeat(3, -1)
    seen = (grey[..., 0] * (WHITE - BLACK) + BLACK).round().astype(np.uint16)
    photo = read(tmp_path, dng(seen, of_one_colour=True))
    assert photo.mode == "RGB;16" and photo.native.shape == (HEIGHT, WIDTH, 3)
    assert np.array_equal(photo.native[..., 0], photo.native[..., 1])
    assert np.array_equal(photo.native[..., 0], photo.native[..., 2])
    assert np.abs(photo.native / 65535 - encoded(grey))[8:-8, 8:-8].max() < 0.02
    out = tmp_path / "out.tif"
    write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), out)
    assert np.array_equal(read_photo(out).native, photo.native)


@pytest.mark.skipif(not shutil.which("exiftool") or not shutil.which("exiv2"), reason="exiftool or exiv2 is not there")
def test_judges_read_what_it_says(tmp_path):
    photo = read(tmp_path, dng(mosaic(light()), 6, EXIF))
    write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), tmp_path / "out.jpg")
    told = subprocess.run(["exiftool", "-s", "-G1", tmp_path / "out.jpg"], capture_output=True, encoding="utf-8").stdout
    for said in ("José", "Zoom 24–70 ü", "1/125", "sRGB", "Directly photographed", "Grü"):
        assert said in told, said
    judged = subprocess.run(["exiv2", "-q", "-pt", tmp_path / "out.jpg"], capture_output=True, text=True)
    assert judged.returncode == 0 and not judged.stderr


def test_what_lies_in_it_is_read_to_the_end(tmp_path):
    """In a process of its own, for what was wrong ended it: LibRaw read the preview from memory that was let go."""
    (tmp_path / "a.dng").write_bytes(dng(np.tile(mosaic(light()), (6, 4))))
    script = (
        f"from photodrag.pipeline.photos.read import read_photo; print(read_photo({str(tmp_path / 'a.dng')!r}).mode)"
    )
    for _ in range(2):
        ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert (ran.returncode, ran.stdout) == (0, "RGB;16\n"), ran.stderr


def test_what_other_makers_have(tmp_path):
    """A JPEG that tells EXIF, where the file isn't a TIFF; Canon's boxes, a TIFF each."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Fuji", 6
    exif.get_ifd(0x8769)[0x9003] = "2020:01:02 03:04:05"
    Image.fromarray(noise(3)).save(tmp_path / "preview.jpg", exif=exif)
    (tmp_path / "a.raf").write_bytes(b"FUJIFILMCCD-RAW " + bytes(200))

    def box(kind, *parts):
        return struct.pack(">I", 8 + sum(map(len, parts))) + kind + b"".join(parts)

    details = b"II*\0" + struct.pack("<IHHHIIII", 8, 1, 0x9003, 2, 20, 26, 0, 0)[:-4] + b"2020:01:02 03:04:05\0"
    first = b"II*\0" + struct.pack("<IHHHI4sI", 8, 1, 0x010F, 2, 4, b"Can\0", 0)
    moov = box(b"moov", box(b"uuid", bytes(16), box(b"CMT1", first), box(b"CMT2", details)))
    (tmp_path / "a.cr3").write_bytes(box(b"ftyp", b"crx \0\0\0\1crx isom") + moov + box(b"mdat", bytes(50)))
    for name, maker in (("a.raf", "Fuji"), ("a.cr3", "Can")):
        with (tmp_path / name).open("rb") as file:
            metadata = metadata_of_raw(file, (tmp_path / "preview.jpg").read_bytes())
        kept = Image.Exif()
        kept.load(metadata.exif)
        assert kept[0x010F] == maker and 0x0112 not in kept, name
        assert kept.get_ifd(0x8769)[0x9003] == "2020:01:02 03:04:05"


def test_nothing_to_read(tmp_path):
    (tmp_path / "a.raf").write_bytes(b"FUJIFILMCCD-RAW " + bytes(200))
    with (tmp_path / "a.raf").open("rb") as file:
        assert metadata_of_raw(file, b"").dropped == ("EXIF, which can't be read",)


@pytest.mark.parametrize("name", ["a.CR2", "b.nef", "c.raf", "d.cr3", "e.orf"])
def test_files_that_are_none_end_in_a_sentence(tmp_path, name):
    starts = {"c": b"FUJIFILMCCD-RAW 0201", "d": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "e": b"IIRO\x08\0\0\0"}
    data = tiff(noise(3, dtype=np.uint16))
    data = starts[name[0]] + bytes(3000) if name[0] in starts else data
    with pytest.raises(UserError, match=rf"{name} is (damaged, or of a camera that is not known here|cut short)"):
        read(tmp_path, data, name)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.3, 0.7, 0.99, 0.997])
def test_cut_short(tmp_path, share):
    data = dng(mosaic(light()), 6, EXIF)
    with pytest.raises(UserError, match=r"a\.dng is (damaged|cut short|not a picture)"):
        read(tmp_path, data[: round(len(data) * share)])


def test_spoilt_ones(tmp_path):
    """Whatever stands in its directories, a sentence or a picture comes of it."""
    data = dng(mosaic(light()), 6, EXIF)
    rng = np.random.default_rng(0)
    for _ in range(60):
        spoilt = bytearray(data)
        spoilt[rng.integers(len(data) - 900, len(data))] = rng.integers(256)
        try:
            assert read(tmp_path, bytes(spoilt)).mode in ("RGB;16", "RGB", "RGBA")
        except UserError as error:
            assert "a.dng" in str(error)


def test_more_pixels_than_are_read(tmp_path):
    data = bytearray(dng(mosaic(light())))
    at = data.index(struct.pack("<HHII", 256, 4, 1, WIDTH))
    data[at + 8 : at + 12] = struct.pack("<I", 60_000)
    at = data.index(struct.pack("<HHII", 257, 4, 1, HEIGHT))
    data[at + 8 : at + 12] = struct.pack("<I", 60_000)
    with pytest.raises(UserError, match=r"a\.dng (says it is|is damaged|is cut short)"):
        read(tmp_path, bytes(data))


def test_without_the_extra_a_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    imported = builtins.__import__

    def missing(name, *arguments, **options):
        if name == "rawpy":
            raise ImportError(name)
        return imported(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UserError, match=r"a\.tif is a camera's raw file: pip install 'photodrag\[raw\]'"):
        read(tmp_path, dng(mosaic(light())), "a.tif")


def test_bytes_are_read_as_the_file_is(tmp_path):
    """As an upload comes: brightened as it says it is meant to be, and no preview, whatever it is called."""
    data = dng(mosaic(np.full((80, 96, 3), 0.2)), t50730=(10, [2, 1]))
    (tmp_path / "a.dng").write_bytes(data)
    expected = read_photo(tmp_path / "a.dng")
    for name in ("a.dng", "a.tif"):
        assert np.array_equal(read_photo(name, data).native, expected.native)

"""Reading and writing JPEG XL; imagecodecs, which has a libjxl of its own, is the judge."""

import builtins
import io
import struct

import numpy as np
import pytest
from pictures import HEIGHT, WIDTH, make, noise, smooth
from PIL import Image, ImageCms

from photodrag.pipeline.photos import write
from photodrag.pipeline.photos.colour_profile import matrix_profile
from photodrag.pipeline.photos.colours import PRIMARIES
from photodrag.pipeline.photos.jxl_boxes import orientation_of
from photodrag.pipeline.photos.metadata import FINER
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError

imagecodecs = pytest.importorskip("imagecodecs")
pylibjxl = pytest.importorskip("pylibjxl")
brotli = pytest.importorskip("brotli")
P3 = matrix_profile("Display P3", PRIMARIES[12])
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:creator="me"/>'


@pytest.mark.parametrize(("channels", "mode"), [((), "L"), ((2,), "LA"), ((3,), "RGB"), ((4,), "RGBA")])
def test_what_another_program_wrote(tmp_path, channels, mode):
    samples = noise(*channels)
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(samples, lossless=True))
    photo = read_photo(tmp_path / "a.jxl")
    assert photo.mode == mode and np.array_equal(photo.native, samples) and photo.metadata.dropped == ()
    suffix = ".png" if mode == "LA" else ".jxl"
    assert write.default_output(photo).name == f"a-photodrag{suffix}"


def test_16_bits_are_read_as_8_and_it_is_told(tmp_path):
    samples = noise(3, dtype=np.uint16)
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(samples, lossless=True))
    photo = read_photo(tmp_path / "a.jxl")
    assert photo.mode == "RGB" and np.abs(photo.native - samples / 257).max() < 1
    assert write.write_output(photo, photo.pixels, np.zeros((HEIGHT, WIDTH), bool), tmp_path / "b.jxl") == [FINER]


@pytest.mark.parametrize("name", ["rgb.png", "rgba.png", "grey.png"])
def test_it_is_written_without_loss(tmp_path, name):
    photo, out = read_photo(make(tmp_path / name)), tmp_path / "out.jxl"
    edited, inside = photo.pixels[::-1], np.zeros((HEIGHT, WIDTH), bool)
    inside[10:20, 15:40] = True
    write.check_output(out, photo)
    assert write.write_output(photo, edited, inside, out) == []
    judged = imagecodecs.jpegxl_decode(out.read_bytes())
    assert np.array_equal(judged[~inside], photo.native[~inside])
    shown = inside if photo.alpha is None else inside & (photo.alpha > 0)
    assert np.array_equal(np.atleast_3d(judged)[shown][:, :3], edited[shown][:, : 1 if photo.mode == "L" else 3])


def test_what_is_said_of_it_goes_along(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = 6, "José".encode()
    Image.fromarray(smooth()).save(tmp_path / "a.jpg", exif=exif, icc_profile=P3, xmp=XMP)
    photo = read_photo(tmp_path / "a.jpg")
    unchanged = np.zeros(photo.pixels.shape[:2], bool)
    assert write.write_output(photo, photo.pixels, unchanged, tmp_path / "out.jxl") == []
    again = read_photo(tmp_path / "out.jxl")
    assert again.metadata.icc_profile == P3 and again.metadata.xmp == XMP
    assert again.metadata.exif == photo.metadata.exif and "José".encode() in again.metadata.exif
    assert np.array_equal(again.pixels, photo.pixels)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_it_is_turned_once(tmp_path, orientation):
    """A JPEG of a phone, stored as JPEG XL: EXIF tells the turn, too, and how many pixels are stored."""
    exif = Image.Exif()
    exif[0x0112], exif[256], exif[257] = orientation, WIDTH, HEIGHT
    exif.get_ifd(0x8769).update({0xA002: WIDTH, 0xA003: HEIGHT})
    jpeg = io.BytesIO()
    Image.fromarray(smooth()).save(jpeg, "JPEG", exif=exif, quality=95, subsampling=0)
    (tmp_path / "a.jpg").write_bytes(jpeg.getvalue())
    (tmp_path / "a.jxl").write_bytes(pylibjxl.jpeg_to_jxl(jpeg.getvalue()))
    jpeg_photo, photo = (read_photo(tmp_path / f"a.{suffix}") for suffix in ("jpg", "jxl"))
    assert photo.pixels.shape == ((WIDTH, HEIGHT, 3) if orientation > 4 else (HEIGHT, WIDTH, 3))
    assert np.abs(photo.pixels.astype(int) - jpeg_photo.pixels).max() <= 4
    write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), tmp_path / "out.jxl")
    for said in (photo.metadata.exif, read_photo(tmp_path / "out.jxl").metadata.exif, jpeg_photo.metadata.exif):
        again = Image.Exif()
        again.load(said)
        details = again.get_ifd(0x8769)
        assert again[0x0112] == 1
        assert (details[0xA003], details[0xA002]) == (again[257], again[256]) == photo.pixels.shape[:2]


def with_box(jxl: bytes, kind: bytes, content: bytes) -> bytes:
    """A JPEG XL in a container with one more box, in front of the picture's."""
    start = 32  # signature and file type
    assert jxl[start - 4 : start] == b"jxl "
    return jxl[:start] + struct.pack(">I", 8 + len(content)) + kind + content + jxl[start:]


@pytest.mark.parametrize(("width", "height"), [(56, 40), (64, 40), (40, 40), (300, 9000), (33, 70_000)])
def test_the_header_is_read_whatever_the_size(width, height):
    """Which it tells in few bits or many, or as a ratio."""
    picture = np.zeros((height, width), np.uint8)
    for data in (imagecodecs.jpegxl_encode(picture, effort=1), pylibjxl.encode(picture, effort=1)):
        assert orientation_of(data) == 1
    exif = Image.Exif()
    for orientation in (2, 7) if height < 65_000 else ():
        exif[0x0112], jpeg = orientation, io.BytesIO()
        Image.fromarray(picture).save(jpeg, "JPEG", exif=exif)
        assert orientation_of(pylibjxl.jpeg_to_jxl(jpeg.getvalue())) == orientation


def test_what_is_compressed_in_it_is_unpacked_within_bounds(tmp_path):
    """Hundreds of megabytes of nothing go into a few kB."""
    resource = pytest.importorskip("resource")
    before = pylibjxl.encode(smooth(), lossless=True, exif=b"II*\0\x08" + bytes(9))
    assert b"brob" in before  # in the way of libjxl itself
    block = bytes(4) + b"II*\0\x08\0\0\0\0\0" + bytes(4)
    compressor, large = brotli.Compressor(quality=1), b""
    for _ in range(300):
        large += compressor.process(bytes(1_000_000))
    large += compressor.finish()
    assert len(large) < 100_000
    for inner, content, dropped in (
        (b"Exif", brotli.compress(block), ()),
        (b"xml ", brotli.compress(XMP), ()),
        (b"xml ", large, ("XMP of the JPEG XL that is compressed, and damaged or too large",)),
        (b"Exif", large[:-9], ("EXIF of the JPEG XL that is compressed, and damaged or too large",)),
        (b"Exif", b"no brotli", ("EXIF of the JPEG XL that is compressed, and damaged or too large",)),
    ):
        (tmp_path / "a.jxl").write_bytes(with_box(before, b"brob", inner + content))
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        photo = read_photo(tmp_path / "a.jxl")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most < 150_000  # kB on Linux
        assert photo.metadata.dropped == dropped and np.array_equal(photo.pixels, smooth())
        assert (photo.metadata.xmp == XMP) == (inner == b"xml " and not dropped)


def test_without_the_extra_a_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(noise(3)))
    photo = read_photo(make(tmp_path / "rgb.png"))
    imported = builtins.__import__

    def missing(name, *arguments, **options):
        if name == "pylibjxl":
            raise ImportError(name)
        return imported(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UserError, match=r"a\.jxl is JPEG XL: pip install 'photodrag\[jxl\]'"):
        read_photo(tmp_path / "a.jxl")
    with pytest.raises(UserError, match=r"out\.jxl: pip install 'photodrag\[jxl\]'"):
        write.check_output(tmp_path / "out.jxl", photo)


def test_damaged_ones(tmp_path):
    for data in (imagecodecs.jpegxl_encode(smooth()), pylibjxl.encode(smooth())):  # bare, and in a container
        for left in (12, 40, len(data) // 2, len(data) - 3):
            (tmp_path / "a.jxl").write_bytes(data[:left])
            with pytest.raises(UserError, match=r"a\.jxl is cut short or damaged"):
                read_photo(tmp_path / "a.jxl")


def test_more_pixels_than_are_read_are_known_by_the_header(tmp_path):
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(np.zeros((20_000, 20_000), np.uint8), effort=1))
    with pytest.raises(UserError, match="20,000 × 20,000"):
        read_photo(tmp_path / "a.jxl")


def test_a_profile_of_other_colours_is_left_out(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(smooth()[..., 0]).save(tmp_path / "grey.jpg", icc_profile=profile)
    photo = read_photo(tmp_path / "grey.jpg")
    left_out = write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), tmp_path / "out.jxl")
    assert np.array_equal(read_photo(tmp_path / "out.jxl").pixels, photo.pixels)
    assert left_out == ["the colour profile, which is none that a JPEG XL takes"]

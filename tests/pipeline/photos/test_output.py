"""Writing: outside the edit the file's own samples, inside the new colours; whole or not at all."""

import io
import os
import shutil
import stat
import subprocess
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from pictures import HEIGHT, WIDTH, kinds, make, noise, smooth, stored
from PIL import ExifTags, Image, ImageCms, JpegImagePlugin

from photodrag.pipeline.photos import encode, write
from photodrag.pipeline.photos.metadata import Metadata
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.read import read_photo
from photodrag.pipeline.photos.tiff import encode_tiff
from photodrag.weights import UserError

EDITED = smooth()[::-1, ::-1]
INSIDE = np.zeros((HEIGHT, WIDTH), bool)
INSIDE[10:20, 15:40] = True


def edit(photo: Photo) -> np.ndarray:
    """An edit that differs from the photo everywhere, most of it outside of what may change."""
    return np.resize(EDITED, photo.pixels.shape)


def colours(path) -> np.ndarray:
    """What an ordinary program shows: uint8 RGB."""
    with Image.open(path) as image:
        if image.mode.startswith("I"):
            return np.repeat(np.round(np.asarray(image)[..., None] / 257), 3, axis=2)
        return np.asarray(image.convert("RGB")).astype(float)


def lossless_outputs():
    for name, (mode, _) in kinds().items():
        suffix = name.rpartition(".")[2].replace("gif", "png")
        yield name, mode, suffix
        if suffix != "tif":
            yield name, mode, "tif"


@pytest.mark.parametrize(("name", "mode", "suffix"), list(lossless_outputs()))
def test_only_the_edit_differs(tmp_path, name, mode, suffix):
    photo, out = read_photo(make(tmp_path / name)), tmp_path / f"out.{suffix}"
    samples = kinds()[name][1]
    write.write_output(photo, edit(photo), np.zeros_like(INSIDE), out)
    assert np.array_equal(stored(out, mode), samples)

    write.write_output(photo, edit(photo), INSIDE, out)
    written = stored(out, mode)
    assert np.array_equal(written[~INSIDE], samples[~INSIDE])
    if mode in ("LA", "RGBA", "RGBA;16"):
        assert np.array_equal(written[..., -1], samples[..., -1])
    seen = INSIDE if photo.alpha is None else INSIDE & (photo.alpha > 0)  # what is hidden stays, too
    assert np.array_equal(written[INSIDE & ~seen], samples[INSIDE & ~seen])
    expected = edit(photo)[seen].astype(float)
    if mode.startswith("L"):
        expected = np.repeat(expected @ [[0.299], [0.587], [0.114]], 3, axis=1)
    shown = colours(out)[seen]
    assert np.abs(shown - expected).max() <= (2.01 if mode == "CMYK" else 1.01)
    assert np.abs(shown - photo.pixels[seen]).mean() > 20


@pytest.mark.parametrize("orientation", [3, 6])
@pytest.mark.parametrize("name", ["rgb.png", "rgb.tif", "rgba.webp", "grey16.tif", "rgb16.png", "rgb16.tif"])
def test_orientation_is_baked_in_once(tmp_path, name, orientation):
    photo, out = read_photo(make(tmp_path / name, orientation)), tmp_path / f"out-{name}"
    changed = np.zeros(photo.pixels.shape[:2], bool)
    write.write_output(photo, photo.pixels, changed, out)
    assert np.array_equal(stored(out, photo.mode), photo.native)
    assert read_photo(out).key == photo.key


def test_a_sample_changes_only_where_the_colour_does(tmp_path):
    """A feathered seam covers pixels in which the blend ends up at the old colour: nothing moves there."""
    for name in ("cmyk.tif", "rgb16.png", "grey16.png", "grey-alpha.png"):
        photo = read_photo(make(tmp_path / name))
        write.write_output(photo, photo.pixels.copy(), np.ones_like(INSIDE), tmp_path / "out.tif")
        assert np.array_equal(stored(tmp_path / "out.tif", photo.mode), kinds()[name][1])


def test_what_lies_below_an_8_bit_step_survives_an_edit(tmp_path):
    photo = read_photo(make(tmp_path / "rgb16.png"))
    edited = photo.pixels.copy()
    edited[INSIDE] = photo.pixels[INSIDE] // 2 + 40
    write.write_output(photo, edited, INSIDE, tmp_path / "out.png")
    written, samples = stored(tmp_path / "out.png", "RGB;16").astype(int), kinds()["rgb16.png"][1].astype(int)
    assert np.array_equal(written - 257 * edited.astype(int), samples - 257 * photo.pixels.astype(int))


def test_an_edit_of_cmyk_keeps_the_black(tmp_path):
    photo = read_photo(make(tmp_path / "cmyk.tif"))
    edited = photo.pixels // 2
    write.write_output(photo, edited, INSIDE, tmp_path / "out.tif")
    written = stored(tmp_path / "out.tif", "CMYK")
    assert np.array_equal(written[..., 3], photo.native[..., 3])  # a darker colour needs no less of it
    edited = np.full_like(photo.pixels, 255)
    write.write_output(photo, edited, INSIDE, tmp_path / "out.tif")
    assert (stored(tmp_path / "out.tif", "CMYK")[INSIDE] == 0).all()  # white has none


def test_tiffs_are_read_by_another_program(tmp_path):
    """OpenCV's own libtiff, since Pillow made the directory."""
    for name in ("rgb.tif", "grey.tif", "grey16.tif", "rgb16.tif", "rgba16.tif"):
        photo = read_photo(make(tmp_path / name))
        write.write_output(photo, photo.pixels, INSIDE, tmp_path / "out.tif")
        read = cv2.imread(str(tmp_path / "out.tif"), cv2.IMREAD_UNCHANGED)
        read = read if read.ndim == 2 else read[..., [2, 1, 0, 3][: read.shape[2]]]
        assert np.array_equal(read, kinds()[name][1])


def test_a_tall_tiff_has_several_strips(tmp_path):
    Image.fromarray(np.tile(noise(3), (9, 1, 1))).save(tmp_path / "a.tif")
    photo = read_photo(tmp_path / "a.tif")
    write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), tmp_path / "out.tif")
    assert np.array_equal(stored(tmp_path / "out.tif", "RGB"), photo.pixels)


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [35, 92])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_tables_and_subsampling_stay(tmp_path, subsampling, quality, progressive):
    options = {"quality": quality, "subsampling": subsampling, "progressive": progressive}
    Image.fromarray(smooth()).save(tmp_path / "a.jpg", **options)
    photo = read_photo(tmp_path / "a.jpg")
    write.write_output(photo, edit(photo), INSIDE, tmp_path / "out.jpg")
    with Image.open(tmp_path / "a.jpg") as before, Image.open(tmp_path / "out.jpg") as after:
        assert after.quantization == before.quantization
        assert JpegImagePlugin.get_sampling(after) == JpegImagePlugin.get_sampling(before) == subsampling
        assert after.info.get("progressive") == before.info.get("progressive")
        seen = np.asarray(after).astype(int)
    assert np.abs(seen - edit(photo))[12:18, 20:35].mean() < 25 < np.abs(photo.pixels - edit(photo).astype(int)).mean()
    assert np.abs(seen - photo.pixels)[24:].mean() < 3


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_jpegs_stay_so(tmp_path, mode):
    Image.fromarray(smooth()).convert(mode).save(tmp_path / "a.jpg", quality=80)
    photo = read_photo(tmp_path / "a.jpg")
    write.write_output(photo, photo.pixels, INSIDE, tmp_path / "out.jpg")
    with Image.open(tmp_path / "a.jpg") as before, Image.open(tmp_path / "out.jpg") as after:
        assert after.mode == mode and after.quantization == before.quantization
        assert np.abs(np.asarray(after).astype(int) - np.asarray(before)).max() <= 8


def test_other_files_become_fine_jpegs(tmp_path):
    for name in ("rgb.png", "rgb16.png", "grey16.png", "palette.png"):
        photo = read_photo(make(tmp_path / name))
        write.write_output(photo, photo.pixels, INSIDE, tmp_path / "out.jpeg")
        with Image.open(tmp_path / "out.jpeg") as image:
            assert image.format == "JPEG" and image.mode == ("L" if photo.mode == "L;16" else "RGB")
            assert max(table[0] for table in image.quantization.values()) <= 2  # quality 95
            if image.mode == "RGB":
                assert JpegImagePlugin.get_sampling(image) == 0


def test_transparency_is_not_lost_silently(tmp_path):
    photo = read_photo(make(tmp_path / "rgba.png"))
    for name in ("out.jpg", "out.bmp"):
        with pytest.raises(UserError, match=r"transparent.*\.png"):
            write.check_output(tmp_path / name, photo)
        with pytest.raises(UserError, match="transparent"):
            write.write_output(photo, photo.pixels, INSIDE, tmp_path / name)
    Image.fromarray(np.dstack([noise(3), np.full((HEIGHT, WIDTH), 255, np.uint8)])).save(tmp_path / "opaque.png")
    photo = read_photo(tmp_path / "opaque.png")
    write.write_output(photo, photo.pixels, INSIDE, tmp_path / "out.bmp")
    assert np.array_equal(stored(tmp_path / "out.bmp", "RGB"), photo.pixels)
    assert not (tmp_path / "out.jpg").exists()


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("source", ["a.jpg", "a.png", "a.tif", "a.webp"])
def test_metadata_survives(tmp_path, source, suffix):
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif.update({0x010F: "Maker", 0x0112: 8})
    exif.get_ifd(0x8769).update({0x9003: "2020:02:03 04:05:06", 0xA002: WIDTH, 0xA003: HEIGHT})
    exif.get_ifd(0x8825).update({1: "N", 2: (1.0, 2.0, 3.5)})
    Image.fromarray(smooth()).save(tmp_path / source, icc_profile=icc, exif=exif.tobytes(), dpi=(300, 300))
    photo, out = read_photo(tmp_path / source), tmp_path / f"out.{suffix}"
    write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), out)
    stays = source == "a.jpg" and suffix == "jpg"  # and is turned by whoever shows it, as before
    with Image.open(out) as image:
        assert image.size == ((WIDTH, HEIGHT) if stays else (HEIGHT, WIDTH))
        assert image.info["icc_profile"] == icc
        kept = image.getexif()
        assert kept[0x010F] == "Maker" and kept.get(0x0112, 1) == (8 if stays else 1)
        assert kept.get_ifd(0x8769)[0x9003] == "2020:02:03 04:05:06"
        assert (kept.get_ifd(0x8769)[0xA002], kept.get_ifd(0x8769)[0xA003]) == image.size
        assert kept.get_ifd(0x8825)[2] == (1.0, 2.0, 3.5)
        assert not kept.get_ifd(ExifTags.IFD.IFD1)
        if "webp" not in (suffix, source[2:]):
            assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_metadata_of_16_bit_colour_survives(tmp_path, suffix):
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = read_photo(make(tmp_path / "rgb16.png", 6))
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    metadata = Metadata(icc, exif.tobytes(), b"<x:xmpmeta>IDAT</x:xmpmeta>", (300.0, 300.0))
    photo = Photo(photo.path, photo.pixels, photo.mode, photo.native, metadata)
    out = tmp_path / f"out.{suffix}"
    write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), out)
    assert np.array_equal(stored(out, "RGB;16"), photo.native)
    with Image.open(out) as image:
        image.load()
        assert image.info["icc_profile"] == icc and image.getexif()[0x010F] == "Maker"
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert read_photo(out).metadata.xmp == metadata.xmp


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_xmp_survives_without_orientation(tmp_path, suffix):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" %s/>'
    xmp %= b'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:creator="me"'
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(smooth()).save(tmp_path / "a.jpg", xmp=xmp, exif=exif.tobytes())
    photo, out = read_photo(tmp_path / "a.jpg"), tmp_path / f"out.{suffix}"
    write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), out)
    again = read_photo(out)
    assert b'dc:creator="me"' in again.metadata.xmp
    assert (b"Orientation" in out.read_bytes().replace(b"\0", b"")) == (suffix == "jpg")  # which stays as it was stored
    assert again.pixels.shape == photo.pixels.shape


@pytest.mark.parametrize("suffix", ["webp", "avif", "jxl", "jpg", "tif", "png"])
@pytest.mark.parametrize("source", ["a.png", "a.jpg", "b.jpg", "a.tif"])
def test_the_resolution_goes_along(tmp_path, source, suffix):
    """Into EXIF, where a format has no other place for it; b.jpg has EXIF that tells none, a maker's notes in it."""
    if suffix == "jxl":
        pytest.importorskip("pylibjxl")
    exif, notes = Image.Exif(), b"notes that point somewhere"
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8769)[0x927C] = notes
    options = {"exif": exif.tobytes()} if source == "b.jpg" else {}
    Image.fromarray(smooth()).save(tmp_path / source, dpi=(300, 150), **options)
    photo, out = read_photo(tmp_path / source), tmp_path / f"out.{suffix}"
    assert write.write_output(photo, photo.pixels, np.zeros_like(INSIDE), out) == []
    again = Image.Exif()
    if suffix == "jxl":
        again.load(read_photo(out).metadata.exif)
    else:
        with Image.open(out) as image:
            again, told = image.getexif(), image.info.get("dpi")
            again.get_ifd(0x8769)
    if suffix in ("webp", "avif", "jxl"):
        told = again[282], again[283]
        assert again[296] == 2
    assert np.allclose([float(one) for one in told], (300, 150), rtol=1e-3)
    if options:
        details = photo.metadata.exif.index(notes)
        assert again[0x010F] == "Maker" and again.get_ifd(0x8769)[0x927C] == notes
        if suffix != "tif":
            written = read_photo(out).metadata.exif
            assert written[details:][: len(notes)] == notes  # where it was


def test_the_profile_of_inks_stays_with_the_inks(tmp_path):
    profile = b"\0" * 16 + b"CMYK" + b"\0" * 108
    Image.frombytes("CMYK", (WIDTH, HEIGHT), noise(4).tobytes()).save(tmp_path / "a.tif", icc_profile=profile)
    photo = read_photo(tmp_path / "a.tif")
    assert photo.metadata.icc_profile == profile
    for name, kept in (("out.tif", profile), ("out.jpg", profile), ("out.png", None)):
        write.write_output(photo, photo.pixels, INSIDE, tmp_path / name)
        with Image.open(tmp_path / name) as image:
            assert image.info.get("icc_profile") == kept


def test_more_metadata_than_a_jpeg_holds_does_not_stop_it(tmp_path):
    photo = read_photo(make(tmp_path / "rgb.png"))
    large = Metadata(None, b"Exif\0\0" + b"x" * 70_000, b"<x>" + b"x" * 70_000)
    photo = Photo(photo.path, photo.pixels, photo.mode, photo.native, large)
    write.write_output(photo, photo.pixels, INSIDE, tmp_path / "out.jpg")
    assert colours(tmp_path / "out.jpg").shape == photo.pixels.shape


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rgb.png", "rgb-photodrag.png"),
        ("rgb.webp", "rgb-photodrag.webp"),
        ("cmyk.tif", "cmyk-photodrag.tif"),
        ("palette.gif", "palette-photodrag.png"),
        ("rgba16.png", "rgba16-photodrag.png"),
    ],
)
def test_default_output(tmp_path, name, expected):
    assert write.default_output(read_photo(make(tmp_path / name))) == tmp_path / expected


def test_default_output_of_odd_names(tmp_path):
    Image.fromarray(smooth()).save(tmp_path / "a.JPG", "JPEG")
    Image.fromarray(smooth()).save(tmp_path / "b.mpo", "JPEG")
    Image.fromarray(noise(4)).save(tmp_path / "c.jpg", "PNG")
    names = [write.default_output(read_photo(tmp_path / name)).name for name in ("a.JPG", "b.mpo", "c.jpg")]
    assert names == ["a-photodrag.JPG", "b-photodrag.jpg", "c-photodrag.png"]


def test_check_refuses_and_leaves_no_trace(tmp_path):
    photo = read_photo(make(tmp_path / "rgb.png"))
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "link.png").symlink_to("rgb.png")
    os.link(tmp_path / "rgb.png", tmp_path / "hard.png")
    mask = make(tmp_path / "grey.png")
    before = sorted(tmp_path.iterdir())
    for name, reason in [
        ("out.gif", "extension|end its name in"),
        ("out", "end its name in"),
        ("folder.png", "folder"),
        ("missing/out.png", "does not exist"),
        ("rgb.png/out.png", "not a folder"),
        ("rgb.png", "edit is made from"),
        ("link.png", "edit is made from"),
        ("hard.png", "edit is made from"),
        ("grey.png", "edit is made from"),
        ("long" * 99 + ".png", "Could not write"),
    ]:
        with pytest.raises(UserError, match=reason) as caught:
            write.check_output(tmp_path / name, photo, inputs=[mask])
        assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)
    write.check_output(tmp_path / "out.png", photo, inputs=[mask])
    assert sorted(tmp_path.iterdir()) == before


def test_check_sweeps_out_what_killed_processes_left(tmp_path):
    photo = read_photo(make(tmp_path / "rgb.png"))
    for name, hours in {".old.photodrag-part": 25, ".new.photodrag-part": 23, "mine.photodrag-part": 99}.items():
        (tmp_path / name).write_bytes(b"half")
        then = time.time() - hours * 3600
        os.utime(tmp_path / name, (then, then))
    write.check_output(tmp_path / "out.png", photo)
    assert sorted(os.listdir(tmp_path)) == [".new.photodrag-part", "mine.photodrag-part", "rgb.png"]


def test_check_finds_an_unwritable_folder(tmp_path):
    photo = read_photo(make(tmp_path / "rgb.png"))
    shut = Path(tempfile.mkdtemp())  # not in tmp_path, into which only its owner may look
    shut.chmod(0o555)
    try:
        if os.geteuid() == 0:  # root may write anywhere: be somebody else
            os.seteuid(65534)
        with pytest.raises(UserError, match="permission"):
            write.check_output(shut / "out.png", photo)
        with pytest.raises(UserError, match="permission"):
            write.write_output(photo, photo.pixels, INSIDE, shut / "out.png")
    finally:
        os.seteuid(os.getuid())
        shut.rmdir()  # which takes an empty one


def test_webp_has_a_limit(tmp_path):
    Image.new("RGB", (16_500, 32)).save(tmp_path / "wide.png")
    photo = read_photo(tmp_path / "wide.png")
    with pytest.raises(UserError, match="16,383"):
        write.check_output(tmp_path / "out.webp", photo)


def test_an_older_output_is_replaced_and_a_new_one_has_usual_permissions(tmp_path):
    photo, out = read_photo(make(tmp_path / "rgb.png")), tmp_path / "out.png"
    before = os.umask(0o027)
    try:
        write.write_output(photo, photo.pixels, INSIDE, out)
    finally:
        os.umask(before)
    assert stat.S_IMODE(out.stat().st_mode) == 0o640
    write.write_output(photo, edit(photo), INSIDE, out)
    assert not np.array_equal(stored(out, "RGB"), photo.pixels)


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_an_interrupted_writing_leaves_nothing(tmp_path, monkeypatch, step):
    photo = read_photo(make(tmp_path / "rgb.png"))
    old = tmp_path / "old.png"
    old.write_bytes(b"an older result")

    def interrupt(*_):
        raise KeyboardInterrupt

    if step == "write":
        monkeypatch.setattr(encode, "_save", interrupt)
    else:
        monkeypatch.setattr(os, step, interrupt)
    for path in (old, tmp_path / "new.png"):
        with pytest.raises(KeyboardInterrupt):
            write.write_output(photo, edit(photo), INSIDE, path)
    assert old.read_bytes() == b"an older result"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.png", "rgb.png"]


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if not mount or os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk can't be mounted here: that takes root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(tmp_path, small_disk):
    Image.fromarray(np.tile(noise(3), (4, 4, 1)) ^ np.resize(noise(3, seed=3), (160, 224, 3))).save(tmp_path / "a.png")
    photo, out = read_photo(tmp_path / "a.png"), small_disk / "out.bmp"
    out.write_bytes(b"an older result")
    write.check_output(out, photo)
    for path in (out, small_disk / "new.bmp"):
        with pytest.raises(UserError, match="disk is full"):
            write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), path)
    assert out.read_bytes() == b"an older result" and [path.name for path in small_disk.iterdir()] == ["out.bmp"]


def test_arrays_must_fit(tmp_path):
    photo = read_photo(make(tmp_path / "rgb.png"))
    for edited, changed in [(photo.pixels[1:], INSIDE), (photo.pixels, INSIDE.T), (photo.pixels / 255, INSIDE)]:
        with pytest.raises(ValueError, match="fit"):
            write.write_output(photo, edited, changed, tmp_path / "out.png")


def test_what_a_tiffs_samples_mean_stays(tmp_path):
    """Transfer function, white point and primaries (TIFF 6.0, section 20), where the samples stay such samples."""
    curve = tuple(int(65535 * (level / 255) ** 1.8) for level in range(256)) * 3
    Image.fromarray(smooth()).save(tmp_path / "a.tif", tiffinfo={301: curve, 318: (0.3127, 0.329)})
    photo = read_photo(tmp_path / "a.tif")
    for mode, there in (("RGB", True), ("L", False)):
        picture = photo.pixels if mode == "RGB" else photo.pixels[..., 0]
        data = encode_tiff(mode, picture, photo.metadata, photo.tiff)
        with Image.open(io.BytesIO(data)) as image:
            assert (image.tag_v2.get(301) == curve) is there and image.tag_v2[318][0] == pytest.approx(0.3127)
    write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as image:
        assert image.getexif()[301] == curve

"""Reading: the pixels a person sees, for every kind of file, and one sentence for every file that is no photo."""

import base64
import os
import struct
import warnings

import cv2
import numpy as np
import pytest
from pictures import HEIGHT, WIDTH, kinds, make, noise, png, smooth, tiff
from PIL import ExifTags, Image, ImageCms, ImageFile, ImageOps

from photodrag.pipeline.photos.read import Bounds, read_photo
from photodrag.weights import UserError

# Where the stored picture's first pixel, first row's end and last row's start lie, as (row, column) ends (EXIF 2.3).
CORNERS = {
    1: ((0, 0), (0, -1), (-1, 0)),
    2: ((0, -1), (0, 0), (-1, -1)),
    3: ((-1, -1), (-1, 0), (0, -1)),
    4: ((-1, 0), (-1, -1), (0, 0)),
    5: ((0, 0), (-1, 0), (0, -1)),
    6: ((0, -1), (-1, -1), (0, 0)),
    7: ((-1, -1), (0, -1), (-1, 0)),
    8: ((-1, 0), (0, 0), (-1, -1)),
}
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    b' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    b' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/">'
    b'<rdf:Description tiff:Orientation="6" dc:creator="me"/>%s</x:xmpmeta>'
)


@pytest.mark.parametrize("name", list(kinds()))
def test_samples_are_the_files_own(tmp_path, name):
    photo = read_photo(make(tmp_path / name))
    mode, samples = kinds()[name]
    assert photo.mode == mode and photo.native.dtype == samples.dtype
    assert np.array_equal(photo.native, samples)
    assert photo.pixels.dtype == np.uint8 and photo.pixels.shape == (HEIGHT, WIDTH, 3)
    assert (photo.width, photo.height) == (WIDTH, HEIGHT)
    eight = np.round(samples / 257).astype(np.uint8) if samples.dtype == np.uint16 else samples
    if mode == "CMYK":
        ink = samples.astype(float)
        expected = (255 - ink[..., :3]) * (255 - ink[..., 3:]) / 255
        assert np.abs(photo.pixels - expected).max() <= 1
    elif mode[:1] == "L":
        grey = eight if eight.ndim == 2 else eight[..., 0]
        assert (photo.pixels == grey[..., None])[showing(photo)].all()
    else:
        assert np.array_equal(photo.pixels[showing(photo)], eight[..., :3][showing(photo)])
    if mode.split(";")[0] in ("LA", "RGBA"):
        assert np.array_equal(photo.alpha, eight[..., -1])
    else:
        assert photo.alpha is None


def showing(photo) -> np.ndarray:
    """Where there is something to see: bool [H, W]."""
    return np.ones(photo.pixels.shape[:2], bool) if photo.alpha is None else photo.alpha > 0


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_hidden_under_alpha_is_not_seen(tmp_path, mode):
    """A cut-out, with any colour where nothing shows: what is seen there is the nearest that shows."""
    picture = np.full((40, 50, 4), 200, np.uint8)
    picture[:, 30:] = (3, 3, 3, 0)
    picture[:, 29, 3] = 90
    Image.fromarray(picture).convert(mode).save(tmp_path / "a.png")
    photo = read_photo(tmp_path / "a.png")
    assert (photo.pixels == 200).all() and (photo.native[:, 30:, 0] == 3).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    "name", ["rgb.png", "rgba.webp", "rgb.tif", "palette.png", "grey16.png", "grey16.tif", "cmyk.tif"]
)
def test_every_orientation(tmp_path, name, orientation):
    photo = read_photo(make(tmp_path / name, orientation))
    _, samples = kinds()[name]
    first, row_end, last_row = CORNERS[orientation]
    assert np.array_equal(photo.native[first], samples[0, 0])
    assert np.array_equal(photo.native[row_end], samples[0, -1])
    assert np.array_equal(photo.native[last_row], samples[-1, 0])
    if name != "palette.png":
        # An open file, since Pillow maps the file of a path, and then turns 16-bit grey wrongly.
        with (tmp_path / name).open("rb") as file, Image.open(file) as image:
            assert np.array_equal(photo.native, np.asarray(ImageOps.exif_transpose(image)))
    assert photo.pixels.shape == ((WIDTH, HEIGHT, 3) if orientation >= 5 else (HEIGHT, WIDTH, 3))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["rgb16.png", "rgb16.tif", "rgb16-big.tif", "rgb16-deflate.tif", "rgba16.tif"])
def test_every_orientation_of_16_bit_colour(tmp_path, name, orientation):
    photo = read_photo(make(tmp_path / name, orientation))
    _, samples = kinds()[name]
    first, row_end, last_row = CORNERS[orientation]
    assert photo.native.dtype == np.uint16
    for place, corner in ((first, (0, 0)), (row_end, (0, -1)), (last_row, (-1, 0))):
        assert np.array_equal(photo.native[place], samples[corner])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_of_a_jpeg(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(smooth()).save(tmp_path / "a.jpg", exif=exif)
    photo = read_photo(tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as image:
        assert np.array_equal(photo.pixels, np.asarray(ImageOps.exif_transpose(image)))
        stored = np.asarray(image)
    assert np.array_equal(photo.pixels[CORNERS[orientation][1]], stored[0, -1])


def test_cmyk_and_ycck_jpegs(tmp_path):
    inks = np.dstack([smooth(), smooth()[..., 2] // 2])
    Image.frombytes("CMYK", (WIDTH, HEIGHT), inks.tobytes()).save(tmp_path / "cmyk.jpg", quality=98)
    photo = read_photo(tmp_path / "cmyk.jpg")
    assert photo.mode == "CMYK" and np.abs(photo.native.astype(int) - inks).max() < 12

    data = bytearray((tmp_path / "cmyk.jpg").read_bytes())
    adobe = data.index(b"Adobe")
    assert data[adobe + 11] == 0
    data[adobe + 11] = 2  # now the first three components count as YCC
    (tmp_path / "ycck.jpg").write_bytes(data)
    photo = read_photo(tmp_path / "ycck.jpg")
    with Image.open(tmp_path / "ycck.jpg") as image:
        assert np.array_equal(photo.pixels, np.asarray(image.convert("RGB")))
    assert photo.mode == "CMYK" and len(photo.jpeg.qtables) == 1


def test_several_pictures_in_a_jpeg_are_its_first(tmp_path):
    main, gain = Image.fromarray(smooth()), Image.fromarray(noise())
    main.save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=[gain])
    with Image.open(tmp_path / "phone.jpg") as image:
        assert image.n_frames == 2
    photo = read_photo(tmp_path / "phone.jpg")
    assert photo.mode == "RGB" and photo.jpeg is not None
    assert np.abs(photo.pixels.astype(int) - smooth()).mean() < 4


def test_key_is_that_of_the_pixels(tmp_path):
    keys = [read_photo(make(tmp_path / name)).key for name in ("rgb.png", "rgb.bmp", "rgb.tif", "rgb.webp")]
    assert len(set(keys)) == 1 and len(keys[0]) == 64
    Image.fromarray(noise(3).reshape(WIDTH, HEIGHT, 3)).save(tmp_path / "reshaped.png")
    other = noise(3)
    other[7, 7, 0] ^= 1
    Image.fromarray(other).save(tmp_path / "other.png")
    assert len({keys[0], *(read_photo(tmp_path / name).key for name in ("reshaped.png", "other.png"))}) == 3


def test_turned_file_and_turned_picture_share_a_key(tmp_path):
    Image.fromarray(np.rot90(noise(3), -1)).save(tmp_path / "upright.png")
    assert read_photo(make(tmp_path / "rgb.png", 6)).key == read_photo(tmp_path / "upright.png").key


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_metadata_is_kept_and_cleaned(tmp_path, suffix):
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif.update({0x010F: "Maker", 0x0112: 6})
    exif.get_ifd(0x8769).update({0xA002: WIDTH, 0xA003: HEIGHT, 0x9003: "2020:02:03 04:05:06"})
    exif.get_ifd(0x8825).update({1: "N", 2: (1.0, 2.0, 3.5)})
    options = {"icc_profile": icc, "exif": exif.tobytes(), "dpi": (300, 300)}
    Image.fromarray(smooth()).save(tmp_path / f"a.{suffix}", **options)
    photo = read_photo(tmp_path / f"a.{suffix}")
    assert photo.metadata.icc_profile == icc
    if suffix != "webp":
        assert photo.metadata.dpi == pytest.approx((300, 300), abs=0.1)
    kept = Image.Exif()
    kept.load(photo.metadata.exif)
    assert kept[0x010F] == "Maker" and kept.get(0x0112, 1) == 1 and 256 not in kept and 273 not in kept
    details = kept.get_ifd(0x8769)
    assert (details[0xA002], details[0xA003]) == (HEIGHT, WIDTH)  # turned with the picture
    assert details[0x9003] == "2020:02:03 04:05:06"
    assert kept.get_ifd(0x8825)[2] == (1.0, 2.0, 3.5)


def test_thumbnail_of_the_unedited_face_is_dropped(tmp_path):
    thumbnail = b"\xff\xd8the old face\xff\xd9"
    directory = struct.pack("<HHHIII", 1, 0x0112, 3, 1, 1, 26)  # one tag; the next directory follows at 26
    second = struct.pack("<HHHIIHHIII", 2, 0x0201, 4, 1, 56, 0x0202, 4, 1, len(thumbnail), 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + directory + second + thumbnail
    Image.fromarray(smooth()).save(tmp_path / "a.jpg", exif=exif)
    with Image.open(tmp_path / "a.jpg") as image:
        assert 0x0201 in image.getexif().get_ifd(ExifTags.IFD.IFD1)
    assert b"old face" not in (read_photo(tmp_path / "a.jpg").metadata.exif or b"")


def test_xmp_says_nothing_of_the_old_picture(tmp_path):
    thumbnail = b"<xmp:Thumbnails>%s</xmp:Thumbnails>" % base64.b64encode(b"the old face")
    Image.fromarray(smooth()).save(tmp_path / "a.jpg", xmp=XMP % thumbnail)
    Image.fromarray(smooth()).save(tmp_path / "gain.jpg", xmp=XMP % b'<a hdrgm:Version="1.0"/>')
    xmp = read_photo(tmp_path / "a.jpg").metadata.xmp
    assert b'dc:creator="me"' in xmp and b"Orientation" not in xmp and b"Thumbnails" not in xmp
    xmp = read_photo(tmp_path / "gain.jpg").metadata.xmp
    assert b'dc:creator="me"' in xmp and b"<a />" in xmp.replace(b"<a/>", b"<a />")


def test_damaged_exif_stops_nothing(tmp_path):
    Image.fromarray(smooth()).save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\x7fgarbage")
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.metadata.exif is None and photo.pixels.shape == (HEIGHT, WIDTH, 3)


def refusal(path) -> str:
    with pytest.raises(UserError) as caught:
        read_photo(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message and message.endswith(".") and caught.value.exit_code == 2
    return message


def test_missing_folder_empty_and_no_picture(tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("this is no picture at all, however long it is")
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (tmp_path / "drawing.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 50\n%%EndComments\n")
    os.mkfifo(tmp_path / "pipe.png")
    assert "no file" in refusal(tmp_path / "missing.jpg")
    assert "no file" in refusal(tmp_path / "no-folder" / "missing.jpg")
    assert "folder" in refusal(tmp_path)
    assert "empty" in refusal(tmp_path / "empty.jpg")
    assert "not a picture" in refusal(tmp_path / "text.jpg")
    assert "cut short or damaged" in refusal(tmp_path / "photo.heic")
    assert "drawing" in refusal(tmp_path / "drawing.eps")
    assert "regular" in refusal(tmp_path / "pipe.png")
    assert "cannot be read" in refusal(tmp_path / "text.jpg" / "inside.jpg")
    assert "cannot be read" in refusal(tmp_path / ("long" * 100 + ".jpg"))


@pytest.mark.parametrize(
    "name", ["rgb.png", "a.jpg", "rgb.tif", "rgb.webp", "rgb.bmp", "palette.gif", "rgb16.png", "rgb16.tif"]
)
def test_cut_short(tmp_path, name, monkeypatch):
    path = tmp_path / name
    Image.fromarray(smooth()).save(path) if name == "a.jpg" else make(path)
    data = path.read_bytes()
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # another library may have asked for lenience
    for keep in (0.1, 0.5, 0.9):
        path.write_bytes(data[: int(len(data) * keep)])
        assert any(word in refusal(path) for word in ("cut short", "damaged at its start"))
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_permission_denied(tmp_path):
    path = make(tmp_path / "rgb.png")
    path.chmod(0)
    if os.geteuid() != 0:
        assert "permission" in refusal(path)
        return
    try:  # root may read anything: be somebody else
        os.seteuid(65534)
        assert "permission" in refusal(path)
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("size", [(1, 1), (31, 500), (500, 31)])
def test_too_small_for_a_face(tmp_path, size):
    Image.new("RGB", size).save(tmp_path / "a.png")
    assert "too small" in refusal(tmp_path / "a.png") and f"{size[0]} × {size[1]}" in refusal(tmp_path / "a.png")


def test_decompression_bomb_is_known_by_its_header(tmp_path):
    (tmp_path / "bomb.png").write_bytes(png((8, 2), noise(3), size=(30_000, 30_000)))
    message = refusal(tmp_path / "bomb.png")
    assert "30,000 × 30,000" in message and "300 megapixels" in message


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp", "a.tif"])
def test_several_frames(tmp_path, name):
    frames = [Image.fromarray(noise(3, seed=seed)) for seed in range(3)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    assert f"3 {'pages' if name == 'a.tif' else 'frames'}" in refusal(tmp_path / name)


def test_a_thumbnail_page_is_no_second_page(tmp_path):
    small = Image.fromarray(noise(3, seed=1)).resize((20, 16))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    Image.fromarray(noise(3)).save(tmp_path / "a.tif", save_all=True, append_images=[small])
    with Image.open(tmp_path / "a.tif") as image:
        image.seek(1)
        assert image.tag_v2[254] == 1
    assert np.array_equal(read_photo(tmp_path / "a.tif").pixels, noise(3))


def test_samples_that_cannot_be_edited(tmp_path):
    Image.fromarray(noise().astype(np.float32)).save(tmp_path / "float.tif")
    Image.fromarray(noise().astype(np.int32) - 5).save(tmp_path / "negative.tif")
    Image.frombytes("LAB", (WIDTH, HEIGHT), noise(3).tobytes()).save(tmp_path / "lab.tif")
    (tmp_path / "premultiplied.tif").write_bytes(tiff(noise(4, dtype=np.uint16), extra=1))
    assert "floating-point" in refusal(tmp_path / "float.tif")
    assert "16 bits" in refusal(tmp_path / "negative.tif")
    assert "LAB" in refusal(tmp_path / "lab.tif")
    assert "16-bit colour" in refusal(tmp_path / "premultiplied.tif")


def test_reading_is_silent_and_leaves_pillow_as_it_was(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 99)  # Pillow alone would now refuse both
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_photo(make(tmp_path / "rgb.png"))
        read_photo(make(tmp_path / "rgb16.tif"))  # has a private tag, which OpenCV likes to mention
    assert capfd.readouterr() == ("", "")
    assert Image.MAX_IMAGE_PIXELS == 99


def planes(samples: np.ndarray, photometric: int, planar: int) -> bytes:
    """A TIFF of uint16 samples, in one strip, or one for each plane."""
    height, width = samples.shape[:2]
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    strips = [samples] if planar == 1 else list(np.moveaxis(samples, -1, 0))
    values = {256: [width], 257: [height], 258: [16] * channels, 259: [1], 262: [photometric], 277: [channels]}
    values |= {278: [height], 279: [strips[0].nbytes] * len(strips), 284: [planar]}
    values[273] = [8 + i * strips[0].nbytes for i in range(len(strips))]
    at = 8 + samples.nbytes + 2 + 12 * len(values) + 4
    entries, behind = b"", b""
    for tag, numbers in sorted(values.items()):
        packed = struct.pack(f"<{len(numbers)}I", *numbers)
        if len(numbers) > 1:
            packed, behind = struct.pack("<I", at + len(behind)), behind + packed
        entries += struct.pack("<HHI", tag, 4, len(numbers)) + packed
    data = b"".join(strip.astype("<u2").tobytes() for strip in strips)
    directory = struct.pack("<H", len(values)) + entries + bytes(4) + behind
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory


def test_grey_of_16_bits_whose_0_is_white(tmp_path):
    samples = noise(dtype=np.uint16)
    (tmp_path / "a.tif").write_bytes(planes(samples, 0, 1))
    assert np.array_equal(read_photo(tmp_path / "a.tif").native, 65535 - samples)
    (tmp_path / "b.tif").write_bytes(planes(samples, 1, 1))
    assert np.array_equal(read_photo(tmp_path / "b.tif").native, samples)


def test_colour_of_16_bits_in_planes(tmp_path):
    samples = noise(3, dtype=np.uint16)
    (tmp_path / "a.tif").write_bytes(planes(samples, 2, 2))
    photo = read_photo(tmp_path / "a.tif")
    assert photo.mode == "RGB;16" and np.array_equal(photo.native, samples)
    (tmp_path / "inks.tif").write_bytes(planes(noise(4, dtype=np.uint16), 5, 2))
    assert "16-bit colour in a way that cannot be kept" in refusal(tmp_path / "inks.tif")


@pytest.mark.parametrize("suffix", ["ppm", "jp2"])
def test_more_than_8_bits_of_other_formats(tmp_path, suffix):
    y, x = np.mgrid[:60, :80]
    samples = np.stack([x * 700 + y * 3, y * 900 + x, x * 300 + y * 400 + 77], -1).astype(np.uint16)
    samples[:4] = 65535
    cv2.imwrite(str(tmp_path / f"a.{suffix}"), samples[..., ::-1], [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000])
    photo = read_photo(tmp_path / f"a.{suffix}")
    assert photo.mode == "RGB;16" and np.array_equal(photo.native, samples)


def test_jpeg_2000_of_12_bits(tmp_path):
    import imagecodecs

    y, x = np.mgrid[:60, :80]
    samples = np.stack([x * 50, y * 60, x + y], -1).astype(np.uint16)
    (tmp_path / "a.jp2").write_bytes(imagecodecs.jpeg2k_encode(samples, level=0, bitspersample=12))
    photo = read_photo(tmp_path / "a.jp2")
    assert np.array_equal(photo.native, samples.astype(int) * 65535 // 4095)


def test_a_files_bytes_are_read_as_the_file_is(tmp_path):
    for name in ("rgb.png", "rgb16.tif", "rgba.webp", "cmyk.tif"):
        data, there = make(tmp_path / name).read_bytes(), read_photo(tmp_path / name)
        photo = read_photo(f"elsewhere/{name}", data)
        assert str(photo.path) == f"elsewhere/{name}" and photo.mode == there.mode
        assert np.array_equal(photo.native, there.native) and photo.metadata == there.metadata
    with pytest.raises(UserError, match=r"nothing\.png is empty"):
        read_photo("nothing.png", b"")


def test_bounds_are_one_matter_for_files_and_bytes(tmp_path):
    path = make(tmp_path / "rgb.png")
    with Image.open(path) as image:
        pixels = image.width * image.height
    assert read_photo(path, bounds=Bounds(pixels, path.stat().st_size)).width
    for data in (None, path.read_bytes()):
        with pytest.raises(UserError, match=r"rgb\.png says it is .* save a smaller copy"):
            read_photo(path, data, Bounds(pixels - 1))
        with pytest.raises(UserError, match=r"rgb\.png is larger than 0 MB: save a smaller copy"):
            read_photo(path, data, Bounds(size=path.stat().st_size - 1))


@pytest.mark.parametrize("kind", ["ICO", "IM", "XBM", "SPIDER", "FITS"])
def test_a_file_is_given_to_no_decoder_but_those_of_photos(kind, tmp_path):
    path = tmp_path / "photo.png"
    image = Image.new({"XBM": "1", "SPIDER": "F"}.get(kind, "RGB"), (64, 64))
    if kind == "FITS":
        path.write_bytes(b"".join(card.ljust(80).encode() for card in FITS_HEADER).ljust(2880) + bytes(64 * 64))
    else:
        other = path.with_suffix(f".{kind}")  # as which Pillow saves this ending from now on, where it is SPIDER
        image.save(other, kind)
        other.rename(path)
    with Image.open(path) as image:
        assert image.format == kind
    assert "not a picture of a known kind" in refusal(path)


FITS_HEADER = (
    "SIMPLE  =                    T",
    "BITPIX  =                    8",
    "NAXIS   =                    2",
    "NAXIS1  =                   64",
    "NAXIS2  =                   64",
    "END",
)

"""Reading and writing AVIF. libavif, in Pillow (8 bits) and imagecodecs, is the judge; containers of grids and turns
are made by hand, around frames that it encoded."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
from item_boxes import box, container
from pictures import smooth
from PIL import Image, ImageCms, ImageOps

from photodrag.pipeline.photos import item_file, png_file, write
from photodrag.pipeline.photos.clean_aperture import cropped
from photodrag.pipeline.photos.colour_profile import matrix_profile
from photodrag.pipeline.photos.colours import PRIMARIES
from photodrag.pipeline.photos.metadata import FINER
from photodrag.pipeline.photos.named_colours import UNTOLD
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError

P3 = matrix_profile("Display P3", PRIMARIES[12])
ALPHA = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"


def ramp(width=67, height=49, channels=3, bits=10) -> np.ndarray:
    """Without hard edges, and none of its corners like another."""
    y, x = np.mgrid[:height, :width]
    values = np.stack([x / width, y / height, (x + 2 * y) / (width + 2 * height), 1 - x / width / 2], -1)
    values = values[..., :channels] * (2**bits - 1)
    return (values[..., 0] if channels == 1 else values).astype(np.uint16)


def avif(samples: np.ndarray, bits=10, subsampling="444", **options) -> bytes:
    options = {"level": 95, "speed": 9, "pixelformat": subsampling} | options
    return imagecodecs.avif_encode(samples, bitspersample=bits, **options)


def encoded(samples: np.ndarray, *further: bytes, **options) -> tuple[bytes, bytes, list[bytes]]:
    """An item of a container."""
    file = item_file.parse(avif(samples, **options))
    properties = [box(kind, data) for kind, data in file.items[1].properties]
    return b"av01", file.content(1), [*properties, *further]


def read(tmp_path, data: bytes):
    (tmp_path / "a.avif").write_bytes(data)
    return read_photo(tmp_path / "a.avif")


@pytest.mark.parametrize("subsampling", ["444", "422", "420"])
@pytest.mark.parametrize(("channels", "mode"), [(3, "RGB;16"), (4, "RGBA;16")])
@pytest.mark.parametrize("bits", [10, 12])
def test_depth(tmp_path, bits, channels, mode, subsampling):
    for matrix in (1, 6, 9):
        data = avif(ramp(channels=channels, bits=bits), bits, subsampling, matrix=matrix)
        photo = read(tmp_path, data)
        judged = imagecodecs.avif_decode(data) * (65535 / (2**bits - 1))
        assert photo.mode == mode and photo.jpeg is None and photo.chunks is None
        assert np.abs(photo.native - judged).max() <= 0.51 * 65535 / (2**bits - 1) + 1  # it rounds to those bits
    assert len(np.unique(photo.native[..., 0])) > 60 and write.default_output(photo).suffix == ".png"


def test_grey_and_what_is_lossless(tmp_path):
    photo = read(tmp_path, avif(ramp(channels=1), subsampling="400", level=100))
    assert photo.mode == "L;16" and np.array_equal(photo.native, np.round(ramp(channels=1) * (65535 / 1023)))
    photo = read(tmp_path, avif(ramp(), matrix=0, level=100))  # green, blue and red as they are
    assert np.array_equal(photo.native, np.round(ramp() * (65535 / 1023)))


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("turn", [(), (1,), (2,), (3,), (1, 0), (0, 1), (None, 0), (None, 1)])
def test_it_is_turned_once(tmp_path, bits, turn):
    """As the container says, whatever EXIF does; libavif says what that is."""
    turns = [box(kind, bytes([n])) for kind, n in zip((b"irot", b"imir"), turn, strict=False) if n is not None]
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Jos\u00e9"
    block = bytes(4) + exif.tobytes()[6:]
    samples = ramp(bits=bits).astype(np.uint8 if bits == 8 else np.uint16)
    items = [encoded(samples, *turns, bits=bits), (b"Exif", block, [])]
    photo = read(tmp_path, container(items, [(b"cdsc", 2, [1])]))
    with Image.open(tmp_path / "a.avif") as image:
        assert np.abs(np.asarray(ImageOps.exif_transpose(image)).astype(int) - photo.pixels).max() <= (
            0 if bits == 8 else 4
        )
    kept = photo.metadata.exif.removeprefix(b"Exif\0\0")
    assert len(kept) == len(block) - 4  # patched where it stands
    again = Image.Exif()
    again.load(kept)
    assert again[0x0112] == 1


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("subsampling", ["444", "420"])
def test_a_grid(tmp_path, subsampling, bits):
    """Of 8 bits, which libavif puts together itself, the ramp's own samples are the judge."""
    whole, options = ramp(192, 128, bits=bits), {"subsampling": subsampling, "bits": bits}
    whole = whole.astype(np.uint8 if bits == 8 else np.uint16)
    tiles = [encoded(whole[y : y + 64, x : x + 64], **options) for y in (0, 64) for x in (0, 64, 128)]
    width, height = 170, 100
    size = box(b"ispe", struct.pack(">II", width, height), version=0)
    grid = (
        b"grid",
        bytes((0, 0, 1, 2)) + struct.pack(">HH", width, height),
        [size, *tiles[0][2][1:2], *tiles[0][2][3:]],
    )
    data = container([grid, *tiles], [(b"dimg", 1, range(2, 8))])
    photo = read(tmp_path, data)
    assert photo.native.shape == (height, width, 3)
    most = 2**bits - 1
    assert np.abs(photo.native / (65535 if bits > 8 else 255) - whole[:height, :width] / most).mean() < 0.004
    if bits > 8:
        inside = np.abs(photo.native - imagecodecs.avif_decode(data) * (65535 / most)).max((0, 2))
        assert np.median(inside) < 34


def aperture(width, height, right, low) -> bytes:
    """A crop; right, low: how far its middle is from the picture's, in halves of pixels."""
    return box(b"clap", struct.pack(">IIIIiIiI", width, 1, height, 1, right, 2, low, 2))


@pytest.mark.parametrize("bits", [8, 10])
def test_a_crop_is_applied_once_and_before_the_turn(tmp_path, bits):
    samples = ramp(bits=bits).astype(np.uint8 if bits == 8 else np.uint16)  # 67 × 49
    turn = box(b"irot", b"\3")
    whole = read(tmp_path, container([encoded(samples, bits=bits)]))
    photo = read(tmp_path, container([encoded(samples, aperture(40, 34, -3, 5), turn, bits=bits)]))
    assert np.array_equal(photo.native, np.rot90(whole.native[10:44, 12:52], -1))
    for crop in (aperture(40, 34, -2, 5), aperture(40, 34, 99, 5), box(b"clap", bytes(32))):
        with pytest.raises(UserError, match="damaged"):  # between pixels; beyond them; none
            read(tmp_path, container([encoded(samples, crop, bits=bits)]))
        with pytest.raises(item_file.DamagedItems):  # where the decoder lets it pass
            cropped(samples, crop[8:])


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("grid", [False, True])
@pytest.mark.parametrize(("transfer", "primaries"), [(16, 9), (18, 9), (1, 1)])
def test_colours_that_only_the_codec_names(tmp_path, bits, grid, transfer, primaries):
    """Without a box that names them, or beside one that says nothing: they stand in AV1's sequence header, too."""
    samples = ramp(64, 64, bits=bits).astype(np.uint8 if bits == 8 else np.uint16)
    kind, content, properties = encoded(samples, bits=bits, primaries=primaries, transfer=transfer, matrix=6)
    item = kind, content, [one for one in properties if b"nclx" not in one]
    assert len(item[2]) == len(properties) - 1
    items, references = [item], ()
    if grid:
        size = box(b"ispe", struct.pack(">II", 64, 64), version=0)
        items = [(b"grid", bytes(4) + struct.pack(">HH", 64, 64), [size]), item]
        references = [(b"dimg", 1, [2])]
    photo = read(tmp_path, container(items, references))
    if transfer == 1:
        assert photo.chunks is None and photo.colours is None
    else:
        named = read(tmp_path, container([(kind, content, properties)]))
        assert photo.chunks[0].data == bytes((primaries, transfer, 0, 1)) and photo.chunks == named.chunks
        assert np.array_equal(photo.srgb, named.srgb)
        nothing = box(b"colr", b"nclx", struct.pack(">HHHB", 2, 2, 6, 0x80))
        assert read(tmp_path, container([(*item[:2], [*item[2], nothing])])).chunks == named.chunks
        assert write.default_output(photo).suffix == ".png"


def test_how_bright_hdr_is_meant(tmp_path):
    """Goes into a PNG, in its units and order of colours; elsewhere it is told to be left out."""
    levels = box(b"clli", struct.pack(">HH", 1000, 400))
    green, blue, red, white = (8500, 39850), (6550, 2300), (35400, 14600), (15635, 16450)
    display = box(b"mdcv", struct.pack(">8HII", *green, *blue, *red, *white, 10_000_000, 50))
    about = [levels, display]
    photo = read(tmp_path, container([encoded(ramp(), *about, primaries=9, transfer=16, matrix=9)]))
    assert photo.metadata.dropped == ()
    nothing = np.zeros(photo.pixels.shape[:2], bool)
    assert write.write_output(photo, photo.pixels, nothing, tmp_path / "out.png") == []
    said = {chunk.kind: chunk.data for chunk in png_file.chunks((tmp_path / "out.png").read_bytes())}
    assert said[b"cLLI"] == struct.pack(">II", 10_000_000, 4_000_000)
    assert said[b"mDCV"] == struct.pack(">8HII", *red, *green, *blue, *white, 10_000_000, 50)
    ambient = box(b"amve", bytes(8))
    for further, colours in (([ambient], {"primaries": 9, "transfer": 16}), (about, {"primaries": 1, "transfer": 13})):
        photo = read(tmp_path, container([encoded(ramp(), *further, matrix=6, **colours)]))
        assert photo.metadata.dropped == (UNTOLD,)


@pytest.mark.parametrize(("transfer", "primaries"), [(16, 9), (18, 9), (16, 12)])
def test_hdr_goes_into_a_png_of_16_bits(tmp_path, transfer, primaries):
    """Which names the same colours; what looks at it sees it within sRGB's range, as of such a PNG."""
    photo = read(tmp_path, avif(ramp(), primaries=primaries, transfer=transfer, matrix=9))
    out = write.default_output(photo)
    write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), out)
    said = {chunk.kind: chunk.data for chunk in png_file.chunks(out.read_bytes())}
    assert said[b"cICP"] == bytes((primaries, transfer, 0, 1)) and b"iCCP" in said
    again = read_photo(out)
    assert np.array_equal(again.native, photo.native) and np.array_equal(again.srgb, photo.srgb)
    assert np.abs(photo.srgb.astype(int) - photo.pixels).mean() > 10


def test_named_colours_get_a_profile(tmp_path):
    for bits in (8, 10):
        samples = ramp(bits=bits).astype(np.uint8 if bits == 8 else np.uint16)
        photo = read(tmp_path, avif(samples, bits, primaries=12, transfer=13, matrix=6))
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(photo.metadata.icc_profile)))
        assert name.strip() == "Display P3" and photo.colours is not None
        assert read(tmp_path, avif(samples, bits, primaries=1, transfer=13, matrix=6)).metadata.icc_profile is None


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_an_avif_comes_out(tmp_path, mode):
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = 6, "Jos\u00e9".encode()
    picture = Image.fromarray(smooth()).resize((160, 120)).convert(mode)
    if mode == "RGBA":
        picture.putalpha(Image.fromarray(np.random.default_rng(0).integers(0, 256, (120, 160), np.uint8)))
    profile = {} if mode == "L" else {"icc_profile": P3}
    options = {"lossless": True} if mode == "RGBA" else {}
    source = tmp_path / ("a.webp" if mode == "RGBA" else "a.png")
    picture.save(source, exif=exif.tobytes(), **profile, **options)
    photo, out = read_photo(source), tmp_path / "out.avif"
    write.check_output(out, photo)
    edited, changed = photo.pixels.copy(), np.zeros(photo.pixels.shape[:2], bool)
    edited[30:60, 40:70], changed[30:60, 40:70] = 90, True
    assert write.write_output(photo, edited, changed, out) == []
    again = read_photo(out)
    assert photo.alpha is None or np.array_equal(again.alpha, photo.alpha)  # which has no loss, whatever colours have
    assert again.mode == mode and write.default_output(again).name == "out-photodrag.avif"
    shown = np.ones(edited.shape[:2], bool) if photo.alpha is None else photo.alpha > 0
    assert np.abs(again.pixels.astype(int) - edited)[shown].mean() < 1.5
    assert again.metadata.icc_profile == photo.metadata.icc_profile and "Jos\u00e9".encode() in again.metadata.exif
    file = item_file.parse(out.read_bytes())
    assert not file.items[1].property(b"irot") and file.items[1].property(b"av1C")[2] & 0x1C == (
        0x1C if mode == "L" else 0
    )


def test_what_is_finer_than_8_bits_is_told(tmp_path):
    photo = read(tmp_path, avif(ramp()))
    unchanged = np.zeros(photo.pixels.shape[:2], bool)
    assert write.write_output(photo, photo.pixels, unchanged, tmp_path / "out.avif") == [FINER]
    assert write.write_output(photo, photo.pixels, unchanged, tmp_path / "out.tif") == []


def test_heic_and_raw_are_not_written(tmp_path):
    photo = read(tmp_path, avif(ramp()))
    for name, instead in (("out.heic", r"\.avif"), ("out.HEIF", r"\.avif"), ("out.dng", r"\.tif")):
        with pytest.raises(UserError, match=f"{name}: .* is not written.*: end its name in {instead}"):
            write.check_output(tmp_path / name, photo)


@pytest.mark.parametrize("bits", [8, 10])
def test_damaged_ones(tmp_path, bits):
    data = avif(ramp(bits=bits).astype(np.uint8 if bits == 8 else np.uint16), bits)
    rng = np.random.default_rng(0)
    for left in (20, 60, 150, 250, len(data) - 200, len(data) - 1):
        with pytest.raises(UserError, match=r"a\.avif is (cut short or damaged|not a picture)"):
            read(tmp_path, data[:left])
    for _ in range(60):  # whatever stands there, a sentence or a picture comes of it
        spoilt = bytearray(data)
        spoilt[rng.integers(8, 300)] = rng.integers(256)
        try:
            read(tmp_path, bytes(spoilt))
        except UserError as error:
            assert "a.avif" in str(error)


def test_more_pixels_than_it_says(tmp_path):
    frame = encoded(ramp(640, 480))
    small = box(b"ispe", struct.pack(">II", 64, 48), version=0)
    properties = [small if b"ispe" in one else one for one in frame[2]]
    with pytest.raises(UserError, match="cut short or damaged"):
        read(tmp_path, container([(frame[0], frame[1], properties)]))


def test_hdr_of_8_bits_becomes_a_png_and_what_else_is_without_it_says_so(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)
    data = imagecodecs.avif_encode(picture, bitspersample=8, primaries=9, transfer=16, matrix=9, level=100)
    (tmp_path / "a.avif").write_bytes(data)
    photo = read_photo(tmp_path / "a.avif")
    assert write.default_output(photo).suffix == ".png"
    nothing = np.zeros(photo.pixels.shape[:2], bool)
    assert write.write_output(photo, photo.pixels, nothing, tmp_path / "out.png") == []
    for name in ("out.tif", "out.jpg", "out.avif"):
        assert any(
            "HDR's brightness" in one for one in write.write_output(photo, photo.pixels, nothing, tmp_path / name)
        )


def test_grey_hdr_becomes_a_png_that_names_its_curve_and_no_colours(tmp_path):
    grey = np.tile(np.arange(56, dtype=np.uint16) * 18, (40, 1))
    (tmp_path / "a.avif").write_bytes(
        imagecodecs.avif_encode(grey, bitspersample=10, primaries=9, transfer=16, matrix=9)
    )
    photo = read_photo(tmp_path / "a.avif")
    nothing = np.zeros(photo.pixels.shape[:2], bool)
    assert write.write_output(photo, photo.pixels, nothing, tmp_path / "out.png") == []
    kinds = {chunk.kind: chunk.data for chunk in png_file.chunks((tmp_path / "out.png").read_bytes())}
    assert kinds[b"cICP"][1] == 16 and b"iCCP" not in kinds

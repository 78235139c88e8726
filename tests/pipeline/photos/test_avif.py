"""Reading and writing AVIF. libavif, in Pillow (8 bits) and imagecodecs, is the judge; containers of grids and turns
are made by hand, around frames that it encoded."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
from pictures import smooth
from PIL import Image, ImageCms, ImageOps

from photodrag.pipeline.photos import item_file, png_file, write
from photodrag.pipeline.photos.colour_profile import matrix_profile
from photodrag.pipeline.photos.colours import PRIMARIES
from photodrag.pipeline.photos.metadata import FINER
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


def box(kind: bytes, *parts: bytes, version: int | None = None) -> bytes:
    body = (b"" if version is None else struct.pack(">I", version << 24)) + b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def container(items, references=(), primary=1) -> bytes:
    """items: kind, content and properties (as boxes) of each; references: what, from, to."""
    told = [box(b"infe", struct.pack(">HH", n, 0), i[0], b"\0", version=2) for n, i in enumerate(items, 1)]
    properties = [one for item in items for one in item[2]]
    associated, number = b"", 0
    for n, item in enumerate(items, 1):
        needed = (0x80 * (one[4:8] in (b"av1C", b"irot", b"imir")) for one in item[2])
        indices = bytes(number + i + bit for i, bit in enumerate(needed, 1))
        associated, number = associated + struct.pack(">HB", n, len(indices)) + indices, number + len(indices)
    iprp = box(b"iprp", box(b"ipco", *properties), box(b"ipma", struct.pack(">I", len(items)), associated, version=0))
    iref = box(
        b"iref",
        *(box(what, struct.pack(f">HH{len(to)}H", start, len(to), *to)) for what, start, to in references),
        version=0,
    )
    brands = box(b"ftyp", b"avif\0\0\0\0avifmif1miaf")
    size = 0
    for _ in range(2):  # the places depend on how long what tells them is
        places, at = b"", size
        for n, item in enumerate(items, 1):
            places += struct.pack(">HHHII", n, 0, 1, at, len(item[1]))
            at += len(item[1])
        meta = box(
            b"meta",
            box(b"hdlr", b"\0\0\0\0pict", bytes(13), version=0),
            box(b"pitm", struct.pack(">H", primary), version=0),
            box(b"iloc", b"\x44\0", struct.pack(">H", len(items)), places, version=0),
            box(b"iinf", struct.pack(">H", len(items)), *told, version=0),
            iprp,
            iref if references else b"",
            version=0,
        )
        size = len(brands) + len(meta) + 8
    return brands + meta + box(b"mdat", *(item[1] for item in items))


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


@pytest.mark.parametrize("subsampling", ["444", "420"])
def test_a_grid(tmp_path, subsampling):
    whole = ramp(192, 128)
    tiles = [encoded(whole[y : y + 64, x : x + 64], subsampling=subsampling) for y in (0, 64) for x in (0, 64, 128)]
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
    judged = imagecodecs.avif_decode(data) * (65535 / 1023)
    inside = np.abs(photo.native - judged).max((0, 2))
    assert np.median(inside) < 34 and np.abs(photo.native / 65535 * 1023 - whole[:height, :width]).mean() < 4


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
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
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

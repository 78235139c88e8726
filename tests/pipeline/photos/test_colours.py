"""What looks at a photo sees sRGB, whatever its file says of its colours; what is written stays in the file's own."""

import struct

import cv2
import numpy as np
import pytest
from pictures import noise, smooth
from PIL import Image, ImageCms

from photodrag.pipeline.photos import png_file, write
from photodrag.pipeline.photos.colour_profile import V, matrix_profile
from photodrag.pipeline.photos.colours import PRIMARIES, space_of
from photodrag.pipeline.photos.png_file import Chunk
from photodrag.pipeline.photos.read import read_photo

P3 = matrix_profile("P3", PRIMARIES[12])
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def linear(values: np.ndarray) -> np.ndarray:
    """sRGB's of 0 … 1 as light (IEC 61966-2-1)."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def encoded(light: np.ndarray) -> np.ndarray:
    light = light.clip(0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


TO_P3 = np.array([[0.8225, 0.1774, 0], [0.0332, 0.9669, 0], [0.0171, 0.0724, 0.9108]])
"""Linear sRGB to linear Display P3 (CSS Color 4's matrices)."""


def in_p3(picture: np.ndarray) -> np.ndarray:
    return (encoded(linear(picture / 255) @ TO_P3.T) * 255).round().astype(np.uint8)


def with_chunks(path, *chunks):
    path.write_bytes(png_file.with_chunks(path.read_bytes(), [Chunk(*chunk) for chunk in chunks]))
    return path


def far(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(int) - b).max())


@pytest.mark.parametrize("how", ["profile", "cICP", "cICP before a profile", "jpeg"])
def test_display_p3(tmp_path, how):
    picture = smooth()
    path = tmp_path / ("a.jpg" if how == "jpeg" else "a.png")
    profile = {"profile": P3, "jpeg": P3, "cICP": None, "cICP before a profile": SRGB}[how]
    options = {"quality": 100, "subsampling": 0} if how == "jpeg" else {}
    Image.fromarray(in_p3(picture)).save(path, icc_profile=profile, **options)
    if how.startswith("cICP"):
        with_chunks(path, (b"cICP", bytes((12, 13, 0, 1))))
    photo = read_photo(path)
    assert far(photo.pixels, in_p3(picture)) <= (3 if how == "jpeg" else 0)
    bright = (picture > 30).all(2)  # darker, a level of 8 bits is many
    assert (
        far(photo.srgb[bright], picture[bright])
        <= (12 if how == "jpeg" else 3)
        < far(photo.pixels[bright], picture[bright])
    )
    assert far(photo.from_srgb(photo.srgb)[bright], photo.pixels[bright]) <= 3


def test_what_is_srgb_is_looked_at_as_it_is(tmp_path):
    for name, profile in (("a.png", SRGB), ("b.png", None), ("c.png", b"no profile at all"), ("d.png", SRGB[:200])):
        Image.fromarray(noise(3)).save(tmp_path / name, icc_profile=profile)
        photo = read_photo(tmp_path / name)
        assert photo.colours is None and photo.srgb is photo.pixels
    assert space_of("L", SRGB) is None and space_of("CMYK", SRGB) is None


def test_light_of_16_bits(tmp_path):
    """As renderers write it: gAMA of 1."""
    light = np.repeat(np.linspace(0, 65535, 64, dtype=np.uint16)[None, :, None], 40, 0).repeat(3, 2)
    cv2.imwrite(str(tmp_path / "a.png"), light)
    photo = read_photo(with_chunks(tmp_path / "a.png", (b"gAMA", struct.pack(">I", 100_000))))
    assert far(photo.srgb[..., 1], encoded(photo.pixels[..., 1] / 255) * 255) <= 2
    assert photo.srgb[0, 10].mean() > 2 * photo.pixels[0, 10].mean()


def test_grey_of_another_curve(tmp_path):
    Image.fromarray(smooth()).convert("L").save(tmp_path / "a.png")
    photo = read_photo(with_chunks(tmp_path / "a.png", (b"gAMA", struct.pack(">I", 55_556))))  # 1.8, an old Macintosh's
    expected = encoded((photo.pixels / 255) ** 1.8) * 255
    assert far(photo.srgb, expected.round().astype(int)) <= 2


@pytest.mark.parametrize(("curve", "white"), [(16, 0.58), (18, 0.75)])
def test_hdr_is_shown_within_srgb(tmp_path, curve, white):
    """SDR's white, 203 cd/m² (ITU-R BT.2408), is bright, brighter light is brighter, and the deepest is black."""
    ramp = np.repeat((V[::64] * 255).round().astype(np.uint8)[None, :, None], 40, 0).repeat(3, 2)
    Image.fromarray(ramp).save(tmp_path / "a.png")
    photo = read_photo(with_chunks(tmp_path / "a.png", (b"cICP", bytes((9, curve, 0, 1)))))
    shown = photo.srgb[0, :, 0].astype(int)
    assert shown[0] == 0 and (np.diff(shown) >= 0).all() and shown[-1] > 250
    assert 170 < shown[round(white * len(shown))] < 215
    edited = photo.pixels.copy()
    write.write_output(photo, edited, np.zeros(edited.shape[:2], bool), tmp_path / "out.png")
    assert any(chunk.kind == b"cICP" for chunk in png_file.chunks((tmp_path / "out.png").read_bytes()))


@pytest.mark.parametrize("chunk", [(b"gAMA", b"\0\0\0\0"), (b"cHRM", bytes(32)), (b"cICP", b"\xff\xff\0\1")])
def test_nonsense_counts_as_nothing(tmp_path, chunk):
    Image.fromarray(noise(3)).save(tmp_path / "a.png")
    assert read_photo(with_chunks(tmp_path / "a.png", chunk)).colours is None
    other = with_chunks(tmp_path / "a.png", (b"gAMA", struct.pack(">I", 45_455)), (b"cHRM", bytes(32)))
    assert read_photo(other).colours is None

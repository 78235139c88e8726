"""CMYK photos whose profile says what their inks look like."""

import io
import struct

import numpy as np
import pytest
from pictures import HEIGHT, WIDTH, noise, smooth, stored
from PIL import Image, ImageCms

from photodrag.pipeline.photos import write
from photodrag.pipeline.photos.inks import inks_of
from photodrag.pipeline.photos.read import read_photo

PAPER = np.array([0.9642, 1.0, 0.8249])
THROUGH = np.array([[0.18, 0.28, 0.75], [0.48, 0.22, 0.30], [0.80, 0.85, 0.06], [0.02, 0.02, 0.02]])
"""How much of the paper's X, Y and Z goes through a full layer of cyan, magenta, yellow, black."""
SPREAD = 0.8
"""Below 1, a dot covers more than it should."""
STEPS = 9


def lab(inks: np.ndarray) -> np.ndarray:
    """L, a, b of inks 0 … 1, [..., 4]: what each lets through, one after the other (Demichel, Neugebauer; CIE 1976)."""
    xyz = PAPER.copy()
    for ink in range(4):
        cover = inks[..., ink, None] ** SPREAD
        xyz = xyz * (1 - cover + cover * THROUGH[ink])
    ratio = xyz / PAPER
    root = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def profile() -> bytes:
    """An output profile of these inks, from them to Lab alone (ICC.1:2001-04, lut16Type)."""
    steps = np.linspace(0, 1, STEPS)
    grid = np.stack(np.meshgrid(steps, steps, steps, steps, indexing="ij"), -1)
    codes = lab(grid) * [65280 / 100, 256, 256] + [0, 128 * 256, 128 * 256]
    straight = np.array([0, 65535], ">u2").tobytes()
    table = b"mft2\0\0\0\0" + bytes([4, 3, STEPS, 0]) + struct.pack(">9i", *(65536 * np.eye(3, dtype=int)).ravel())
    values = codes.round().clip(0, 65535).astype(">u2").tobytes()
    table += struct.pack(">HH", 2, 2) + straight * 4 + values + straight * 3
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in PAPER))
    words = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"inks\0" + bytes(78)
    tags, at, directory, data = {b"A2B0": table, b"A2B1": table, b"wtpt": white, b"desc": words}, 0, b"", b""
    at = 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        directory += name + struct.pack(">II", at + len(data), len(value))
        data += value + bytes(-len(value) % 4)
    header = struct.pack(">I4sI4s4s4s", at + len(data), bytes(4), 0x02400000, b"prtr", b"CMYK", b"Lab ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += struct.pack(">3i", *(round(value * 65536) for value in PAPER)) + bytes(48)
    return header + struct.pack(">I", len(tags)) + directory + data


PROFILE = profile()


def in_lab(pixels: np.ndarray) -> np.ndarray:
    """uint8 sRGB as L, a, b, by the formulas (IEC 61966-2-1; Bradford's to D50)."""
    v = pixels / 255
    light = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    to_d50 = [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
    ratio = light @ np.array(to_d50).T / PAPER
    root = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def picture() -> np.ndarray:
    """Inks [H, W, 4] as of a photo: less than half of each colour, black where it is dark."""
    return np.dstack([smooth() // 3, (smooth()[..., 0] // 3)[..., None]])


def saved(path):
    image = Image.frombytes("CMYK", (WIDTH, HEIGHT), picture().tobytes())
    image.save(path, icc_profile=PROFILE, **({"quality": 97, "subsampling": 0} if path.suffix == ".jpg" else {}))
    return read_photo(path)


INSIDE = np.zeros((HEIGHT, WIDTH), bool)
INSIDE[8:24, 16:40] = True


def test_it_is_seen_as_its_inks_look(tmp_path):
    photo = saved(tmp_path / "a.tif")
    expected = lab(picture() / 255)
    seen = in_lab(photo.srgb)
    far = np.linalg.norm(seen - expected, axis=-1)
    with Image.open(tmp_path / "a.tif") as image:
        plain = in_lab(np.asarray(image.convert("RGB")))
    assert np.median(far) < 3 and np.median(np.linalg.norm(plain - expected, axis=-1)) > 8
    assert photo.inks is not None and photo.colours is None


@pytest.mark.parametrize("suffix", ["tif", "jpg"])
def test_an_edit_is_made_of_the_same_inks(tmp_path, suffix):
    """Unchanged samples stay to the bit, new ones look as they should, and black stays where it can."""
    photo, out = saved(tmp_path / f"a.{suffix}"), tmp_path / f"out.{suffix}"
    edited = photo.pixels.astype(int)
    edited[INSIDE] = edited[INSIDE] * [0.9, 0.8, 0.7]
    edited = edited.astype(np.uint8)
    write.write_output(photo, edited, INSIDE, out)
    again = read_photo(out)
    if suffix == "tif":
        written = stored(out, "CMYK")
        assert np.array_equal(written[~INSIDE], photo.native[~INSIDE])
        assert np.array_equal(written[..., 3], photo.native[..., 3])
    else:  # whose blocks stay
        beyond = np.ones_like(INSIDE)
        beyond[8:24, 16:40] = False
        assert np.array_equal(again.native[beyond], photo.native[beyond])
    assert again.metadata.icc_profile == PROFILE
    off = np.abs(again.pixels.astype(int) - edited)[INSIDE]
    assert off.mean() < (2 if suffix == "tif" else 4) < np.abs(photo.pixels.astype(int) - edited)[INSIDE].mean()


def test_colours_that_black_is_in_the_way_of():
    inks = inks_of("CMYK", PROFILE)
    dark = np.tile(np.array([[30, 60, 90, 200]], np.uint8), (3, 1))
    wanted = np.array([[255, 255, 255], [200, 180, 170], [20, 18, 16]], np.uint8)
    found = inks.of(wanted, dark)
    assert np.abs(inks.shown(found).astype(int) - wanted).max() <= 6
    assert found[0, 3] < 20 and found[1, 3] < 120 and found[2, 3] > 200
    same = inks.of(inks.shown(dark), dark)
    assert np.array_equal(same, dark)


def test_a_small_change_is_one_of_the_inks():
    """So that a soft seam meets its surroundings."""
    inks, old = inks_of("CMYK", PROFILE), noise(4).reshape(-1, 4) // 2
    shown = inks.shown(old)
    new = inks.of(np.minimum(shown.astype(int) + 2, 255).astype(np.uint8), old)
    assert np.abs(new.astype(int) - old).max() <= 16 and (new != old).any()


def test_other_formats_get_the_colours_that_were_seen(tmp_path):
    photo = saved(tmp_path / "a.tif")
    left_out = write.write_output(photo, photo.pixels, INSIDE, tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as image:
        assert np.array_equal(np.asarray(image), photo.pixels) and "icc_profile" not in image.info
    assert left_out == ["the profile of other inks"]


def test_a_profile_of_nothing_counts_as_none(tmp_path):
    for bad in (b"no profile", PROFILE[:300], ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()):
        assert inks_of("CMYK", bad) is None
    assert inks_of("RGB", PROFILE) is None and inks_of("CMYK", None) is None
    assert ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(PROFILE))).strip() == "inks"

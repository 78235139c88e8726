"""Masks: white where the picture may change, whatever kind of file says so."""

import numpy as np
import pytest
from pictures import HEIGHT, WIDTH, make, noise
from PIL import Image

from photodrag.pipeline.photos.mask import read_mask
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError

BOX = np.zeros((HEIGHT, WIDTH), np.uint8)
BOX[5:15, 20:50] = 255
BOX[5:15, 20:22] = 51  # a soft edge: a fifth
EXPECTED = BOX / np.float32(255)


@pytest.fixture
def photo(tmp_path):
    return read_photo(make(tmp_path / "rgb.png"))


def pictures():
    grey = Image.fromarray(BOX)
    opaque, clear = np.full_like(BOX, 255), np.zeros_like(BOX)
    yield "grey", grey
    yield "rgb", grey.convert("RGB")
    yield "rgba", Image.fromarray(np.dstack([BOX, BOX, BOX, opaque]))
    yield "palette", grey.convert("P")
    yield "alpha-of-black", Image.fromarray(np.dstack([clear, clear, clear, BOX]))
    yield "alpha-of-white", Image.fromarray(np.dstack([opaque, opaque, opaque, BOX]))
    yield "16 bits", Image.fromarray(BOX.astype(np.uint16) * 257)
    yield "white on nothing", Image.fromarray(np.dstack([(BOX > 0) * opaque] * 3 + [BOX]))


@pytest.mark.parametrize(("kind", "image"), list(pictures()), ids=lambda value: value if isinstance(value, str) else "")
def test_kinds(tmp_path, photo, kind, image):
    image.save(tmp_path / "mask.png")
    mask = read_mask(tmp_path / "mask.png", photo)
    assert mask.dtype == np.float32 and mask.shape == (HEIGHT, WIDTH)
    assert mask == pytest.approx(EXPECTED, abs=1e-6)


def test_one_bit_and_colour(tmp_path, photo):
    Image.fromarray(BOX > 99).save(tmp_path / "mask.png")
    assert np.array_equal(read_mask(tmp_path / "mask.png", photo), BOX > 99)
    red = np.dstack([BOX, BOX * 0, BOX * 0])
    Image.fromarray(red).save(tmp_path / "red.png")
    assert read_mask(tmp_path / "red.png", photo) == pytest.approx(EXPECTED * 0.299, abs=0.002)


def test_a_mask_is_turned_as_its_own_exif_says(tmp_path, photo):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(BOX)).save(tmp_path / "mask.png", exif=exif)
    assert read_mask(tmp_path / "mask.png", photo) == pytest.approx(EXPECTED)


def test_white_means_everywhere(tmp_path, photo):
    Image.new("L", (WIDTH, HEIGHT), 255).save(tmp_path / "mask.png")
    assert (read_mask(tmp_path / "mask.png", photo) == 1).all()


def test_black_is_refused(tmp_path, photo):
    Image.new("1", (WIDTH, HEIGHT)).save(tmp_path / "mask.png")
    with pytest.raises(UserError, match=r"mask\.png is black throughout.*paint white"):
        read_mask(tmp_path / "mask.png", photo)


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (2 * WIDTH, 2 * HEIGHT), (1, 1)])
def test_another_size_is_refused_by_both_numbers(tmp_path, photo, size):
    Image.fromarray(noise()).resize(size).save(tmp_path / "mask.png")
    with pytest.raises(UserError) as caught:
        read_mask(tmp_path / "mask.png", photo)
    message = str(caught.value)
    assert f"{size[0]} × {size[1]}" in message and f"{WIDTH} × {HEIGHT}" in message and "mask.png" in message


def test_a_mask_that_cannot_be_read(tmp_path, photo):
    with pytest.raises(UserError, match="no file"):
        read_mask(tmp_path / "mask.png", photo)

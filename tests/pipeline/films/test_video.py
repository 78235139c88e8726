"""Videos: what they say of their colours, and that it is so; whole at every size; an encoder that fails says it."""

from dataclasses import replace
from io import BytesIO

import av
import cv2
import numpy as np
import pytest
from swatches import COLOURS, furthest, swatches

from photodrag.pipeline.films import video
from photodrag.pipeline.films.files import check_film, write_film
from photodrag.pipeline.films.video import bounded, encoded_video, even_sided
from photodrag.weights import Failure

SUFFIXES = ".mp4", ".webm"
NONSENSE = {".mp4": {"preset": "none-such"}, ".webm": {"deadline": "none-such"}}
"""What the encoders refuse."""
SHAPES = {"landscape": (128, 160), "portrait": (192, 128), "odd": (131, 99)}


@pytest.fixture(params=SUFFIXES)
def suffix(request) -> str:
    return request.param


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_another_reader_sees_all_of_it(tmp_path, suffix, shape):
    """OpenCV, with an FFmpeg of its own: every picture, the last one for a second, none a pixel smaller."""
    fields = swatches(*shape)
    shown = read(tmp_path, suffix, encoded_video([fields, fields[::-1, ::-1]], suffix))
    assert len(shown) == 2 + 20
    assert {picture.shape for picture in shown} == {(shape[0] + shape[0] % 2, shape[1] + shape[1] % 2, 3)}
    shown = [picture[: shape[0], : shape[1]] for picture in shown]
    assert all((furthest(picture) <= 5).all() for picture in (shown[0], *(last[::-1, ::-1] for last in shown[1:])))


def test_the_samples_are_those_of_bt_709(suffix):
    """Its own formula, in the narrow range, on what is stored: FFmpeg would take BT.601's matrix."""
    fields = swatches()
    y, cb, cr = stored(encoded_video([fields], suffix))
    wanted = np.stack(bt_709(COLOURS / 255.0), -1)
    height, width = fields.shape[:2]
    for plane, values in zip((y, cb, cr), wanted.T, strict=True):
        by = height // plane.shape[0]
        middles = plane[[height * n // 8 // by for n in (1, 3, 5, 7)]][:, [width * n // 8 // by for n in (1, 3, 5, 7)]]
        assert np.abs(middles.ravel() - values).max() <= 2


def test_an_mp4_says_so_in_its_header_and_in_its_stream():
    """ISO/IEC 14496-12, 12.1.5: primaries, curve, matrix, full range. The index comes before the pictures."""
    data = encoded_video([swatches()], ".mp4")
    at = data.index(b"colrnclx") + 8
    assert [int.from_bytes(data[at + 2 * n : at + 2 * n + 2], "big") for n in range(3)] == [1, 13, 1]
    assert data[at + 6] >> 7 == 0
    assert data.index(b"ftyp") < data.index(b"moov") < data.index(b"mdat")
    assert data[data.index(b"avcC") + 5] == 100  # High profile, of 4:2:0 and 8 bits


def test_a_webm_says_so_in_its_header():
    """RFC 9559, 5.1.4.1.28.16: Colour, with one byte each."""
    data = encoded_video([swatches()], ".webm")
    colour = data[data.index(b"\x55\xb0") :][:40]
    names = {"matrix": b"\x55\xb1", "range": b"\x55\xb9", "curve": b"\x55\xba", "primaries": b"\x55\xbb"}
    told = {name: colour[colour.index(tag) + 2 :][:2] for name, tag in names.items()}
    assert told == {"matrix": b"\x81\x01", "range": b"\x81\x01", "curve": b"\x81\x0d", "primaries": b"\x81\x01"}
    assert b"V_VP9" in data and b"webm" in data[:64]


def test_bounded():
    picture = np.zeros((1001, 3003, 3), np.uint8)
    assert bounded(picture, 1280).shape == (427, 1280, 3)
    assert even_sided(bounded(picture, 1280)).shape == (428, 1280, 3)
    assert bounded(picture[:99, :55], 640).shape == (99, 55, 3)


def test_an_odd_side_loses_no_pixel():
    picture = np.random.default_rng(0).integers(0, 256, (99, 55, 3), np.uint8)
    padded = even_sided(picture)
    assert padded.shape == (100, 56, 3) and np.array_equal(padded[:99, :55], picture)
    assert np.array_equal(padded[99], padded[98]) and np.array_equal(padded[:, 55], padded[:, 54])
    assert even_sided(picture[:98, :54]).shape == (98, 54, 3)


def test_an_encoder_that_fails_says_so(tmp_path, suffix, monkeypatch):
    monkeypatch.setitem(video.CODINGS, suffix, replace(video.CODINGS[suffix], options=NONSENSE[suffix]))
    old = tmp_path / f"film{suffix}"
    old.write_bytes(b"an older one")
    with pytest.raises(
        Failure, match=r"^Could not encode (H\.264|VP9): \S.*; take --gif or --frames instead\.$"
    ) as told:
        write_film([swatches()], video=old)
    assert told.value.exit_code == 1 and old.read_bytes() == b"an older one" and [*tmp_path.iterdir()] == [old]


def test_a_missing_encoder_is_told_before_the_work(tmp_path, monkeypatch, suffix):
    monkeypatch.setitem(video.CODINGS, suffix, video.Coding("H.265", "mp4", "none-such", {}))
    other = next(end for end in SUFFIXES if end != suffix)
    sentence = (
        f"This PyAV can't write H.265, as none-such is missing: take a name in {other}, or --gif or --frames instead."
    )
    with pytest.raises(Failure) as told:
        check_film(tmp_path / f"film{suffix}", None, None, [])
    assert str(told.value) == sentence and told.value.exit_code == 1


def read(folder, suffix: str, data: bytes) -> list[np.ndarray]:
    (folder / f"film{suffix}").write_bytes(data)
    capture, shown = cv2.VideoCapture(str(folder / f"film{suffix}")), []
    while (frame := capture.read())[0]:
        shown.append(frame[1][..., ::-1])
    return shown


def stored(data: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Y′ [H, W], Cb and Cr [H/2, W/2] of the first picture, as they are stored."""
    with av.open(BytesIO(data)) as container:
        frame = next(container.decode(video=0))
    assert frame.format.name == "yuv420p"
    values, (height, width) = frame.to_ndarray().ravel(), (frame.height, frame.width)
    cb, cr = values[height * width :].reshape(2, height // 2, width // 2).astype(float)
    return values[: height * width].reshape(height, width).astype(float), cb, cr


def bt_709(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ITU-R BT.709-6, 3.2 to 3.4: of values 0 … 1, [..., 3]."""
    red, green, blue = np.moveaxis(rgb, -1, 0)
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return 16 + 219 * y, 128 + 224 * (blue - y) / 1.8556, 128 + 224 * (red - y) / 1.5748

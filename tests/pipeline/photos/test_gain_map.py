"""Ultra HDR photos stay so. ultra_hdr.jpg, 128 × 96, was written by libultrahdr 1.4.0 (imagecodecs 2026.3.6): a light
near (86, 29) is six times as bright as a screen's white."""

import io
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from photodrag.pipeline.photos import gain_map, jpeg_file, jpeg_metadata, write
from photodrag.pipeline.photos.jpeg_file import Segment
from photodrag.pipeline.photos.read import read_photo

SAMPLE = Path(__file__).parent / "ultra_hdr.jpg"
SHIFT = 24
X0, Y0, X1, Y1 = 40, 4, 104, 60
"""Where the photo moves, by SHIFT to the left."""
DIRECTORY = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"
 xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1"
 xmlns:Container="http://ns.google.com/photos/1.0/container/"
 xmlns:Item="http://ns.google.com/photos/1.0/container/item/"><Container:Directory><rdf:Seq>
<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary" Item:Mime="image/jpeg"/></rdf:li>
<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="{0}"/>
</rdf:li>
<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="MotionPhoto" Item:Mime="video/mp4" Item:Length="24"/>
</rdf:li></rdf:Seq></Container:Directory></rdf:Description></rdf:RDF></x:xmpmeta>"""
VIDEO = b"\0\0\0\x18ftypmp42" + bytes(12)


def came_from(points: np.ndarray) -> np.ndarray:
    return np.tile([float(SHIFT), 0.0], (len(points), 1))


def moved(photo) -> tuple[np.ndarray, np.ndarray]:
    picture, changed = photo.pixels.copy(), np.zeros(photo.pixels.shape[:2], bool)
    picture[Y0:Y1, X0:X1] = photo.pixels[Y0:Y1, X0 + SHIFT : X1 + SHIFT]
    changed[Y0:Y1, X0:X1] = True
    return picture, changed


def light(data: bytes) -> np.ndarray:
    """What a bright screen shows, by libultrahdr: linear, 1 is white."""
    return imagecodecs.ultrahdr_decode(data)[..., :3].astype(float)


def test_the_light_goes_along(tmp_path):
    photo = read_photo(SAMPLE)
    without = write.write_output(photo, *moved(photo), tmp_path / "out.jpg", came_from=came_from)
    before, after = light(SAMPLE.read_bytes()), light((tmp_path / "out.jpg").read_bytes())
    inner = np.s_[Y0 + 8 : Y1 - 8, X0 + 8 : X1 - 16 - 8]
    expected = before[inner[0], X0 + 8 + SHIFT : X1 - 24 + SHIFT]
    assert expected.max() > 1.2  # the light itself
    assert np.abs(after[inner] - expected).mean() < 0.06 * expected.mean()
    assert np.abs(before[inner] - expected).mean() > 0.3 * expected.mean()
    assert np.array_equal(after[80:], before[80:]) and np.array_equal(after[:, :20], before[:, :20])
    assert without == []


def test_sizes_and_places_are_right(tmp_path):
    photo = read_photo(SAMPLE)
    write.write_output(photo, *moved(photo), tmp_path / "out.jpg", came_from=came_from)
    data = (tmp_path / "out.jpg").read_bytes()
    file = jpeg_file.parse(data)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "MPO" and image.n_frames == 2
        image.seek(1)
        assert image.size == (128, 96)
        first, second = image.mpinfo[0xB002]
    primary = len(data) - len(file.behind)
    assert first["Size"] == primary and second["Size"] == len(file.behind)
    assert data.index(b"MPF\0") + 4 + second["DataOffset"] == primary


def test_a_directory_in_xmp_tells_the_new_length(tmp_path):
    """As phones write it, a video behind it all, and no multi-picture index."""
    lights = gain_map.gain_map_of(jpeg_file.parse(SAMPLE.read_bytes()))
    file = jpeg_file.parse(SAMPLE.read_bytes())
    xmp = Segment(0xE1, jpeg_metadata.XMP + DIRECTORY.format(len(lights)).encode())
    about = (xmp, *(s for s in file.header if s.is_about and not s.payload.startswith(gain_map.MPF)))
    (tmp_path / "a.jpg").write_bytes(file.with_picture(file, about, lights + VIDEO))
    photo = read_photo(tmp_path / "a.jpg")
    without = write.write_output(photo, *moved(photo), tmp_path / "out.jpg", came_from=came_from)
    data = (tmp_path / "out.jpg").read_bytes()
    new = jpeg_file.parse(data)
    assert f'Item:Length="{len(new.behind)}"'.encode() in data and len(new.behind) != len(lights)
    assert b'"MotionPhoto"' not in data and b"GCamera:MotionPhoto" not in data and b"ftyp" not in data
    assert b'hdrgm:Version="1.0"' in data and data.count(b"<rdf:li") == 2 == data.count(b"</rdf:li>")
    words = without
    assert len(words) == 2 and all("video" in word for word in words)
    assert light(data).max() > 1.2


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turned_one(tmp_path, orientation):
    """Whose gain map lies as its picture does."""
    exif = b"Exif\0\0II*\0" + struct.pack("<IHHHIIH", 8, 1, 0x0112, 3, 1, orientation, 0) + bytes(4)
    file = jpeg_file.parse(SAMPLE.read_bytes())
    about = (Segment(0xE1, exif), *(s for s in file.header if s.is_about))
    (tmp_path / "a.jpg").write_bytes(file.with_picture(file, about, file.behind))
    photo = read_photo(tmp_path / "a.jpg")
    upright = write.samples.turned(light(SAMPLE.read_bytes()), orientation)
    picture, changed = photo.pixels.copy(), np.zeros(photo.pixels.shape[:2], bool)
    changed[20:-20, 20:-20] = True
    picture[20:-20, 20:-20] = photo.pixels[20:-20, 26:-14]
    write.write_output(
        photo, picture, changed, tmp_path / "out.jpg", came_from=lambda p: np.tile([6.0, 0.0], (len(p), 1))
    )
    after = write.samples.turned(light((tmp_path / "out.jpg").read_bytes()), orientation)
    expected = upright[28:-28, 34:-22]
    assert np.abs(after[28:-28, 28:-28] - expected).mean() < 0.25 * np.abs(upright[28:-28, 28:-28] - expected).mean()


def test_other_formats_are_without_and_say_so(tmp_path):
    photo = read_photo(SAMPLE)
    without = write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), tmp_path / "out.png")
    assert any("gain map" in word for word in without)


@pytest.mark.parametrize("lights", [True, False])
def test_a_video_stays_where_it_is_asked_for(tmp_path, lights):
    file = jpeg_file.parse(SAMPLE.read_bytes())
    behind = gain_map.gain_map_of(file) if lights else b""
    xmp = Segment(0xE1, jpeg_metadata.XMP + DIRECTORY.format(len(behind)).encode())
    about = (xmp, *(s for s in file.header if s.is_about and not s.payload.startswith(gain_map.MPF)))
    video = b"MotionPhoto_Data" + VIDEO + b"SEFH trailer SEFT"
    (tmp_path / "a.jpg").write_bytes(file.with_picture(file, about, behind + video))
    photo = read_photo(tmp_path / "a.jpg")
    without = write.write_output(photo, *moved(photo), tmp_path / "out.jpg", came_from=came_from, keep_video=True)
    data = (tmp_path / "out.jpg").read_bytes()
    assert data.endswith(video) and b'GCamera:MotionPhoto="1"' in data and b'"MotionPhoto" Item' in data
    assert (b'"GainMap"' in data) == lights == (not without)
    if lights:
        assert light(data).max() > 1.2

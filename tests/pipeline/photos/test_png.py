"""What a PNG says of its picture goes into the edited one, to the byte."""

import struct
import zlib

import numpy as np
import pytest
from pictures import HEIGHT, WIDTH, make, noise, smooth, stored
from PIL import Image

from photodrag.pipeline.photos import png_file, write
from photodrag.pipeline.photos.png_file import Chunk
from photodrag.pipeline.photos.read import read_photo

INSIDE = np.zeros((HEIGHT, WIDTH), bool)
INSIDE[10:20, 15:40] = True
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="3"/>'
SAID = (
    Chunk(b"cICP", bytes((12, 13, 0, 1))),
    Chunk(b"gAMA", struct.pack(">I", 45455)),
    Chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)),
    Chunk(b"pHYs", struct.pack(">IIB", 11811, 11811, 1)),
    Chunk(b"tEXt", b"Author\0Jos\xe9"),
    Chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a long one")),
    Chunk(b"iTXt", b"Title\0\0\0de\0Titel\0M\xc3\xa4dchen"),
    Chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
    Chunk(b"prVt", b"a private chunk that may be copied"),
)


def with_said(path, added=SAID):
    path.write_bytes(png_file.with_chunks(path.read_bytes(), added))
    return path


@pytest.mark.parametrize("name", ["rgb.png", "rgba.png", "grey.png", "rgb16.png", "grey16.png"])
def test_it_stays(tmp_path, name):
    photo = read_photo(with_said(make(tmp_path / name)))
    edited = photo.pixels.copy()
    edited[INSIDE] = 255 - edited[INSIDE]
    without = write.write_output(photo, edited, INSIDE, tmp_path / "out.png")
    kept = png_file.chunks((tmp_path / "out.png").read_bytes())
    assert tuple(chunk for chunk in kept if chunk.kind not in (b"IHDR", b"IEND")) == SAID
    assert np.array_equal(stored(tmp_path / "out.png", photo.mode)[~INSIDE], photo.native[~INSIDE])
    assert without == []


def test_exif_stays_but_for_its_orientation(tmp_path):
    exif = Image.Exif()
    exif.update({0x0112: 6, 0x013B: "Jos\xe9"})
    Image.fromarray(smooth()).save(tmp_path / "a.png", exif=exif.tobytes())
    photo = read_photo(tmp_path / "a.png")
    write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), tmp_path / "out.png")
    before, after = (
        next(chunk.data for chunk in png_file.chunks((tmp_path / name).read_bytes()) if chunk.kind == b"eXIf")
        for name in ("a.png", "out.png")
    )
    differ = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    assert len(differ) == 1 and (before[differ[0]], after[differ[0]]) == (6, 1)
    assert read_photo(tmp_path / "out.png").pixels.shape == photo.pixels.shape


def test_colours_of_ink_are_not_said_of_a_photo_that_has_become_another_kind(tmp_path):
    photo = read_photo(with_said(make(tmp_path / "grey.png")))
    write.write_output(photo, photo.pixels, INSIDE, tmp_path / "out.jpg")
    assert b"prVt" not in (tmp_path / "out.jpg").read_bytes()


def test_what_vouches_for_the_old_photo_goes(tmp_path):
    added = (Chunk(b"caBX", b"signed"), Chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"old face")))
    photo = read_photo(with_said(make(tmp_path / "rgb.png"), added))
    without = write.write_output(photo, photo.pixels, INSIDE, tmp_path / "out.png")
    kinds = [chunk.kind for chunk in png_file.chunks((tmp_path / "out.png").read_bytes())]
    assert kinds == [b"IHDR", b"IEND"]
    assert len(without) == 2


def test_compressed_xmp(tmp_path):
    packed = Chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP + b" " * 5000))
    (kept,), dropped = png_file.carried([packed], 1)
    assert XMP in kept.data and not dropped
    for damaged in (
        b"XML:com.adobe.xmp\0\1\0\0\0nonsense",
        b"XML:com.adobe.xmp\0\0\0",
        b"XML:com.adobe.xmp\0\0\0\0\0<x",
    ):
        kept, (words,) = png_file.carried([Chunk(b"iTXt", damaged)], 1)
        assert kept == () and words.startswith("XMP, which is damaged")


def test_a_chunk_of_noise_is_no_file():
    with pytest.raises(png_file.DamagedPng):
        png_file.chunks(noise(3).tobytes())

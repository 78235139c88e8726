"""No picture of the face as it was stays in a file, wherever programs are known to put one; damaged files go on being
edited."""

import hashlib
import struct
import zlib

import numpy as np
import pytest
from pictures import noise
from PIL import Image, TiffImagePlugin
from test_colours import P3, in_p3
from test_gain_map import SAMPLE, came_from, moved
from test_jpeg import insert, jpeg

from photodrag.pipeline.photos import jpeg_file, jpeg_metadata, photoshop, png_file, write
from photodrag.pipeline.photos.exif import PREFIX, THUMBNAIL, patched
from photodrag.pipeline.photos.iptc import PREVIEW as PREVIEW_OF_IPTC
from photodrag.pipeline.photos.read import read_photo

SECRET = b"the old face"
PREVIEW = b"\xff\xd8\xff\xe0\0\x10" + SECRET + bytes(2)
LONG, IFD, UNDEFINED, SHORT = 4, 13, 7, 3


def directory(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    packed = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return struct.pack("<H", len(entries)) + packed + struct.pack("<I", following)


def block(*parts: bytes) -> bytes:
    return b"II*\0\x08\0\0\0" + b"".join(parts)


@pytest.mark.parametrize("kind", [LONG, IFD])
@pytest.mark.parametrize("tags", [(0x201, 0x202), (273, 279), (324, 325)], ids=["jpeg", "strips", "tiles"])
@pytest.mark.parametrize("where", ["next", "below"])
def test_pictures_of_exif(kind, tags, where):
    size, second = len(PREVIEW), 8 + 2 + 12 * 2 + 4
    at = second + 2 + 12 * 2 + 4
    below = [(330, kind, 1, second)] if where == "below" else [(305, LONG, 1, 0)]
    first = directory((0x0112, SHORT, 1, 6), *below, following=second if where == "next" else 0)
    inner = directory((tags[0], LONG, 1, at), (tags[1], LONG, 1, size))
    left, words = patched(block(first, inner, PREVIEW), orientation=1)
    assert SECRET not in left and len(words) == 1


def test_a_preview_with_a_thumbnail_in_it():
    """The preview's own picture stands behind its thumbnail's end."""
    thumbnail = b"\xff\xd8\xff\xdb\0\x04ab\xff\xd9"
    preview = b"\xff\xd8\xff\xe1" + struct.pack(">H", 2 + len(thumbnail)) + thumbnail + b"\xff\xe4\0\x0e" + SECRET
    notes = b"Maker\0" + preview + b"\xff\xd9" + bytes(4)
    exif_at, notes_at = 8 + 2 + 12 + 4, 8 + 2 * (2 + 12 + 4)
    whole = block(directory((0x8769, LONG, 1, exif_at)), directory((0x927C, UNDEFINED, len(notes), notes_at)), notes)
    left, words = patched(whole)
    assert SECRET not in left and len(left) == len(whole) and left[notes_at : notes_at + 5] == b"Maker" and words


def test_a_link_to_nowhere_loses_nothing(tmp_path):
    exif = block(directory((0x0112, SHORT, 1, 6), following=0xFFFFFF))
    assert patched(exif, orientation=1)[0] == block(directory((0x0112, SHORT, 1, 1)))
    photo = read_photo(jpeg(tmp_path / "a.jpg", exif=PREFIX + exif))
    write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), tmp_path / "out.jpg")
    assert np.array_equal(read_photo(tmp_path / "out.jpg").pixels, photo.pixels)


def test_a_turn_is_told_though_the_rest_is_damaged(tmp_path):
    exif = block(directory((0x0112, SHORT, 1, 6), (0x8769, LONG, 1, 9999)))
    photo = read_photo(jpeg(tmp_path / "a.jpg", exif=PREFIX + exif))
    assert photo.jpeg.orientation == 6
    without = write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), tmp_path / "out.jpg")
    again = read_photo(tmp_path / "out.jpg")
    assert np.array_equal(again.pixels, photo.pixels) and without == ["EXIF, which is damaged"]


@pytest.mark.parametrize("payload", [b"SPMP" + PREVIEW, b"FLIR\0" + PREVIEW], ids=["a maker's", "a thermal camera's"])
def test_pictures_in_a_makers_segment(tmp_path, payload):
    path = jpeg(tmp_path / "a.jpg")
    insert(path, [(0xE4, payload)])
    photo = read_photo(path)
    without = write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), tmp_path / "out.jpg")
    assert SECRET not in (tmp_path / "out.jpg").read_bytes() and without == ["a picture in a segment of the maker's"]


def test_photoshops_other_signatures():
    def resource(signature: bytes, number: int, data: bytes) -> bytes:
        return signature + struct.pack(">HHI", number, 0, len(data)) + data + bytes(len(data) % 2)

    iptc, thumbnail = resource(b"8BIM", 0x0404, b"\x1c\x02\x50\0\x05Maria"), resource(b"8BIM", 0x040C, PREVIEW)
    kept, words = photoshop.without_thumbnails(resource(b"AgHg", 500, b"x") + thumbnail + iptc)
    assert SECRET not in kept and iptc in kept and words == [THUMBNAIL]
    kept, words = photoshop.without_thumbnails(iptc + b"????" + thumbnail)
    assert kept == iptc and words == [photoshop.UNREAD]


def data_set(record: int, number: int, content: bytes) -> bytes:
    size = struct.pack(">H", len(content)) if len(content) < 0x8000 else struct.pack(">HI", 0x8004, len(content))
    return bytes((0x1C, record, number)) + size + content


CITY = data_set(2, 90, "München".encode())
PREVIEWS = data_set(2, 200, b"\0\x0b") + data_set(2, 201, b"\0\1") + data_set(2, 202, SECRET * 4000)
AFTER = data_set(2, 116, b"Maria")


@pytest.mark.parametrize("target", ["jpg", "png", "tif"])
@pytest.mark.parametrize("source", ["jpg", "png", "png of resources", "tif", "tif of LONG", "tif of resources"])
def test_previews_of_iptc(tmp_path, source, target):
    records = CITY + PREVIEWS + AFTER
    digest = b"8BIM\x04\x25\0\0\0\0\0\x10" + hashlib.md5(records).digest()
    resources = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(records)) + records + bytes(len(records) % 2) + digest
    path = tmp_path / f"a.{source[:3]}"
    pixels = noise(3)
    if source == "jpg":
        jpeg(path)
        both = b"Photoshop 3.0\0" + resources
        insert(path, [(0xED, both[:40_000]), (0xED, b"Photoshop 3.0\0" + both[40_000:])])
    elif source.startswith("png"):
        what, held = ("8bim", resources) if "of" in source else ("iptc", records)
        text = f"Raw profile type {what}\0\0".encode()
        text += zlib.compress(f"\n{what}\n{len(held):8}\n{held.hex()}\n".encode())
        Image.fromarray(pixels).save(path)
        path.write_bytes(png_file.with_chunks(path.read_bytes(), [png_file.Chunk(b"zTXt", text)]))
    else:
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tag = 34377 if "resources" in source else 33723
        tags.tagtype[tag] = UNDEFINED
        tags[tag] = resources if tag == 34377 else records + bytes(-len(records) % 4)
        Image.fromarray(pixels).save(path, tiffinfo=tags)
        if "LONG" in source:  # as Photoshop of old has it
            long, data = len(tags[tag]) // 4, path.read_bytes()
            old = struct.pack("<HHI", tag, UNDEFINED, 4 * long)
            assert data.count(old) == 1
            path.write_bytes(data.replace(old, struct.pack("<HHI", tag, LONG, long)))
    assert SECRET in path.read_bytes() or "png" in source
    photo, out = read_photo(path), tmp_path / f"out.{target}"
    assert photo.metadata.iptc.rstrip(b"\0") == CITY + AFTER
    without = write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), out)
    assert PREVIEW_OF_IPTC in without
    again = read_photo(out)
    assert again.metadata.iptc.rstrip(b"\0") == CITY + AFTER and again.metadata.dropped == ()
    assert SECRET not in out.read_bytes()
    if "jpg" == source == target or (source == "tif of resources" and target == "tif"):
        assert hashlib.md5(CITY + AFTER).digest() in out.read_bytes()


def test_old_forms_in_a_png(tmp_path):
    added = [
        png_file.Chunk(
            b"zTXt", b"Raw profile type 8bim\0\0" + zlib.compress(b"\n8bim\n  20\n" + PREVIEW.hex().encode())
        ),
        png_file.Chunk(b"tEXt", b"XML:com.adobe.xmp\0" + SECRET),
        png_file.Chunk(
            b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(b"\niptc\n  5\n" + b"\x1c\x02P".hex().encode())
        ),
    ]
    kept, words = png_file.carried(added, 1)
    assert kept == (added[2],) and len(words) == 1


def test_strips_that_lie_over_each_other(tmp_path):
    """As who writes equal ones once does it: new strips don't."""
    row = noise(3)[:1].repeat(8, 0)
    samples = np.concatenate([row] * 5)
    values = {256: row.shape[1], 257: 40, 258: 8, 259: 1, 262: 2, 277: 3, 278: 8, 284: 1}
    count, data = 5, row.tobytes()
    behind = 8 + len(data)
    arrays = struct.pack("<10I", *[8] * count, *[len(data)] * count)
    entries = [(tag, LONG, 1, value) for tag, value in values.items()]
    entries += [(273, LONG, count, behind), (279, LONG, count, behind + 4 * count)]
    first = struct.pack("<I", behind + len(arrays))
    (tmp_path / "a.tif").write_bytes(b"II*\0" + first + data + arrays + directory(*entries))
    photo = read_photo(tmp_path / "a.tif")
    assert np.array_equal(photo.native, samples)
    picture, changed = noise(3, seed=3)[:40], np.ones((40, row.shape[1]), bool)
    write.write_output(photo, picture, changed, tmp_path / "out.tif")
    assert np.array_equal(read_photo(tmp_path / "out.tif").native, picture)


@pytest.mark.parametrize("lacks", [279, None])
def test_samples_that_a_tiff_does_not_tell_of(tmp_path, lacks):
    """Too few of them are told, or none: then nothing of the file is carried but what Pillow reads of it."""
    data = SECRET * 400
    values = {256: 40, 257: 40, 258: 8, 259: 1, 262: 2, 277: 3, 278: 40, 279: 40 * 40 * 3 - 600, 284: 1, 273: 8}
    entries = [(tag, LONG, 1, value) for tag, value in values.items() if tag != lacks]
    (tmp_path / "a.tif").write_bytes(b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory(*entries))
    photo = read_photo(tmp_path / "a.tif")
    everywhere = np.ones(photo.pixels.shape[:2], bool)
    write.write_output(photo, 255 - photo.pixels, everywhere, tmp_path / "out.tif")
    assert SECRET not in (tmp_path / "out.tif").read_bytes() and photo.tiff is None


def test_junk_between_segments(tmp_path):
    path = jpeg(tmp_path / "a.jpg")
    data = path.read_bytes()
    at = data.index(b"\xff\xdb")
    path.write_bytes(data[:at] + b"\0\0junk" + data[at:])
    photo = read_photo(path)
    write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), tmp_path / "out.jpg")
    assert np.array_equal(read_photo(tmp_path / "out.jpg").pixels, photo.pixels)


def test_a_damaged_gain_map_is_left_out(tmp_path):
    data = SAMPLE.read_bytes()
    file = jpeg_file.parse(data)
    cut = file.behind[: len(file.behind) // 2]
    (tmp_path / "a.jpg").write_bytes(data[: -len(file.behind)] + cut)
    photo = read_photo(tmp_path / "a.jpg")
    without = write.write_output(photo, *moved(photo), tmp_path / "out.jpg", came_from=came_from)
    assert without and "gain map" in without[0]
    assert jpeg_file.parse((tmp_path / "out.jpg").read_bytes()).behind == b""


def test_many_pictures_behind_one_take_no_time(tmp_path):
    path = jpeg(tmp_path / "a.jpg")
    tiny = b"\xff\xd8\xff\xc0\0\x0b\x08\0\x01\0\x01\x01\x01\x11\0\xff\xda\0\x02\xff\xd9"
    with path.open("ab") as file:
        file.write(tiny * 100_000)
    photo = read_photo(path)
    write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), tmp_path / "out.jpg")
    assert jpeg_metadata.carried(photo.jpeg.file)[1]


@pytest.mark.parametrize("suffix", ["jpg", "tif", "webp"])
def test_what_a_png_says_of_its_colours_becomes_a_profile(tmp_path, suffix):
    picture = np.full((40, 50, 3), (200, 90, 60), np.uint8)
    Image.fromarray(in_p3(picture)).save(tmp_path / "a.png")
    data = png_file.with_chunks((tmp_path / "a.png").read_bytes(), [png_file.Chunk(b"cICP", bytes((12, 13, 0, 1)))])
    (tmp_path / "a.png").write_bytes(data)
    photo = read_photo(tmp_path / "a.png")
    write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), tmp_path / f"out.{suffix}")
    again = read_photo(tmp_path / f"out.{suffix}")
    assert np.abs(again.srgb.astype(int) - picture).max() <= 3 < np.abs(again.pixels.astype(int) - picture).max()
    plain = photo.key
    Image.fromarray(in_p3(picture)).save(tmp_path / "b.png")
    assert read_photo(tmp_path / "b.png").key != plain
    Image.fromarray(in_p3(picture)).save(tmp_path / "c.png", icc_profile=P3)
    assert np.abs(read_photo(tmp_path / "c.png").srgb.astype(int) - picture).max() <= 3


def test_what_is_lost_where_a_jpeg_is_encoded_anew_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jpeglib", None)
    path = jpeg(tmp_path / "a.jpg", comment="a comment")
    insert(path, [(0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\x04abcd")])
    photo = read_photo(path)
    without = write.write_output(photo, photo.pixels, np.zeros(photo.pixels.shape[:2], bool), tmp_path / "out.jpg")
    assert without == ["the comment"]
    assert read_photo(tmp_path / "out.jpg").metadata.iptc == photo.metadata.iptc == b"abcd"

"""What is carried from file to file, by the word of exiftool and exiv2, as docs/files.md shows it.

Skipped where these programs are missing; .ci/run installs them."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from photodrag.pipeline.photos import write
from photodrag.pipeline.photos.read import read_photo

pytestmark = pytest.mark.skipif(
    not (shutil.which("exiftool") and shutil.which("exiv2")), reason="exiftool and exiv2 are not installed"
)
SAID = """
-EXIF:Artist=José Ñandú
-EXIF:Copyright=© Maria
-EXIF:LensModel=Zoom 24–70 ü
-EXIF:UserComment=Grüße aus Köln
-EXIF:Orientation#=6
-EXIF:ExifVersion=0232
-EXIF:SceneType#=1
-EXIF:InteropIndex=R98
-EXIF:SubSecTimeOriginal=12
-EXIF:DateTimeOriginal=2020:01:02 03:04:05
-EXIF:GPSLatitude=48.1
-EXIF:GPSLatitudeRef=N
-EXIF:GPSAltitude=500
-XMP:Rating=4
-XMP:Subject=Müller
-IPTC:CodedCharacterSet=UTF8
-IPTC:City=München
-IPTC:Keywords=a
-IPTC:Keywords=b
"""
OPTIONS = {
    "jpg": {"quality": 92, "dpi": (300, 300)},
    "webp": {"lossless": True},
    "png": {},
    "tif": {"dpi": (300, 300)},
    "avif": {"quality": 90},
    "jxl": {},
}
HOLD_IPTC = {"jpg", "png", "tif"}
LAYOUT = {
    *("ImageWidth", "ImageHeight", "BitsPerSample", "Compression", "PhotometricInterpretation", "StripOffsets"),
    *("SamplesPerPixel", "RowsPerStrip", "StripByteCounts", "PlanarConfiguration", "Predictor", "YCbCrPositioning"),
}
"""What says how samples are stored."""
FILES = {"File", "System", "ExifTool", "Composite", "PNG", "PNG-pHYs", "RIFF", "JFIF", "QuickTime", "Jpeg2000", "Meta"}
"""Groups of tags that speak of the file, not of the picture."""


def told(path) -> dict:
    """What exiftool reads of a picture, by group and name."""
    ran = subprocess.run(["exiftool", "-j", "-a", "-G1", "-n", path], capture_output=True, text=True, check=True)
    tags = json.loads(ran.stdout)[0]
    split = {key: key.partition(":") for key in tags}
    return {k: tags[k] for k, (group, _, name) in split.items() if group not in FILES and name and name not in LAYOUT}


@pytest.mark.parametrize("target", OPTIONS)
@pytest.mark.parametrize("source", OPTIONS)
def test_what_is_carried(tmp_path, source, target):
    path, out = tmp_path / f"a.{source}", tmp_path / f"out.{target}"
    pixels = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    if "jxl" in (source, target):
        pylibjxl = pytest.importorskip("pylibjxl")
    if source == "jxl":
        path.write_bytes(pylibjxl.encode(pixels, exif=b"II*\0\x08" + bytes(9)))
    else:
        Image.fromarray(pixels).save(path, **OPTIONS[source])
    arguments = tmp_path / "arguments"
    arguments.write_text(SAID)
    writing = ["exiftool", "-q", "-overwrite_original", "-charset", "iptc=UTF8", "-@", arguments, path]
    subprocess.run(writing, capture_output=True, check=True)
    photo = read_photo(path)
    picture, changed = photo.pixels.copy(), np.zeros(photo.pixels.shape[:2], bool)
    picture[30:60, 40:70], changed[30:60, 40:70] = 0, True
    without = write.write_output(photo, picture, changed, out)

    before, after = told(path), told(out)
    differ = {key for key in before | after if before.get(key) != after.get(key)}
    iptc = {key for key in before if key.startswith("IPTC:")}
    resolution = {f"IFD0:{name}" for name in ("XResolution", "YResolution", "ResolutionUnit")}
    same = source == target
    assert len(before) > 15 and bool(iptc) == (source in HOLD_IPTC)
    lost = set() if target in HOLD_IPTC else iptc
    assert differ - resolution == lost | (set() if source == target == "jpg" else {"IFD0:Orientation"})
    assert not same or not differ & resolution
    assert without == ([f"IPTC, which no {target.upper()} holds"] if lost else [])
    judged = subprocess.run(["exiv2", "-q", "-pt", out], capture_output=True, text=True)
    assert judged.returncode == 0 and not judged.stderr and b"Jos\xc3\xa9" in out.read_bytes()

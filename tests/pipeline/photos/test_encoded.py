"""Pictures that are shown say that they are sRGB: read by hand, and by exiftool where it is there."""

import json
import shutil
import subprocess
import time
from io import BytesIO

import numpy as np
import pytest
from colour_tags import png_kinds, profile_of, says_srgb
from pictures import noise
from PIL import Image

from photodrag.pipeline.photos.colour_profile import matrix_profile
from photodrag.pipeline.photos.encoded import encoded

P3 = matrix_profile("P3", (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_pictures_are_srgb(kind):
    data = encoded(noise(3), kind)
    assert says_srgb(data)
    assert len(data) - len(untold(kind)) in ({13} if kind == "PNG" else range(500, 700))
    if kind == "PNG":
        assert np.array_equal(np.array(Image.open(BytesIO(data))), noise(3))


def test_the_same_bytes_at_any_time(monkeypatch):
    """A profile that is made says when."""
    data = encoded(noise(3), "JPEG")
    monkeypatch.setattr(time, "time", lambda: 0)
    assert encoded(noise(3), "JPEG") == data and profile_of(data)[24:36] == bytes.fromhex("07ea00010001000000000000")


def test_a_profile_of_its_own_is_all_that_is_told():
    assert profile_of(encoded(noise(3), "JPEG", P3)) == P3
    kinds = png_kinds(encoded(noise(3), "PNG", P3))
    assert b"iCCP" in kinds and b"sRGB" not in kinds
    assert not says_srgb(encoded(noise(3), "JPEG", P3))


@pytest.mark.skipif(not shutil.which("exiftool"), reason="exiftool is not installed")
def test_exiftool_reads_it(tmp_path):
    for kind, tag, value in (("PNG", "SRGBRendering", "Perceptual"), ("JPEG", "ProfileDescription", "sRGB built-in")):
        path = tmp_path / f"a.{kind.lower()}"
        path.write_bytes(encoded(noise(3), kind))
        ran = subprocess.run(["exiftool", "-j", path], capture_output=True, check=True)
        assert json.loads(ran.stdout)[0][tag] == value


def untold(kind: str) -> bytes:
    buffer = BytesIO()
    Image.fromarray(noise(3)).save(buffer, kind)
    return buffer.getvalue()

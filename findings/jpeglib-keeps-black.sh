#!/usr/bin/env bash
# jpeglib writes the DCT coefficients of Y, Cb and Cr (or C, M, Y) as they were changed, and those of a fourth
# component, black ink, as they were: DCTJPEG.K can be set, write_dct says nothing, and the file has the old ones.
#
# Seen with jpeglib 1.0.2, Pillow 13.0.0, Python 3.11, Linux x86-64, with each of libjpeg 6b and 9e, turbo210,
# mozjpeg403:
#   first component: 99 set to 119, written 119
#   black: 99 set to 119, written 99
#
# Why it matters here: an edit that makes a CMYK photo's black lighter is lost in part, silently. Such photos are
# encoded anew (pipeline/photos/jpeg_blocks.py, `can_be_edited`).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jpeglib==1.0.2 numpy==2.4.6 Pillow==13.0.0
cat > "$folder/look.py" <<'PYTHON'
import sys

import jpeglib
from PIL import Image

before, after = sys.argv[1:]
Image.new("CMYK", (64, 64), (90, 20, 30, 90)).save(before, quality=90)
as_seen = []
for version in ("6b", "9e", "turbo210", "mozjpeg403"):
    jpeglib.version.set(version)
    picture = jpeglib.read_dct(before)
    picture.load()
    first, black = int(picture.Y[0, 0, 0, 0]), int(picture.K[0, 0, 0, 0])
    picture.Y[:, :, 0, 0] += 20
    picture.K = picture.K + 0
    picture.K[:, :, 0, 0] += 20
    picture.write_dct(after)
    written = jpeglib.read_dct(after)
    written.load()
    told = int(written.Y[0, 0, 0, 0]), int(written.K[0, 0, 0, 0])
    print(f"{version}: first component {first} set to {first + 20}, written {told[0]}; "
          f"black {black} set to {black + 20}, written {told[1]}")
    as_seen.append(told == (first + 20, black))
sys.exit(not all(as_seen))
PYTHON
"$folder/venv/bin/python" "$folder/look.py" "$folder/before.jpg" "$folder/after.jpg"

#!/usr/bin/env bash
# jpeglib copies a whole JPEG into a file of its own in the system's temporary folder, readable there while it reads or
# writes coefficients, and leaves that file for good where writing fails: on a full disk, say.
#
# Seen with jpeglib 1.0.2, Pillow 13.0.0, Python 3.11, Linux x86-64:
#   OSError: writing DCT to /nonexistent/x.jpg failed
#   left: 1 file, as long as the photo's
#
# Why it matters here: the photo that a person edited would stay behind. jpeglib is given files in memory for its own
# (pipeline/photos/jpeg_library.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jpeglib==1.0.2 numpy==2.4.6 Pillow==13.0.0
mkdir "$folder/temporary"
cat > "$folder/look.py" <<'PYTHON'
import sys
from pathlib import Path

import jpeglib
from PIL import Image

photo, temporary = map(Path, sys.argv[1:])
Image.new("RGB", (64, 64), (90, 20, 30)).save(photo)
picture = jpeglib.read_dct(str(photo))
picture.load()
try:
    picture.write_dct("/nonexistent/x.jpg")
except OSError as error:
    print(f"OSError: {error}")
left = [path for path in temporary.iterdir() if path.stat().st_size == photo.stat().st_size]
print(f"left: {len(left)} file, as long as the photo's")
sys.exit(len(left) != 1)
PYTHON
TMPDIR="$folder/temporary" "$folder/venv/bin/python" "$folder/look.py" "$folder/photo.jpg" "$folder/temporary"

#!/usr/bin/env bash
# Pillow reads the brightest samples of a 16-bit colour JPEG 2000 as 0: white comes out black. It makes 8 bits of 16 by
# rounding, and what is rounded to 256 (65408 and more) wraps round. A grey one of 16 bits keeps its bits, and is right.
#
# Seen with Pillow 13.0.0, imagecodecs 2026.3.6 (which writes the files), Python 3.11, Linux x86-64:
#   colour, RGB: 255→1, 32768→128, 65407→255, 65408→0, 65535→0
#   grey, I;16: 255→255, 32768→32768, 65407→65407, 65408→65408, 65535→65535
#   colour by imagecodecs: as written
#
# Why it matters here: blown-out skies and white collars would turn black; such files are read with their own bits by
# OpenCV (pipeline/photos/sixteen_bit.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check Pillow==13.0.0 imagecodecs==2026.3.6 numpy==2.4.6
cat > "$folder/look.py" <<'PYTHON'
import sys
from io import BytesIO

import imagecodecs
import numpy as np
from PIL import Image

LEVELS = 255, 32768, 65407, 65408, 65535


def read(samples):
    """Mode, and what each level is read as."""
    data = imagecodecs.jpeg2k_encode(samples, level=0, reversible=True, codecformat="jp2")
    with Image.open(BytesIO(data)) as image:
        found = np.asarray(image)
        return image.mode, [int(found[8, 16 * at + 8].flat[0]) for at in range(len(LEVELS))], data


grey = np.repeat(np.repeat(np.array([LEVELS], np.uint16), 16, 0), 16, 1)
colour = np.repeat(grey[..., None], 3, 2)
mode, as_colour, data = read(colour)
deep, as_grey, _ = read(grey)
right = bool((imagecodecs.jpeg2k_decode(data) == colour).all())
for name, values in ((f"colour, {mode}", as_colour), (f"grey, {deep}", as_grey)):
    print(f"{name}: " + ", ".join(f"{level}→{value}" for level, value in zip(LEVELS, values)))
print("colour by imagecodecs:", "as written" if right else "changed")
sys.exit(not (as_colour == [1, 128, 255, 0, 0] and as_grey == list(LEVELS) and right))
PYTHON
cd "$folder" && "$folder/venv/bin/python" "$folder/look.py"

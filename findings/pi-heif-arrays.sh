#!/usr/bin/env bash
# The array that NumPy makes of a picture opened by pi-heif without copying it doesn't keep the picture: when that is
# collected, the array's values are those of whatever uses its memory next. A copy made while it is there is right.
#
# Seen with pi-heif 1.4.0, NumPy 2.4.6, Python 3.11, Linux x86-64, on a picture of 67 × 49 (pillow-heif 1.8.1 wrote it):
#   copied: 20 of 20 as stored
#   not copied, the picture gone, other arrays made since: 0 of 20 as stored
# pi_heif/heif.py, __array_interface__: "data" is a memoryview of the decoder's own buffer, which nothing holds.
#
# Why it matters here: a function that opens a photo and gives np.asarray of it gives noise, now and then
# (pipeline/photos/heif.py copies).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pi-heif==1.4.0 pillow-heif==1.8.1 numpy==2.4.6
cat > "$folder/make.py" <<'PYTHON'
import sys

import numpy as np
import pillow_heif
from PIL import Image

y, x = np.mgrid[:49, :67]
ramp = np.stack([3 * x, 5 * y, 0 * x + 90], -1).astype(np.uint8)
pillow_heif.from_pillow(Image.fromarray(ramp)).save(sys.argv[1], quality=95)
PYTHON
cat > "$folder/look.py" <<'PYTHON'
import sys

import numpy as np
import pi_heif


def read(array):
    return array(pi_heif.open_heif(sys.argv[1]))


picture = pi_heif.open_heif(sys.argv[1])
stored = np.array(picture)
right = {}
for array in (np.array, np.asarray):
    right[array] = 0
    for i in range(20):
        values = read(array)
        others = [np.full_like(stored, i) for _ in range(20)]
        right[array] += np.array_equal(values, stored)
print(f"copied: {right[np.array]} of 20 as stored")
print(f"not copied, the picture gone, other arrays made since: {right[np.asarray]} of 20 as stored")
sys.exit(not (right[np.array] == 20 and right[np.asarray] < 20))
PYTHON
"$folder/venv/bin/python" "$folder/make.py" "$folder/ramp.heic"
"$folder/venv/bin/python" "$folder/look.py" "$folder/ramp.heic"

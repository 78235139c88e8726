#!/usr/bin/env bash
# Where a picture is read between its pixels, OpenCV before 5.0 rounds the place to 1/32 of a pixel, by remap and by
# warpAffine; 5.0 is exact, but for bilinear reading of pictures of two, or of five and more channels, and of float64.
#
# Seen with opencv-python-headless 4.8.1.78, 4.12.0.88, 4.13.0.92, 4.14.0.94 and 5.0.0.93, NumPy 2.4.6 (4.8: 1.26.4),
# Python 3.11, Linux x86-64, by how many thousandths of a pixel a float32 ramp read at x + 0.01 is off:
#   4.x    1, 2, 3, 4, 5 channels: bilinear 10.0, 10.0, 10.0, 10.0, 10.0; bicubic 10.0, 10.0, 10.0, 10.0, refused
#   5.0.0  1, 2, 3, 4, 5 channels: bilinear 0.0, 10.0, 0.0, 0.0, 10.0; bicubic 4.9, 4.9, 4.9, 4.9, refused
#          float64, 1 channel: bilinear 10.0
# (OpenCV's bicubic, a = -3/4, isn't exact on ramps.)
#
# Why it matters here: a flow has two channels, and a weight beside a picture and a flow makes six; what is read where
# they point is the photo itself, in which a step of 1/32 px shows in 16-bit samples. pipeline/faces/resample.py takes
# channels by one, three or four (`exact_groups`), and pyproject.toml wants OpenCV 5.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/look.py" <<'PYTHON'
import sys

import cv2
import numpy as np

y, x = np.mgrid[:64, :64].astype(np.float32)


def off(channels, interpolation, kind=np.float32):
    """In thousandths of a pixel, of the middle of a ramp."""
    ramp = np.repeat(x[..., None], channels, 2).astype(kind)
    try:
        read = cv2.remap(ramp, x + np.float32(0.01), y, interpolation)
    except cv2.error:
        return None
    return 1000 * float(np.abs(read.reshape(64, 64, -1)[8:-8, 8:-8] - x[8:-8, 8:-8, None] - 0.01).max())


linear, cubic = ([off(channels, how) for channels in range(1, 6)] for how in (cv2.INTER_LINEAR, cv2.INTER_CUBIC))
say = lambda offs: ", ".join("refused" if o is None else f"{o:.1f}" for o in offs)
print(f"{cv2.__version__:6} 1, 2, 3, 4, 5 channels: bilinear {say(linear)}; bicubic {say(cubic)}")
double = off(1, cv2.INTER_LINEAR, np.float64)
print(f"{cv2.__version__:6} float64, 1 channel: bilinear {say([double])}")
new = int(cv2.__version__[0]) >= 5
sys.exit(double < 5 or [o > 5 for o in linear] != ([False, True, False, False, True] if new else [True] * 5))
PYTHON
for version in 4.8.1.78 4.12.0.88 4.13.0.92 4.14.0.94 5.0.0.93; do
    numpy=2.4.6
    [ "$version" = 4.8.1.78 ] && numpy=1.26.4
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet --disable-pip-version-check --no-deps \
        "opencv-python-headless==$version" "numpy==$numpy"
    "$folder/$version/bin/python" "$folder/look.py"
done

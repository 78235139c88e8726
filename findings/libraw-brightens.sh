#!/usr/bin/env bash
# LibRaw makes a photo brighter by what it shows though automatic brightness is off: where the brightest sample is above
# three quarters of white, it counts as white (adjust_maximum_thr, 0.75 by itself). Two photos of a burst, of which one
# has a lamp in it, differ by up to 0.4 stops.
#
# Seen with rawpy 0.28.0 (LibRaw 0.22.2), Python 3.11, Linux x86-64, on DNGs of a ramp of light, by its brightest:
#   0.6: 1.00 times as bright as the light was, 1.00 with adjust_maximum_thr=0.9
#   0.8: 1.25 times as bright as the light was, 1.00 with adjust_maximum_thr=0.9
#
# Why it matters here: a person's burst would come out in steps, and nobody would know why (pipeline/photos/raw.py says
# how much of it is left, and what for).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rawpy==0.28.0 numpy==2.4.6
cat > "$folder/look.py" <<'PYTHON'
import io
import sys

import numpy as np
import rawpy
from dng import dng, mosaic


def brightness(light, **settings):
    """How many times as bright as the light a developed picture is, in linear samples."""
    with rawpy.imread(io.BytesIO(dng(mosaic(light)))) as raw:
        picture = raw.postprocess(use_camera_wb=True, no_auto_bright=True, output_bps=16, gamma=(1, 1), **settings)
    return float(np.median(picture[8:-8, 8:-8] / 65535 / light[8:-8, 8:-8]))


y, x = np.mgrid[:96, :128]
seen = {}
for most in (0.6, 0.8):
    light = np.repeat((0.2 + 0.8 * x / 127)[..., None], 3, 2) * most
    seen[most] = brightness(light), brightness(light, adjust_maximum_thr=0.9)
    by_itself, held = seen[most]
    print(f"{most}: {by_itself:.2f} times as bright as the light was, {held:.2f} with adjust_maximum_thr=0.9")
sys.exit(not (seen[0.8][0] > 1.2 and abs(seen[0.6][0] - 1) < 0.02 and all(abs(held - 1) < 0.02 for _, held in seen.values())))
PYTHON
PYTHONPATH="$root/tests/pipeline" "$folder/venv/bin/python" "$folder/look.py"

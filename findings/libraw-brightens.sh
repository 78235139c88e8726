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
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rawpy==0.28.0 numpy==2.4.6
cat > "$folder/look.py" <<'PYTHON'
import io
import struct
import sys

import numpy as np
import rawpy

LETTERS = {1: "B", 3: "H", 4: "I", 5: "I", 10: "i"}
FROM_XYZ = np.linalg.inv([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def dng(light):
    """A DNG of a sensor of pattern RGGB whose colours are linear sRGB's, white at 16383."""
    raw = (light * 16383).round().astype("<u2")
    height, width = raw.shape
    matrix = [number for value in FROM_XYZ.ravel() for number in (round(value * 10000), 10000)]
    tags = {
        254: (4, [0]), 256: (4, [width]), 257: (4, [height]), 258: (3, [16]), 259: (3, [1]), 262: (3, [32803]),
        273: (4, [8]), 277: (3, [1]), 278: (4, [height]), 279: (4, [raw.nbytes]), 33421: (3, [2, 2]),
        33422: (1, [0, 1, 1, 2]), 50706: (1, [1, 4, 0, 0]), 50714: (4, [0]), 50717: (4, [16383]),
        50721: (10, matrix), 50728: (5, [1, 1] * 3), 50778: (3, [21]),
    }
    file = bytearray(b"II*\0" + bytes(4) + raw.tobytes())
    entries = b""
    for tag, (kind, values) in tags.items():
        packed = struct.pack(f"<{len(values)}{LETTERS[kind]}", *values)
        count = len(values) // (2 if kind in (5, 10) else 1)
        if len(packed) > 4:
            file += packed
            packed = struct.pack("<I", len(file) - len(packed))
        entries += struct.pack("<HHI", tag, kind, count) + packed.ljust(4, b"\0")
    file[4:8] = struct.pack("<I", len(file))
    return bytes(file + struct.pack("<H", len(tags)) + entries + bytes(4))


def brightness(light, **settings):
    """How many times as bright as the light a developed picture is, in linear samples."""
    with rawpy.imread(io.BytesIO(dng(light))) as raw:
        picture = raw.postprocess(use_camera_wb=True, no_auto_bright=True, output_bps=16, gamma=(1, 1), **settings)
    return float(np.median(picture[8:-8, 8:-8] / 65535 / light[8:-8, 8:-8, None]))


y, x = np.mgrid[:96, :128]
seen = {}
for most in (0.6, 0.8):
    light = (0.2 + 0.8 * x / 127) * most
    seen[most] = brightness(light), brightness(light, adjust_maximum_thr=0.9)
    by_itself, held = seen[most]
    print(f"{most}: {by_itself:.2f} times as bright as the light was, {held:.2f} with adjust_maximum_thr=0.9")
sys.exit(not (seen[0.8][0] > 1.2 and abs(seen[0.6][0] - 1) < 0.02 and all(abs(held - 1) < 0.02 for _, held in seen.values())))
PYTHON
"$folder/venv/bin/python" "$folder/look.py"

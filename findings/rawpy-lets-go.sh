#!/usr/bin/env bash
# rawpy, given an opened file, reads it into memory and lets go of that, while LibRaw still reads from there: the preview
# asked for after developing is read from freed memory, and the process ends with a segmentation fault.
#
# Seen with rawpy 0.28.0 (LibRaw 0.22.2), Python 3.11, Linux x86-64, on a DNG of half a megabyte:
#   given an opened file: ended by signal 11, 3 of 3 times
#   given what holds its bytes: a preview, 3 of 3 times
#
# Why it matters here: EXIF of some cameras is in the preview alone, so it is asked for (pipeline/photos/raw.py holds the
# bytes).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rawpy==0.28.0 numpy==2.4.6
cat > "$folder/make.py" <<'PYTHON'
import sys

import numpy as np
from dng import dng, mosaic

open(sys.argv[1], "wb").write(dng(mosaic(np.full((512, 512, 3), 0.5))))
PYTHON
cat > "$folder/look.py" <<'PYTHON'
import sys

import rawpy


class Held:
    def __init__(self, data):
        self.data = data

    def read(self):
        return self.data


path, how = sys.argv[1:]
file = open(path, "rb")
held = Held(file.read()) if how == "held" else file
raw = rawpy.imread(held)
raw.postprocess(output_bps=16)
print(raw.extract_thumb().format)
PYTHON
PYTHONPATH="$root/tests/pipeline" "$folder/venv/bin/python" "$folder/make.py" "$folder/photo.dng"
cat > "$folder/count.py" <<'PYTHON'
import subprocess
import sys

ended = {
    how: [subprocess.run([sys.executable, *sys.argv[1:], how], capture_output=True).returncode for _ in range(3)]
    for how in ("opened", "held")
}
print(f"given an opened file: ended by signal 11, {ended['opened'].count(-11)} of 3 times")
print(f"given what holds its bytes: a preview, {ended['held'].count(0)} of 3 times")
sys.exit(not (-11 in ended["opened"] and ended["held"] == [0, 0, 0]))
PYTHON
"$folder/venv/bin/python" "$folder/count.py" "$folder/look.py" "$folder/photo.dng"

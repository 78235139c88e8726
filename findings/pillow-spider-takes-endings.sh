#!/usr/bin/env bash
# Pillow, having saved one picture as SPIDER, saves every later one as SPIDER whose name ends alike, whatever that ending
# stood for before: saving registers the ending of the name for its format, for the whole process.
#
# Seen with Pillow 13.0.0, Python 3.11, Linux x86-64:
#   photo.png, before: PNG
#   scan.png, saved as SPIDER on purpose: SPIDER
#   photo.png, after: SPIDER
#
# Why it matters here: a program that writes a person's photo must name the format itself, and never leave it to the
# ending (pipeline/photos/encode.py names it).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check Pillow==13.0.0
cat > "$folder/look.py" <<'PYTHON'
import sys

from PIL import Image


def saved(name, mode, **how):
    Image.new(mode, (64, 64)).save(name, **how)
    with Image.open(name) as image:
        return image.format


before = saved("photo.png", "L")
on_purpose = saved("scan.png", "F", format="SPIDER")
after = saved("photo.png", "L")
print(f"photo.png, before: {before}\nscan.png, saved as SPIDER on purpose: {on_purpose}\nphoto.png, after: {after}")
sys.exit((before, on_purpose, after) != ("PNG", "SPIDER", "SPIDER"))
PYTHON
cd "$folder" && "$folder/venv/bin/python" "$folder/look.py"

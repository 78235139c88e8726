#!/usr/bin/env bash
# PyAV turns RGB frames to Y'CbCr by BT.601's matrix, whatever matrix the stream is told to have: the encoder's
# colorspace only labels it. Who reads the label, as browsers do, shows other colours. VideoFrame.reformat with
# dst_colorspace converts by the matrix that is meant; with PyAV before 12.3 dst_color_range then does harm.
#
# Seen with PyAV 18.1.0, 12.3.0 and 12.2.0, NumPy 2.4.6, Python 3.11, Linux x86-64: how many levels of 255 red, green, blue and skin
# are off after BT.709's own formula, at most:
#   18.1.0 only labelled 39, converted 1
#   12.3.0 only labelled 39, converted 1
#   12.2.0 only labelled 39, converted 19
#
# Why it matters here: films would have green faces by up to 39 levels; pipeline/films/video.py converts by itself, and
# pyproject.toml wants PyAV 12.3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/look.py" <<'PYTHON'
import io
import sys

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

COLOURS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [235, 200, 180]], np.uint8)
PICTURE = COLOURS.reshape(2, 2, 3).repeat(64, 0).repeat(64, 1)


def film(converted):
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=20, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 128, 128, "yuv420p"
        stream.codec_context.colorspace = stream.codec_context.color_primaries = 1
        stream.codec_context.color_range = 1
        frame = av.VideoFrame.from_ndarray(PICTURE, format="rgb24")
        if converted:
            frame = frame.reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def off(data):
    """By ITU-R BT.709-6, 3.2 to 3.4, in the narrow range."""
    with av.open(io.BytesIO(data)) as container:
        stored = next(container.decode(video=0)).to_ndarray().ravel().astype(float)
    y = (stored[: 128 * 128].reshape(128, 128)[32::64, 32::64].ravel() - 16) / 219
    cb, cr = ((plane[16::32, 16::32].ravel() - 128) / 224 for plane in stored[128 * 128 :].reshape(2, 64, 64))
    red, blue = y + 1.5748 * cr, y + 1.8556 * cb
    green = (y - 0.2126 * red - 0.0722 * blue) / 0.7152
    return np.abs(np.stack((red, green, blue), 1).clip(0, 1) * 255 - COLOURS).max()


labelled, converted = (round(off(film(how))) for how in (False, True))
print(f"{av.__version__} only labelled {labelled}, converted {converted}")
sys.exit(not (labelled > 20 and (converted > 10 if av.__version__ == "12.2.0" else converted <= 2)))
PYTHON
for version in 18.1.0 12.3.0 12.2.0; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/pip" install --quiet --disable-pip-version-check "av==$version" numpy==2.4.6
  "$folder/$version/bin/python" "$folder/look.py"
done

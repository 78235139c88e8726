"""What a notebook's cell shows of an edit and an inversion."""

import base64
import io
import re

import numpy as np
from colour_tags import says_srgb
from command import MOUTH
from PIL import Image

from photodrag.drag import DragSettings
from photodrag.pipeline.editing.options import Dragging, Network
from photodrag.pipeline.editing.whole_edit import edit


def test_pictures_in_a_cell(portrait, published_ready, published_models):
    ends = [[float(number) for number in point.split(",")] for point in MOUTH[1].split(":")]
    made = edit(
        published_ready(portrait),
        ends[:1],
        ends[1:],
        network=Network(models=published_models),
        dragging=Dragging(settings=DragSettings(steps=2)),
    )
    before, after = shown(made._repr_html_(), ["before", "after"])
    assert np.array_equal(before, made.photo.pixels) and np.array_equal(after, made.picture)
    crop, reconstruction = shown(made.inversion._repr_html_(), ["crop", "reconstruction"])
    assert crop.shape == reconstruction.shape == (480, 480, 3)
    means = made.inversion.reconstruction.mean((0, 1))  # made smaller, it keeps its mean
    assert np.allclose(reconstruction.mean((0, 1)), means, atol=1)


def shown(html: str, names: list[str]) -> list[np.ndarray]:
    """The pictures in a piece of HTML, which must have these names."""
    found = re.findall(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]+)">', html)
    assert [name for _, name in found] == names
    files = [base64.b64decode(data) for data, _ in found]
    assert all(map(says_srgb, files))
    return [np.array(Image.open(io.BytesIO(data))) for data in files]

"""The whole edit from Python, with an inversion that is ready."""

import numpy as np
import pytest
from command import MOUTH
from PIL import Image

from photodrag.drag import DragSettings
from photodrag.drag.state import ARRIVED, LIMIT
from photodrag.invert import identity
from photodrag.pipeline.editing import report, whole_edit
from photodrag.pipeline.editing.options import Dragging, Network
from photodrag.pipeline.editing.whole_edit import edit

HANDLE, TARGET = ([float(number) for number in point.split(",")] for point in MOUTH[1].split(":"))


@pytest.fixture(scope="module")
def drags() -> dict:
    """What was dragged how, of all orientations."""
    return {}


@pytest.fixture
def dragged_once(drags, monkeypatch) -> None:
    """The same drag of the same crop is done once."""
    drag_face = whole_edit.drag_face

    def once(plan, inversion, settings, progress, method):
        same = plan.handles.tobytes(), plan.targets.tobytes(), inversion.crop.image.numpy().tobytes()
        if same not in drags:
            states = []
            drags[same] = drag_face(plan, inversion, settings, states.append, method), states
        result, states = drags[same]
        for state in states:
            progress(state)
        return result

    monkeypatch.setattr(whole_edit, "drag_face", once)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_edit_is_of_the_photo_as_one_sees_it(orientation, portrait, portrait_image, ready, models, dragged_once):
    seen = portrait_image.crop((20, 0, 256, 250))  # not square, so that a turned size would show
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transpose that the orientation takes back
    exif = Image.Exif()
    exif[0x0112] = orientation
    path, out = portrait.with_name("turned.png"), portrait.with_name("out.png")
    (seen.transpose(undo[orientation]) if orientation > 1 else seen).save(path, exif=exif)
    handle, target = (np.subtract(point, (20, 0)) for point in (HANDLE, TARGET))
    edit(
        ready(path),
        [handle],
        [target],
        network=Network(models=models),
        dragging=Dragging(settings=DragSettings(steps=1)),
    ).save(out)
    with Image.open(out) as image:
        assert image.getexif().get(0x0112, 1) == 1
        new = np.array(image)
    old = np.array(seen)
    assert new.shape == old.shape
    changed = (old != new).any(2)
    column, row = handle.round().astype(int)
    assert changed[row - 5 : row + 6, column - 5 : column + 6].mean() > 0.5
    assert not changed[:, :10].any()  # beyond the crop around the face


@pytest.mark.parametrize("distances, share", [([0.59], 1), ([0.7, 0.5], 0.5), ([0.9, 0.8, 0.7], 0.25)])
def test_less_is_made_of_what_would_be_somebody_else(
    distances, share, portrait, ready, models, monkeypatch, dragged_once
):
    """The distances that are found one after the other; the last one is what the edit tells, and it says how much."""
    found = iter(distances)
    with monkeypatch.context() as patched:
        patched.setattr(identity, "identity_distance", lambda a, b: next(found))
        settings = Dragging(settings=DragSettings(steps=1))
        made = edit(ready(portrait), [HANDLE], [TARGET], network=Network(models=models), dragging=settings)
    assert (made.share, made.identity, list(found)) == (share, distances[-1], [])
    words = report.edit_in_words(report.of_edit(made, portrait, 0, 1.0, []))
    assert (f"only {share:.0%} of the way" in words) == (share < 1)


def test_landmarks_of_the_picture_say_that_all_arrived(portrait, ready, models):
    """One step of the generator's is too few, and the photo goes the rest of a short way itself; not of a long one."""
    ended = {}
    for way in ("+0,-2", "+0,-30"):
        made = edit(
            ready(portrait),
            ["mouth.left"],
            [way],
            network=Network(models=models),
            dragging=Dragging(settings=DragSettings(steps=1)),
        )
        ended[way] = made.stop_reason
        assert made.steps == 1
    assert ended == {"+0,-2": ARRIVED, "+0,-30": LIMIT}

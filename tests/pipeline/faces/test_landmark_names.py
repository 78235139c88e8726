"""Points by name, relative, snapped; what a person gets wrong is one sentence."""

import click
import numpy as np
import pytest

from photodrag.pipeline.commands.edit import edit
from photodrag.pipeline.editing.plan import find_face, plan_edit
from photodrag.pipeline.editing.selection import Selection
from photodrag.pipeline.faces import landmark_names
from photodrag.pipeline.faces.landmark_names import NAMES, placed, places
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError
from photodrag.weights.common.face_landmarks import BROWS, EYES, JAW, MOUTH, NOSE


@pytest.fixture
def photo(portrait):
    return read_photo(portrait)


@pytest.fixture
def face(photo):
    return find_face(photo)[0]


def test_names_lie_where_they_say(face):
    """On a face that looks at one, upright: sides and heights in the picture, and the right part of the face."""
    seen = places(face.landmarks)
    for name in seen:
        if ".left" in name:
            mirrored = seen[name.replace("left", "right")]
            assert seen[name][0] < seen["nose"][0] < mirrored[0]
        if name.endswith(".outer"):
            inner = seen[name.replace("outer", "inner")]
            assert abs(inner[0] - seen["nose"][0]) < abs(seen[name][0] - seen["nose"][0])
        if name.endswith(".top") and name != "nose.top":
            assert seen[name][1] < seen[name.replace("top", "bottom")][1]
    heights = [seen[name][1] for name in ("brow.left", "eye.left", "nose", "mouth", "chin")]
    assert heights == sorted(heights)
    parts = {"jaw": JAW, "cheek": JAW, "chin": JAW, "brow": BROWS, "nose": NOSE, "eye": EYES, "mouth": MOUTH}
    for name, numbers in NAMES.items():
        part = parts[name.split(".")[0]]
        assert all(part.start <= number < part.stop for number in numbers)


def test_help_tells_every_name():
    words = edit.get_help(click.Context(edit)).partition("Landmarks:")[2].partition("Examples:")[0].split()
    assert sorted(words) == sorted(NAMES)


def test_resolved(photo, face):
    x, y = face.landmarks[48]
    handles = ["mouth.left", "48", "nose", (104, 139), "mouth.right"]
    with pytest.raises(UserError, match="has two targets"):
        plan_edit(photo, handles, ["+0,-5", "+1,-5", "+0,+0", "-3,+4%", "48"], selection=Selection(face))
    handles[1] = "chin"
    plan = plan_edit(photo, handles, ["+0,-5", "+1,-5.5", "+0,+0", "-3,+4%", "48"], selection=Selection(face))
    marks = face.landmarks
    assert np.allclose(plan.handles, [(x, y), marks[8], marks[30], (104, 139), marks[54]], atol=0.005)
    assert plan.handles[3].tolist() == [104, 139]
    end = [(x, y - 5), marks[8] + (1, -5.5), marks[30], (101, 139 + 0.04 * face.box[2]), (x, y)]
    assert np.allclose(plan.targets, end, atol=0.011)
    assert plan.handles[2].tolist() == plan.targets[2].tolist()
    # What is kept of it gives the same again, to the bit, without the names.
    again = plan_edit(photo, *zip(*plan.drags, strict=True), selection=Selection(face))
    assert np.array_equal(again.handles, plan.handles) and np.array_equal(again.targets, plan.targets)


def test_snap(photo, face):
    near = face.landmarks[48] + (1.5, -1)
    plan = plan_edit(photo, [tuple(near), "nose"], ["+0,-5", "+0,+0"], selection=Selection(face), snap=True)
    assert np.allclose(plan.handles, face.landmarks[[48, 30]], atol=0.005)
    assert np.allclose(plan.targets[0], face.landmarks[48] + (0, -5), atol=0.011)
    bound = landmark_names.SNAP * face.box[2]
    marks = np.array([[0.0, 0.0], [100.0, 0.0]])
    assert landmark_names.snapped((landmark_names.SNAP * 200 - 0.1, 0.0), marks, 200.0) == (0.0, 0.0)
    with pytest.raises(
        UserError, match=rf"is \d+ px from the nearest landmark \(\d+\), and --snap moves it {bound:.0f}"
    ):
        plan_edit(photo, [(100, 60)], [(100, 65)], selection=Selection(face), snap=True)


@pytest.mark.parametrize(
    "handle, target, sentence",
    [
        ("mouht.left", "+0,-5", "There is no landmark 'mouht.left': give a number from 0 to 67, or one of brow.left, "),
        ("mouth.left", "+0,-5,+3", r"'\+0,-5,\+3' is no point"),
        ("mouth.left", "+0,-inf", r"'\+0,-inf' is no point"),
        ("mouth.left", "+0,--4%", r"'\+0,--4%' is no point"),
        ("mouth.left", "+0,-400", "The target .* lies outside portrait"),
        ("mouth.left", (1, 2, 3), "The targets are no points"),
        ("68", "+0,-5", "'68' is no point"),
        ("mouth.left", "+0,+0", "is its own target"),
    ],
)
def test_mistakes(photo, face, handle, target, sentence):
    with pytest.raises(UserError, match=sentence):
        plan_edit(photo, [handle], [target], selection=Selection(face))


@pytest.mark.parametrize(
    "handle, target, snap, what",
    [("nose", "+0,-5", False, "nose"), ((9, 9), "+0,-5%", False, r"\+0,-5%"), ((9, 9), "+0,-5", True, "--snap")],
)
def test_a_square_has_no_landmarks(photo, handle, target, snap, what):
    with pytest.raises(UserError, match=f"has no landmarks for '{what}': give points as X,Y"):
        plan_edit(photo, [handle], [target], selection=Selection(align="square"), snap=snap)


def test_relative_to_a_point_needs_no_face(photo):
    plan = plan_edit(photo, [(90, 80)], ["+0,-5.5"], selection=Selection(align="square"))
    assert plan.targets.tolist() == [[90, 74.5]]
    assert placed([(1 / 3, 2.0)], ["+0,+0"], None) == ([(1 / 3, 2.0)], [(1 / 3, 2.0)])

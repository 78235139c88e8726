"""Presets are drags: where they go on an upright and a turned face, how they scale, add up and give way."""

import re
from dataclasses import replace

import numpy as np
import pytest

from photodrag.pipeline.editing.edit_file import EditFile, read_edit_file, write_edit_file
from photodrag.pipeline.editing.plan import plan_edit
from photodrag.pipeline.editing.selection import Selection
from photodrag.pipeline.faces.detection import Face, detect
from photodrag.pipeline.faces.preset_table import PRESETS, Preset
from photodrag.pipeline.faces.presets import drags, reshaping
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError


@pytest.fixture(scope="module")
def landmarks(portrait_image) -> np.ndarray:
    return detect(np.array(portrait_image))[0].landmarks


def way(made) -> np.ndarray:
    return np.array([np.subtract(target, handle) for handle, target in made])


def test_directions(landmarks):
    """On a face that looks at one: the smile's corners part and rise, the lids part, the jaw narrows."""
    corners = way(drags({"smile": 1}, landmarks))
    assert corners[0, 0] < 0 < corners[1, 0] and (corners[:, 1] < 0).all()
    assert (way(drags({"smile": -1}, landmarks))[:, 1] > 0).all()
    assert (way(drags({"raise-brows": 1}, landmarks))[:, 1] < 0).all()
    assert (way(drags({"turn-left": 1}, landmarks))[:, 0] < 0).all()
    lids = way(drags({"open-eyes": 1}, landmarks))[:, 1]
    assert lids[0] < 0 < lids[1] and lids[2] < 0 < lids[3]
    lips = way(drags({"open-mouth": 1}, landmarks))[:, 1]
    assert lips[0] <= 0 < lips[2] < lips[1]
    middle = landmarks[27, 0]
    for (x, _), (end, _) in drags({"slim-face": 1}, landmarks):
        assert abs(end - middle) < abs(x - middle)


@pytest.mark.parametrize("name", [name for name, preset in PRESETS.items() if not preset.reshaping])
def test_turned_moved_and_scaled_with_the_face(name, landmarks):
    turn = 2.5 * np.array([[np.cos(0.7), np.sin(0.7)], [-np.sin(0.7), np.cos(0.7)]])
    here, there = drags({name: 0.8}, landmarks), drags({name: 0.8}, landmarks @ turn + (300, 500))
    assert np.allclose(way(there), way(here) @ turn, atol=0.05)  # both rounded to 0.01 px
    assert np.allclose([handle for handle, _ in there], [handle for handle, _ in here] @ turn + (300, 500), atol=0.05)
    assert np.allclose(way(drags({name: 0.4}, landmarks)), way(here) / 2, atol=0.02)
    if PRESETS[name].least < 0:
        assert np.allclose(way(drags({name: -0.8}, landmarks)), -way(here), atol=0.02)


def test_a_landmark_by_its_name_and_by_its_number_has_one_way(landmarks):
    corner, alone = {"48": (0.1, 0.0)}, drags({"smile": 0.5}, landmarks)
    both = drags({"smile": 0.5}, landmarks, expression=corner)
    assert [handle for handle, _ in both] == [handle for handle, _ in alone]
    more = drags({}, landmarks, expression=corner)
    assert np.allclose(way(both)[0], way(alone)[0] + way(more)[0], atol=0.02) and np.allclose(
        way(both)[1], way(alone)[1]
    )


def test_sides_are_the_picture_s_and_each_is_half_of_both(landmarks):
    for both, one, other in (
        ("open-eyes", "open-left-eye", "open-right-eye"),
        ("raise-brows", "raise-left-brow", "raise-right-brow"),
    ):
        left, right = drags({one: 0.5}, landmarks), drags({other: 0.5}, landmarks)
        assert sorted(left + right) == sorted(drags({both: 0.5}, landmarks))
        assert max(x for (x, _), _ in left) < landmarks[27, 0] < min(x for (x, _), _ in right)


def test_what_is_reshaped_adds_up_and_has_no_drags(landmarks):
    amounts = {"gaze-x": 0.5, "gaze-y": 0.25, "lean-left": 1, "forehead": -0.5}
    assert drags(amounts, landmarks) == []
    made = reshaping(amounts | {"smile": 0.3})
    assert made.gaze == (0.5, -0.25) and made.lean == -np.deg2rad(12) and made.forehead == -0.225
    assert not reshaping({"smile": 0.3}) and not reshaping(dict.fromkeys(amounts, 0))


def test_bounds_are_each_preset_s_own(landmarks):
    for name, amount in (("neutral", -0.1), ("gaze-x", 1.1), ("smile", -1.1)):
        with pytest.raises(UserError, match=f"{name} is too much"):
            drags({name: amount}, landmarks)


def test_a_way_that_leads_out_ends_before(portrait, landmarks):
    """A photo that ends below the chin, and one that ends above it: the chin goes less far, or is left alone."""
    whole = dict(drags({"open-mouth": 1}, landmarks, shape=(256, 256)))
    assert whole == dict(drags({"open-mouth": 1}, landmarks))
    chin = tuple(landmarks[8].round(2))
    half = int(landmarks[8, 1] + (whole[chin][1] - chin[1]) / 2)
    for height, left_out in ((half, False), (int(landmarks[8, 1]), True)):
        photo = read_photo(portrait)
        photo = replace(photo, pixels=photo.pixels[:height], native=photo.native[:height])
        plan = plan_edit(
            photo, [], [], selection=Selection(Face(1, (60, 70, 120, 120), landmarks)), controls={"open-mouth": 1}
        )
        made = dict(plan.drags)
        assert (chin in made) != left_out
        others = [handle for handle in whole if handle != chin]
        assert all(made[handle] == whole[handle] for handle in others)
        assert left_out or half - 2 < made[chin][1] <= half - 1


def test_added_up_where_they_share_a_landmark(landmarks, monkeypatch):
    monkeypatch.setitem(PRESETS, "tilt", Preset("", {"chin": (0.3, 0), "nose": (-0.1, 0)}))
    alone = [drags({name: 0.5}, landmarks) for name in ("open-mouth", "tilt")]
    both = dict(drags({"open-mouth": 0.5, "tilt": 0.5}, landmarks))
    chin = next(handle for handle, _ in alone[0] if handle in dict(alone[1]))
    assert len(both) == len(alone[0]) + len(alone[1]) - 1
    ways = [np.subtract(dict(made)[chin], chin) for made in (*alone, both.items())]
    assert np.allclose(ways[0] + ways[1], ways[2], atol=0.02)


def test_what_is_given_by_hand_wins(portrait, landmarks, tmp_path):
    photo, face = read_photo(portrait), Face(1, (60.0, 70.0, 120.0, 120.0), landmarks)
    plan = plan_edit(
        photo,
        ["mouth.left", "chin"],
        ["+0,+3", "+0,+0"],
        selection=Selection(face),
        controls={"smile": 0.5, "open-eyes": 0},
    )
    assert np.allclose(plan.handles, landmarks[[48, 8, 54]], atol=0.005)
    assert np.allclose(plan.targets[0] - plan.handles[0], (0, 3), atol=0.01)
    # What is kept are the drags: they can be read, and give the same plan.
    write_edit_file(tmp_path / "edit.json", EditFile(plan.drags))
    again = plan_edit(
        photo, *zip(*read_edit_file(tmp_path / "edit.json").drags, strict=True), selection=Selection(face)
    )
    assert np.array_equal(again.handles, plan.handles) and np.array_equal(again.targets, plan.targets)
    alone = plan_edit(photo, [], [], selection=Selection(face), controls={"smile": 0.5})
    assert alone.drags == tuple(drags({"smile": 0.5}, landmarks))


@pytest.mark.parametrize(
    "amounts, align, sentence",
    [
        ({"grin": 0.5}, "face", "There is no preset 'grin': choose among smile, "),
        ({"smile": 1.5}, "face", "The amount 1.5 of smile is too much: give -1 to 1"),
        ({"smile": float("nan")}, "face", "The amount nan of smile"),
        ({"smile": 0}, "face", "0 handles and 0 targets"),
        ({"smile": 0.5}, "square", "has no landmarks for 'smile'"),
    ],
)
def test_mistakes(portrait, amounts, align, sentence):
    with pytest.raises(UserError, match=re.escape(sentence)):
        plan_edit(read_photo(portrait), [], [], selection=Selection(align=align), controls=amounts)

"""Bounds of what programs and files give: settings, an edit's file."""

import json
import math
from dataclasses import fields

import pytest

from photodrag.drag.draggan import DragGANSettings
from photodrag.drag.flow import FlowSettings
from photodrag.drag.freedrag import FreeDragSettings
from photodrag.drag.settings import DragSettings, LandmarkGuidedSettings
from photodrag.invert.projection import ProjectSettings, Stage
from photodrag.invert.schedule import learning_rate
from photodrag.invert.tuning import TuneSettings
from photodrag.pipeline.editing.edit_file import FIELDS, read_edit_file
from photodrag.pipeline.editing.points import place_points
from photodrag.weights import UserError

STAGE = {"steps": 3, "whole": 64}
SETTINGS = {
    Stage: STAGE,
    ProjectSettings: {},
    TuneSettings: {},
    LandmarkGuidedSettings: {},
    DragSettings: {},
    DragGANSettings: {},
    FreeDragSettings: {},
    FlowSettings: {},
}
NUMBERS = [
    (kind, field.name)
    for kind in SETTINGS
    for field in fields(kind)
    if "int" in str(field.type) or "float" in str(field.type)
]
ENDLESS = {math.inf, 1e30, 10**30}
OPEN = {
    "arrival_distance": {-1},
    "max_setback": {*ENDLESS, -math.inf, -1},
    **dict.fromkeys(("max_growth", "radius", "max_rms"), ENDLESS),
}
"""Of DragSettings, what experiments switch off: never arriving, and guards."""
WRONG = [math.nan, math.inf, -math.inf, -1, 1e30, 10**30, "many", True]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_settings(wrong):
    assert len(NUMBERS) > 80
    for kind, name in NUMBERS:
        if kind is DragSettings and wrong in OPEN.get(name, ()) and wrong is not True:
            assert getattr(kind(**{name: wrong}), name) == wrong
            continue
        usual = getattr(kind(**SETTINGS[kind]), name)
        value = (wrong,) * len(usual) if isinstance(usual, tuple) else wrong
        with pytest.raises(
            UserError, match=rf"{kind.__name__}\.{name} should be a (whole )?number from .* to .*, not "
        ):
            kind(**SETTINGS[kind] | {name: value})


def test_settings_that_count_are_whole():
    for kind in SETTINGS:
        for field in fields(kind):
            if field.type is int:
                with pytest.raises(UserError, match="a whole number from"):
                    kind(**SETTINGS[kind] | {field.name: 2.5})


def test_no_warm_up_and_no_cool_down():
    settings = TuneSettings(warm_up=0, cool_down=0, lr=0.5)
    assert [learning_rate(t, settings) for t in (0.1, 0.5, 1.0)] == [0.5] * 3


@pytest.mark.parametrize(
    "wrong", ["NaN", "Infinity", "-Infinity", "-1", "1e400", "1e30", "10000000000", "1" + "0" * 30]
)
def test_an_edit_s_file(wrong, tmp_path):
    """10,000,000,000 is a seed, and no other field."""
    path = tmp_path / "edit.json"
    for name in ("face", "class", "tune", "steps", "seed"):
        path.write_text(f'{{"photodrag": 1, "{name}": {wrong}}}')
        if name == "seed" and wrong == "10000000000":
            assert read_edit_file(path).seed == 10**10
            continue
        with pytest.raises(UserError, match=f"the field '{name}' should be .* not "):
            read_edit_file(path)
    for name, value in (("box", f"[1, 2, {wrong}, 4]"), ("drags", f"[[[1, 2], [3, {wrong}]]]")):
        path.write_text(f'{{"photodrag": 1, "{name}": {value}}}')
        if wrong == "-1":
            read_edit_file(path)
            continue
        with pytest.raises(UserError, match=f"the field '{name}' should be "):
            read_edit_file(path)
    path.write_text(f'{{"photodrag": {wrong}}}')
    with pytest.raises(UserError, match="the field 'photodrag' should be 1"):
        read_edit_file(path)


def test_drags_without_end(tmp_path):
    path, drag = tmp_path / "edit.json", [[1, 2], [3, 4]]
    path.write_text(json.dumps({"photodrag": 1, "drags": [drag] * 1001}))
    with pytest.raises(UserError, match="1000 at most"):
        read_edit_file(path)
    with pytest.raises(UserError, match="1001 points are too many to be dragged at once: give 1000 at most"):
        place_points(None, [(1, 2)] * 1001, [(3, 4)] * 1001)


def test_every_number_of_an_edit_s_file_is_bounded():
    """Whatever field there is, it takes no number beyond all bounds."""
    for right, _ in FIELDS.values():
        assert not any(right(value) for value in (10**30, 1e30, math.nan, math.inf, -math.inf, -(10**30)))

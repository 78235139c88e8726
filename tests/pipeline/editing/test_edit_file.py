"""edit.json: what is written is read as the same edit. What is refused: see test_errors.py."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from photodrag.pipeline.editing.edit_file import EditFile, read_edit_file, text_of, write_edit_file
from photodrag.pipeline.editing.parts_asked import PartsAsked
from photodrag.pipeline.faces.expressions import Expression, own_frame
from photodrag.pipeline.faces.preset_table import Reshaping
from photodrag.weights import UserError

DRAGS = (((412.0, 530.0), (412.1, 510.25)), ((0.1 + 0.2, 1e-7), (-0.5, 3.0)))


@pytest.mark.parametrize(
    "edit",
    [
        EditFile(),
        EditFile(DRAGS),
        EditFile(DRAGS, mask="face", face=3, steps=40, seed=2**40),
        EditFile(DRAGS, box=(1.0, 2.5, 300.0, 400.0), generator="another"),
        EditFile(DRAGS, align="square", generator="one.of.mine", class_=0),
        EditFile(DRAGS, method="freedrag"),
        EditFile((("mouth.left", "+0,-3%"), ("nose", "+0,+0"), ((1.0, 2.0), "51")), photo="b1946ac92492d234"),
        EditFile(presets={"smile": 0.5, "gaze-x": -1, "neutral": 0}),
        EditFile(parts=PartsAsked({"48": (-0.05, 0.01), "57": (0.0, 0.0)}, Reshaping((0.3, 0.0), forehead=-0.1))),
    ],
)
def test_read_as_written(edit, tmp_path):
    write_edit_file(tmp_path / "edit.json", edit)
    assert read_edit_file(tmp_path / "edit.json") == edit


@pytest.mark.parametrize(
    "name", ["masks/mouth.png", 'a "quoted", name.png', "grün.png", "face", "../mask.png", "\udcff.png"]
)
def test_mask_s_path_is_relative_to_the_file(name, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "edits").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    file = tmp_path / "edits" / "edit.json"
    mask = str(tmp_path / "edits" / name)
    write_edit_file(file, EditFile(DRAGS, mask=mask))
    written = json.loads(file.read_text())["mask"]
    assert not os.path.isabs(written) and written not in ("face", "auto")
    read = read_edit_file(file)
    assert os.path.normpath(read.mask) == os.path.normpath(mask)
    assert read.mask_path is not None
    # A folder moved as a whole keeps working.
    (tmp_path / "edits").rename(tmp_path / "moved")
    again = read_edit_file(tmp_path / "moved" / "edit.json")
    assert os.path.normpath(again.mask) == os.path.normpath(tmp_path / "moved" / name)


def test_what_is_ignored_is_relative_to_the_file_and_written_only_where_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_edit_file("edit.json", EditFile(DRAGS, ignore="hand.png"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert os.path.realpath(read_edit_file("../edit.json").ignore) == os.path.realpath(tmp_path / "hand.png")
    write_edit_file("edit.json", EditFile(DRAGS))
    assert "ignore" not in json.loads((tmp_path / "elsewhere" / "edit.json").read_text())


def test_mask_given_relative_to_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edits").mkdir()
    write_edit_file("edits/edit.json", EditFile(DRAGS, mask="mask.png"))
    assert json.loads((tmp_path / "edits" / "edit.json").read_text())["mask"] == os.path.join("..", "mask.png")


@pytest.mark.parametrize("where", ["mine.pkl", "nets/mine.pkl", "../mine.pkl", "edits/mine.pkl"])
def test_generator_s_file_is_relative_to_the_file(where, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "edits").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    write_edit_file("../edits/edit.json", EditFile(DRAGS, generator=os.path.join(".", where)))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    read = read_edit_file("../edits/edit.json").generator
    assert os.path.realpath(read) == os.path.realpath(tmp_path / "here" / where)


def test_a_generator_s_file_beside_it_is_no_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_edit_file("edit.json", EditFile(DRAGS, generator="./face"))
    assert json.loads((tmp_path / "edit.json").read_text())["generator"] == "./face"
    assert os.path.dirname(read_edit_file("edit.json").generator)


def test_an_expression_is_read_as_written(tmp_path):
    landmarks = np.random.default_rng(0).normal(size=(68, 2)) * (1, 2)
    write_edit_file(tmp_path / "edit.json", EditFile(expression=Expression(landmarks, 0.7)))
    read = read_edit_file(tmp_path / "edit.json").expression
    assert read.amount == 0.7 and np.allclose(own_frame(read.landmarks), own_frame(landmarks), atol=1e-3)
    assert "expression" not in write_and_load(tmp_path, EditFile(DRAGS))


def write_and_load(folder, edit: EditFile) -> dict:
    write_edit_file(folder / "written.json", edit)
    return json.loads((folder / "written.json").read_text())


def test_what_names_pixels():
    assert EditFile(DRAGS).names_pixels and EditFile((("nose", (3.0, 4.0)),)).names_pixels
    assert not EditFile((("nose", "+0,-3%"),), presets={"smile": 1}).names_pixels


@pytest.mark.parametrize(
    "field",
    [
        '"presets": {"grin": 1}',
        '"presets": {"smile": 1.5}',
        '"presets": {"neutral": -1}',
        '"presets": [0.5]',
        '"drags": [["mouth", "left", "top"]]',
        '"drags": [["+1,+2", [3, 4]]]',
        '"expression": {"amount": 0.5, "landmarks": [[0, 0]]}',
        '"photo": 3',
    ],
)
def test_wrong_presets_words_and_expressions(field, tmp_path):
    (tmp_path / "edit.json").write_text('{"photodrag": 1, ' + field + "}")
    with pytest.raises(UserError, match=f"the field '{field.split(chr(34))[1]}' should be"):
        read_edit_file(tmp_path / "edit.json")


def test_a_landmark_that_there_is_not(tmp_path):
    (tmp_path / "edit.json").write_text('{"photodrag": 1, "drags": [["ear", "+0,+1"]]}')
    with pytest.raises(UserError, match="There is no landmark 'ear'"):
        read_edit_file(tmp_path / "edit.json")


def test_only_the_version_must_be_there(tmp_path):
    (tmp_path / "edit.json").write_text('{"photodrag": 1}')
    assert read_edit_file(tmp_path / "edit.json") == EditFile()
    nulls = {"photodrag": 1, "mask": None, "face": None, "box": None, "generator": None, "method": None, "steps": None}
    (tmp_path / "edit.json").write_text(json.dumps(nulls))
    assert read_edit_file(tmp_path / "edit.json") == EditFile()


def test_a_file_that_may_lie_anywhere_names_pictures_beside_it_and_generators_where_they_are(tmp_path):
    edit = EditFile(mask="me-mask.png", generator="networks/own.pkl")
    told = json.loads(text_of(edit))
    assert told["mask"] == "me-mask.png"
    assert told["generator"] == str(Path("networks/own.pkl").absolute())
    assert json.loads(text_of(EditFile()))["generator"] == "face"

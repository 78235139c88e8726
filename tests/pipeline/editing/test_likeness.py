"""How like an inversion is to be, by what is asked for and what is kept."""

import json
from dataclasses import replace

import pytest

from photodrag.invert.projection import QUICK, ProjectSettings
from photodrag.invert.tuning import TuneSettings
from photodrag.pipeline.cli import main
from photodrag.pipeline.editing import whole_edit
from photodrag.pipeline.editing.edit_file import EditFile, read_edit_file, write_edit_file
from photodrag.pipeline.editing.likeness import projection_for
from photodrag.pipeline.editing.options import Inverting
from photodrag.pipeline.editing.plan import find_face
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError

FINE = ProjectSettings()


def test_a_face_is_inverted_quickly_unless_a_fine_inversion_is_kept(portrait, ready, models):
    photo = read_photo(portrait)
    face, _ = find_face(photo)
    assert projection_for("auto", photo, face, models) == QUICK
    ready(portrait)
    assert projection_for("auto", photo, face, models) == FINE
    assert projection_for("quick", photo, face, models) == QUICK


def test_what_has_no_landmarks_is_inverted_finely(portrait, cache, models):
    photo = read_photo(portrait)
    square = Alignment.from_box((0, 0, 256, 256))
    assert projection_for("auto", photo, square, models) == FINE
    face, _ = find_face(photo)
    assert projection_for("fine", photo, face, models) == projection_for("tuned", photo, face, models) == FINE


def test_a_quick_inversion_is_the_beginning_of_a_fine_one():
    assert QUICK.stages == FINE.stages[:1] and replace(FINE, stages=QUICK.stages) == QUICK


def test_tuned_is_as_tune_says(portrait, ready, monkeypatch, capsys):
    """By --likeness as by --tune, and from Python."""
    ready(portrait)
    seen = []

    def tune_inversion(photo, inversion, settings, refresh, progress):
        seen.append(settings)
        return inversion

    monkeypatch.setattr(whole_edit, "tune_inversion", tune_inversion)
    common = ["edit", str(portrait), "--drag", "mouth.left:+0,-2", "--steps", "1", "--quiet"]
    for more in (["--tune"], ["--likeness", "tuned"], ["--likeness", "tuned", "--tune", "3"], ["--likeness", "fine"]):
        assert main([*common, *more]) == 0
    whole_edit.edit(portrait, ["mouth.left"], ["+0,-2"], inverting=Inverting(likeness="tuned"))
    assert seen == [TuneSettings(), TuneSettings(), TuneSettings(steps=3), TuneSettings()]


@pytest.mark.parametrize("likeness", ["auto", "fine"])
def test_an_edit_file_keeps_it(tmp_path, likeness):
    path = tmp_path / "edit.json"
    write_edit_file(path, EditFile((((1, 2), (3, 4)),), likeness=likeness))
    assert ("likeness" in json.loads(path.read_text())) == (likeness != "auto")
    assert read_edit_file(path).likeness == likeness


def test_an_edit_file_that_asks_for_another(tmp_path):
    path = tmp_path / "edit.json"
    path.write_text('{"photodrag": 1, "likeness": "perfect"}')
    with pytest.raises(UserError, match='"quick", "fine"'):
        read_edit_file(path)

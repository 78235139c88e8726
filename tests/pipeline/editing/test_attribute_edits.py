"""Attributes in an edit: amounts, 0, what is read of a file, and generators that have none."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from photodrag import weights
from photodrag.pipeline import CodeEdit, Controls, Network, edit
from photodrag.pipeline.cli import main
from photodrag.pipeline.editing import inversion
from photodrag.pipeline.editing.attribute_names import ATTRIBUTES, along
from photodrag.pipeline.editing.code_edit import edited_code
from photodrag.pipeline.editing.edit_file import EditFile, read_edit_file, write_edit_file
from photodrag.pipeline.editing.inversion import Models
from photodrag.pipeline.editing.options import Dragging
from photodrag.pipeline.faces.detection import detect
from photodrag.weights import UserError, latent_space
from photodrag.weights.common.face_landmarks import BROWS
from photodrag.weights.latent.attributes import attribute_offset


def test_opposites_and_sums():
    assert along({"older": 0.5}) == along({"younger": -0.5}) == {"age": 0.5}
    assert along({"masculine": 0.5}) == along({"feminine": -0.5}) == {"masculine": 0.5}
    assert along({"older": 0.75, "younger": 0.25, "happy": 1}) == {"age": 0.5, "happy": 1}
    assert along({"older": 0.5, "younger": 0.5}) == along({name: 0 for name in ATTRIBUTES}) == {}


@pytest.mark.parametrize(
    "amounts, words", [({"wiser": 0.5}, "no attribute"), ({"older": 1.5}, "too much"), ({"happy": float("nan")}, "nan")]
)
def test_what_is_none_is_told_before_anything_is_computed(amounts, words, portrait):
    with pytest.raises(UserError, match=words):
        edit(portrait, [], [], controls=Controls(code=CodeEdit(attributes=amounts)), network=Network("face"))


def test_nothing_of_each_is_the_photo_s_edit_without_them(ready, portrait):
    ready(portrait)
    none = CodeEdit(attributes=dict.fromkeys(ATTRIBUTES, 0.0))
    assert not none.given
    drag, short = (["mouth.left"], ["+0,-5%"]), Dragging(steps=2)
    plain, same = (edit(portrait, *drag, dragging=short, controls=Controls(code=code)) for code in (CodeEdit(), none))
    assert np.array_equal(plain.picture, same.picture) and torch.equal(plain.w_plus, same.w_plus)
    cancelled = edit(portrait, [], [], controls=Controls(code=CodeEdit(attributes={"older": 0.5, "younger": 0.5})))
    assert not cancelled.changed.any() and cancelled.identity == 0


def test_attributes_move_the_code_before_points_do(ready, portrait, face):
    """By their own offsets, beside a direction; then a preset drags on."""
    ready(portrait)
    change = CodeEdit(directions=(("ganspace:0", 0.5),), attributes={"younger": 0.4, "happy": 0.5})
    done = edit(portrait, [], [], controls=Controls({"open-mouth": 0.5}, code=change), dragging=Dragging(steps=2))
    alone = edited_code(done.inversion, CodeEdit(directions=change.directions))
    offset = 0.5 * attribute_offset("happy", face) - 0.4 * attribute_offset("age", face)
    torch.testing.assert_close(done.restyled.inversion.w_plus - alone, offset[None], atol=1e-5, rtol=0)
    assert done.steps > 0 and not torch.equal(done.w_plus, done.restyled.inversion.w_plus)


def test_the_command_s_file_repeats_it(ready, portrait, tmp_path):
    ready(portrait)
    first, again, other, file = (tmp_path / name for name in ("1.png", "2.png", "3.png", "e.json"))
    assert main(["edit", str(portrait), "--older", "0.5", "--save-edit", str(file), "--out", str(first)]) == 0
    assert json.loads(file.read_text())["attributes"] == {"older": 0.5}
    assert main(["edit", str(portrait), "--edit", str(file), "--out", str(again)]) == 0
    assert main(["edit", str(portrait), "--younger", "-0.5", "--out", str(other)]) == 0
    assert first.read_bytes() == again.read_bytes() == other.read_bytes()
    before, after = (np.array(Image.open(path).convert("RGB")) for path in (portrait, first))
    face = detect(before)[0].landmarks
    brows, chin = face[BROWS, 1].min(), face[:, 1].max()
    hair = int(brows - 0.6 * (chin - brows))
    assert hair > 10 and np.array_equal(before[:hair], after[:hair])  # nothing but the face changes
    assert not np.array_equal(before, after)
    assert main(["edit", str(portrait), "--edit", str(file), "--older", "0", "--out", str(other)]) == 2


def test_an_edit_file_keeps_them(tmp_path):
    path = tmp_path / "edit.json"
    kept = EditFile(attributes={"older": 0.5, "feminine": -0.25})
    write_edit_file(path, kept)
    assert read_edit_file(path) == kept and kept.moves and not EditFile(attributes={"older": 0}).moves
    for wrong in ({"older": 2}, {"wiser": 0.5}, {"older": "much"}, [0.5]):
        path.write_text(json.dumps({"photodrag": 1, "attributes": wrong}))
        with pytest.raises(UserError, match="'attributes' should be"):
            read_edit_file(path)


def test_a_generator_of_another_w_is_told_before_the_photo_is_inverted(golden, empty_cache, portrait, monkeypatch):
    def projected(*_, **__):
        raise AssertionError("the photo was inverted")

    monkeypatch.setattr(inversion, "project", projected)
    generator = weights.load(golden / "nvidia-ada-skip-32.pkl")
    network = Network(models=Models("small", generator, latent_space(generator)))
    with pytest.raises(UserError, match="not for this one"):
        edit(portrait, [], [], network=network, controls=Controls(code=CodeEdit(attributes={"older": 0.5})))

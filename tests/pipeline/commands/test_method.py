"""The method of dragging: chosen by name, on the command line, in an edit's file and from Python."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from command import MOUTH
from methods_here import HERE
from PIL import Image

from photodrag.drag.methods import DEFAULT, METHODS, find_method
from photodrag.drag.state import finished
from photodrag.pipeline.cli import main
from photodrag.pipeline.editing import edit_fields
from photodrag.pipeline.editing.face_drag import followed, for_a_photo
from photodrag.pipeline.editing.options import Dragging, Network
from photodrag.pipeline.editing.whole_edit import edit
from photodrag.weights import UserError

ENDS = [[float(number) for number in point.split(",")] for point in MOUTH[1].split(":")]


def pixels(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def test_names_are_those_that_there_are():
    assert METHODS is edit_fields.METHODS


@pytest.mark.parametrize("method", HERE)
def test_from_python(method, portrait, ready, models):
    """The method itself, called with its own settings, comes to the same code; nothing changes outside the crop."""
    made = edit(ready(portrait), ENDS[:1], ENDS[1:], dragging=Dragging(method, 2), network=Network(models=models))
    assert (made.method, made.steps, made.stop_reason) == (method, 2, "step limit")
    assert np.array_equal(made.picture[:, :30], made.photo.pixels[:, :30])

    crop = made.inversion.alignment
    handle, target = (torch.from_numpy(crop.to_crop(np.array([point]))) for point in ENDS)
    settings = dataclasses.replace(find_method(method).settings, steps=2)
    if method == DEFAULT:  # of a photo's face, parts are led by landmarks, too
        settings = dataclasses.replace(settings, landmark_guided=for_a_photo(settings.landmark_guided))
    start, known = made.inversion.w_plus, followed(made.inversion.crop.landmarks)
    by = find_method(method).steps(models.generator, start, handle, target, None, settings, models.space, known)
    assert torch.equal(finished(by).w_plus, made.w_plus) and not torch.equal(made.w_plus, start)


def test_a_wrong_name_from_python(portrait):
    with pytest.raises(UserError, match="no method of dragging 'dragon': choose one of photodrag, draggan, "):
        edit(portrait, ENDS[:1], ENDS[1:], dragging=Dragging("dragon"))


def test_on_the_command_line(portrait, ready, capsys):
    """An edit's file keeps it, where it is not the default, and an option wins over the file."""
    ready(portrait)
    common = ["edit", str(portrait), "--steps", "4", "--json"]

    def made(name: str, *arguments: object) -> tuple[dict, np.ndarray, dict]:
        out, file = portrait.with_name(f"{name}.png"), portrait.with_name(f"{name}.json")
        assert main([*common, *map(str, arguments), "--out", str(out), "--save-edit", str(file)]) == 0
        return json.loads(capsys.readouterr().out), pixels(out), json.loads(file.read_text())

    facts, peer, written = made("peer", *MOUTH, "--method", "freedrag")
    assert facts["method"] == written["method"] == "freedrag" and facts["steps"] == 4
    assert not np.array_equal(peer, pixels(portrait))
    facts, again, _ = made("again", "--edit", portrait.with_name("peer.json"))
    assert facts["method"] == "freedrag" and np.array_equal(again, peer)
    facts, ours, written = made("ours", "--edit", portrait.with_name("peer.json"), "--method", "photodrag")
    assert facts["method"] == "photodrag" and "method" not in written and not np.array_equal(ours, peer)

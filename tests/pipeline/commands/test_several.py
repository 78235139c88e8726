"""Several edits in one run: one inversion, outputs numbered, each the same as by itself."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photodrag.pipeline.cli import main
from photodrag.pipeline.commands.edit_steps import numbered
from photodrag.pipeline.editing import whole_edit

MOUTH, BROW = [[104.4, 138.9], [101, 135]], [[103.4, 91], [103.4, 87]]


@pytest.fixture
def edits(tmp_path) -> list[Path]:
    paths = [tmp_path / "mouth.json", tmp_path / "brow.json"]
    for path, drag in zip(paths, (MOUTH, BROW), strict=True):
        path.write_text(json.dumps({"photodrag": 1, "drags": [drag], "steps": 1}))
    return paths


def both(edits: list[Path]) -> list[str]:
    return ["--edit", str(edits[0]), "--edit", str(edits[1])]


def test_numbered():
    assert numbered(Path("a/b.c.png"), 1) == [Path("a/b.c.png")]
    assert numbered(Path("a/b.c.png"), 2) == [Path("a/b.c-1.png"), Path("a/b.c-2.png")]


def test_one_inversion(portrait, ready, edits, monkeypatch, capsys):
    ready(portrait)
    inverted, invert = [], whole_edit.invert

    def once(*arguments, **more):
        inverted.append(1)
        return invert(*arguments, **more)

    monkeypatch.setattr(whole_edit, "invert", once)
    out = portrait.with_name("out.png")
    assert main(["edit", str(portrait), *both(edits), "--pin", "nose", "--out", str(out), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)["edits"]
    paths = [portrait.with_name(f"out-{n}.png") for n in (1, 2)]
    assert [one["output"] for one in facts] == list(map(str, paths)) and not out.exists()
    assert [len(one["handles"]) for one in facts] == [2, 2]  # the option's pin is added to both
    assert len(inverted) == 1
    alone = ["edit", str(portrait), "--edit", str(edits[1]), "--pin", "nose", "--out", str(out), "--quiet"]
    assert main(alone) == 0
    second, by_itself = (np.array(Image.open(path)) for path in (paths[1], out))
    assert np.array_equal(second, by_itself)
    assert not np.array_equal(second, np.array(Image.open(paths[0])))


@pytest.mark.parametrize(
    "more, changed, sentence",
    [
        (["--save-edit", "e.json"], {}, "--save-edit keeps one edit, and several --edit were given"),
        ([], {"face": 2}, "differ in 'face', so they need two inversions: give --face for both, or edit twice."),
        ([], {"class": 1}, "differ in 'class', so they need two inversions: give --class for both"),
        ([], {"drags": []}, "Nothing is to be dragged in "),
        (["--out", "out-3.gif"], {}, "out-3-1.gif does not say what format to write"),
    ],
)
def test_mistakes(more, changed, sentence, portrait, edits, monkeypatch, capsys):
    monkeypatch.chdir(portrait.parent)
    edits[1].write_text(json.dumps({"photodrag": 1, "drags": [BROW]} | changed))
    assert main(["edit", "portrait.png", *both(edits), *more]) == 2
    said = capsys.readouterr()
    assert sentence in said.err and said.err.count("\n") == 1 and not said.out
    assert [path.name for path in portrait.parent.iterdir()] == ["portrait.png"]

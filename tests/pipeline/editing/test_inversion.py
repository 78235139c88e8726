"""When an inversion is made, kept and taken again. Projection itself is stood in for: see tests/invert."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from photodrag.invert import cache as kept
from photodrag.invert import unfinished
from photodrag.invert.projection import ProjectSettings, Stage
from photodrag.invert.quality import Quality, to_uint8
from photodrag.invert.tuning import TuneSettings
from photodrag.pipeline.cli import main
from photodrag.pipeline.editing import inversion
from photodrag.pipeline.editing.imported_latents import import_latent
from photodrag.pipeline.editing.plan import find_face
from photodrag.pipeline.editing.tuning import tune_inversion
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import Failure


@pytest.fixture
def projections(models, monkeypatch) -> list:
    """The crops that were projected; each gives w_avg."""
    crops = []

    def project(generator, crop, distance, settings, space, progress, resume, begin):
        crops.append(crop)
        w_plus = generator.w_avg.expand(1, generator.num_ws, -1)
        return SimpleNamespace(w_plus=w_plus, loss=1.0, steps=len(crops), seconds=1.0)

    monkeypatch.setattr(inversion, "project", project)
    return crops


@pytest.fixture
def face_of(portrait):
    photo = read_photo(portrait)
    return photo, find_face(photo)[0]


def test_made_once_and_kept(cache, projections, models, face_of):
    made = inversion.invert(*face_of, models)
    assert (made.cached, made.cache_error, len(projections)) == (False, None, 1)
    again = inversion.invert(*face_of, models)
    assert (again.cached, len(projections)) == (True, 1)
    assert torch.equal(made.w_plus, again.w_plus)
    for name in ("quality", "steps", "seconds"):
        assert getattr(made.record, name) == getattr(again.record, name)
    assert made.key == again.key
    anew = inversion.invert(*face_of, models, refresh=True)
    assert (anew.cached, len(projections)) == (False, 2)


def test_a_new_one_is_drawn_once(cache, projections, models, face_of, monkeypatch):
    """To be measured, and that picture is the one that is shown; so is a tuned one's."""
    drawn, synthesis = [], models.generator.synthesis
    with monkeypatch.context() as patched:
        patched.setattr(models.generator, "synthesis", lambda *given: drawn.append(1) or synthesis(*given))
        made = inversion.invert(*face_of, models)
        picture = made.reconstruction
        assert len(drawn) == 1
        again = inversion.invert(*face_of, models)
        assert again.cached and np.array_equal(again.reconstruction, picture) and len(drawn) == 2
    tuned = tune_inversion(face_of[0], made, TuneSettings(4, whole=32, face=24))
    assert np.array_equal(tuned.reconstruction, to_uint8(tuned.generator.synthesis(tuned.w_plus)))
    assert not np.array_equal(tuned.reconstruction, picture)


def test_key_is_of_content_not_of_names(cache, projections, models, face_of, portrait):
    made = inversion.invert(*face_of, models)
    portrait.rename(portrait.with_name("renamed.png"))
    photo = read_photo(portrait.with_name("renamed.png"))
    assert inversion.invert(photo, face_of[1], models).cached
    darker = photo.pixels.copy()
    darker[0, 0] ^= 1
    path = portrait.with_name("other.png")
    Image.fromarray(darker).save(path)
    other = inversion.invert(read_photo(path), face_of[1], models)
    assert not other.cached and other.key != made.key


def test_damaged_entry_is_made_anew(cache, projections, models, portrait, capsys):
    assert main(["invert", str(portrait)]) == 0
    file = next((cache / "inversions").iterdir())
    file.write_bytes(file.read_bytes()[:-100])
    capsys.readouterr()
    assert main(["invert", str(portrait), "--json"]) == 0
    ran = capsys.readouterr()
    assert ran.err == ""
    assert json.loads(ran.out)["inversions"][0]["cached"] is False
    assert len(projections) == 2
    assert [entry.steps for entry, _ in kept.entries()] == [2]


@pytest.mark.parametrize("name", ["nothing.weight", "w_avg"], ids=["unknown", "no weight"])
def test_an_entry_that_somebody_made_up_is_made_anew(name, cache, projections, models, face_of):
    made = inversion.invert(*face_of, models)
    kept.keep(made.key, made.w_plus, replace(made.record, method=kept.TUNED), {name: torch.ones(3).half()})
    assert not inversion.invert(*face_of, models).cached and len(projections) == 2
    assert inversion.invert(*face_of, models).cached


def test_cache_on_a_full_disk_costs_no_picture(cache, projections, models, portrait, small_disk, capsys):
    (small_disk / "filling").write_bytes(bytes(60 << 10))
    (cache / "inversions").symlink_to(small_disk)
    out = portrait.with_name("out.png")
    assert main(["edit", str(portrait), "--drag", "104.4,138.9:101,135", "--steps", "1", "--out", str(out)]) == 0
    ran = capsys.readouterr()
    assert ran.err.startswith("The inversion was not kept: Could not write ") and "the disk is full" in ran.err
    assert out.exists()
    assert [path.name for path in small_disk.iterdir()] == ["filling"]
    assert main(["invert", str(portrait), "--json"]) == 1  # whose only purpose is to keep it
    ran = capsys.readouterr()
    assert "the disk is full" in ran.err
    assert "the disk is full" in json.loads(ran.out)["inversions"][0]["unkept"]


def test_a_fine_one_goes_on_from_a_kept_quick_one(cache, models, face_of):
    """And is the one that was made at once, to the last bit."""
    stages = Stage(3, 32, lr=0.2), Stage(2, 32, 24)
    fine = ProjectSettings(stages)
    whole = inversion.invert(*face_of, models, fine)
    kept.remove()
    quick = inversion.invert(*face_of, models, ProjectSettings(stages[:1]))
    made = inversion.invert(*face_of, models, fine)
    assert (quick.record.steps, made.record.steps, whole.record.steps) == (3, 5, 5)
    assert made.record.seconds > quick.record.seconds
    assert torch.equal(made.w_plus, whole.w_plus) and not torch.equal(made.w_plus, quick.w_plus)
    steps = []
    again = inversion.invert(*face_of, models, fine, refresh=True, progress=lambda *told: steps.append(told))
    assert sum(stage == "inverting" for stage, *_ in steps) == 5
    assert again.record.steps == 5 and torch.equal(again.w_plus, whole.w_plus)


def test_one_that_was_cut_off_goes_on(cache, models, face_of, monkeypatch):
    """It ends at the very code, and with the figures, of one that nobody stopped."""
    settings = ProjectSettings((Stage(3, 32),))
    whole = inversion.invert(*face_of, models, settings)
    kept.remove()
    for name, value in {"EVERY": 0.0, "RATE": float("inf"), "SHARE": float("inf")}.items():
        monkeypatch.setattr(unfinished, name, value)

    def pull_the_plug(stage, done, total):
        if stage == "inverting" and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        inversion.invert(*face_of, models, settings, progress=pull_the_plug)
    assert kept.entries() == [] and len(list(unfinished.folder().iterdir())) == 1
    steps = []
    again = inversion.invert(
        *face_of, models, settings, progress=lambda stage, done, total: steps.append((stage, done))
    )
    assert [done for stage, done in steps if stage == "inverting"] == [3]
    assert torch.equal(again.w_plus, whole.w_plus) and again.quality == whole.quality
    assert not again.cached and again.record.steps == 3
    assert list(unfinished.folder().iterdir()) == []


def test_nothing_is_kept_of_what_is_no_number(cache, models, face_of, monkeypatch):
    """A code that is finite and far outside of all, as a file may hold one: its picture is none."""
    monkeypatch.setattr(inversion, "quality_of", lambda *_: Quality(0.1, 0.1, float("nan"), 1.0, 0.1, 0.9))
    code = models.generator.w_avg.expand(1, models.generator.num_ws, -1)[0]
    with pytest.raises(Failure, match="no picture, but something that is no finite number, so nothing was kept"):
        import_latent(*face_of, models, code)
    with pytest.raises(Failure, match="so nothing was kept"):
        inversion.invert(*face_of, models, ProjectSettings((Stage(1, 32),)))
    assert kept.entries() == [] and unfinished.listing() == []

"""`photodrag cache` beyond listing and removing, and `--tune`, as a person uses them."""

import copy
import json
import re

import numpy as np
import pytest
import torch
from colour_tags import says_srgb
from PIL import Image

from photodrag.drag import DragSettings
from photodrag.invert import cache as kept
from photodrag.invert import projection, unfinished
from photodrag.invert.projection import ProjectSettings, Stage
from photodrag.invert.quality import to_uint8
from photodrag.invert.tuning import TuneSettings
from photodrag.pipeline.cli import main
from photodrag.pipeline.editing.inversion import Models
from photodrag.pipeline.editing.options import Dragging, Inverting, Network
from photodrag.pipeline.editing.whole_edit import edit


def ran(capsys, *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    out = capsys.readouterr()
    return code, out.out, out.err


@pytest.fixture
def key(ready, portrait) -> str:
    ready(portrait)
    return kept.entries()[0][0].key


def test_show(key, models, tmp_path, capsys):
    picture = tmp_path / "picture.png"
    code, out, err = ran(capsys, "cache", "show", "portrait.png", "--out", picture, "--json")
    assert (code, err) == (0, "")
    facts = json.loads(out)
    assert (facts["key"], facts["method"], facts["picture"]) == (key, "w+p", str(picture))
    assert facts["reconstruction"]["identity"] == 0.5
    with torch.no_grad():
        w_plus = models.generator.w_avg.expand(1, models.generator.num_ws, -1)
        own = to_uint8(models.generator.synthesis(w_plus))
    with Image.open(picture) as image:
        assert np.array_equal(np.array(image), own)
    assert says_srgb(picture.read_bytes())
    code, out, _ = ran(capsys, "cache", "show", key[:8])
    assert code == 0 and "portrait.png" in out and "distance, face" in out


def test_show_of_another_generator(key, golden, tmp_path, capsys):
    other = golden / "nvidia-ada-skip-32.pkl"
    arguments = "cache", "show", key[:8], "--out", tmp_path / "picture.png", "--generator", other
    code, _, err = ran(capsys, *arguments)
    assert code == 2 and "is of another generator" in err and not (tmp_path / "picture.png").exists()


def test_verify_and_prune(key, cache, capsys):
    assert ran(capsys, "cache", "verify") == (0, "Whole: 1 inversion; damaged: 0.\n", "")
    damaged = cache / "inversions" / f"{'0' * 64}.safetensors"
    damaged.write_bytes(b"damaged")
    code, out, err = ran(capsys, "cache", "verify")
    assert (code, out) == (1, f"Whole: 1 inversion; damaged: 1.\n{damaged}\n") and "cache prune" in err
    assert ran(capsys, "cache", "prune") == (0, "Removed 1 inversion: 7 B freed.\n", "")
    assert ran(capsys, "cache", "prune", "--max-size", "1MB")[1] == "Removed 0 inversions: 0 B freed.\n"
    assert ran(capsys, "cache", "prune", "--max-size", "1.5 kB")[1].startswith("Removed 1 inversion: ")
    code, _, err = ran(capsys, "cache", "prune", "--max-size", "much")
    assert code == 2 and "'much' is no size: give one like 500MB" in err
    code, _, err = ran(capsys, "cache", "prune", "--max-size", "9" * 400)
    assert code == 2 and "is no size: give one like 500MB" in err and len(err) < 200


def test_what_was_cut_off_is_listed_and_removed(key, cache, capsys):
    assert "cut off" not in ran(capsys, "cache", "list")[1]
    unfinished.folder().mkdir()
    for name, size in (("5a" * 32, 54_000_000), ("5b" * 32, 1000)):
        (unfinished.folder() / f"{name}.safetensors").write_bytes(bytes(size))
    code, out, _ = ran(capsys, "cache", "list")
    assert code == 0 and "Also 2 inversions that were cut off, 54.0 MB" in out
    assert re.search(r"^5a5a5a5a5a  \d{4}-\d\d-\d\d \d\d:\d\d  54\.0 MB  unfinished$", out, re.M)
    facts = json.loads(ran(capsys, "cache", "list", "--json")[1])
    assert {(state["key"], state["size"]) for state in facts["unfinished"]} == {
        ("5a" * 32, 54_000_000),
        ("5b" * 32, 1000),
    }
    assert ran(capsys, "cache", "remove", "5a5a5a") == (0, "Removed 1 inversion: 54.0 MB freed.\n", "")
    assert ran(capsys, "cache", "remove", "5c")[0] == 2
    assert [state.key for state in unfinished.listing()] == ["5b" * 32]
    assert ran(capsys, "cache", "clear", "--yes")[1].startswith("Removed 2 inversions: ")
    assert unfinished.listing() == []


def test_export_and_import_on_another_machine(key, tmp_path, monkeypatch, capsys):
    file = tmp_path / "portrait.safetensors"
    assert ran(capsys, "cache", "export", key[:8], file) == (0, f"{file}\n", "")
    monkeypatch.setenv("PHOTODRAG_CACHE", str(tmp_path / "other"))
    assert ran(capsys, "cache", "import", file) == (0, f"portrait.png: the inversion is kept, as {key[:10]}.\n", "")
    assert [entry.key for entry, _ in kept.entries()] == [key]


def test_codes_from_and_for_other_programs(key, portrait, models, tmp_path, capsys):
    npz, pt = tmp_path / "projected_w.npz", tmp_path / "0.pt"
    assert ran(capsys, "cache", "export", "portrait.png", npz, "--codes", 18)[0] == 0
    with np.load(npz, allow_pickle=False) as file:
        assert file["w"].shape == (1, 18, 512)
    code = torch.randn(1, 18, 512, generator=torch.Generator().manual_seed(0)) * 0.1 + models.generator.w_avg.cpu()
    torch.save(code, pt)
    result, _, err = ran(capsys, "cache", "import", pt, "--photo", portrait)
    assert result == 2 and "is kept already" in err and "--replace" in err
    result, out, err = ran(capsys, "cache", "import", pt, "--photo", portrait, "--replace")
    assert (result, err) == (0, "") and "portrait.png: the face was inverted" in out
    ((entry, _),) = kept.entries()
    assert (entry.key, entry.method) == (key, "imported")
    assert torch.equal(entry.w_plus, code[:, : models.generator.num_ws])
    assert entry.quality.mse > 0 and entry.quality.identity > 0


def test_wrong_exchanges(key, portrait, tmp_path, capsys):
    pt = tmp_path / "0.pt"
    torch.save(torch.zeros(2, 9, 512), pt)
    for arguments, words in (
        ((), "say with --photo PHOTO whose inversion it is"),
        (("--photo", portrait, "--index", 2, "--replace"), "--index is from 0 to 1"),
        (("--photo", portrait, "--replace"), "has codes of 2 pictures: say with --index, from 0 to 1"),
        (("--photo", portrait, "--index", 1, "--replace"), "9 codes, and the generator takes 12"),
    ):
        code, _, err = ran(capsys, "cache", "import", pt, *arguments)
        assert code == 2 and words in err
    code, _, err = ran(capsys, "cache", "export", key, tmp_path / "w.txt")
    assert code == 2 and ".safetensors or .npz" in err
    code, _, err = ran(capsys, "cache", "import", tmp_path / "missing.npz", "--photo", portrait)
    assert code == 2 and "There is no file" in err


@torch.no_grad()
def test_tune(portrait, cache, golden, monkeypatch, capsys):
    """What --tune keeps is what an edit takes from the cache, and draws with."""
    short = ProjectSettings(stages=(Stage(3, 128), Stage(2, 96, 224)))
    monkeypatch.setattr(projection, "ProjectSettings", lambda: short)
    generator = golden / "nvidia-ada-skip-32.pkl"
    result, out, _ = ran(capsys, "invert", portrait, "--generator", generator, "--json", "--quiet", "--tune=12")
    (made,) = json.loads(out)["inversions"]
    assert (result, made["tuned"], made["cached"]) == (0, True, False)
    assert sorted(entry.method for entry, _ in kept.entries()) == ["tuned", "w+p"]
    models = Models.load(generator, "cpu")
    for tuning in (None, TuneSettings(steps=12)):
        made = edit(
            portrait,
            [(128, 128)],
            [(140, 128)],
            network=Network(models=models),
            dragging=Dragging(settings=DragSettings(steps=2)),
            inverting=Inverting(projection=short, tuning=tuning),
        )
        assert made.inversion.cached
        (entry,) = (entry for entry, _ in kept.entries() if entry.method == ("tuned" if tuning else "w+p"))
        network = copy.deepcopy(models.generator)
        for name, delta in entry.deltas.items():
            network.get_parameter(name).data += delta.float()
        assert np.array_equal(made.edited_crop, to_uint8(network.synthesis(made.w_plus)))
        assert np.array_equal(made.inversion.reconstruction, to_uint8(network.synthesis(entry.w_plus)))
    assert not np.array_equal(made.edited_crop, to_uint8(models.generator.synthesis(made.w_plus)))


def test_tune_without_a_number_must_come_last(portrait, capsys):
    code, _, err = ran(capsys, "invert", "--tune", portrait)
    assert code == 2 and "is no number of steps: write --tune last, or --tune=60" in err

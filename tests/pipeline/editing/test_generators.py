"""Whole edits with other people's generators: small ones with random weights, so the picture is nonsense, but
where it changes, what is said and what is kept are as with any other."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import mirrored
from PIL import Image

from photodrag import weights
from photodrag.invert import projection
from photodrag.invert.crop import FFHQ_FACE
from photodrag.invert.projection import ProjectSettings, Stage
from photodrag.pipeline import edit
from photodrag.pipeline.cli import main
from photodrag.pipeline.editing.inversion import Models, focus_of, key_of
from photodrag.pipeline.editing.options import Dragging, Inverting, Network
from photodrag.pipeline.editing.plan import alignment_of, find_generator, find_place
from photodrag.pipeline.faces import detection
from photodrag.pipeline.photos.read import read_photo

FILES = {
    "nvidia-ada-skip-32.pkl": None,
    "nvidia-ada-conditional-16.pkl": 2,
    "nvidia-sg3repo-stylegan2-32.pkl": None,
    "legacy-tf-16.pkl": None,
    "rosinality-16.pt": None,
    "nvidia-sg3t-64.pkl": None,
    "nvidia-sg3r-64.pkl": None,
    "stylegan1-tf-64.pkl": None,
    "progan-tf-64.pkl": None,
    "progan-tf-32-growing.pkl": None,
}
"""Golden checkpoints, and the class that is asked of them."""
SHORT = ProjectSettings(stages=(Stage(3, 128), Stage(2, 96, 224)))
FLAT = ("nvidia-sg3r-64.pkl",)
"""Random weights whose picture changes by less than one of 255 levels in such a drag, so that what moves is chance."""
DRAG = "--drag", "70,60:80,64"


@pytest.fixture
def short(monkeypatch) -> None:
    """Commands that invert in five steps."""
    monkeypatch.setattr(projection, "ProjectSettings", lambda: SHORT)


@pytest.fixture
def no_detector(monkeypatch) -> None:
    def look(*_):
        raise AssertionError("a face was looked for")

    monkeypatch.setattr(detection, "detect", look)
    monkeypatch.setattr(detection, "in_box", look)


@pytest.fixture
def scene(tmp_path, portrait_image) -> Path:
    """A photo of 161 × 128 pixels: the largest square in its middle is half a pixel off the pixels' borders."""
    path = tmp_path / "photos" / "scene.png"
    path.parent.mkdir()
    portrait_image.resize((161, 128)).save(path)
    return path


@pytest.fixture
def told(capsys):
    """Run a command that must succeed; what it says on stdout, as JSON, and on stderr."""

    def run(*arguments: object) -> tuple[dict, str]:
        assert main([*map(str, arguments), "--json"]) == 0
        ran = capsys.readouterr()
        return json.loads(ran.out), ran.err

    return run


def pixels(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image).astype(int)


def of_class(number: int | None) -> list[str]:
    return [] if number is None else ["--class", str(number)]


@pytest.mark.parametrize("file", FILES)
def test_whole_edit(file, scene, golden, cache, short, no_detector, told, capsys):
    out, saved, class_ = scene.with_name("out.png"), scene.parent.parent / "edit.json", FILES[file]
    mask = np.zeros((128, 161), np.uint8)
    mask[30:100, 40:130] = 255
    Image.fromarray(mask).save(scene.with_name("mask.png"))
    asked = "--generator", golden / file, *of_class(class_), "--mask", scene.with_name("mask.png"), "--steps", 12
    facts, said = told("edit", scene, *DRAG, *asked, "--out", out, "--save-edit", saved)
    assert said.startswith(f"What {golden / file} shows isn't known") and said.count("\n") == 1
    old, new = pixels(scene), pixels(out)
    assert np.array_equal(old[mask == 0], new[mask == 0])
    assert file in FLAT or (old != new)[mask > 0].mean() > 0.2
    assert (facts["face"], facts["identity"], facts["likeness"], facts["reconstruction"]["identity"]) == (None,) * 4
    assert (facts["align"], facts["class"], facts["generator"]) == ("square", class_, str(golden / file))
    assert facts["quad"] == [[16, -0.5], [16, 127.5], [144, 127.5], [144, -0.5]]
    assert 1 <= facts["steps"] <= 12 and facts["cached"] is False

    again, _ = told("edit", scene, "--edit", saved, "--out", scene.with_name("again.png"))
    assert again["cached"] is True and again["class"] == class_
    assert np.array_equal(pixels(scene.with_name("again.png")), new)
    assert main(["edit", str(scene), "--edit", str(saved), "--quiet", "--out", str(out)]) == 0
    words = capsys.readouterr().out
    assert "(middle)" in words and "identity" not in words and "None" not in words


def test_square_around_a_box(scene, golden, cache, short, no_detector, told):
    """The square around the box, as wide as the box is high, reaches beyond the photo; elsewhere nothing changes,
    and towards its border what changes fades, though the generator's picture has pixels of 6 of the photo's."""
    white = scene.with_name("mask.png")
    Image.new("L", (161, 128), 255).save(white)
    box = "--box", "0,16,80,96", "--align", "square", "--mask", white
    facts, said = told("edit", scene, *DRAG, "--generator", golden / "rosinality-16.pt", *box, "--steps", 12)
    assert said == ""
    assert facts["quad"] == [[-8.5, 15.5], [-8.5, 111.5], [87.5, 111.5], [87.5, 15.5]]
    change = np.abs(pixels(scene) - pixels(facts["output"])).max(2)
    assert change[:16].max() == change[112:].max() == change[:, 88:].max() == 0
    inside = change[30:98, :74]
    assert change[16:112, 87].mean() < 0.35 * inside.mean() and change[16, :88].mean() < 0.35 * inside.mean()


def test_the_middle_square_of_a_mirrored_photo_is_mirrored(scene):
    here, there = (
        alignment_of(find_place(photo, "square")[0], 64).crop(photo.pixels).astype(int)
        for photo in map(read_photo, (scene, mirrored(scene, "mirrored.png")))
    )
    assert np.abs(here - there[:, ::-1]).max() <= 1


def test_faces_for_any_generator_that_is_asked_to(portrait, golden, cache, short, told):
    facts, said = told(
        "invert", portrait, "--generator", golden / "nvidia-ada-skip-32.pkl", "--align", "face", "--face", 1
    )
    (inverted,) = facts["inversions"]
    assert said == "" and inverted["align"] == "face"
    assert inverted["face"]["number"] == inverted["face"]["of"] == 1
    assert inverted["reconstruction"]["identity"] > 0.6 and inverted["likeness"] == "not like the person"


def test_a_square_for_the_faces_generator(scene, models, no_detector):
    """For a photo that is aligned already: one looks closely where faces are; another square is another inversion."""
    photo = read_photo(scene)
    square, count = find_place(photo, "square")
    around, _ = find_place(photo, "square", box=(10, 10, 100, 100))
    assert count is None and focus_of(models.generator) == FFHQ_FACE
    a, b = (key_of(photo, place, models, SHORT) for place in (square, around))
    assert a != b


def test_what_is_known_before_a_generator_is_loaded(golden, cache, tmp_path, monkeypatch):
    file = golden / "legacy-tf-16.pkl"
    weights.add(file, "grandma", "face")
    assert find_generator("grandma") == ("grandma", "face")
    assert find_generator("afhqcat") == ("afhqcat", "cat")
    assert find_generator(file) == (str(file), None)
    monkeypatch.chdir(golden)
    assert find_generator("legacy-tf-16.pkl") == ("./legacy-tf-16.pkl", None)


def test_each_class_has_its_own_space_and_inversions(scene, golden, cache, no_detector):
    file = golden / "nvidia-ada-conditional-16.pkl"
    made, brief = {}, {"dragging": Dragging(steps=1), "inverting": Inverting(SHORT)}
    for number in (0, 3):
        models = Models.load(file, "cpu", class_=number)
        z = torch.randn(4000, models.generator.z_dim, generator=torch.Generator().manual_seed(1))
        w = models.generator.mapping(z, torch.eye(4)[number].expand(len(z), -1))
        assert models.space.rms(w).square().mean().item() == pytest.approx(1, abs=0.03)
        assert (models.space.mean - w[:, 0].mean(0)).abs().max() < 0.06 * w[:, 0].std(0).max()
        made[number] = edit(scene, [(70, 60)], [(90, 64)], network=Network(models=models), **brief)
    assert (made[0].identity, made[0].faces, made[0].inversion.face) == (None, None, None)
    assert made[0].inversion.key != made[3].inversion.key
    assert not torch.equal(made[0].inversion.w_plus, made[3].inversion.w_plus)
    again = edit(scene, [(70, 60)], [(90, 64)], network=Network(file, 3, "cpu"), **brief)
    assert again.inversion.cached and np.array_equal(again.picture, made[3].picture)

"""Controls that are no drags, expressions, and edits that mean the same on every photo, from the command line."""

import json

import numpy as np
import pytest
from command import run
from PIL import Image

from photodrag.pipeline import Inverting, Network, edit
from photodrag.pipeline.editing.face_drag import drag_face
from photodrag.pipeline.editing.inversion import silent
from photodrag.pipeline.editing.plan import plan_edit
from photodrag.pipeline.editing.put_back import put_back
from photodrag.pipeline.editing.whole_edit import Clock, inverted
from photodrag.pipeline.faces.irises import find_irises
from photodrag.pipeline.faces.landmarks import Frame, predict


def pixels(path) -> np.ndarray:
    return np.array(Image.open(path).convert("RGB"))


@pytest.mark.parametrize(
    ("option", "moved", "still"),
    [
        (["--gaze-x", 0.8], (slice(95, 112), slice(90, 165)), (slice(130, 256), slice(0, 256))),
        (["--lean-left", 0.5], (slice(40, 160), slice(60, 190)), (slice(0, 256), slice(0, 20))),
        (["--forehead", 0.8], (slice(40, 90), slice(80, 170)), (slice(150, 256), slice(0, 256))),
    ],
)
def test_what_is_reshaped_without_a_drag_nor_an_inversion(option, moved, still, portrait, empty_cache, tmp_path):
    out = tmp_path / "out.png"
    ran = run("edit", portrait, *option, "--out", out, "--json")
    assert ran.code == 0, ran.err
    facts = json.loads(ran.out)
    assert facts["handles"] == [] and facts["face"]["number"] == 1
    unknown = "reconstruction", "cached", "generator", "device", "class"
    assert all(facts[name] is None for name in unknown) and not facts["tuned"]
    old, new = pixels(portrait), pixels(out)
    assert (old[moved] != new[moved]).any(-1).mean() > 0.1
    assert np.array_equal(old[still], new[still])


@pytest.mark.parametrize("amounts", [{"gaze-x": 0.8, "forehead": 0.3}, {"lean-left": -0.6}])
def test_the_photo_alone_gives_what_it_gives_beside_a_generator(amounts, portrait, ready, models):
    """To the bit, by a drag in which nothing moves."""
    ready(portrait)
    alone = edit(portrait, [], [], controls=amounts)
    assert alone.inversion is None and alone.w_plus is None and alone.seconds.keys() == {"faces", "blend"}
    plan = plan_edit(portrait, [], [], controls=amounts)
    inversion = inverted(plan, Network(models=models), Inverting(), Clock(), silent)
    dragged = put_back(plan, inversion, drag_face(plan, inversion))
    assert np.array_equal(alone.picture, dragged.picture) and np.array_equal(alone.changed, dragged.changed)
    assert np.allclose(alone.came_from(np.array([[100.0, 100]])), dragged.came_from(np.array([[100.0, 100]])))


def test_what_the_photo_alone_can_t_do(portrait, tmp_path):
    ran = run("edit", portrait, "--gaze-x", 0.5, "--save-latent", tmp_path / "w.npz", "--out", tmp_path / "out.png")
    assert ran.code == 2 and "--save-latent keeps a code, and this edit needs none" in ran.err
    assert not (tmp_path / "out.png").exists()


def test_a_film_of_the_photo_alone(portrait, empty_cache, tmp_path, monkeypatch):
    monkeypatch.setattr("photodrag.pipeline.films.frames.FRAMES", 3)
    out = tmp_path / "out.png"
    ran = run("edit", portrait, "--lean-left", 0.5, "--out", out, "--frames", tmp_path / "film")
    assert ran.code == 0, ran.err
    shown = [pixels(path) for path in sorted((tmp_path / "film").iterdir())]
    assert np.array_equal(shown[0], pixels(portrait)) and np.array_equal(shown[-1], pixels(out))


def test_parts_are_painted_where_they_shall_be(portrait, ready, tmp_path):
    ready(portrait)
    drawn, painted, out, kept = (tmp_path / name for name in ("PARTS.png", "painted.png", "out.png", "edit.json"))
    told = run("parts", portrait, "--out", drawn)
    assert told.code == 0 and "#dc003c  lips" in told.out
    picture = pixels(drawn)
    same = run("edit", portrait, "--parts", drawn, "--out", out)
    assert same.code == 2 and "Nothing is repainted in the map of parts" in same.err and not out.exists()
    lips = np.isin(picture[..., 0], (0xDC, 0x6E)) & (picture[..., 1] == 0)
    moved = picture.copy()
    moved[lips] = (255, 200, 150)
    moved[np.roll(lips, -3, 0)] = picture[lips]
    Image.fromarray(moved).save(painted)
    ran = run("edit", portrait, "--parts", painted, "--steps", 2, "--out", out, "--save-edit", kept, "--json")
    assert ran.code == 0, ran.err
    ways = np.array([np.subtract(one["target"], one["start"]) for one in json.loads(ran.out)["handles"]])
    assert len(ways) == 20 and np.abs(ways - (0, -3)).max() < 1
    painted.unlink()
    again = tmp_path / "again.png"
    assert run("edit", portrait, "--edit", kept, "--out", again).code == 0
    assert np.array_equal(pixels(out), pixels(again))


def test_eyes_look_where_they_were_told_to(portrait, ready, tmp_path):
    ready(portrait)
    out = tmp_path / "out.png"
    assert run("edit", portrait, "--gaze-x", 0.8, "--out", out).code == 0
    old, new = pixels(portrait), pixels(out)
    from photodrag.pipeline.faces.detection import detect

    landmarks = detect(old)[0].landmarks
    before, after = find_irises(old, landmarks), find_irises(new, predict(new, Frame.around(landmarks)))
    ways = [np.subtract(b.centre, a.centre) for a, b in zip(before, after, strict=True)]
    for x, y in ways:
        assert 0.4 * before[0].radius < x < 1.4 * before[0].radius and abs(y) < 0.6 * before[0].radius


def test_amounts_of_nothing(portrait, tmp_path):
    ran = run("edit", portrait, "--gaze-x", 0, "--smile", 0, "--out", tmp_path / "out.png")
    assert ran.code == 2 and "Nothing is to be dragged" in ran.err and not (tmp_path / "out.png").exists()


def test_an_edit_s_file_keeps_presets_and_names(portrait, ready, tmp_path):
    """As they were given; used on another photo, that needs no word, and pixels do."""
    ready(portrait)
    out, file = tmp_path / "out.png", tmp_path / "edit.json"
    given = "--smile", 0.5, "--gaze-x", 0.4, "--open-eyes", 0, "--drag", "brow.left:+0,-3%", "--steps", 2
    assert run("edit", portrait, *given, "--out", out, "--save-edit", file).code == 0
    kept = json.loads(file.read_text())
    assert kept["presets"] == {"smile": 0.5, "gaze-x": 0.4} and kept["drags"] == [["brow.left", "+0,-3%"]]
    assert "photo" not in kept
    again = tmp_path / "again.png"
    assert run("edit", portrait, "--edit", file, "--out", again).code == 0
    assert np.array_equal(pixels(out), pixels(again))
    less = run("edit", portrait, "--edit", file, "--gaze-x", 0, "--smile", 0.1, "--save-edit", file, "--out", again)
    assert less.code == 0 and json.loads(file.read_text())["presets"] == {"smile": 0.1}

    other = tmp_path / "other.png"
    Image.fromarray(pixels(portrait)[:, ::-1]).save(other)
    ready(other)
    assert run("edit", other, "--edit", file, "--out", again).err == ""
    run("edit", portrait, "--drag", "104,139:101,135", "--steps", 2, "--out", out, "--save-edit", file)
    assert len(json.loads(file.read_text())["photo"]) == 16
    assert run("edit", portrait, "--edit", file, "--out", again).err == ""
    told = run("edit", other, "--edit", file, "--out", again)
    assert told.code == 0 and "was made on another photo, whose pixels its drags name" in told.err


def test_an_expression_is_saved_and_taken_over(portrait, ready, tmp_path):
    ready(portrait)
    file, out = tmp_path / "laugh.json", tmp_path / "out.png"
    ran = run("expression", "save", portrait, file)
    assert ran.code == 0 and ran.out == f"The expression of face 1 of {portrait} is in {file}.\n"
    content = json.loads(file.read_text())
    content["landmarks"] = [
        [x, y + 0.08 * (number in (65, 66, 67))] for number, (x, y) in enumerate(content["landmarks"])
    ]
    file.write_text(json.dumps(content))
    made = run("edit", portrait, "--expression-from", file, "--amount", 0.5, "--steps", 2, "--out", out, "--json")
    assert made.code == 0, made.err
    ways = [np.subtract(handle["target"], handle["start"]) for handle in json.loads(made.out)["handles"]]
    far = np.linalg.norm(ways, axis=1)
    across = 43  # between the portrait's eyes
    assert far.max() == pytest.approx(0.5 * 0.08 * across, rel=0.15) and np.median(far) < 0.1
    same = run("edit", portrait, "--expression-from", portrait, "--out", out)
    assert same.code == 2 and "nothing would move" in same.err


def test_regions(portrait, ready, tmp_path):
    """Named and painted ones, kept in an edit's file as such, a painted one by its picture's path beside it."""
    ready(portrait)
    mask = np.zeros((256, 256), np.uint8)
    mask[130:155, 100:156] = 255
    Image.fromarray(mask).save(tmp_path / "mouth.png")
    out, file = tmp_path / "out.png", tmp_path / "edit.json"
    given = "--region", f"{tmp_path}/mouth.png:+0,-2%", "--region", "brow.left:+0,-3%,rotate=2", "--steps", 2
    ran = run("edit", portrait, *given, "--out", out, "--save-edit", file, "--json")
    assert ran.code == 0, ran.err
    handles = json.loads(ran.out)["handles"]
    assert len(handles) > 5 + 15 and all(handle["target"][1] < handle["start"][1] for handle in handles[:10])
    assert json.loads(file.read_text())["regions"] == ["mouth.png:+0,-2%", "brow.left:+0,-3%,rotate=2"]
    (tmp_path / "moved").mkdir()
    for name in ("mouth.png", "edit.json"):
        (tmp_path / name).rename(tmp_path / "moved" / name)
    again = tmp_path / "again.png"
    assert run("edit", portrait, "--edit", tmp_path / "moved" / "edit.json", "--out", again).code == 0
    assert np.array_equal(pixels(out), pixels(again))


def test_eyes_that_are_too_small(portrait, tmp_path):
    small = tmp_path / "small.png"
    Image.fromarray(pixels(portrait)).resize((64, 64)).save(small)
    ran = run("edit", small, "--gaze-x", 0.5, "--box", "18,18,26,26", "--out", tmp_path / "out.png")
    assert ran.code == 2 and "No irises can be made out in small.png" in ran.err
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--amount", 0.5, "--smile", 0.5], "--amount says how much of an expression is taken over"),
        (["--expression-from", "none.jpg"], "There is no file none.jpg"),
        (["--expression-from", "wrong.json"], "wrong.json holds no expression: give a photo, or a file that"),
        (["--expression-from", "no-face.png"], "No face was found in no-face.png"),
        (["--region", "mouth:3,4"], "'mouth:3,4' is no region with its way: give one like mouth:+0,-3%,scale=1.1"),
        (["--region", "none.png:+1,+1"], "There is no file none.png"),
        (["--region", "mouth:scale=1"], "nothing would move"),
        (["--parts", "none.png"], "There is no file none.png"),
        (["--parts", "no-face.png"], "no-face.png has 64 × 64 pixels, but the photo, as one sees it, 256 × 256"),
        (["--neutral", -0.5], "Invalid value for '--neutral'"),
    ],
)
def test_wrong_controls(words, sentence, portrait, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.json").write_text('{"landmarks": []}')
    Image.new("RGB", (64, 64)).save("no-face.png")
    ran = run("edit", portrait, *words, "--out", "out.png")
    assert ran.code == 2 and sentence in ran.err and ran.err.count("\n") == 1, ran.err
    assert not (tmp_path / "out.png").exists()

"""--ignore: the inversion doesn't look there, and nothing there changes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from command import MOUTH
from PIL import Image

from photodrag import weights
from photodrag.invert import cache as kept
from photodrag.invert import projection
from photodrag.invert.projection import ProjectSettings, Stage
from photodrag.invert.start import start_digest
from photodrag.pipeline.cli import main
from photodrag.pipeline.editing import inversion, masks
from photodrag.pipeline.editing.blend import blend, residual_layers
from photodrag.pipeline.editing.compositing import Start, blend_in
from photodrag.pipeline.editing.inversion import DISTANCE, crop_of, key_of
from photodrag.pipeline.editing.motion import Dragged
from photodrag.pipeline.editing.options import Dragging, Network
from photodrag.pipeline.editing.plan import find_face, plan_edit
from photodrag.pipeline.editing.selection import Selection
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.photos.fill import filled_from_nearest
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError

SHORT = ProjectSettings(stages=(Stage(3, 64), Stage(2, 64, 64)))
HIDDEN = slice(55, 85), slice(60, 75)


def ignored(shape: tuple[int, int] = (128, 161), where=HIDDEN) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[where] = True
    return mask


def saved(mask: np.ndarray, path: Path) -> Path:
    Image.fromarray((mask * 255).astype(np.uint8)).save(path)
    return path


def pixels(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image).astype(int)


@pytest.fixture
def scene(tmp_path, portrait_image) -> Path:
    path = tmp_path / "scene.png"
    portrait_image.resize((161, 128)).save(path)
    return path


@pytest.fixture
def told(capsys):
    def run(*arguments: object) -> dict:
        assert main([*map(str, arguments), "--json", "--quiet"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def test_command_line(scene, golden, cache, monkeypatch, told):
    """Two photos that differ in what is ignored: it stays in each, and all else is the same in both."""
    monkeypatch.setattr(projection, "ProjectSettings", lambda: SHORT)
    hidden = ignored()
    ignore = saved(hidden, scene.with_name("ignore.png"))
    other = pixels(scene)
    other[hidden] = np.random.RandomState(0).randint(0, 256, (hidden.sum(), 3))
    Image.fromarray(other.astype(np.uint8)).save(scene.with_name("other.png"))
    asked = "--generator", golden / "rosinality-16.pt", "--ignore", ignore
    (first,) = told("invert", scene, *asked)["inversions"]
    outs = []
    for photo in (scene, scene.with_name("other.png")):
        out = photo.with_name(f"{photo.stem}-out.png")
        file = "--save-edit", scene.with_name("edit.json")
        facts = told("edit", photo, *asked, "--drag", "90,60:96,64", "--steps", 6, "--out", out, *file)
        assert facts["cached"] is (photo == scene) and facts["reconstruction"] == first["reconstruction"]
        old, new = pixels(photo), pixels(out)
        assert np.array_equal(old[hidden], new[hidden])
        assert (old != new).any(2).mean() > 0.05
        outs.append(new)
    assert np.array_equal(*(new[~hidden] for new in outs))
    assert json.loads(scene.with_name("edit.json").read_text())["ignore"] == "ignore.png"
    out = scene.with_name("again.png")
    told("edit", scene, "--edit", scene.with_name("edit.json"), "--out", out)
    assert np.array_equal(pixels(out), outs[0])


def test_with_a_mask_and_the_face(portrait, ready, models, monkeypatch):
    """Of what the mask lets change, what is ignored stays, too."""
    monkeypatch.setattr(inversion.cache, "find", lambda key, shape, find=kept.find: find(stand_in, shape))
    photo = read_photo(ready(portrait))
    stand_in = key_of(photo, find_face(photo)[0], models, ProjectSettings())
    hidden = ignored((256, 256), (slice(130, 150), slice(110, 140)))
    from photodrag.pipeline import edit

    drag = [tuple(map(float, point.split(","))) for point in MOUTH[1].split(":")]
    for mask in ("face", ignored((256, 256), (slice(90, 180), slice(60, 200)))):
        done = edit(
            photo,
            drag[:1],
            drag[1:],
            mask,
            selection=Selection(ignore=hidden),
            network=Network(models=models),
            dragging=Dragging(steps=1),
        )
        assert not done.changed[hidden].any() and done.changed.any()
        assert not isinstance(mask, np.ndarray) or not done.changed[~mask].any()


def test_key(portrait, models):
    """It is what it was where nothing of the crop is ignored."""
    photo = read_photo(portrait)
    face, _ = find_face(photo)
    generator, settings = models.generator, ProjectSettings()
    before = kept.key_of(
        photo.key,
        face.landmarks.round(2),
        generator.digest,
        [generator.resolution, generator.num_ws, generator.w_dim, None],
        weights.digest(DISTANCE),
        start_digest(),
        weights.axes_digest(),
        settings,
    )
    assert key_of(photo, face, models, settings) == before
    a, b = (ignored((256, 256), (slice(130, 150), slice(110, last))) for last in (140, 141))
    assert len({before, *(key_of(photo, face, models, settings, mask) for mask in (a, b))}) == 3


@pytest.mark.parametrize("where", [(slice(0), slice(0)), (slice(0, 256), slice(0, 2))], ids=["nothing", "elsewhere"])
def test_what_does_not_touch_the_crop(where, portrait, models, monkeypatch):
    def find(key, shape):
        raise LookupError(key)

    monkeypatch.setattr(inversion.cache, "find", find)
    photo = read_photo(portrait)
    face, _ = find_face(photo)
    with pytest.raises(LookupError, match=key_of(photo, face, models, ProjectSettings())):
        inversion.invert(photo, face, models, ignore=ignored((256, 256), where))


def test_nothing_of_the_ignored_goes_into_what_counts(models):
    """Whatever the crop's turn and scale."""
    rng = np.random.RandomState(2)
    hidden = ignored((300, 300), (slice(120, 170), slice(100, 180)))
    quiet, noisy = np.zeros((2, 300, 300, 3), np.uint8)
    noisy[hidden] = rng.randint(1, 256, (hidden.sum(), 3))
    for size, turn in ((512, 0.3), (100, 0.7), (33, 0.1)):
        across = 110 * np.array([np.cos(turn), np.sin(turn)])
        alignment = Alignment._square(np.array([140.2, 145.7]), across, size)
        counts = masks.counted(hidden, alignment)
        assert 0.5 < counts.mean() < 1
        assert not (alignment.crop(noisy) != alignment.crop(quiet)).any(2)[counts > 0].any()


def test_what_is_ignored_is_not_carried_along():
    """The edit moves the picture by 12 px; a red bar that is ignored doesn't come along, the photo's grey does."""
    photo = np.full((256, 256, 3), 90, np.uint8)
    hidden = ignored((256, 256), (slice(None), slice(100, 112)))
    photo[hidden] = (255, 0, 0)
    alignment = Alignment(np.array([[-0.5, -0.5], [-0.5, 255.5], [255.5, 255.5], [255.5, -0.5]]), 256)
    fine = (np.random.RandomState(0).rand(256, 256, 1) * 60 + 60).astype(np.uint8).repeat(3, 2)
    fine = np.asarray(Image.fromarray(fine).resize((64, 64)).resize((256, 256), Image.BICUBIC))
    alpha = (~hidden).astype(np.float32)
    own = masks.counted(hidden, alignment)
    moved = np.roll(fine, 12, 1)
    red = {
        name: (
            np.ptp(blend(photo, alignment, residual_layers(fine, moved, given), alpha).picture.astype(int), axis=2) > 60
        )
        & ~hidden
        for name, given in (("carried", None), ("left", own))
    }
    assert red["carried"].mean() > 0.01 and red["left"].mean() < 0.001


def test_nothing_of_the_ignored_is_read_beside_it():
    """The edit moves the picture by parts of a pixel, so that bicubic kernels reach into what is ignored, of which
    every value is tried: whatever is there, what counts comes out the same."""
    rng = np.random.RandomState(1)
    hidden = ignored((1000, 1000), (slice(375, 625), slice(400, 600)))
    fine = np.asarray(Image.fromarray(rng.randint(60, 120, (32, 32, 3), np.uint8)).resize((1024, 1024), Image.BICUBIC))
    moved = np.asarray(Image.fromarray(fine).transform((1024, 1024), Image.AFFINE, (1, 0, 8, 0, 1, 5.6)))
    alignment = Alignment.from_box((100, 100, 800, 800))
    start, nothing = Start(alignment, fine, None), Dragged(*np.zeros((3, 0, 2)))
    stripes = (90 + np.indices((1000, 1000)).sum(0) % 40).astype(np.uint8)[..., None].repeat(3, 2)
    came_out = []
    for there in (0, 255, rng.randint(0, 256, (hidden.sum(), 3))):
        photo = stripes.copy()
        photo[hidden] = there
        done, _ = blend_in(photo, np.ones((1000, 1000), np.float32), start, moved, nothing, hidden)
        assert np.array_equal(done.picture[hidden], photo[hidden]) and not done.changed[hidden].any()
        assert (done.picture != photo).any(2).mean() > 0.2
        came_out.append(done.picture[~hidden])
    assert all(np.array_equal(came_out[0], other) for other in came_out[1:])


@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 3)])
def test_what_is_ignored_is_replaced_by_what_lies_nearest(shape):
    pixels = np.random.RandomState(0).randint(0, 256, shape, np.uint8)
    hidden = ignored((40, 50), (slice(10, 20), slice(0, 30)))
    shown = filled_from_nearest(pixels, hidden)
    assert np.array_equal(shown[~hidden], pixels[~hidden])
    assert np.array_equal(shown[19, :27], pixels[20, :27]) and np.array_equal(shown[14, 29], pixels[14, 30])
    everything = np.ones((40, 50), bool)
    assert np.array_equal(filled_from_nearest(pixels, everything), pixels)


def test_errors(portrait, cache, capsys):
    def fails(sentence: str, mask: np.ndarray, command: str = "edit") -> None:
        drag = MOUTH if command == "edit" else ()
        ignore = saved(mask, portrait.with_name("ignore.png"))
        assert main([command, str(portrait), *drag, "--ignore", str(ignore), "--quiet"]) == 2
        said = capsys.readouterr().err
        assert sentence in said and said.count("\n") == 1

    size = "ignore.png has 255 × 256 pixels, but the photo, as one sees it, 256 × 256"
    face = "All of the face is to be ignored in portrait.png, or nearly all: leave more of it black."
    for command in ("edit", "invert"):
        fails(size, ignored((256, 255)), command)
        fails(face, ignored((256, 256), (slice(40, 210), slice(50, 205))), command)
    assert main(["edit", str(portrait), *MOUTH, "--ignore", "missing.png"]) == 2
    assert "There is no file missing.png" in capsys.readouterr().err


def test_a_mask_of_the_ignored_alone(portrait):
    hidden = ignored((256, 256), (slice(120, 160), slice(90, 170)))
    with pytest.raises(UserError, match="The mask, without what is ignored, lets nothing change inside the crop"):
        plan_edit(portrait, [(104, 139)], [(101, 135)], hidden, Selection(ignore=hidden))
    assert plan_edit(portrait, [(104, 139)], [(101, 135)], selection=Selection(ignore=hidden)).ignored is not None
    with pytest.raises(UserError, match=r"The mask is \(3, 3\), the photo \(256, 256\)"):
        plan_edit(portrait, [(104, 139)], [(101, 135)], selection=Selection(ignore=np.ones((3, 3))))


def test_weight_of_a_crop(portrait, models):
    photo = read_photo(portrait)
    hidden = ignored((256, 256), (slice(130, 150), slice(110, 140)))
    _, crop = crop_of(photo, find_face(photo)[0], models, hidden)
    assert crop.weight.shape == (1, 1, 256, 256) and set(crop.weight.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(crop.image, crop_of(photo, find_face(photo)[0], models)[1].image)

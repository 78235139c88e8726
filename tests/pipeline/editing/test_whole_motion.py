"""Whole pictures that a StyleGAN3 moves and turns, in a photo and by themselves."""

import json
import math
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from photodrag import weights
from photodrag.invert.quality import to_uint8
from photodrag.pipeline import CodeEdit, Controls, Dragging, Network, edit
from photodrag.pipeline.cli import main
from photodrag.pipeline.editing import compositing, inversion
from photodrag.pipeline.editing.edit_file import EditFile, read_edit_file, write_edit_file
from photodrag.pipeline.editing.inversion import Models
from photodrag.pipeline.editing.whole_motion import WholeMotion
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.films.frames import restyled_pictures
from photodrag.weights.formats.families import build

sys.path.append(str(Path(__file__).parents[2] / "weights"))
from plain_stylegan3 import random_stylegan3

SIDE = 64


@pytest.fixture(scope="module")
def models() -> Models:
    """Of a StyleGAN3 of random weights and strong colours, whose pictures turn well: configuration R."""
    state, arguments = random_stylegan3(SIDE, "r", 256, 8, 16, seed=4)
    generator = build(state, arguments | {"output_scale": 2.0})
    generator.subject, generator.digest, generator.has_ffhq_w = None, "0" * 64, False
    return Models("waves", generator, weights.latent_space(generator))


@pytest.fixture
def photo(models, tmp_path, cache, monkeypatch) -> tuple[Path, torch.Tensor]:
    """A picture that the generator drew, enlarged and in a frame, and its code, which is its inversion."""
    code = models.generator.mapping(torch.randn(1, 16, generator=torch.Generator().manual_seed(2)))

    def known(generator, *_, **__):
        return SimpleNamespace(w_plus=code, steps=1, seconds=1.0)

    monkeypatch.setattr(inversion, "project", known)
    monkeypatch.setattr(compositing, "LEAST_SIDE", 256)  # for speed
    picture = Image.fromarray(to_uint8(models.generator.synthesis(code))).resize((256, 256), Image.Resampling.BICUBIC)
    framed = Image.new("RGB", (320, 256), "grey")
    framed.paste(picture, (32, 0))
    framed.save(tmp_path / "photo.png")
    return tmp_path / "photo.png", code


def test_points_go_where_the_generator_draws_them():
    motion, points = WholeMotion(0.1, -0.2, 90), np.array([[31.5, 31.5], [63.0, 31.5], [0.0, 0.0]])
    there = motion.of(points, 64)
    assert there == pytest.approx(np.array([[37.9, 18.7], [37.9, 50.2], [69.4, -12.8]]))  # clockwise: right is below
    assert motion.origin(there, 64) == pytest.approx(points)
    flow = motion.flow(64)
    assert flow[20, 40] + (40, 20) == pytest.approx(motion.origin(np.array([40.0, 20.0]), 64), abs=1e-4)


def test_a_photo_is_moved_and_turned_as_its_generator_s_picture(models, photo):
    """To what the moved network draws of the same code, up to enlarging; the frame beside the square stays."""
    path, code = photo
    network, change = Network(models=models), CodeEdit(move=(24.0, -16.0), roll=15.0)
    done = edit(path, [], [], network=network, controls=Controls(code=change))
    drawn = to_uint8(models.generator.moved(24 / 4, -16 / 4, 15).synthesis(code))
    expected = np.array(Image.fromarray(drawn).resize((256, 256), Image.Resampling.BICUBIC), float)
    before, after = (picture[:, 32:288].astype(float) for picture in (done.photo.pixels, done.picture))
    inner = slice(24, 232)  # the seam is beyond
    off, still = (np.abs(expected - picture)[inner, inner].mean() for picture in (after, before))
    assert still > 10 and off < 0.1 * still
    assert np.array_equal(done.picture[:, :32], done.photo.pixels[:, :32])
    assert torch.equal(done.w_plus, code)


def test_points_go_along(models, photo):
    change, dragging = CodeEdit(move=(24.0, -16.0), roll=90.0), Dragging(steps=1)
    done = edit(
        photo[0],
        [(170, 128)],
        [(180, 128)],
        network=Network(models=models),
        dragging=dragging,
        controls=Controls(code=change),
    )
    x, y = 160 - 0.5, 128 - 0.5  # the middle of the square
    now = done.restyled.plan
    assert now.handles[0] == pytest.approx((x - 0.5 + 24, y + 10.5 - 16))
    assert now.targets[0] - now.handles[0] == pytest.approx((10, 0))


def test_nothing_moved_changes_nothing(models, photo):
    done = edit(
        photo[0], [], [], network=Network(models=models), controls=Controls(code=CodeEdit(move=(0.0, 0.0), roll=0.0))
    )
    assert np.array_equal(done.picture, done.photo.pixels) and not done.changed.any()


def test_a_film_turns_evenly(models, photo):
    done = edit(photo[0], [], [], network=Network(models=models), controls=Controls(code=CodeEdit(roll=30.0)))
    first, middle, last = restyled_pictures(done.restyled, 3)
    assert np.array_equal(first, done.photo.pixels) and np.array_equal(last, done.picture)
    half = edit(photo[0], [], [], network=Network(models=models), controls=Controls(code=CodeEdit(roll=15.0)))
    assert np.array_equal(middle, half.picture)


def test_a_changed_code_s_inversion_is_drawn_anew(models, photo):
    """Also right after the first inversion, whose picture is there already."""
    change = CodeEdit(truncation=0.5)
    found = [edit(photo[0], [], [], network=Network(models=models), controls=Controls(code=change)) for _ in range(2)]
    assert [done.inversion.cached for done in found] == [False, True]
    pictures = [done.restyled.inversion.reconstruction for done in found]
    assert np.array_equal(*pictures) and np.array_equal(pictures[0], found[0].restyled.edited)


def test_a_way_is_turned_into_the_generator_s_square():
    from photodrag.pipeline.editing.whole_motion import motion_of

    quad = np.array([[100.0, 0], [0, 0], [0, 100], [100, 100]])  # its right is the photo's below
    motion = motion_of(CodeEdit(move=(10.0, 0.0), roll=5.0), Alignment(quad, 50))
    assert (motion.x, motion.y, motion.roll) == pytest.approx((0, -0.1, 5))
    point = np.array([[80.0, 30.0]])
    turned = math.radians(5)
    x, y = 80 - 49.5, 30 - 49.5
    expected = (
        49.5 + x * math.cos(turned) - y * math.sin(turned) + 10,
        49.5 + x * math.sin(turned) + y * math.cos(turned),
    )
    assert motion.of_photo(point, Alignment(quad, 50))[0] == pytest.approx(expected, abs=0.2)


def test_by_the_command_line(golden, cache, tmp_path, capsys, monkeypatch):
    generator = str(golden / "nvidia-sg3r-64.pkl")
    monkeypatch.chdir(tmp_path)
    assert main(["generate", generator, "--seed", "3", "--out", "a.png"]) == 0
    assert main(["generate", generator, "--seed", "3", "--move", "9,-4", "--roll", "20", "--out", "b.png"]) == 0
    assert "its code is kept" not in capsys.readouterr().out.splitlines()[-1]
    a, b = (np.array(Image.open(name)) for name in ("a.png", "b.png"))
    network = weights.load(generator)
    z = torch.from_numpy(np.random.RandomState(3).randn(1, network.z_dim)).float()
    expected = to_uint8(network.moved(9, -4, 20).synthesis(network.mapping(z, psi=0.7)))
    assert np.array_equal(b, expected) and not np.array_equal(a, b)

    assert (
        main(["edit", "a.png", "--generator", generator, "--roll=-5", "--save-edit", "e.json", "--out", "c.png"]) == 0
    )
    assert json.loads(Path("e.json").read_text())["roll"] == -5 and "move" not in json.loads(Path("e.json").read_text())
    assert main(["edit", "a.png", "--edit", "e.json", "--move", "3,4", "--out", "d.png", "--json"]) == 0


@pytest.mark.parametrize(
    "given, told",
    [
        (["--roll", "5"], "The generator nvidia-ada-skip-32.pkl can't move or turn its picture: only a StyleGAN3 can"),
        (["--move", "1,2"], "can't move or turn its picture"),
        (["--roll", "181"], "Invalid value for '--roll'"),
        (["--roll", "nan"], "Invalid value for '--roll'"),
        (["--move", "3"], "is not X,Y: give how far to the right and down, in pixels, like 12,-4"),
    ],
)
def test_what_can_t_be_moved(given, told, golden, empty_cache, tmp_path, capsys):
    Image.new("RGB", (64, 64), "grey").save(tmp_path / "photo.png")
    generator = str(golden / "nvidia-ada-skip-32.pkl")
    commands = ["edit", str(tmp_path / "photo.png"), "--generator", generator], ["generate", generator]
    for command in commands:
        assert main([*command, *given, "--out", str(tmp_path / "out.png")]) == 2
        out, err = capsys.readouterr()
        assert told in err and out == "" and not (tmp_path / "out.png").exists()


def test_out_of_the_picture(golden, empty_cache, tmp_path, capsys):
    generator, photo = str(golden / "nvidia-sg3r-64.pkl"), tmp_path / "photo.png"
    Image.new("RGB", (100, 80), "grey").save(photo)
    for command in (
        ["edit", str(photo), "--generator", generator, "--move=0,-81"],
        ["generate", generator, "--move=0,-81"],
    ):
        assert main([*command, "--out", str(tmp_path / "out.png")]) == 2
        assert "moves all of it out of the picture: it has" in capsys.readouterr().err


def test_in_an_edit_s_file(tmp_path):
    kept = EditFile(move=(12.0, -4.5), roll=-7.0)
    write_edit_file(tmp_path / "e.json", kept)
    assert read_edit_file(tmp_path / "e.json") == kept
    assert kept.moves and EditFile(roll=0.0).moves and not EditFile().moves

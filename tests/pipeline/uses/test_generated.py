"""Random pictures, grids and walks."""

import json

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from photodrag import weights
from photodrag.invert import imported_codes
from photodrag.invert.quality import to_uint8
from photodrag.pipeline.cli import main
from photodrag.pipeline.editing.inversion import Models
from photodrag.pipeline.uses.generated import codes_of, grid, walk
from photodrag.weights import UserError, latent_space

CONDITIONAL = "nvidia-ada-conditional-16.pkl"


def test_a_seed_is_nvidias(face):
    """generate.py: z = RandomState(seed).randn(1, z_dim), truncated towards w_avg."""
    models = Models("face", face, latent_space(face))
    z = torch.from_numpy(np.random.RandomState(7).randn(1, face.z_dim)).float()
    w = face.mapping(z, psi=1.0)
    expected = face.w_avg + 0.7 * (w - face.w_avg)
    assert torch.allclose(codes_of(models, [7], 0.7), expected, atol=1e-5)
    cut = codes_of(models, [7], 0.7, 4)
    assert torch.allclose(cut[:, :4], expected[:, :4], atol=1e-5) and torch.equal(cut[:, 4:], w[:, 4:])


def test_a_walk_is_straight_even_and_ends_where_it_should():
    codes = torch.randn(3, 2, 5)
    way = walk(codes, 4)
    assert len(way) == 9
    for number, expected in ((0, codes[0]), (4, codes[1]), (8, codes[2]), (1, codes[0].lerp(codes[1], 0.25))):
        assert torch.allclose(way[number], expected)


def test_a_grid_has_every_picture_at_its_place():
    pictures = [np.full((8, 8, 3), number, np.uint8) for number in range(1, 6)]
    sheet = grid(pictures)
    assert sheet.shape == (16, 24, 3)
    assert [int(sheet[y, x, 0]) for y in (0, 8) for x in (0, 8, 16)] == [1, 2, 3, 4, 5, 0]


def test_too_many_or_no_seeds(face):
    models = Models("face", face, latent_space(face))
    for seeds in ([], range(401)):
        with pytest.raises(UserError, match="1 to 400"):
            codes_of(models, seeds)


def test_the_command_draws_a_picture_and_keeps_its_code(cache, tmp_path, capsys, face):
    out, code = tmp_path / "nobody.png", tmp_path / "nobody.npz"
    assert main(["generate", "--seed", "7", "--out", str(out), "--save-latent", str(code), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    (latent,) = imported_codes.read_latents(code)
    w_plus = latent.codes[None]
    with torch.no_grad():
        assert np.array_equal(np.array(Image.open(out)), to_uint8(face.synthesis(w_plus)))
    assert facts["seeds"] == [7] and facts["psi"] == 0.7 and facts["latent"]
    edited = tmp_path / "smile.png"
    drag = ["--smile", "0.5", "--steps", "2", "--json"]
    assert main(["edit", str(out), *drag, "--out", str(edited)]) == 0
    assert json.loads(capsys.readouterr().out)["cached"]  # it begins at that very code


@pytest.mark.parametrize("ending", [".gif", ".mp4", ""])
def test_a_walk_is_a_film(ending, golden, cache, tmp_path):
    out = tmp_path / f"walk{ending}"
    arguments = [str(golden / "nvidia-ada-skip-32.pkl"), "--seeds", "1-2", "--seed", "5", "--walk", "--between", "3"]
    assert main(["generate", *arguments, "--out", str(out)]) == 0
    if ending == ".gif":
        assert Image.open(out).n_frames == 7
    elif ending == ".mp4":
        assert cv2.VideoCapture(str(out)).read()[0]
    else:
        assert len(list(out.iterdir())) == 7


def test_a_class_is_drawn(golden, cache, tmp_path):
    generator = weights.load(golden / CONDITIONAL)
    models = Models("c", generator, latent_space(generator, c=torch.eye(generator.c_dim)[2:3]), 2)
    c = torch.eye(generator.c_dim)[2:3]
    z = torch.from_numpy(np.random.RandomState(3).randn(1, generator.z_dim)).float()
    assert torch.allclose(codes_of(models, [3]), generator.mapping(z, c), atol=1e-6)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--seed", "1", "--out", "a.xyz"], ".png"),
        (["--seed", "1", "--walk", "--out", "a.gif"], "two seeds"),
        (["--seeds", "1-2", "--walk", "--out", "a.png"], ".mp4 or .gif"),
        (["--seeds", "4-2", "--out", "a.png"], "list of seeds"),
        (["--seed", "1", "--direction", "sefa:x", "1", "--out", "a.png"], "from 0 on"),
        (["--seed", "1", "--direction", "sefa:1", "nan", "--out", "a.png"], "no amount"),
        (["--seed", "1", "--out", "a.png", "--save-latent", "a.txt"], ".npz"),
        (["--seed", "1", "--out", "none/a.png"], "folder"),
    ],
)
def test_what_cannot_be_drawn_is_told(arguments, words, cache, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["generate", *arguments]) == 2
    assert words in capsys.readouterr().err and {path.name for path in tmp_path.iterdir()} <= {"cache"}

"""Two photos in one: fused, and mixed."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from photodrag import weights
from photodrag.invert import cache as kept
from photodrag.invert.projection import ProjectSettings
from photodrag.pipeline.cli import main
from photodrag.pipeline.editing.inversion import find_kept, key_of
from photodrag.pipeline.editing.options import Network
from photodrag.pipeline.editing.plan import find_face
from photodrag.pipeline.photos.read import read_photo
from photodrag.pipeline.uses.two_photos import fuse, layers_of, mix
from photodrag.weights import UserError


@pytest.fixture
def other(tmp_path, portrait_image, ready, models) -> Path:
    """Another photo: the face mirrored, darker and wider, with another code than the mean."""
    path = tmp_path / "photos" / "other.png"
    path.parent.mkdir(exist_ok=True)
    wide = portrait_image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((280, 256)).crop((12, 0, 268, 256))
    wide.point(lambda level: level * 0.8).save(path)
    photo = read_photo(ready(path))
    key = key_of(photo, find_face(photo)[0], models, ProjectSettings())
    entry = find_kept(key, models.generator)
    z = torch.randn(1, models.generator.z_dim, generator=torch.Generator().manual_seed(4))
    kept.keep(key, models.generator.mapping(z, psi=0.5), entry)
    return path


def test_no_amount_is_the_photo_to_the_bit(ready, portrait, other, models):
    done = fuse(ready(portrait), other, 0.0, network=Network(models=models))
    assert np.array_equal(done.edit.picture, read_photo(portrait).pixels) and not done.edit.changed.any()
    assert done.identities[0] == 0


def test_a_fusion_goes_from_one_person_to_the_other(ready, portrait, other, models):
    """Each step is less like the one and more like the other, and the end is the other person."""
    ready(portrait)
    found = [fuse(portrait, other, amount, network=Network(models=models)) for amount in (0.25, 0.5, 1.0)]
    _, others = zip(*(one.identities for one in found), strict=True)
    assert others[0] > others[2] and others[2] < 0.45
    for one in found:
        picture, photo = one.edit.picture, read_photo(portrait).pixels
        assert not ((picture != photo).any(2) & ~one.edit.changed).any() and one.edit.changed.mean() < 0.7
    halfway = torch.lerp(found[1].edit.inversion.w_plus, found[2].edit.w_plus, 0.5)
    assert torch.allclose(found[1].edit.w_plus, halfway, atol=1e-6)


def test_layers_by_their_groups(face, golden, empty_cache):
    assert layers_of(["coarse"], face) == (0, 1, 2)
    assert layers_of(["middle"], face) == (3, 4, 5, 6)
    assert layers_of(["fine"], face) == tuple(range(7, face.num_ws))
    assert layers_of(["coarse", "middle", "fine"], face) == tuple(range(face.num_ws))
    assert layers_of([4, 0], face) == (0, 4)
    small = weights.load(golden / "nvidia-ada-conditional-16.pkl")
    with pytest.raises(UserError, match="no fine layers"):
        layers_of(["fine"], small)
    with pytest.raises(UserError, match="no code"):
        layers_of([99], small)


def test_a_mixture_has_the_others_codes_in_its_layers(ready, portrait, other, models):
    done = mix(ready(portrait), other, ["coarse"], network=Network(models=models))
    of_other = fuse(portrait, other, 1.0, network=Network(models=models)).edit.w_plus
    assert done.layers == (0, 1, 2)
    assert torch.equal(done.edit.w_plus[:, :3], of_other[:, :3])
    assert torch.equal(done.edit.w_plus[:, 3:], done.edit.inversion.w_plus[:, 3:])


def test_the_command_writes_tells_and_can_be_dragged_on(ready, portrait, other, tmp_path, capsys):
    ready(portrait)
    out = tmp_path / "both.png"
    assert main(["fuse", str(portrait), str(other), "--out", str(out), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert set(facts["identities"]) == {"photo", "other"} and facts["latent"] and facts["other"] == str(other)
    drag = ["--smile", "0.5", "--steps", "2", "--json", "--out", str(tmp_path / "smile.png")]
    assert main(["edit", str(out), *drag]) == 0
    assert json.loads(capsys.readouterr().out)["cached"]
    code = tmp_path / "mixed.npz"
    assert (
        main(["mix", str(portrait), str(other), "--layers", "7-11", "--save-latent", str(code), "--out", str(out)]) == 0
    )
    assert "like" in capsys.readouterr().out and code.exists()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["mix", "A", "B"], "Say which styles"),
        (["mix", "A", "B", "--layers", "x"], "names no codes"),
        (["mix", "A", "B", "--fine", "--layers", "2"], "Say which styles"),
        (["fuse", "A", "B", "--amount", "2"], "amount"),
        (["fuse", "A", "none.jpg"], "none.jpg"),
        (["fuse", "A", "B", "--out", "B"], "made from"),
        (["fuse", "A", "B", "--other-face", "7"], "face"),
    ],
)
def test_what_cannot_be_made_is_told(arguments, words, ready, portrait, other, capsys):
    before = other.read_bytes()
    names = {"A": str(ready(portrait)), "B": str(other)}
    assert main([names.get(word, word) for word in arguments]) == 2
    assert words in capsys.readouterr().err and other.read_bytes() == before

"""Codes that are changed, not dragged: directions, truncation, another code; and the photo that comes of it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from photodrag import weights
from photodrag.invert import imported_codes
from photodrag.invert.imported_codes import read_direction
from photodrag.pipeline import CodeEdit, Controls, Network, edit
from photodrag.pipeline.cli import main
from photodrag.pipeline.editing.code_edit import moved, offset_of, truncated
from photodrag.pipeline.editing.edit_file import EditFile, read_edit_file, write_edit_file
from photodrag.pipeline.editing.inversion import Models
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError, latent_space
from photodrag.weights.latent.directions import ganspace, sefa, step

CHECKPOINTS = "nvidia-ada-skip-32.pkl", "nvidia-sg3repo-stylegan2-32.pkl", "legacy-tf-16.pkl", "rosinality-16.pt"


@pytest.fixture(params=CHECKPOINTS)
def small(request, golden, empty_cache) -> Models:
    generator = weights.load(golden / request.param)
    return Models(request.param, generator, latent_space(generator))


def test_style_weights_are_of_the_layers_that_sefa_takes(small):
    """One convolution a code, in order, and the last RGB layer for the last code."""
    generator, names = small.generator, dict(small.generator.synthesis.named_modules())
    sides = [4 << i for i in range(generator.resolution.bit_length() - 2)]
    convs = ["b4.conv1", *(f"b{side}.{conv}" for side in sides[1:] for conv in ("conv0", "conv1"))]
    expected = [names[name].affine.weight for name in (*convs, f"b{sides[-1]}.torgb")]
    rows = generator.style_weights()
    assert len(rows) == generator.num_ws and all(a is b for a, b in zip(rows, expected, strict=True))


def test_sefa_is_the_singular_vectors_of_unit_rows(small):
    found = sefa(small.generator, range(2))
    rows = torch.cat(small.generator.style_weights()[:2]).double()
    rows = rows / rows.norm(dim=1, keepdim=True)
    _, _, expected = np.linalg.svd(rows.numpy())
    for got, wanted in zip(found[:3].double().numpy(), expected[:3], strict=True):
        assert abs(got @ wanted) == pytest.approx(1, abs=1e-4)
        assert got[np.abs(got).argmax()] > 0


def test_ganspace_is_the_pca_of_mapped_codes(face):
    space = latent_space(face)
    w = face.mapping(torch.randn(4000, face.z_dim, generator=torch.Generator().manual_seed(3)))[:, 0].double()
    along = (w - w.mean(0)) @ ganspace(space)[:4].double().T
    assert along.std(0).numpy() == pytest.approx(space.std[:4].numpy(), rel=0.1)
    assert along.std(0)[0] > along.std(0)[3]


def test_an_amount_is_in_standard_deviations_of_random_codes(face):
    """Along a direction of any length, and of some codes alone."""
    space, direction = latent_space(face), torch.randn(1, face.w_dim, generator=torch.Generator().manual_seed(1))
    w = face.mapping(torch.randn(4000, face.z_dim, generator=torch.Generator().manual_seed(3)))[:, 0]
    expected = (w @ (direction[0] / direction.norm())).std()
    for layers in (None, (2, 3)):
        offset = step(7 * direction.expand(face.num_ws, -1), space, layers)
        moves = range(face.num_ws) if layers is None else layers
        assert offset[list(moves)].norm(dim=1).numpy() == pytest.approx(expected.item(), rel=0.05)
        assert not offset[[i for i in range(face.num_ws) if i not in moves]].any()


def test_zero_and_one_leave_a_code_to_the_bit(small):
    w_plus = torch.randn(1, small.generator.num_ws, small.generator.w_dim)
    assert moved(w_plus, (("sefa:0", 0.0), ("ganspace:1@0", 0.0)), small.generator, small.space) is w_plus
    assert truncated(w_plus, small, 1.0) is w_plus
    mean = truncated(w_plus, small, 0.0)
    assert torch.allclose(mean, small.generator.w_avg.expand_as(mean))


@pytest.mark.parametrize(
    "shape, suffix", [((512,), ".npy"), ((1, 512), ".npy"), ((1, 9216), ".pt"), ((18, 512), ".safetensors")]
)
def test_published_shapes_of_directions_are_read(shape, suffix, tmp_path):
    numbers = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    path = tmp_path / f"smile{suffix}"
    if suffix == ".npy":
        np.save(path, numbers.numpy())
    elif suffix == ".pt":
        torch.save(numbers, path)
    else:
        from safetensors.torch import save_file

        save_file({"direction": numbers}, path)
    assert torch.equal(read_direction(path), numbers.reshape(-1, 512))


@pytest.mark.parametrize(
    "name, words",
    [
        ("sefa:x", "number from 0 on"),
        ("sefa:999999", "numbers go from 0"),
        ("sefa:0@0-99", "no code 8"),
        ("nothing.pt", "no direction"),
    ],
)
def test_what_is_no_direction_is_told(name, words, golden, empty_cache):
    generator = weights.load(golden / CHECKPOINTS[0])
    with pytest.raises(UserError, match=words):
        offset_of(name, generator, latent_space(generator))


def test_zeros_in_a_file_lead_nowhere(tmp_path):
    np.save(tmp_path / "none.npy", np.zeros(512, np.float32))
    with pytest.raises(UserError, match="nowhere"):
        read_direction(tmp_path / "none.npy")


def test_an_edit_by_nothing_is_the_photo_to_the_bit(ready, portrait):
    ready(portrait)
    done = edit(portrait, [], [], controls=Controls(code=CodeEdit(directions=(("ganspace:0", 0.0),))))
    assert np.array_equal(done.picture, read_photo(portrait).pixels) and not done.changed.any() and not done.handles


def test_a_direction_changes_the_face_and_nothing_outside_its_mask(ready, portrait, tmp_path):
    photo, out = read_photo(ready(portrait)), tmp_path / "out.png"
    change = CodeEdit(directions=(("ganspace:0", 1.5),))
    done = edit(portrait, [], [], "face", controls=Controls(code=change))
    differs = (done.picture != photo.pixels).any(2)
    assert differs.any() and not (differs & ~done.changed).any() and 0 < done.changed.mean() < 0.6
    assert done.identity > 0 and done.restyled is not None
    done.save(out)
    assert np.array_equal(np.array(Image.open(out).convert("RGB")), done.picture)


def test_points_are_dragged_from_the_changed_code(ready, portrait):
    """Both changes are in the picture, and all of them lie where it says that it changed."""
    photo = read_photo(ready(portrait))
    change = CodeEdit(truncation=1.0, directions=(("ganspace:0", 1.0),))
    alone = edit(photo, [], [], controls=Controls(code=change))
    both = edit(photo, ["mouth.left"], ["+0,-5%"], controls=Controls(code=change))
    assert both.photo is photo and both.steps > 0 and len(both.handles) == 1
    assert both.changed[alone.changed].all()
    assert not ((both.picture != photo.pixels).any(2) & ~both.changed).any()
    assert not np.array_equal(both.picture, alone.picture)
    assert torch.equal(both.restyled.inversion.w_plus, alone.w_plus) and not torch.equal(both.w_plus, alone.w_plus)


def test_sixteen_bits_stay_where_both_changes_leave_them(ready, portrait, tmp_path):
    from photodrag.pipeline.photos.samples import deep_rgb, with_edit

    photo = read_photo(ready(portrait))
    native = np.minimum(photo.native.astype(np.int64) * 257 + 3, 65535).astype(np.uint16)
    deep = replace(photo, mode="RGB;16", native=native)
    done = edit(deep, ["mouth.left"], ["+0,-5%"], controls=Controls(code=CodeEdit(directions=(("ganspace:0", 1.0),))))
    now = with_edit(deep.mode, native, deep.pixels, done.picture, done.changed, done.deep)
    assert np.array_equal(now[~done.changed], native[~done.changed])
    assert np.abs(deep_rgb("RGB;16", now) - done.picture).max() < 1


def test_an_edit_file_keeps_directions_and_codes(tmp_path):
    np.save(tmp_path / "age.npy", np.ones(512, np.float32))
    path = tmp_path / "edit.json"
    kept = EditFile(
        directions=(("sefa:3@0-6", 2.0), (str(tmp_path / "age.npy"), -1.0)),
        truncation=0.7,
        latent=str(tmp_path / "w.npz"),
    )
    write_edit_file(path, kept)
    content = json.loads(path.read_text())
    assert content["directions"] == [["sefa:3@0-6", 2.0], ["age.npy", -1.0]] and content["latent"] == "w.npz"
    assert read_edit_file(path) == kept
    assert "directions" not in json.loads((write_edit_file(path, EditFile()), path.read_text())[1])


def test_the_command_changes_a_code_and_its_file_repeats_it(ready, portrait, tmp_path, capsys):
    ready(portrait)
    first, again = tmp_path / "first.png", tmp_path / "again.png"
    wanted = ["--direction", "ganspace:0", "1", "--truncation", "0.9"]
    files = ["--save-edit", str(tmp_path / "e.json"), "--save-latent", str(tmp_path / "w.npz")]
    assert main(["edit", str(portrait), *wanted, *files, "--out", str(first), "--json"]) == 0
    assert main(["edit", str(portrait), "--edit", str(tmp_path / "e.json"), "--out", str(again)]) == 0
    assert first.read_bytes() == again.read_bytes()
    facts = json.loads(capsys.readouterr().out.splitlines()[0])
    assert facts["handles"] == [] and facts["identity"] > 0
    (latent,) = imported_codes.read_latents(tmp_path / "w.npz")
    code = latent.codes[None]
    by_code = edit(portrait, [], [], controls=Controls(code=CodeEdit(latent=tmp_path / "w.npz")))
    assert torch.equal(by_code.w_plus, code) and np.array_equal(by_code.picture, np.array(Image.open(first)))


def test_a_film_shows_the_code_change(ready, portrait, tmp_path, monkeypatch):
    from photodrag.pipeline.films import frames

    monkeypatch.setattr(frames, "FRAMES", 3)
    ready(portrait)
    out = ["--out", str(tmp_path / "o.png"), "--frames", str(tmp_path / "film")]
    assert main(["edit", str(portrait), "--direction", "ganspace:0", "1.5", *out]) == 0
    shown = [np.array(Image.open(path)) for path in sorted((tmp_path / "film").iterdir())]
    assert len(shown) == 3 and np.array_equal(shown[0], read_photo(portrait).pixels)
    assert np.array_equal(shown[-1], np.array(Image.open(tmp_path / "o.png")))


def test_a_square_changes_by_sefa_with_any_generator(golden, empty_cache, portrait, monkeypatch):
    from types import SimpleNamespace

    from photodrag.pipeline.editing import inversion

    def mean(generator, *_, **__):
        return SimpleNamespace(
            w_plus=generator.w_avg.expand(1, generator.num_ws, -1).contiguous(), steps=1, seconds=1.0
        )

    monkeypatch.setattr(inversion, "project", mean)
    generator, space = weights.load(golden / "nvidia-ada-conditional-16.pkl"), None
    space = weights.kept_space(generator, 2)
    models = Models("conditional", generator, space, 2)
    generator.subject = "frog"
    done = edit(
        portrait,
        [],
        [],
        network=Network(models=models),
        controls=Controls(code=CodeEdit(directions=(("sefa:0", 6.0),))),
    )
    assert done.changed.any() and done.identity is None and not torch.equal(done.w_plus, done.inversion.w_plus)

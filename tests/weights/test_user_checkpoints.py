"""A person's own checkpoints of every format: opened, added, converted, told about, removed."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from photodrag import weights
from photodrag.weights import UserError
from photodrag.weights.fetching import published
from photodrag.weights.fetching.published import Checkpoint
from photodrag.weights.formats.generator_checkpoint import read_checkpoint

FILES = {
    "nvidia-ada-skip-32.pkl": (32, 0),
    "nvidia-ada-conditional-16.pkl": (16, 4),
    "nvidia-sg3repo-stylegan2-32.pkl": (32, 0),
    "legacy-tf-16.pkl": (16, 0),
    "rosinality-16.pt": (16, 0),
}
"""Golden checkpoints: resolution and classes."""


@pytest.fixture
def own(tmp_path, golden, empty_cache) -> Path:
    """A copy of a checkpoint, in a folder of its own."""
    folder = tmp_path / "own"
    folder.mkdir()
    return Path(shutil.copy(golden / "legacy-tf-16.pkl", folder / "mine.pkl"))


def kept_files(cache: Path) -> list[str]:
    return sorted(str(path.relative_to(cache)) for path in cache.rglob("*") if path.is_file())


@torch.no_grad()
def off(generator, npz: Path) -> float:
    """The largest difference to the picture that the checkpoint's own code made."""
    reference = {name: torch.from_numpy(array) for name, array in np.load(npz).items()}
    image = generator.synthesis(reference.get("wplus", reference.get("w_plus")))
    return float((image - reference["image_noise_const"]).abs().max())


@pytest.mark.parametrize("file", FILES)
def test_every_format_opens_under_a_name_by_its_path_and_converted(file, golden, empty_cache, tmp_path):
    path, npz = golden / file, (golden / file).with_suffix(".npz")
    weights.add(path, "grandma")
    weights.convert(path, tmp_path / "out.safetensors")
    for given in ("grandma", path, str(path), tmp_path / "out.safetensors"):
        generator = weights.load(given)
        assert (generator.resolution, generator.c_dim) == FILES[file]
        assert generator.subject is None
        assert not generator.training and not any(weight.requires_grad for weight in generator.parameters())
        assert off(generator, npz) < 1e-4
    assert weights.digest("grandma") == weights.digest(path)
    for row in (weights.info("grandma"), weights.info(path), weights.info(tmp_path / "out.safetensors")):
        assert (row.network.resolution, row.network.classes) == (row.resolution, row.network.classes) == FILES[file]
        assert row.network.codes == generator.num_ws
        assert row.network.architecture == "skip"
        assert row.network.channels == tuple(
            generator.features(torch.zeros(1, row.network.codes, generator.w_dim), 4 << i).shape[1]
            for i in range(len(row.network.channels))
        )
        assert row.licence == "unknown: see its source"


def test_the_second_load_does_not_read_the_original(own, empty_cache, monkeypatch):
    weights.load(own)
    before = kept_files(empty_cache)
    assert before == [f"weights/files/{weights.info(own).sha256}.safetensors"]
    monkeypatch.setattr("photodrag.weights.converted.read_checkpoint", None)
    assert weights.load(own).resolution == 16
    assert kept_files(empty_cache) == before


def test_another_content_under_the_same_path_is_another_generator(own, golden):
    old, before = weights.load(own), weights.digest(own)
    shutil.copy(golden / "nvidia-ada-skip-32.pkl", own)
    assert weights.load(own).resolution == 32 != old.resolution
    assert weights.digest(own) != before


def test_added_ones_are_listed_and_removed(own, empty_cache):
    entry = weights.add(own, subject="face")
    assert entry.name == "mine"
    assert weights.names()[-1] == "mine"
    own.unlink()
    assert weights.load("mine").subject == "face"
    row = weights.listing()[-1]
    assert (row.name, row.origin, row.subject, row.file, row.resolution) == ("mine", "own", "face", "mine.pkl", 16)
    assert row.size == 285_388 and row.kept_size == row.path.stat().st_size
    assert weights.get("mine") == row.path
    assert weights.info("mine").sound is True
    assert weights.remove("mine") == row.kept_size
    assert "mine" not in weights.names()
    assert kept_files(empty_cache) == []
    with pytest.raises(UserError, match="no weights 'mine'"):
        weights.remove("mine")


def test_the_same_again_with_another_subject(own):
    weights.add(own)
    assert weights.load("mine").subject is None
    weights.add(own, subject="face")
    assert weights.load("mine").subject == "face" and weights.info("mine").sound
    weights.add(own)
    assert weights.load("mine").subject == "face"


@pytest.mark.skipif(os.name == "nt", reason="names are of letters there")
def test_a_file_whose_name_is_no_text(own, tmp_path):
    odd = own.rename(own.with_name(os.fsdecode(b"caf\xe9.pkl")))
    assert weights.load(odd).resolution == 16
    weights.add(odd, "cafe")
    weights.convert(odd, tmp_path / "out.safetensors")
    assert weights.info("cafe").source == "caf?.pkl"


def test_what_changes_meanwhile_is_not_taken_for_what_it_was(own, golden, empty_cache, monkeypatch):
    generator, before = weights.load(own), weights.digest(own)
    shutil.copy(golden / "nvidia-ada-skip-32.pkl", own)
    assert generator.digest == before != weights.digest(own) == weights.load(own).digest

    def read_late(path):
        shutil.copy(golden / "rosinality-16.pt", path)
        return read_checkpoint(path)

    kept = kept_files(empty_cache)
    shutil.copy(golden / "nvidia-ada-conditional-16.pkl", own)
    monkeypatch.setattr("photodrag.weights.converted.read_checkpoint", read_late)
    with pytest.raises(UserError, match="was changed while it was read"):
        weights.load(own)
    assert kept_files(empty_cache) == kept


def test_what_was_used_where_it_lies_can_be_forgotten(own, empty_cache):
    with pytest.raises(UserError, match=r"Nothing of .* is kept"):
        weights.remove(own)
    weights.load(own)
    assert weights.remove(own) > 0
    assert kept_files(empty_cache) == []
    assert own.is_file()


def test_names_that_are_taken_or_none(own, golden):
    for name in ("face", "ffhq", "st-lpips-vgg", "Face"):
        with pytest.raises(UserError, match=f"The name '{name}' is taken"):
            weights.add(own, name)
    for name in ("../up", "a/b", ".hidden", "a b", "x" * 65, "ä"):
        with pytest.raises(UserError, match="can't be a name"):
            weights.add(own, name)
    weights.add(own, "v1.2")
    weights.add(own, "v1.2")  # the same again
    assert weights.load("v1.2").resolution == 16
    with pytest.raises(UserError, match=r"Another checkpoint was added as 'v1\.2'"):
        weights.add(golden / "rosinality-16.pt", "v1.2")
    assert weights.digest("v1.2") == weights.digest(own)
    with pytest.raises(UserError, match=r"A checkpoint was added as 'v1\.2': give another name than 'V1\.2'"):
        weights.add(own, "V1.2")


def test_a_name_goes_before_a_file_of_that_name(own, monkeypatch, golden):
    weights.add(own)
    monkeypatch.chdir(own.parent)
    shutil.copy(golden / "nvidia-ada-skip-32.pkl", "mine")
    assert weights.load("mine").resolution == 16
    assert weights.load("./mine").resolution == 32


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>", b"\x80\x04}.", b"\x80\x04cos\nsystem\n(Vtrue\ntR."])
def test_what_is_no_checkpoint_leaves_nothing(own, empty_cache, content):
    own.write_bytes(content)
    for ask in (
        weights.load,
        weights.info,
        weights.add,
        lambda path: weights.convert(path, path.with_suffix(".safetensors")),
    ):
        with pytest.raises(UserError, match=str(own)):
            ask(own)
    assert kept_files(own.parent) == ["mine.pkl"]
    assert not empty_cache.exists() or kept_files(empty_cache) == []


def test_damage_in_the_cache(own):
    for given in (own, "mine"):
        weights.load(own)
        weights.add(own)
        path = weights.info(given).path
        path.write_bytes(path.read_bytes()[:-1])
        if given == own:
            assert weights.load(own).resolution == 16
            assert weights.info(own).sound is True
        else:
            assert weights.info("mine").sound is False
            with pytest.raises(UserError, match=r"weights remove mine.*add the checkpoint again"):
                weights.load("mine")
            assert weights.remove("mine") > 0


def test_converted_file_is_canonical_and_tells_of_itself(own, tmp_path):
    out = weights.convert(own, tmp_path / "out.safetensors")
    with safe_open(out, "pt") as file:
        facts, names = file.metadata(), set(file.keys())
        assert {file.get_tensor(name).dtype for name in names} == {torch.float32}
    assert {"mapping.w_avg", "synthesis.b4.const", "synthesis.b8.conv0.affine.weight"} <= names
    assert facts["source_sha256"] == weights.info(own).sha256
    assert (facts["name"], facts["licence"], facts["format_version"]) == ("mine", "unknown: see its source", "1")
    assert json.loads(facts["arguments"])["lr_multiplier"] == 0.01
    assert set(facts) >= {"crc32", "network"}


def test_a_published_one_is_known_by_its_content(own, tmp_path, monkeypatch):
    sha256 = weights.info(own).sha256
    known = Checkpoint("lynx", "face", 16, 1, "some licence", ("https://localhost/lynx.pkl",), sha256, 1)
    monkeypatch.setattr(published, "CHECKPOINTS", (known,))
    row = weights.info(own)
    assert (row.published, row.subject, row.licence) == ("lynx", "face", "some licence")
    assert weights.load(own).subject == "face"
    out = weights.convert(own, tmp_path / "out.safetensors")
    assert weights.load(out).subject == "face"
    assert weights.info(out).licence == "some licence"
    assert weights.info(out).published is None


def test_outputs_that_cannot_be(own, tmp_path, locked_folder, small_disk):
    with pytest.raises(UserError, match=r"end in \.safetensors"):
        weights.convert(own, tmp_path / "out.pkl")
    with pytest.raises(UserError, match=r"the folder .* does not exist"):
        weights.convert(own, tmp_path / "missing" / "out.safetensors")
    with pytest.raises(UserError, match="no permission"):
        weights.convert(own, locked_folder / "out.safetensors")
    with pytest.raises(UserError, match="disk is full"):
        weights.convert(own, small_disk / "out.safetensors")
    assert list(small_disk.iterdir()) == []
    out = weights.convert(own, tmp_path / "out.safetensors")
    before = out.read_bytes()
    with pytest.raises(UserError, match="the checkpoint itself"):
        weights.convert(out, out)
    assert out.read_bytes() == before


def test_cache_that_cannot_be_written(own, locked_folder, monkeypatch):
    monkeypatch.setenv("PHOTODRAG_CACHE", str(locked_folder))
    for ask in (weights.load, weights.add):
        with pytest.raises(UserError, match=f"Could not write {locked_folder}"):
            ask(own)

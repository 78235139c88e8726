"""What can be asked for by name, and what is said when it can't be had."""

import hashlib
import random
import subprocess
import sys

import pytest
import torch

from photodrag import weights
from photodrag.invert import perceptual
from photodrag.weights import UserError
from photodrag.weights.fetching.published import CHECKPOINTS


def test_unknown_names_list_the_known_ones():
    for ask in (weights.get, weights.info, weights.digest):
        with pytest.raises(UserError, match=r"no weights 'fase'.*face, st-lpips-vgg, st-lpips-alex, lpips-vgg"):
            ask("fase")
    with pytest.raises(UserError, match="no generator 'fase', perhaps 'face'; choose one of: face"):
        weights.load("fase")
    with pytest.raises(UserError, match="no generator 'st-lpips-vgg'; choose one of: face"):
        weights.load("st-lpips-vgg")
    with pytest.raises(UserError, match="no perceptual distance 'face'; choose one of: st-lpips-vgg"):
        weights.state("face")


@pytest.mark.parametrize("path", ["stylegan2-ffhq.pkl", "models/ffhq", "../face", "/models/face"])
def test_what_looks_like_a_file_is_one(path):
    for ask in (weights.load, weights.digest, weights.info, weights.remove):
        with pytest.raises(UserError, match=f"There is no file {path}"):
            ask(path)


@pytest.mark.parametrize("path", ["~nobody.of.this.name/x.pkl", "x" * 300 + ".pkl"])
def test_paths_that_cannot_be(path, golden, empty_cache):
    def convert(path: str) -> object:
        return weights.convert(golden / "legacy-tf-16.pkl", path.replace(".pkl", ".safetensors"))

    for ask in (weights.load, lambda path: weights.add(path, "name"), weights.info, weights.remove, convert):
        with pytest.raises(UserError, match=path.removesuffix(".pkl")):
            ask(path)


def test_device_that_is_not_there(face):
    with pytest.raises(UserError, match="'abacus' can't be used here"):
        weights.load("face", device="abacus")
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="'cuda' can't be used here"):
            weights.load("face", device="cuda")


def test_loading_takes_no_random_numbers(face):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    weights.load("face")
    assert torch.equal(torch.rand(4), expected)


def test_listing_needs_no_network_and_makes_nothing(empty_cache, no_network):
    rows = {row.name: row for row in weights.listing()}
    assert tuple(rows) == weights.names()
    assert all(row.path is None for row in rows.values() if row.origin != "backbone")
    assert rows["face"].resolution == 1024
    assert "non-commercial" in rows["face"].licence
    assert rows["face"].sha256 == "e5d10e2be7df63f06123855ec591ca35dcb1d059eba47ddcb175d7d26b4019b5"
    assert rows["st-lpips-vgg"].sha256 == "a412bf901a97c942b37af57c7c63b6e5d1aebfe8d1dfc17853d4b2f878630645"
    assert weights.info("face").sound is None
    assert not empty_cache.exists()


def test_without_network(empty_cache, no_network):
    for name, file in (
        ("face", "random_face-2021.7.21.1-py3-none-any.whl"),
        ("st-lpips-alex", "stlpips_pytorch-0.0.2-py3-none-any.whl"),
    ):
        with pytest.raises(UserError) as caught:
            weights.get(name)
        row = weights.info(name)
        assert all(part in str(caught.value) for part in (file, row.sha256, str(empty_cache / "weights")))


def test_info_checks_what_lies_there(cache):
    path = weights.get("face")
    assert path.parent == cache / "weights"
    assert weights.info("face").path == path
    assert weights.info("face").kept_size == path.stat().st_size > 40_000_000
    assert weights.info("face").sound is True
    data = path.read_bytes()
    path.unlink()  # it may be a link to the user's own
    path.write_bytes(data[:-1])
    assert weights.info("face").sound is False


def test_digests_differ_and_stay(empty_cache):
    known = set(weights.names()) - {checkpoint.name for checkpoint in CHECKPOINTS if not checkpoint.sha256}
    digests = {name: weights.digest(name) for name in known}
    assert len(set(digests.values())) == len(known)
    assert all(len(digest) == 64 for digest in digests.values())
    assert digests == {name: weights.digest(name) for name in known}
    # Inversions that people keep depend on it.
    text = "face e5d10e2be7df63f06123855ec591ca35dcb1d059eba47ddcb175d7d26b4019b5 1"
    assert digests["face"] == hashlib.sha256(text.encode()).hexdigest()


def test_digest_of_what_nobody_knows_before_it_is_fetched(empty_cache):
    with pytest.raises(UserError, match="photodrag weights get afhqwild"):
        weights.digest("afhqwild")


def test_backbone_without_network(tmp_path, empty_cache, monkeypatch, capfd):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=f"alexnet-owt-7be5be79.pth.*{tmp_path}"):
        weights.get("lpips-alex")
    assert not any(path.is_file() for path in (tmp_path / "hub").rglob("*"))
    assert capfd.readouterr() == ("", "")
    noise = tmp_path / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth"
    noise.write_bytes(random.Random(1).randbytes(100_000))
    row = weights.info("lpips-alex")
    assert (row.path, row.sound) == (None, None) and row.sha256.startswith("7be5be79")
    with pytest.raises(UserError, match=f"Could not fetch alexnet-owt-7be5be79.pth.*{row.sha256}.*{tmp_path}"):
        perceptual.load("lpips-alex")
    assert noise.stat().st_size == 100_000  # what isn't ours stays until the right one has come


def test_import_is_light():
    script = "import sys, photodrag.weights; print(*(sys.modules.keys() & {'torchvision', 'lpips', 'click', 'cv2'}))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "\n"

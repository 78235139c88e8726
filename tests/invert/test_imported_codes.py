"""Codes of other programs: what each of them writes is read, hostile files aren't, and what we write is theirs."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch

from photodrag.invert.imported_codes import chosen, fitted, read_latents, write_projected_w
from photodrag.weights import UserError

W = torch.randn(18, 512, generator=torch.Generator().manual_seed(3))


def save_dict(path, content):
    """As numpy writes a dict: an array of one object."""
    with path.open("wb") as file:
        np.save(file, content)


def save_npz(path, **arrays):
    with path.open("wb") as file:
        np.savez(file, **{name: array.numpy() for name, array in arrays.items()})


FILES = {
    "NVIDIA's projected_w.npz": (lambda path: save_npz(path, w=W[None]), (1, 18, 512)),
    "PTI's 0.pt": (lambda path: torch.save(W[None], path), (1, 18, 512)),
    "old torch.save": (lambda path: torch.save(W, path, _use_new_zipfile_serialization=False), (1, 18, 512)),
    "[18, 512]": (lambda path: torch.save(W, path), (1, 18, 512)),
    "PTI's w in W": (lambda path: torch.save(W[:1], path), (1, 1, 512)),
    "e4e's latents.pt": (lambda path: torch.save(torch.stack([W, W + 1]), path), (2, 18, 512)),
    "a parameter": (lambda path: torch.save(torch.nn.Parameter(W[None]), path), (1, 18, 512)),
    "half precision": (lambda path: torch.save(W[None].half(), path), (1, 18, 512)),
    "rosinality's projector": (
        lambda path: torch.save({"a.png": {"img": torch.zeros(1, 3, 4, 4), "latent": W, "noise": []}}, path),
        (1, 18, 512),
    ),
    "II2S's FS": (lambda path: save_npz(path, latent_F=torch.zeros(1, 512, 32, 512), latent_in=W[None]), (1, 18, 512)),
    "rosinality's projector of two": (
        lambda path: torch.save({"a.png": {"latent": W}, "b.png": {"latent": W + 1}}, path),
        (2, 18, 512),
    ),
    "HyperStyle's latents.npy": (
        lambda path: save_dict(path, {"a.png": W.numpy(), "b.jpg": W.numpy() + 1}),
        (2, 18, 512),
    ),
    "ReStyle's latents.npy": (
        lambda path: save_dict(path, {"a.png": [W.numpy() - 2, W.numpy() - 1, W.numpy()], "b.jpg": [W.numpy()] * 3}),
        (2, 18, 512),
    ),
    "a bare .npy": (lambda path: np.save(path.open("wb"), W.numpy()), (1, 18, 512)),
}


@pytest.mark.parametrize("write, shape", FILES.values(), ids=FILES)
def test_what_others_write(write, shape, tmp_path):
    path = tmp_path / "file.npz"
    write(path)
    latents = read_latents(path)
    assert len(latents) == shape[0]
    assert {latent.codes.shape for latent in latents} == {shape[1:]}
    assert {latent.codes.dtype for latent in latents} == {torch.float32}
    assert torch.allclose(latents[0].codes, W[: shape[1]], atol=2e-3)


def test_the_codes_of_a_photo_are_those_under_its_name_or_of_an_index(tmp_path):
    path = tmp_path / "latents.npy"
    save_dict(path, {"a.png": W.numpy(), "b.jpg": [W.numpy() - 1, W.numpy() + 1], "\x1b[2J": W.numpy()})
    latents = read_latents(path)
    assert [latent.name for latent in latents] == ["a.png", "b.jpg", "\x1b[2J"]
    assert torch.equal(chosen(latents, path, tmp_path / "b.png"), W + 1)
    assert torch.equal(chosen(latents, path, "b.png", 0), W)
    with pytest.raises(
        UserError, match=r"3 pictures \(a.png, b.jpg, \\x1b\[2J\): say with --index, from 0 to 2, .* c.png"
    ):
        chosen(latents, path, "folder/c.png")
    with pytest.raises(UserError, match="--index is from 0 to 2"):
        chosen(latents, path, "b.png", 3)
    assert torch.equal(chosen(latents[:1], path, "c.png"), W)
    torch.save(torch.stack([W, W + 1]), path)
    with pytest.raises(UserError, match="2 pictures: say with --index, from 0 to 1"):
        chosen(read_latents(path), path, "a.png")


class Evil:
    def __reduce__(self):
        return os.mkdir, (os.environ["EVIL"],)


def endless() -> dict:
    content: dict = {"a.png": W.numpy()}
    content["b.png"] = content
    return content


def save_pickled_array(path):
    np.save(path.open("wb"), np.array({"a.png": Evil()}, dtype=object), allow_pickle=True)


def save_bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": (1 << 28, 512)})
        with archive.open("w.npy", "w", force_zip64=True) as member:
            member.write(head.getvalue())
            for _ in range(300):
                member.write(bytes(1 << 20))


WRONG = {
    "missing": (lambda path: None, "There is no file"),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "a picture": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99)), "it is a picture"),
    "a folder": (lambda path: path.mkdir(), "is a folder"),
    "cut": (lambda path: (save_npz(path, w=W), path.write_bytes(path.read_bytes()[:9000])), "was not"),
    "other widths": (lambda path: save_npz(path, w=W[:, :100]), "no codes of 512 numbers"),
    "whole numbers": (lambda path: torch.save(torch.zeros(18, 512, dtype=torch.int64), path), "no codes of 512"),
    "no numbers": (lambda path: torch.save(W * torch.nan, path), "no finite numbers"),
    "four dimensions": (lambda path: torch.save(W[None, None], path), "no codes of 512"),
    "a pickle that runs": (lambda path: path.write_bytes(pickle.dumps(Evil())), "asks to run"),
    "a .pt that runs": (lambda path: torch.save(Evil(), path), "asks to run"),
    "a dict that runs": (save_pickled_array, "holds Python objects"),
    "a dict in itself": (lambda path: save_dict(path, endless()), "holds Python objects"),
    "a damaged header": (lambda path: path.write_bytes(b"\x93NUMPY\x01\0\x10\0{'descr': ((((\n    "), "is damaged"),
    "a cut dict": (
        lambda path: (save_dict(path, {"a": W.numpy()}), path.write_bytes(path.read_bytes()[:-40])),
        "is damaged",
    ),
    "a zip bomb": (save_bomb, "larger than any file of codes"),
}


@pytest.mark.parametrize("write, words", WRONG.values(), ids=WRONG)
def test_what_is_refused(write, words, tmp_path, monkeypatch):
    monkeypatch.setenv("EVIL", str(tmp_path / "evil"))
    path = tmp_path / "file.pt"
    write(path)
    with pytest.raises(UserError, match=words) as refusal:
        read_latents(path)
    assert str(path) in str(refusal.value) and not (tmp_path / "evil").exists()


def test_fitted_to_a_generator():
    assert torch.equal(fitted(W, 18)[0], W)
    assert torch.equal(fitted(W, 16)[0], W[:16])
    assert torch.equal(fitted(W[:1], 16)[0], W[:1].expand(16, -1))
    with pytest.raises(UserError, match="14 codes, and the generator takes 16"):
        fitted(W[:14], 16)


def test_written_as_nvidia_s_projector_does(tmp_path):
    path = tmp_path / "projected_w.npz"
    write_projected_w(path, W[None, :16])
    with np.load(path, allow_pickle=False) as file:
        assert file.files == ["w"] and file["w"].dtype == np.float32
        assert np.array_equal(file["w"], W[None, :16].numpy())
    write_projected_w(path, W[None, :16], codes=18)
    again = read_latents(path)
    (latent,) = again
    assert torch.equal(latent.codes[:16], W[:16]) and torch.equal(latent.codes[16:], W[15:16].expand(2, -1))

"""Files told apart by their content: every layout opens to what its own code reads, all else is named."""

import gzip
import hashlib
import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from photodrag.weights.common.errors import UserError
from photodrag.weights.formats.checkpoint import open_checkpoint, sha256_of
from photodrag.weights.formats.placeholders import Shell

NVIDIA = ("nvidia-ada-skip-32", "nvidia-ada-conditional-16", "nvidia-sg3repo-stylegan2-32")


class Stub:
    """What the standard unpickler makes of a class that isn't installed."""

    arguments = ()

    def __init__(self, *arguments):
        self.arguments = arguments


class StandardUnpickler(pickle.Unpickler):
    """Python's own, with torch's and numpy's own functions; only for files that we trust."""

    def find_class(self, module, name):
        if module.startswith(("dnnlib", "torch_utils")):
            return Stub
        return super().find_class(module, name)


def leaves(node: object) -> list:
    """The tensors, arrays and scalars of a tree, in its own order."""
    match node:
        case dict():
            return [leaf for key, value in node.items() for leaf in [key, *leaves(value)]]
        case list() | tuple():
            return [leaf for value in node for leaf in leaves(value)]
        case Shell():
            return leaves(node.arguments) + leaves(node.state)
        case Stub():
            return leaves(node.arguments) + leaves({k: v for k, v in vars(node).items() if k != "arguments"} or None)
        case torch.nn.Parameter():
            return [node.detach()]
    return [node]


@pytest.mark.parametrize("name", [*NVIDIA, "legacy-tf-16"])
def test_golden_pickles_open_to_what_the_standard_unpickler_reads(name, golden):
    with open(golden / f"{name}.pkl", "rb") as file:
        expected = leaves(StandardUnpickler(file).load())
    opened = open_checkpoint(golden / f"{name}.pkl")
    assert opened.format == "pickle"
    got = leaves(opened.content)
    numbers = 0
    for a, b in zip(got, expected, strict=True):
        assert type(a) is type(b)
        if isinstance(a, torch.Tensor | np.ndarray):
            assert (a.dtype, a.shape) == (b.dtype, b.shape)
            numbers += 1
        assert bool((a == b).all()) if hasattr(a, "all") else a == b
    assert numbers > 30


@pytest.mark.parametrize("name", NVIDIA)
def test_embedded_source_stays_text(name, golden):
    generator = open_checkpoint(golden / f"{name}.pkl").content["G_ema"]
    assert (generator.module, generator.name) == ("torch_utils.persistence", "_reconstruct_persistent_obj")
    assert generator.arguments[0]["module_src"].startswith("raise RuntimeError")
    assert generator.arguments[0]["class_name"] == "Generator"


def test_networks_of_tensorflow(golden):
    networks = open_checkpoint(golden / "legacy-tf-16.pkl").content
    assert [network.state["name"] for network in networks] == ["G", "D", "Gs"]
    assert all((network.module, network.name) == ("dnnlib.tflib.network", "Network") for network in networks)


@pytest.mark.parametrize("zipped", [True, False])
def test_torch_files_of_both_layouts(golden, tmp_path, zipped):
    expected = torch.load(golden / "rosinality-16.pt", weights_only=True)
    torch.save(expected, tmp_path / "weights.anything", _use_new_zipfile_serialization=zipped)
    for path in (golden / "rosinality-16.pt", tmp_path / "weights.anything"):
        opened = open_checkpoint(path)
        assert opened.format == "torch"
        assert list(opened.content) == list(expected)
        assert torch.equal(opened.content["latent_avg"], expected["latent_avg"])
        assert list(opened.content["g_ema"]) == list(expected["g_ema"])
        for name, tensor in expected["g_ema"].items():
            assert torch.equal(opened.content["g_ema"][name], tensor)


def test_torch_zip_without_checksums(golden, tmp_path):
    data = bytearray((golden / "rosinality-16.pt").read_bytes())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        member = archive.getinfo("rosinality-16/data/0")
        assert member.CRC
    stamp = member.CRC.to_bytes(4, "little")
    assert stamp in data
    (tmp_path / "no.pt").write_bytes(data.replace(stamp, bytes(4)))
    assert torch.isfinite(open_checkpoint(tmp_path / "no.pt").content["latent_avg"]).all()


def test_safetensors_with_arguments(tmp_path):
    state = {"mapping.w_avg": torch.arange(4.0), "synthesis.b4.const": torch.ones(2, 4, 4)}
    metadata = {"arguments": json.dumps({"z_dim": 4}), "licence": "none"}
    safetensors.torch.save_file(state, tmp_path / "weights.pkl", metadata)
    opened = open_checkpoint(str(tmp_path / "weights.pkl"))
    assert (opened.format, opened.arguments, opened.metadata) == ("safetensors", {"z_dim": 4}, metadata)
    assert opened.content.keys() == state.keys()
    assert all(torch.equal(opened.content[name], state[name]) for name in state)


def test_safetensors_without_arguments(tmp_path):
    safetensors.torch.save_file({"a": torch.zeros(2)}, tmp_path / "a")
    assert open_checkpoint(tmp_path / "a").arguments == {}


def picture(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, kind)
    return file.getvalue()


def archive(compression: int, **members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as written:
        for name, content in members.items():
            written.writestr(name, content)
    return file.getvalue()


def npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, w=np.zeros(3))
    return file.getvalue()


STRANGERS = {
    "empty": (b"", "it is empty; fetch it again"),
    "png": (picture("PNG"), "it is a picture"),
    "jpeg": (picture("JPEG"), "it is a picture"),
    "gif": (picture("GIF"), "it is a picture"),
    "webp": (picture("WEBP"), "it is a picture"),
    "html": (b"\n<!DOCTYPE html>\n<html><title>404</title></html>", "it is a web page"),
    "html without doctype": (b"<html><body>Quota exceeded</body></html>", "it is a web page"),
    "xml": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "it is a server's answer"),
    "json": (b'{"error": "not found"}', "it is a text (JSON)"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 381624121\n", "'git lfs pull'"),
    "gzip": (gzip.compress(b"weights"), "it is compressed (gzip); unpack it first"),
    "zip": (archive(zipfile.ZIP_DEFLATED, readme=b"hello"), "it is a zip archive, but none by torch.save"),
    "npz": (npz(), "it is a zip archive, but none by torch.save"),
    "empty zip": (archive(zipfile.ZIP_STORED), "it is an empty zip archive"),
    "text": (b"dear diary", "it is none of"),
    "zeros": (bytes(1000), "it is none of"),
    "one byte": (b"\x80", "it is none of"),
    "two bytes": (b"\x80\x04", "it ends too early"),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_other_files_are_called_what_they_are(name, tmp_path):
    content, expected = STRANGERS[name]
    path = tmp_path / "network.pkl"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        open_checkpoint(path)
    assert str(caught.value).startswith(f"{path} was not opened: ")
    assert expected in str(caught.value)
    assert caught.value.exit_code == 2
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("name", ["nvidia-ada-conditional-16.pkl", "rosinality-16.pt"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_half_a_file(name, share, golden, tmp_path):
    data = (golden / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * share)])
    with pytest.raises(UserError, match=r"it ends too early|it is damaged"):
        open_checkpoint(tmp_path / name)


@pytest.mark.parametrize("function", [open_checkpoint, sha256_of])
def test_no_file_to_open(function, tmp_path):
    with pytest.raises(UserError, match=f"There is no file {tmp_path / 'none.pkl'}"):
        function(tmp_path / "none.pkl")
    with pytest.raises(UserError, match=f"{tmp_path} is a folder"):
        function(tmp_path)
    with pytest.raises(UserError, match="Could not read"):
        function("a\0b.pkl")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="is no ordinary file"):
        function(tmp_path / "pipe")


def test_sha256(tmp_path):
    data = bytes(range(256)) * 10_000
    (tmp_path / "some").write_bytes(data)
    assert sha256_of(tmp_path / "some") == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("function", [open_checkpoint, sha256_of])
def test_a_file_that_would_take_hours_is_not_read(function, tmp_path):
    with (tmp_path / "large.pkl").open("wb") as file:
        file.truncate(1 << 42)  # the disk has none of it
    with pytest.raises(UserError, match="larger than any checkpoint"):
        function(tmp_path / "large.pkl")

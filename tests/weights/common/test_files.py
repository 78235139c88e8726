import os
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from photodrag.weights import Failure, UserError
from photodrag.weights.common.files import PART, cache_folder, locked, make_folder, sweep, temporary_folder, write_whole

AS_ROOT = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything is permitted to root")


def test_environment_is_read_at_every_call(monkeypatch, tmp_path):
    monkeypatch.delenv("PHOTODRAG_CACHE", raising=False)
    default = cache_folder()
    monkeypatch.setenv("PHOTODRAG_CACHE", str(tmp_path))
    assert cache_folder("weights", "x") == tmp_path / "weights" / "x"
    monkeypatch.setenv("PHOTODRAG_CACHE", "")
    assert cache_folder() == default


def test_writes_and_replaces(tmp_path):
    path = tmp_path / "file"
    write_whole(path, lambda file: file.write(b"one"))
    path.chmod(0o640)
    write_whole(path, lambda file: file.write(b"two"))
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["file"]


def test_new_file_has_the_usual_mode(tmp_path):
    (tmp_path / "usual").write_bytes(b"")
    write_whole(tmp_path / "ours", lambda file: file.write(b""))
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_follows_a_link(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/file")
    write_whole(tmp_path / "link", lambda file: file.write(b"one"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "file").read_bytes() == b"one"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError, OSError("a library's own words")])
def test_an_interrupted_writer_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write(file):
        file.write(b"half")
        assert len(os.listdir(tmp_path)) == 2
        raise error

    with pytest.raises(error if isinstance(error, type) else type(error)) as caught:
        write_whole(path, write)
    assert not isinstance(caught.value, UserError)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_full_disk(small_disk):
    path = small_disk / "file"
    path.write_bytes(b"old")
    with pytest.raises(Failure, match=f"{path}.*disk is full"):
        write_whole(path, lambda file: file.write(bytes(100_000)))
    assert path.read_bytes() == b"old"
    assert os.listdir(small_disk) == ["file"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("folder", "it is a folder"),
        ("missing/file", r"the folder .*missing does not exist"),
        ("plain/file", "part of that path is a file"),
        ("pipe", "it is no ordinary file"),
    ],
)
def test_paths_that_cannot_be_written(tmp_path, name, words):
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").write_bytes(b"old")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(UserError, match=f"{tmp_path / name}.*{words}"):
        write_whole(tmp_path / name, lambda file: file.write(b"new"))
    assert sorted(os.listdir(tmp_path)) == before
    assert (tmp_path / "plain").read_bytes() == b"old"


@AS_ROOT
def test_no_permission(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "file").chmod(0o400)
    with pytest.raises(UserError, match="no permission"):
        write_whole(tmp_path / "file", lambda file: file.write(b"new"))
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(UserError, match="no permission"):
            write_whole(tmp_path / "other", lambda file: file.write(b"new"))
        assert os.listdir(tmp_path) == ["file"]
    finally:
        tmp_path.chmod(0o700)


def test_cache_folder_in_the_way_of_a_file(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    for path in (tmp_path / "plain", tmp_path / "plain" / "weights"):
        with pytest.raises(UserError, match=str(path)):
            make_folder(path)


def test_sweep_removes_old_parts_only(tmp_path):
    old_file, old_folder, new = (tmp_path / f".{name}{PART}" for name in ("old", "folder", "new"))
    old_file.write_bytes(b"")
    old_folder.mkdir()
    (old_folder / "pip.whl").write_bytes(b"")
    new.write_bytes(b"")
    (tmp_path / "kept").write_bytes(b"")
    for path in (old_file, old_folder, tmp_path / "kept"):
        os.utime(path, (time.time() - 90_000,) * 2)
    sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {new.name, "kept"}


def test_one_thread_at_a_time(tmp_path):
    inside, most, waited = 0, 0, []

    def work():
        nonlocal inside, most
        with locked(tmp_path / "lock", lambda: waited.append(1)):
            inside += 1
            most = max(most, inside)
            time.sleep(0.1)
            inside -= 1

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert waited


def test_a_killed_process_leaves_no_lock(tmp_path):
    script = """
import sys, time
from pathlib import Path
from photodrag.weights.common.files import locked
with locked(Path(sys.argv[1])):
    print("inside", flush=True)
    time.sleep(600)
"""
    lock = tmp_path / "lock"
    process = subprocess.Popen([sys.executable, "-c", script, str(lock)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"inside\n"
    waiting = threading.Event()

    def kill():
        assert waiting.wait(20)
        process.kill()

    threading.Thread(target=kill).start()
    with locked(Path(lock), waiting.set):
        assert process.wait(20) < 0


def test_temporary_folders_of_killed_processes_go(tmp_path, monkeypatch):
    """A photo lies there for a moment: for its user alone, and for a day at most where a process was killed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    script = "import os, sys\nfrom photodrag.weights.common.files import temporary_folder\n"
    script += (
        "with temporary_folder() as folder:\n    (folder / 'photo.jpg').write_bytes(b'face'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script], env=os.environ | {"TMPDIR": str(tmp_path)})
    (left,) = tmp_path.iterdir()
    with temporary_folder() as folder:
        assert left.exists()
        assert os.name == "nt" or folder.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == [left]
    os.utime(left, (time.time() - 2 * 24 * 3600,) * 2)
    with temporary_folder():
        assert not left.exists()
    assert list(tmp_path.iterdir()) == []

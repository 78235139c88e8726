"""Looking after the cache: damaged entries, those that must go, one entry taken elsewhere, several writers."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from photodrag.invert import cache, unfinished, upkeep
from photodrag.invert.quality import Quality
from photodrag.weights import UserError

QUALITY = Quality(0.05, 0.1, 0.03, 21.2, 0.3, 0.9)
SHAPE = (1, 16, 512)


def keep(number: int) -> cache.Entry:
    deltas = {"b4.bias": torch.full((5,), float(number)).half()}
    return cache.keep(
        cache.key_of(number),
        torch.full(SHAPE, float(number)),
        cache.Record(QUALITY, 60, 1.0, f"{number}.jpg", "face", "tuned"),
        deltas,
    )


def used_at(entry: cache.Entry, second: int) -> None:
    os.utime(cache.path_of(entry.key), (second, second))


def test_damaged(empty_cache):
    entries = [keep(number) for number in range(3)]
    assert upkeep.damaged() == []
    path = cache.path_of(entries[1].key)
    path.write_bytes(path.read_bytes()[:-1])
    copy = cache.path_of("0" * 64)  # whole, but not what its name says
    copy.write_bytes(cache.path_of(entries[0].key).read_bytes())
    assert upkeep.damaged() == sorted([path, copy])


def test_prune_takes_what_was_used_longest_ago(empty_cache):
    entries = [keep(number) for number in range(4)]
    size = cache.path_of(entries[0].key).stat().st_size
    for second, entry in enumerate(entries):
        used_at(entry, 1000 + second)
    cache.find(entries[0].key, SHAPE)  # used now
    cache.path_of(entries[3].key).write_bytes(bytes(100))
    assert upkeep.prune(1 << 40) == (1, 100)  # the damaged one always
    assert upkeep.prune(2 * size + 50) == (1, size)
    assert {entry.photo for entry, _ in cache.entries()} == {"0.jpg", "2.jpg"}
    assert upkeep.prune(0) == (2, 2 * size)


def test_prune_forgets_states_that_nobody_came_back_for(empty_cache):
    for age, name in ((40, "old"), (2, "new")):
        unfinished.folder().mkdir(exist_ok=True, parents=True)
        path = unfinished.folder() / f"{name}.safetensors"
        path.write_bytes(bytes(10))
        then = path.stat().st_mtime - age * 24 * 3600
        os.utime(path, (then, then))
    assert upkeep.prune(1 << 40) == (1, 10)
    assert [path.stem for path in unfinished.folder().iterdir()] == ["new"]


def test_prune_counts_what_was_cut_off(empty_cache):
    """Large states leave where they are what was used longest ago, and only as many entries as are too much."""
    entries = [keep(number) for number in range(2)]
    size = cache.path_of(entries[0].key).stat().st_size
    unfinished.folder().mkdir()
    state = unfinished.folder() / f"{'5' * 64}.safetensors"
    state.write_bytes(bytes(50_000_000))
    now = time.time()
    for file, age in ((cache.path_of(entries[0].key), 300), (state, 200), (cache.path_of(entries[1].key), 100)):
        os.utime(file, (now - age, now - age))
    assert upkeep.prune(50_000_000 + 2 * size) == (0, 0)
    assert upkeep.prune(50_000_000 + size) == (1, size)
    assert upkeep.prune(2 * size) == (1, 50_000_000)
    assert [entry.photo for entry, _ in cache.entries()] == ["1.jpg"] and unfinished.listing() == []


@pytest.mark.skipif(os.name == "nt", reason="has no such modes")
def test_nobody_else_can_read_what_was_added(empty_cache, tmp_path, monkeypatch):
    entry, file = keep(3), tmp_path / "grandma.safetensors"
    upkeep.export(entry, file)
    monkeypatch.setenv("PHOTODRAG_CACHE", str(tmp_path / "another machine"))
    upkeep.add(file)
    assert cache.path_of(entry.key).stat().st_mode & 0o777 == 0o600
    assert cache.folder().stat().st_mode & 0o777 == 0o700


def test_export_and_add(empty_cache, tmp_path, monkeypatch):
    entry, file = keep(3), tmp_path / "grandma.safetensors"
    upkeep.export(entry, file)
    monkeypatch.setenv("PHOTODRAG_CACHE", str(tmp_path / "another machine"))
    assert cache.entries() == []
    assert upkeep.add(file).key == entry.key
    found = cache.find(entry.key, SHAPE)
    assert torch.equal(found.w_plus, entry.w_plus) and torch.equal(found.deltas["b4.bias"], entry.deltas["b4.bias"])
    assert (found.photo, found.made, found.quality, found.method) == ("3.jpg", entry.made, QUALITY, "tuned")


def test_files_of_others_are_not_added(empty_cache, tmp_path):
    file = tmp_path / "file"
    torch.save(torch.zeros(SHAPE), file)
    assert upkeep.add(file) is None and upkeep.add(tmp_path / "missing") is None
    save_file({"w_plus": torch.zeros(SHAPE)}, file)
    with pytest.raises(UserError, match="no whole inversion"):
        upkeep.add(file)
    upkeep.export(keep(1), file)
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(UserError, match="no whole inversion"):
        upkeep.add(file)


def test_a_key_is_never_a_path(empty_cache, tmp_path):
    """A file that would be kept outside of the cache's folder."""
    entry, file = keep(1), tmp_path / "file"
    data = cache.path_of(entry.key).read_bytes()
    file.write_bytes(data.replace(entry.key.encode(), b"../" * 20 + b"evil"))
    with pytest.raises(UserError, match="no whole inversion"):
        upkeep.add(file)
    assert not list(Path(tmp_path).rglob("*evil*"))


WRITER = """
import sys
import torch
from photodrag.invert import cache
from photodrag.invert.quality import Quality
number, key = int(sys.argv[1]), sys.argv[2]
for _ in range(200):
    code = torch.full((1, 16, 512), float(number))
    cache.keep(key, code, cache.Record(Quality(0.05, 0.1, 0.03, 21.2, 0.3, 0.9), number, 1.0, f"{number}.jpg", "face"))
"""


def test_several_writers_and_a_killed_one(empty_cache):
    """A reader sees one writer's entry or another's, whole, never a mixture, and a killed one leaves no entry."""
    key = cache.key_of("the same")
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(number), key]) for number in (1, 2)]
    seen, limit = 0, time.monotonic() + 60
    while any(writer.poll() is None for writer in writers) and time.monotonic() < limit:
        found = cache.find(key, SHAPE)
        if found:
            seen += 1
            assert (found.w_plus == found.steps).all() and found.photo == f"{found.steps}.jpg"
            if seen == 20:
                writers[0].kill()
    assert [writer.wait(10) for writer in writers] == [-signal.SIGKILL, 0]
    assert seen >= 20 and upkeep.damaged() == []

"""The cache of inversions: what is found again, and what never is."""

import hashlib
import json
import math
import os
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from photodrag.invert import cache, tensor_files
from photodrag.invert.quality import Quality
from photodrag.weights import UserError

QUALITY = Quality(0.05, 0.1, 0.03, 21.2, 0.3, 0.9)
SHAPE = (1, 16, 512)


@pytest.fixture
def entry(empty_cache) -> cache.Entry:
    code = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0))
    return cache.keep(cache.key_of("a", 1), code, cache.Record(QUALITY, 60, 81.5, "photo.jpg", "face"))


@pytest.fixture
def file(entry, empty_cache):
    return empty_cache / "inversions" / f"{entry.key}.safetensors"


def test_found_as_it_was_kept(entry):
    found = cache.find(entry.key, SHAPE)
    assert torch.equal(found.w_plus, entry.w_plus)
    for name in ("key", "quality", "steps", "seconds", "photo", "generator", "made"):
        assert getattr(found, name) == getattr(entry, name)
    assert [(e.key, size > 0) for e, size in cache.entries()] == [(entry.key, True)]


def test_identity_may_be_unknown(empty_cache):
    kept = cache.keep(
        cache.key_of("b"), torch.zeros(SHAPE), cache.Record(replace(QUALITY, identity=None), 1, 1.0, "ü.jpg", "face")
    )
    assert cache.find(kept.key, SHAPE).quality.identity is None


def test_tuned_entry(empty_cache):
    deltas = {"b4.bias": torch.ones(3).half(), "const": torch.zeros(2, 2).half()}
    key = cache.key_of("tuned")
    cache.keep(key, torch.zeros(SHAPE), cache.Record(QUALITY, 60, 1.0, "photo.jpg", "face", cache.TUNED), deltas)
    found = cache.find(key, SHAPE)
    assert found.method == "tuned" and found.deltas.keys() == deltas.keys()
    assert all(
        torch.equal(found.deltas[name], delta) and found.deltas[name].dtype == torch.float16
        for name, delta in deltas.items()
    )


def test_entry_from_before_there_were_methods(entry, file):
    """A file of the first layout, which neither method nor deltas stood in."""
    data = file.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    facts = json.loads(header["__metadata__"]["photodrag"])
    del facts["method"]
    facts["digest"] = hashlib.sha256(entry.w_plus.numpy().tobytes()).hexdigest()
    save_file({"w_plus": entry.w_plus}, file, {"photodrag": json.dumps(facts)})
    found = cache.find(entry.key, SHAPE)
    assert (found.method, found.deltas) == ("w+p", {}) and torch.equal(found.w_plus, entry.w_plus)


def test_file_written_by_hand_in_the_layout_of_before(empty_cache):
    """The names that stand in files which people have: a build that reads others loses their inversions."""
    key, code = cache.key_of("by hand"), torch.linspace(-1, 1, 16 * 512).reshape(SHAPE)
    delta = torch.full((3,), 0.5).half()
    digest = hashlib.sha256(delta.numpy().tobytes() + code.numpy().tobytes()).hexdigest()
    figures = dict(distance_face=0.05, distance_whole=0.1, mse=0.03, psnr=21.2, identity=0.3, rms=0.9)
    about = dict(steps=60, seconds=81.5, photo="photo.jpg", generator="face", made="2026-11-01T10:00:00+00:00")
    facts = {"key": key, "quality": figures, **about, "method": "tuned", "digest": digest}
    (empty_cache / "inversions").mkdir(parents=True)
    path = empty_cache / "inversions" / f"{key}.safetensors"
    save_file({"w_plus": code, "delta/b4.bias": delta}, path, {"photodrag": json.dumps(facts)})
    found = cache.find(key, SHAPE)
    assert torch.equal(found.w_plus, code) and torch.equal(found.deltas["b4.bias"], delta)
    assert (found.key, found.quality, found.method) == (key, Quality(**figures), "tuned")
    assert {name: getattr(found, name) for name in about} == about
    assert [entry.key for entry, _ in cache.entries()] == [key]


def test_not_found_for_another_key_or_shape(entry):
    assert cache.find(cache.key_of("a", 2), SHAPE) is None
    assert cache.find(entry.key, (1, 18, 512)) is None


def test_keys_depend_on_every_part():
    parts = ["photo", 1, 2.5, [1.0, 2.0], QUALITY]
    keys = {cache.key_of(*parts)}
    keys |= {cache.key_of(*parts[:i], other, *parts[i + 1 :]) for i, other in enumerate(["x", 3, 2.6, [1.0], SHAPE])}
    assert len(keys) == 6
    assert cache.key_of(*parts) in keys
    assert cache.key_of({"a": 1, "b": 2}) == cache.key_of({"b": 2, "a": 1})


def test_keys_of_another_layout_are_others(monkeypatch):
    """So that whoever changes what an inversion is can let go of all older ones."""
    before = cache.key_of("photo")
    monkeypatch.setattr(cache, "VERSION", cache.VERSION + 1)
    assert cache.key_of("photo") != before


def rewritten(file, **changed) -> None:
    """The same file with other facts in its metadata."""
    data = file.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    facts = json.loads(header["__metadata__"]["photodrag"]) | changed
    w_plus = torch.frombuffer(bytearray(data[-16 * 512 * 4 :]), dtype=torch.float32).reshape(SHAPE)
    save_file({"w_plus": w_plus}, file, {"photodrag": json.dumps(facts)})


def test_rewriting_alone_does_no_damage(entry, file):
    rewritten(file)
    assert cache.find(entry.key, SHAPE) is not None


DAMAGES = {
    "empty": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-1]),
    "one bit": lambda file: file.write_bytes(file.read_bytes()[:-2] + bytes([file.read_bytes()[-2] ^ 1, 0])),
    "a picture": lambda file: file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000)),
    "a header without an end": lambda file: file.write_bytes(b"\xff" * 8 + b"{}"),
    "deep JSON": lambda file: file.write_bytes((100_000).to_bytes(8, "little") + b"[" * 100_000),
    "another program's": lambda file: save_file({"weight": torch.zeros(3)}, file),
    "without facts": lambda file: save_file({"w_plus": torch.zeros(SHAPE)}, file),
    "no number": lambda file: save_file({"w_plus": torch.full(SHAPE, torch.nan)}, file, {"photodrag": "{}"}),
    "another key's": lambda file: rewritten(file, key="0" * 64),
    "no date": lambda file: rewritten(file, made="yesterday"),
    "no text": lambda file: rewritten(file, photo=None),
    "more facts": lambda file: rewritten(file, more=1),
    "other figures": lambda file: rewritten(file, quality={"distance": 1}),
    "figures in words": lambda file: rewritten(file, quality=vars(QUALITY) | {"mse": "small"}),
    "steps in words": lambda file: rewritten(file, steps="many"),
    "another figure": lambda file: rewritten(file, quality=vars(QUALITY) | {"identity": 0.1}),
    "another photo": lambda file: rewritten(file, photo="other.jpg"),
    "infinite, in the layout of before": lambda file: as_before(file, quality=vars(QUALITY) | {"mse": math.inf}),
    "no number, in the layout of before": lambda file: as_before(file, seconds=math.nan),
    "a truth as steps, in the layout of before": lambda file: as_before(file, steps=True),
    "steps without end, in the layout of before": lambda file: as_before(file, steps=1 << 40),
    "before all days, in the layout of before": lambda file: as_before(file, made="0001-01-01T00:00:00+14:00"),
}


def as_before(file, **changed) -> None:
    """As older versions wrote it, whose digest was of the numbers alone."""
    code = file.read_bytes()[-16 * 512 * 4 :]
    rewritten(file, digest=hashlib.sha256(code).hexdigest(), **changed)


def test_the_layout_of_before_is_read(entry, file):
    as_before(file)
    assert torch.equal(cache.find(entry.key, SHAPE).w_plus, entry.w_plus)


def test_digest_covers_names_types_and_shapes(tmp_path):
    """Each of these has the same bytes in the same order."""
    path, code, facts = tmp_path / "file", torch.arange(8.0).reshape(2, 4), {"what": "a code"}
    tensor_files.write(path, {"w_plus": code}, facts)
    text = json.loads(path.read_bytes()[8:].split(b"\x00")[0].rpartition(b"}")[0] + b"}")["__metadata__"]
    for others in ({"w_minus": code}, {"w_plus": code.T.reshape(4, 2)}, {"w_plus": code.view(torch.int32)}):
        save_file({name: tensor.contiguous() for name, tensor in others.items()}, path, text)
        with pytest.raises(ValueError, match="than were written"):
            tensor_files.read(path)
    save_file({"w_plus": code}, path, text)
    assert tensor_files.read(path)[1] == facts


@pytest.mark.parametrize("code", [torch.nan, torch.inf])
def test_what_is_no_number_is_not_kept(code, empty_cache):
    record, whole = cache.Record(QUALITY, 60, 81.5, "photo.jpg", "face"), torch.zeros(SHAPE)
    delta = {"bias": torch.tensor([code])}
    for w_plus, about, deltas in (
        (torch.full(SHAPE, code), record, {}),
        (whole, replace(record, quality=replace(QUALITY, mse=float(code))), {}),
        (whole, record, delta),
    ):
        with pytest.raises(ValueError, match="no entry"):
            cache.keep(cache.key_of("c"), w_plus, about, deltas)
    assert not empty_cache.exists()


@pytest.mark.skipif(os.name == "nt", reason="has no such modes")
def test_nobody_else_can_read_what_is_kept(entry, file):
    folder = file.parent
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    folder.chmod(0o755)  # as older versions made it
    cache.find(entry.key, SHAPE)
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    cache.entries()
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_or_foreign_entries_are_never_served(damage, entry, file):
    damage(file)
    assert cache.find(entry.key, SHAPE) is None
    assert cache.entries() == []
    again = cache.keep(entry.key, entry.w_plus, cache.Record(QUALITY, 60, 81.5, "photo.jpg", "face"))
    assert torch.equal(cache.find(again.key, SHAPE).w_plus, entry.w_plus)


def test_folder_in_an_entry_s_place(entry, file):
    file.unlink()
    file.mkdir()
    assert cache.find(entry.key, SHAPE) is None
    assert cache.entries() == []
    with pytest.raises(UserError, match="it is a folder"):
        cache.keep(entry.key, entry.w_plus, cache.Record(QUALITY, 60, 81.5, "photo.jpg", "face"))


def test_remove(entry, file, empty_cache):
    other = cache.keep(cache.key_of("b"), entry.w_plus, cache.Record(QUALITY, 1, 1.0, "other.jpg", "face"))
    size = file.stat().st_size
    assert cache.remove(entry.key) == (1, size)
    assert cache.remove(entry.key) == (0, 0)
    assert [kept.key for kept, _ in cache.entries()] == [other.key]
    (empty_cache / "inversions" / "notes.txt").write_text("mine")
    assert cache.remove()[0] == 1
    assert [path.name for path in (empty_cache / "inversions").iterdir()] == ["notes.txt"]


def test_cache_that_cannot_be_written(entry, small_disk, monkeypatch):
    monkeypatch.setenv("PHOTODRAG_CACHE", str(small_disk))
    cache.keep(entry.key, entry.w_plus, cache.Record(QUALITY, 60, 81.5, "photo.jpg", "face"))
    with pytest.raises(UserError, match="the disk is full"):
        for number in range(3):
            cache.keep(cache.key_of(number), entry.w_plus, cache.Record(QUALITY, 60, 81.5, "photo.jpg", "face"))
    assert [kept.key for kept, _ in cache.entries()] == [entry.key]
    assert [path.name for path in (small_disk / "inversions").iterdir()] == [f"{entry.key}.safetensors"]

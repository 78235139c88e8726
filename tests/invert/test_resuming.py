"""An inversion that was stopped goes on: the same code and the same weights, to the last bit."""

import os
from dataclasses import fields

import pytest
import torch

from photodrag.invert import unfinished
from photodrag.invert.crop import Crop
from photodrag.invert.projection import ProjectSettings, ProjectState, Stage, project
from photodrag.invert.tuning import TuneState

STAGES = (Stage(5, 32), Stage(6, 32, 24))


@pytest.fixture(scope="module")
def crop(small) -> Crop:
    z = torch.randn(1, small.z_dim, generator=torch.Generator().manual_seed(1))
    return Crop(small.synthesis(small.mapping(z)))


@pytest.mark.parametrize("patience", [1, 15], ids=["stages that end early", "stages to their end"])
def test_projection_goes_on_after_every_step(patience, small, distance, crop):
    settings = ProjectSettings(STAGES, patience=patience, lr=1.0)
    states = []
    whole = project(small, crop, distance, settings, progress=states.append)
    assert (len(states) == 11) == (patience == 15)
    for state in states:
        later = []
        again = project(small, crop, distance, settings, progress=later.append, resume=state)
        assert torch.equal(again.w_plus, whole.w_plus)
        assert (again.loss, again.steps) == (whole.loss, whole.steps)
        assert len(later) == len(states) - state.taken


def at_every_step(monkeypatch) -> None:
    """Let a state be kept at every step, however large it is and however slow the disk."""
    for name, value in {"EVERY": 0.0, "RATE": float("inf"), "SHARE": float("inf")}.items():
        monkeypatch.setattr(unfinished, name, value)


def test_kept_state_is_read_as_it_was(small, distance, crop, empty_cache, monkeypatch):
    at_every_step(monkeypatch)
    keeper, states = unfinished.Checkpointer("a" * 64), []

    def see(state):
        states.append(state)
        keeper(state)

    project(small, crop, distance, ProjectSettings((Stage(2, 32),)), progress=see)
    found = unfinished.find("a" * 64, ProjectState, torch.device("cpu"))
    for field in fields(found):
        kept, last = getattr(found, field.name), getattr(states[-1], field.name)
        assert torch.equal(kept, last) if isinstance(last, torch.Tensor) else kept == last
    assert unfinished.find("b" * 64, ProjectState, torch.device("cpu")) is None
    keeper.done()
    assert unfinished.find("a" * 64, ProjectState, torch.device("cpu")) is None


def a_state(number: float = 1.0) -> TuneState:
    parts = {"conv.weight": torch.full((2, 3), number), "bias": torch.tensor(number)}
    return TuneState(3, 60, 0.5, parts, parts, parts, float("inf"), {}, 2.5)


def test_state_of_dicts_and_infinity(empty_cache, tmp_path, monkeypatch):
    at_every_step(monkeypatch)
    unfinished.Checkpointer("c" * 64)(a_state())
    found = unfinished.find("c" * 64, TuneState, torch.device("cpu"))
    assert found.values.keys() == {"conv.weight", "bias"} and found.deltas == {}
    assert (found.best, found.step, found.second["bias"].item()) == (float("inf"), 3, 1.0)
    assert unfinished.find("c" * 64, ProjectState, torch.device("cpu")) is None  # of another kind


DAMAGES = {
    "cut": lambda data: data[:-1],
    "one bit": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "empty": lambda data: b"",
    "not ours": lambda data: b"\x89PNG" + data,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_state_is_none(damage, empty_cache, monkeypatch):
    at_every_step(monkeypatch)
    unfinished.Checkpointer("d" * 64)(a_state())
    (path,) = unfinished.folder().iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert unfinished.find("d" * 64, TuneState, torch.device("cpu")) is None


def test_states_are_kept_now_and_then_and_swept(empty_cache, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(unfinished.time, "monotonic", lambda: now[0])
    keeper = unfinished.Checkpointer("e" * 64)
    kept = []
    for second in range(40):
        now[0] = float(second)
        keeper(a_state(float(second)))
        found = unfinished.find("e" * 64, TuneState, torch.device("cpu"))
        kept.append(found.values["bias"].item() if found else 0)
    assert max(second - last for second, last in enumerate(kept)) < 20 and len(set(kept)) == 4
    assert unfinished.remove(age=3600) == (0, 0)
    ((count, freed), left) = unfinished.remove(), list(unfinished.folder().iterdir())
    assert count == 1 and freed > 0 and left == []


def test_large_states_are_kept_less_often(empty_cache, monkeypatch):
    """So that a state of 80 MB isn't written six times a minute: 4 MB a second, at most."""
    now, written = [0.0], []
    monkeypatch.setattr(unfinished.time, "monotonic", lambda: now[0])

    def keep(path, state):
        written.append(now[0])
        with path.open("wb") as file:
            file.truncate(80_000_000)

    monkeypatch.setattr(unfinished, "keep", keep)
    keeper = unfinished.Checkpointer("e" * 64)
    for second in range(61):
        now[0] = float(second)
        keeper(a_state())
    assert written == [10, 30, 50]


def test_slow_disks_are_written_to_less_often(empty_cache, monkeypatch):
    now, written = [0.0], []
    monkeypatch.setattr(unfinished.time, "monotonic", lambda: now[0])

    def keep(path, state):
        written.append(now[0])
        path.write_bytes(b"")
        now[0] += 2.0

    monkeypatch.setattr(unfinished, "keep", keep)
    keeper = unfinished.Checkpointer("e" * 64)
    for second in range(61):
        now[0] = max(now[0], float(second))
        keeper(a_state())
    assert written == [10, 52]


def test_states_that_nobody_came_back_for_leave_by_themselves(empty_cache, monkeypatch):
    """When the next one is kept; of a week ago, or of yesterday."""
    at_every_step(monkeypatch)
    for name, days in (("a" * 64, 8), ("b" * 64, 1)):
        unfinished.Checkpointer(name)(a_state())
        path = unfinished.folder() / f"{name}.safetensors"
        then = path.stat().st_mtime - days * 24 * 3600
        os.utime(path, (then, then))
    unfinished.Checkpointer("c" * 64)(a_state())
    assert [state.key[0] for state in unfinished.listing()] == ["c", "b"]


@pytest.mark.skipif(os.name == "nt", reason="has no such modes")
def test_nobody_else_can_read_a_state(empty_cache, monkeypatch):
    at_every_step(monkeypatch)
    unfinished.folder().mkdir(parents=True, mode=0o755)
    unfinished.Checkpointer("a" * 64)(a_state())
    (path,) = unfinished.folder().iterdir()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_full_disk_stops_nothing(small_disk, monkeypatch):
    at_every_step(monkeypatch)
    monkeypatch.setenv("PHOTODRAG_CACHE", str(small_disk))
    keeper = unfinished.Checkpointer("f" * 64)
    keeper(a_state())
    (small_disk / "filling").write_bytes(bytes(small_disk.stat().st_blksize * 12))
    big = TuneState(4, 60, 0.5, {"bias": torch.zeros(10_000)}, {}, {}, 0.5, {}, 2.5)
    keeper(big)
    found = unfinished.find("f" * 64, TuneState, torch.device("cpu"))
    assert found.step == 3  # the older one, whole
    assert [path.name for path in unfinished.folder().iterdir()] == [f"{'f' * 64}.safetensors"]

"""An inversion that was stopped goes on: the same code and the same weights, to the last bit."""

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


def test_kept_state_is_read_as_it_was(small, distance, crop, empty_cache, monkeypatch):
    monkeypatch.setattr(unfinished, "EVERY", 0.0)
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
    monkeypatch.setattr(unfinished, "EVERY", 0.0)
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
    monkeypatch.setattr(unfinished, "EVERY", 0.0)
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
    assert unfinished.remove(age=3600) == 0
    assert unfinished.remove() > 0 and not list(unfinished.folder().iterdir())


def test_full_disk_stops_nothing(small_disk, monkeypatch):
    monkeypatch.setattr(unfinished, "EVERY", 0.0)
    monkeypatch.setenv("PHOTODRAG_CACHE", str(small_disk))
    keeper = unfinished.Checkpointer("f" * 64)
    keeper(a_state())
    (small_disk / "filling").write_bytes(bytes(small_disk.stat().st_blksize * 12))
    big = TuneState(4, 60, 0.5, {"bias": torch.zeros(10_000)}, {}, {}, 0.5, {}, 2.5)
    keeper(big)
    found = unfinished.find("f" * 64, TuneState, torch.device("cpu"))
    assert found.step == 3  # the older one, whole
    assert [path.name for path in unfinished.folder().iterdir()] == [f"{'f' * 64}.safetensors"]

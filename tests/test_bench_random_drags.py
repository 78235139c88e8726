"""The random drags of the benchmark: each kind is what it says, and most are drags that could be made."""

import numpy as np
import pytest
import random_drags as bench

SIDE = 1024
KINDS = "few", "many", "crossing", "diverging", "border", "outside", "itself", "far", "nan", "doubled", "pinned"
LANDMARKS = np.random.RandomState(0).uniform((300, 400), (720, 800), (68, 2))


def drawn(kind: str):
    random = np.random.RandomState(0)
    return [bench.KINDS[kind](random, SIDE, LANDMARKS) for _ in range(100)]


def inside(points: np.ndarray) -> np.ndarray:
    return ((points >= 0) & (points <= SIDE - 1)).all(1)


def test_the_usual_kind_s_first_draw_is_the_recorded_one():
    """What the record says of these 50 drags is of these very ones."""
    handles, targets = bench.few(np.random.RandomState(0), SIDE, LANDMARKS)
    assert np.allclose(handles, [[587.484036, 793.247089]]) and np.allclose(targets, [[669.13583, 691.911759]])


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_what_it_says(kind):
    counts = set()
    for handles, targets in drawn(kind):
        counts.add(len(handles))
        assert handles.shape == targets.shape == (len(handles), 2)
        ends, ways = np.concatenate((handles, targets)), targets - handles
        assert np.isfinite(ends).all() != (kind == "nan")
        assert inside(ends).all() != (kind in ("far", "nan"))
        if kind == "crossing":
            assert sorted(handles.tolist()) == sorted(targets.tolist()) and np.abs(ways).max(1).all()
        elif kind == "diverging":
            assert np.ptp(handles, axis=0).max() < 0.07 * SIDE and np.linalg.norm(ways, axis=1).min() > 0.02 * SIDE
        elif kind == "border":
            assert ((handles == 0) | (handles == SIDE - 1)).any(1).all()
        elif kind == "outside":
            assert not ((handles > LANDMARKS.min(0)) & (handles < LANDMARKS.max(0))).all(1).any()
        elif kind == "itself":
            assert not ways.any()
        elif kind == "far":
            assert inside(handles).all() and np.linalg.norm(ways, axis=1).max() > 1.5 * SIDE - 1
        elif kind == "doubled":
            assert len(np.unique(handles, axis=0)) == len(handles) - 1
        elif kind == "pinned":
            assert not ways[len(ways) // 2 :].any()
    assert max(counts) == (3 if kind == "few" else 12) and len(counts) > 2


def test_doubled_points_and_pins_contradict_half_of_the_time():
    contrary = [len(np.unique(np.hstack(ends), axis=0)) == len(ends[0]) for ends in drawn("doubled")]
    on_the_point = [len(np.unique(handles, axis=0)) < len(handles) for handles, _ in drawn("pinned")]
    assert 0.3 < np.mean(contrary) < 0.7 and 0.3 < np.mean(on_the_point) < 0.7


def test_a_drag_that_ends_otherwise_is_seen():
    good = bench.Counter(drags=3, faces=2, refused=1, stalled=2)
    assert bench.told(good) and not bench.told(good | bench.Counter(drags=4))


def test_every_kind_is_tested():
    assert tuple(bench.KINDS) == KINDS

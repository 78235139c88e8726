"""After a drag by features landmarks say where the handles are, and another round goes on from there."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from toy import Mirrored

from photodrag.drag import DragSettings, Landmarks, steps
from photodrag.drag.landmarks import earliest_as_near
from photodrag.drag.state import ARRIVED, LIMIT, STALLED, STOPPED, DragState, finished, states_until
from photodrag.drag.trust_region import farthest

HANDLE = torch.tensor([[70.0, 101.0]], dtype=torch.float64)
WAY = torch.tensor([[14.0, -9.0]], dtype=torch.float64)
NOSE = 30
MARKS = np.random.RandomState(0).uniform(0, 255, (68, 2))
MARKS[NOSE] = HANDLE[0]


@pytest.fixture(scope="module")
def toy():
    return Mirrored()


def dragged(toy, *shares, settings=DragSettings()):
    """The result and all states, where one look after the other finds that so much of the way is done, or no face
    (None)."""
    looks, states = iter((0.0, *shares)), []

    def find(image):
        share = next(looks)
        return None if share is None else MARKS + share * WAY.numpy()

    start = torch.zeros(1, toy.num_ws, toy.w_dim, dtype=torch.float64)
    landmarks = Landmarks(MARKS, find) if shares else None
    run = steps(toy, start, HANDLE, HANDLE + WAY, settings=settings, space=toy.space, landmarks=landmarks)
    result = finished(run, lambda state: states.append(state))
    assert not shares or not list(looks), "fewer looks than that"
    return result, states


@pytest.fixture(scope="module")
def free_states(toy):
    """Result and states of the drag at which no landmark looks."""
    return dragged(toy)


@pytest.fixture(scope="module")
def free(free_states):
    return free_states[0]


def test_where_landmarks_agree_one_round_is_all(toy, free):
    result, _ = dragged(toy, 0.99)
    assert torch.equal(result.w_plus, free.w_plus)
    assert (result.stop_reason, result.steps) == (free.stop_reason, free.steps) == (ARRIVED, free.steps)
    torch.testing.assert_close(result.points, HANDLE + 0.99 * WAY)


def test_it_goes_on_from_where_the_landmarks_are(toy, free_states):
    free, before = free_states
    result, states = dragged(toy, 0.5, 1.0)
    torch.testing.assert_close(states[len(before)].points, HANDLE + 0.5 * WAY)
    torch.testing.assert_close(states[len(before)].w_plus, free.w_plus)
    assert states_until(states, result)[-1] is states[-1] and result.steps > free.steps
    assert result.stop_reason == ARRIVED and result.distances.max() < 1e-9
    moved = (toy.origin(result.w_plus, HANDLE) - HANDLE).norm()
    assert moved > 1.2 * (toy.origin(free.w_plus, HANDLE) - HANDLE).norm()


@pytest.mark.parametrize(
    ("shares", "rounds"), [((0.5, 0.55, 0.3), 2), ((0.2, 0.5, 0.7, 0.3), 3)], ids=["no nearer", "enough"]
)
def test_an_arrival_that_landmarks_deny_is_none(toy, shares, rounds):
    result, states = dragged(toy, *shares)
    assert result.stop_reason == STALLED
    torch.testing.assert_close(result.points, HANDLE + shares[-2] * WAY)
    assert sum(torch.equal(a.w_plus, b.w_plus) for a, b in pairwise(states)) == rounds - 1


def test_a_round_that_leads_away_is_forgotten(toy, free):
    for later in ((0.3, 0.2), (None,)):
        result, _ = dragged(toy, 0.6, *later)
        assert torch.equal(result.w_plus, free.w_plus) and result.stop_reason == STALLED
        torch.testing.assert_close(result.points, HANDLE + 0.6 * WAY)


@pytest.mark.parametrize(
    ("looks", "step", "seen"),
    [
        ({4: 5.4, 2: 5.6}, 4, 5.4),
        ({4: 5.4, 2: 5.5, 1: 4.0}, 1, 4.0),
        ({4: None, 2: 5.2, 1: 7.0}, 2, 5.2),
        ({4: None, 2: 7.0}, 9, 5.0),
        ({4: 5.6}, 9, 5.0),
    ],
    ids=["as near", "nearer", "no face between", "no face, then too far", "too far"],
)
def test_back_to_where_it_was_as_near_sooner(looks, step, seen):
    """Of ten states tracking has the last nearest; landmarks have it 5 px away, and 0.5 may be given up."""
    states = [DragState(i, torch.zeros(1), HANDLE, 10.0 - i) for i in range(10)]

    def sight(state, targets):
        distance = looks.pop(state.step)
        return None if distance is None else replace(state, distance=distance)

    found = earliest_as_near(states, replace(states[-1], distance=5.0), HANDLE, sight, 0.5)
    assert (found.step, found.distance) == (step, seen) and not looks


def test_a_stalled_drag_goes_back(toy):
    settings = DragSettings(rounds=1)
    far, _ = dragged(toy, 0.5, 0.3, settings=settings)
    near, _ = dragged(toy, 0.5, 0.5, 0.3, settings=settings)
    assert far.stop_reason == near.stop_reason == STALLED
    torch.testing.assert_close(near.points, far.points)
    ways = [farthest(result.w_plus[:, :7], toy.space.mean) for result in (near, far)]
    assert 0 < ways[0] < 0.9 * ways[1]


def test_the_limit_is_of_all_rounds_together(toy, free):
    result, _ = dragged(toy, 0.5, 0.6, settings=DragSettings(steps=free.steps + 2))
    assert result.stop_reason == LIMIT and result.steps == free.steps + 2


def test_at_the_limit_landmarks_say_that_it_arrived(toy, free):
    result, _ = dragged(toy, 0.99, settings=DragSettings(steps=free.steps - 1))
    assert result.stop_reason == ARRIVED and result.steps == free.steps - 1
    result, _ = dragged(toy, 0.5, settings=DragSettings(steps=free.steps - 1))
    assert result.stop_reason == LIMIT


def test_a_step_that_is_taken_back_is_shown_as_the_best_and_can_be_stopped(toy):
    """At a rate far too high every step but the first is taken back: each of them tells where the drag is."""
    settings, start = DragSettings(lr=3.0, steps=6), torch.zeros(1, toy.num_ws, toy.w_dim, dtype=torch.float64)

    def run(stop: int) -> tuple:
        states = []
        drag = steps(toy, start, HANDLE, HANDLE + WAY, settings=settings, space=toy.space)
        result = finished(drag, lambda state: states.append(state) or state.step == stop)
        return result, states

    result, states = run(stop=99)
    assert [state.step for state in states] == list(range(settings.steps + 1))
    assert sum(state.w_plus is states[0].w_plus for state in states) > 2  # or none was taken back
    assert states_until(states, result)[-1].w_plus is result.w_plus
    stopped, states = run(stop=1)
    assert (stopped.stop_reason, stopped.steps, len(states)) == (STOPPED, 1, 2)
    assert states[1].w_plus is states[0].w_plus


def test_where_a_drag_has_come_far_no_round_begins(toy, free):
    for again, looks, reason in ((0.9, (0.5, 0.3), STALLED), (1.1, (0.5, 1.0), ARRIVED)):
        settings = DragSettings(later_radius=again * farthest(free.w_plus[:, :7], toy.space.mean))
        result, _ = dragged(toy, *looks, settings=settings)
        assert result.stop_reason == reason


def test_further_rounds_stay_nearer_to_the_start(toy, free_states):
    free, before = free_states
    most = 1.02 * farthest(free.w_plus[:, :7], toy.space.mean)
    for settings, shares, near in (
        (DragSettings(later_radius=most), (0.5, 0.6, 0.3), True),
        (DragSettings(), (0.5, 1.0), False),
    ):
        _, states = dragged(toy, *shares, settings=settings)
        later = [farthest(state.w_plus[:, :7], toy.space.mean) for state in states[len(before) :]]
        assert later and (max(later) <= most * (1 + 1e-9)) == near


def test_stopped_on_arrival_no_round_begins(toy, free):
    looks = iter((MARKS, MARKS + 0.5 * WAY.numpy(), MARKS))
    start = torch.zeros(1, toy.num_ws, toy.w_dim, dtype=torch.float64)
    run = steps(
        toy, start, HANDLE, HANDLE + WAY, space=toy.space, landmarks=Landmarks(MARKS, lambda image: next(looks))
    )
    result = finished(run, lambda state: state.step == free.steps)
    assert result.steps == free.steps and not list(looks)


def test_handles_off_the_contours_are_tracked_and_the_others_seen(toy):
    handles, looks = torch.cat((HANDLE, HANDLE - 40)), iter((MARKS, MARKS + 0.98 * WAY.numpy()))
    marks = np.where(np.arange(68)[:, None] == NOSE, HANDLE.numpy(), 1e6)  # near the second one there is nothing
    start = torch.zeros(1, toy.num_ws, toy.w_dim, dtype=torch.float64)
    targets, landmarks = handles + torch.cat((WAY, WAY * 0)), Landmarks(marks, lambda image: next(looks))
    result = finished(steps(toy, start, handles, targets, space=toy.space, landmarks=landmarks))
    torch.testing.assert_close(result.points[:1], HANDLE + 0.98 * WAY)
    assert 0 < (result.points[1:] - handles[1:]).norm() < 5

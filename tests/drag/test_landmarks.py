"""A drag through features ends with a face, where it began with one."""

import numpy as np
import pytest
import torch
from toy import Mirrored

from photodrag.drag import DragSettings, Landmarks, steps
from photodrag.drag.state import ARRIVED, STALLED, finished, states_until

HANDLES = torch.tensor([[70.0, 101.0], [150.0, 90.0]], dtype=torch.float64)
TARGETS = HANDLES + torch.tensor([[14.0, -9.0], [-5.0, 8.0]], dtype=torch.float64)
MARKS = np.zeros((68, 2))
TOY = Mirrored()
START = torch.zeros(1, TOY.num_ws, TOY.w_dim, dtype=torch.float64)


class Looks(list):
    """Landmarks that are found until a picture differs from that of the start by more than so much, in the mean; and
    the changes of the pictures that were looked at."""

    def __init__(self, most: float):
        super().__init__()
        self.first, self.most = TOY.synthesis(START), most

    def __call__(self, image: torch.Tensor) -> np.ndarray | None:
        self.append((image - self.first).abs().mean().item())
        return MARKS if self[-1] <= self.most else None


def dragged(looks: Looks | None):
    """The result, and all states. They arrive soon, for that is enough."""
    states = []
    landmarks = None if looks is None else Landmarks(MARKS, looks)
    run = steps(
        TOY, START, HANDLES, TARGETS, settings=DragSettings(arrival_distance=6.0), space=TOY.space, landmarks=landmarks
    )
    return finished(run, lambda state: states.append(state)), states


@pytest.fixture(scope="module")
def free():
    """The result if nobody looks."""
    return dragged(None)[0]


@pytest.fixture(scope="module")
def whole(free):
    """How much it changes the picture."""
    return (TOY.synthesis(free.w_plus) - TOY.synthesis(START)).abs().mean().item()


def test_a_face_in_the_end_changes_nothing(free):
    looks = Looks(np.inf)
    result, _ = dragged(looks)
    assert torch.equal(result.w_plus, free.w_plus) and torch.equal(result.points, free.points)
    assert (result.stop_reason, result.steps) == (ARRIVED, free.steps) == (free.stop_reason, free.steps)
    assert len(looks) == 1


def test_without_a_face_it_goes_back_to_where_there_was_one(whole):
    """To a state of its own, with the points it had there."""
    looks = Looks(0.6 * whole)
    result, states = dragged(looks)
    state = states_until(states, result)[-1]
    assert state is not states[0] and state.points is result.points
    assert looks[0] == pytest.approx(whole) and looks[-1] <= 0.6 * whole < looks[-2]
    assert result.stop_reason == STALLED and result.steps == states[-1].step
    torch.testing.assert_close(result.distances, (state.points - TARGETS).norm(dim=1))


def test_where_every_step_loses_the_face_nothing_is_changed():
    result, states = dragged(Looks(0.0))
    assert result.w_plus is states[0].w_plus and result.stop_reason == STALLED


def test_where_none_is_seen_to_begin_with_nothing_is_taken_back(free):
    result, _ = dragged(Looks(-1.0))
    assert torch.equal(result.w_plus, free.w_plus) and result.stop_reason == free.stop_reason

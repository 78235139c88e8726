"""What keeps a drag by features safe: how far a code may go, and what is done about a step that went wrong."""

from dataclasses import replace

import pytest
import torch
from toy import Mirrored

from photodrag.drag import DragSettings
from photodrag.drag.loop import neighbourhood
from photodrag.drag.points import checked
from photodrag.drag.round import Scene, follow
from photodrag.drag.state import LIMIT, STALLED
from photodrag.drag.tracking import Tracker
from photodrag.drag.trust_region import farthest, project_to_trust_region, rms
from photodrag.weights import UserError

HANDLE = torch.tensor([[70.0, 101.0]], dtype=torch.float64)
TARGET = HANDLE + torch.tensor([[14.0, -9.0]], dtype=torch.float64)
FREE = DragSettings(radius=1e6, max_rms=1e6, steps=6)


def codes(*lengths: float) -> torch.Tensor:
    """Whitened codes [1, N, 64] of these root mean squares, each in another direction."""
    random = torch.randn(1, len(lengths), 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return random / rms(random) * torch.tensor(lengths)[:, None]


def test_root_mean_square():
    assert rms(torch.tensor([[3.0, -4.0]])).tolist() == [[pytest.approx(12.5**0.5)]]
    assert farthest(codes(0.2, 0.7, 0.1), torch.zeros(1, 3, 64)) == pytest.approx(0.7)


def test_no_farther_from_the_start_than_the_radius():
    """Each code by itself: those that are within stay, the others go back along their way."""
    start, way = codes(0.5, 0.5, 0.5), codes(0.1, 0.3, 2.0).flip(-1)
    near = project_to_trust_region(start + way, start, 0.3, 100.0)
    torch.testing.assert_close(rms(near - start).flatten(), torch.tensor([0.1, 0.3, 0.3]).double())
    torch.testing.assert_close(near - start, way * torch.tensor([[1.0], [1.0], [0.15]]).double())


def test_no_farther_out_than_natural_codes_or_the_start():
    start, p = codes(0.5, 0.5, 1.8), codes(1.0, 3.0, 2.4)
    near = project_to_trust_region(p, start, 100.0, 1.1)
    torch.testing.assert_close(rms(near).flatten(), torch.tensor([1.0, 1.1, 1.8]).double())
    torch.testing.assert_close(near / rms(near), p / rms(p))


class Watched(Mirrored):
    """Keeps the codes whose features were asked for, and makes features grow with the code."""

    def __init__(self, growth: float = 0.0):
        super().__init__()
        self.growth, self.asked = growth, []

    def features(self, w_plus: torch.Tensor, resolution: int) -> torch.Tensor:
        self.asked.append(w_plus.detach())
        return super().features(w_plus, resolution) * (1 + self.growth * w_plus.square().mean())


def run(toy: Mirrored, settings: DragSettings, radius: float = 1e9, hold: float = 0.0):
    """The states of a round, and what it has come to."""
    start = torch.zeros(1, toy.num_ws, toy.w_dim, dtype=torch.float64)
    held = torch.full((1, 1, 128, 128), hold, dtype=torch.float64)
    scene = Scene(toy, toy.space, settings, start, start[:, :7], TARGET, 128, held)
    states, steps = [], follow(scene, scene.start, HANDLE, radius, 0)
    try:
        while True:
            states.append(next(steps))
    except StopIteration as end:
        return states, end.value


def test_after_a_step_is_taken_back_half_as_far_is_tried():
    """Every step is taken back, for it would have to be nearer by a mile; each goes half as far as that before it, the
    same way, from the best state."""
    toy = Watched()
    states, end = run(toy, replace(FREE, max_setback=-1e6))
    ways = torch.stack([code[0, 0] for code in toy.asked[1:]])
    assert len(ways) == 6 and end.reason == LIMIT and end.step == 6
    assert all(state.w_plus is states[0].w_plus for state in states)  # the best one, shown once more
    first = ways[0]
    assert first.abs().max() == pytest.approx(FREE.lr, rel=1e-3)
    for number, way in enumerate(ways):
        torch.testing.assert_close(way, first / 2**number)


def test_features_that_grow_are_taken_back():
    """A step is judged by its features, however near to the target tracking has the handle."""
    wild = replace(FREE, lr=0.3, max_setback=1e6, arrival_distance=0.0, steps=8)
    grown = []
    for most in (1.25, 1e9):
        toy = Watched(growth=10.0)
        states, _ = run(toy, replace(wild, max_growth=most))
        first, *later = (toy.features(state.w_plus, 128).abs().mean().item() for state in states)
        grown.append(max(later) / first)
    assert grown[0] < 1.25 < 1.5 < grown[1]


def test_no_number_is_taken_back_and_in_the_end_the_best_state_stays():
    class Broken(Watched):
        def features(self, w_plus, resolution):
            return super().features(w_plus, resolution) * (1 if not w_plus.any() else torch.nan)

    states, end = run(Broken(), replace(FREE, steps=40, patience=5))
    assert end.reason == STALLED and end.states[-1] is states[0] and end.step == 6
    assert all(state.w_plus is states[0].w_plus for state in states)  # the best one, shown once more
    assert not end.best_code.any()


def test_a_round_stays_within_its_radius():
    states, _ = run(Mirrored(), replace(FREE, lr=0.1, steps=5), radius=0.05)
    far = [farthest(state.w_plus[:, :7], torch.zeros(())) for state in states]
    assert far[-1] == pytest.approx(0.05) and max(far) <= 0.05 + 1e-9


def test_what_is_held_hardly_moves():
    toy, moved = Mirrored(), []
    for hold in (0.0, 200.0):
        states, _ = run(toy, replace(FREE, steps=5, arrival_distance=0.0), hold=hold)
        start, end = (toy.features(states[i].w_plus, 128) for i in (0, -1))
        moved.append((end - start).abs().mean().item())
    assert moved[1] < 0.5 * moved[0]


def test_the_best_state_is_the_nearest_one():
    states, end = run(Mirrored(), replace(FREE, steps=12, arrival_distance=0.0))
    assert end.states[-1].distance == min(state.distance for state in end.states)
    assert end.states[-1].distance <= min(state.distance for state in states) + FREE.progress / 2
    torch.testing.assert_close(end.best_code, end.states[-1].w_plus[:, :7])
    assert [state.distance for state in end.states] == sorted((s.distance for s in end.states), reverse=True)


def test_points_are_taken_as_they_are_or_refused():
    """One alone, too, and up to the very border; a handle given twice, if to the same place."""
    like = torch.zeros(1, dtype=torch.float64)
    handles, targets = checked(torch.tensor([3.0, 4.0]), torch.tensor([[5, 6]]), 256, like)
    assert handles.tolist() == [[3.0, 4.0]] and targets.tolist() == [[5.0, 6.0]] and targets.dtype == torch.float64
    border = torch.tensor([[-0.5, 255.5], [255.5, -0.5], [-0.5, 255.5]])
    assert torch.equal(checked(border, border, 256, like)[0], border.double())
    for off in (torch.tensor([[-0.6, 0.0]]), torch.tensor([[0.0, -0.6]]), torch.tensor([[255.6, 0]]), border[:1] + 0.1):
        with pytest.raises(UserError, match="lies outside"):
            checked(off, torch.zeros(1, 2), 256, like)
        with pytest.raises(UserError, match="lies outside"):
            checked(torch.zeros(1, 2), off, 256, like)
    twice = torch.tensor([[5.0, 5.0], [5.0, 5.0]])
    with pytest.raises(UserError, match="has two targets"):
        checked(twice, torch.tensor([[5.0, 6.0], [5.0, 7.0]]), 256, like)


def test_what_is_near_the_points_may_change():
    """A Gaussian of the distance to the nearest one."""
    near = neighbourhood(torch.tensor([[31.5, 31.5], [127.5, 31.5]]), 256, 256, 32.0)
    for x, y, times in ((32, 32, 0), (64, 32, 1), (32, 96, 2), (128, 128, 3), (80, 32, 1.5)):
        assert near[y, x].item() == pytest.approx(2.718281828 ** -(times**2), rel=0.15, abs=1e-6)
    assert neighbourhood(torch.tensor([[127.5, 127.5]]), 256, 64, 32.0).shape == (64, 64)


def test_a_handle_is_never_found_beyond_the_picture():
    features = torch.randn(1, 8, 32, 32, generator=torch.Generator().manual_seed(0))
    points = torch.tensor([[1.0, 254.0]])
    tracker = Tracker(features, points, 256, patch_radius=4, search_radius=24)
    found = tracker(features.roll((3, -3), (2, 3)), points)
    assert (found >= 0).all() and (found <= 255).all()

"""The methods that are compared: each does what its description says, and moves a face where it is asked to."""

import dataclasses

import numpy as np
import pytest
import torch
from methods_here import HERE
from torch.nn import functional as F

from photodrag import weights
from photodrag.drag import draggan, freedrag
from photodrag.drag.methods import find_method
from photodrag.drag.sampling import sample
from photodrag.drag.state import finished
from photodrag.invert.quality import to_uint8
from photodrag.pipeline.faces.landmarks import Frame, predict
from photodrag.weights import Failure

PEERS = ["draggan", "draggan-code", "freedrag"]


@pytest.fixture
def small(golden):
    """A generator of 32² with a code, whose steps cost nothing."""
    generator = weights.load(golden / "nvidia-ada-skip-32.pkl")
    return generator, generator.mapping(torch.from_numpy(np.random.RandomState(0).randn(1, generator.z_dim)).float())


def short(name: str, steps: int):
    """A method's own settings, with that limit."""
    return dataclasses.replace(find_method(name).settings, steps=steps)


def noise(seed: int, *shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.RandomState(seed).randn(*shape)).float()


def enlarged(features: torch.Tensor, side: int) -> torch.Tensor:
    return F.interpolate(features, size=(side, side), mode="bilinear", align_corners=False)


@pytest.mark.parametrize("name", HERE)
def test_a_nose_goes_the_way_it_is_asked(name, face, person):
    """As dlib sees it, which no method looks at: up by 6 px of 256 or a part of it, and more so than aside."""
    w_plus, landmarks = person
    nose = landmarks[[30]]
    way, space = torch.tensor([[0.0, -6.0]]), weights.kept_space(face)
    states = find_method(name).steps(
        face, w_plus, torch.from_numpy(nose), torch.from_numpy(nose) + way, None, short(name, 6), space
    )
    result = finished(states)
    x, y = (predict(to_uint8(face.synthesis(result.w_plus)), Frame.around(landmarks))[[30]] - nose)[0]
    assert -10 < y < -0.75 and abs(x) < 0.6 * abs(y)
    assert torch.equal(result.w_plus[:, 7:], w_plus[:, 7:])


@pytest.mark.parametrize("side", [8, 24, 64])
def test_reading_is_that_of_the_enlarged_map(side):
    """Bilinear reading of the map that F.interpolate makes, at whole pixels, between them and at the border."""
    features = noise(0, 1, 3, 8, 8)
    points = torch.from_numpy(np.random.RandomState(1).uniform(0, side - 1, (200, 2))).float()
    grid = points / (side - 1) * 2 - 1
    wanted = F.grid_sample(enlarged(features, side), grid[None, None], align_corners=True)[0, :, 0].T
    assert torch.allclose(draggan.read(features, points, side), wanted, atol=1e-5)
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    pixels = torch.stack((x, y), -1).float()
    for reading in (draggan.read, sample):
        whole = reading(features, pixels, side).permute(2, 0, 1)[None]
        assert torch.allclose(whole, enlarged(features, side), atol=1e-5)


def test_reading_the_small_map_between_pixels_would_be_another_value():
    """Why `read` is not `sample`: a cell's centre lies between two pixels."""
    features, between = noise(0, 1, 3, 8, 8), torch.tensor([[27.5, 27.5]])
    assert not torch.allclose(draggan.read(features, between, 64), sample(features, between, 64), atol=1e-3)


@pytest.mark.parametrize("settings", [draggan.PAPER, draggan.CODE])
def test_motion_loss_is_equation_1_on_the_enlarged_map(settings):
    features, side, r1 = noise(2, 1, 4, 16, 16), 64, 3
    points, targets = torch.tensor([[20.0, 30.0], [40.0, 41.0]]), torch.tensor([[30.0, 30.0], [40.0, 33.0]])
    large, total = enlarged(features, side)[0], 0.0
    for (x, y), (dx, dy) in (((20, 30), (1, 0)), ((40, 41), (0, -1))):
        disc = [(x + i, y + j) for i in range(-3, 4) for j in range(-3, 4) if i * i + j * j < r1 * r1]
        terms = torch.stack([(large[:, v + dy, u + dx] - large[:, v, u]).abs() for u, v in disc])
        total = total + (terms.mean() if settings.means else terms.sum())
    assert torch.allclose(draggan.motion_loss(features, points, targets, side, r1, settings), total, rtol=1e-4)


def test_the_programs_points_at_rest_add_no_loss():
    features, points = noise(2, 1, 4, 16, 16), torch.tensor([[20.0, 30.0]])
    paper, code = (draggan.motion_loss(features, points, points + 0.5, 64, 3, s) for s in (draggan.PAPER, draggan.CODE))
    assert paper > 0 and code == 0


@pytest.mark.parametrize("norm", [1, 2])
def test_tracking_is_the_nearest_neighbour_in_the_window(norm):
    features, side, r2 = noise(3, 1, 5, 16, 16), 64, 6
    points, templates = torch.tensor([[30.0, 20.0], [2.0, 62.0]]), noise(4, 2, 5)
    large = enlarged(features, side)[0]
    cost = torch.stack([(large - t[:, None, None]).norm(norm, dim=0) for t in templates])
    for found, (px, py), plane in zip(
        draggan.tracked(features, points, templates, side, r2, norm), points, cost, strict=True
    ):
        window = [(x, y) for x in range(side) for y in range(side) if abs(x - px) <= r2 and abs(y - py) <= r2]
        assert tuple(found.int().tolist()) == min(window, key=lambda place: plane[place[1], place[0]].item())


def test_trust_is_the_papers():
    """Half at 0.2 l, a tenth at 0.8 l; 0.675 at most."""
    share = freedrag.trust(torch.tensor([0.06, 0.24, 0.0]), 0.3)
    assert torch.allclose(share, torch.tensor([0.5, 0.1, 0.6753]), atol=1e-4)


@pytest.fixture
def ramp():
    """Features that are the place's x itself, in a picture of 128²."""
    x = torch.arange(128.0).expand(1, 1, 128, 128)
    return freedrag.Field(x, 128, torch.zeros(1, 2))


def test_line_search_finds_the_wanted_difference(ramp):
    """Ten places from 50 to 59, whose differences to the template 50 are 0 … 9."""
    start, target, template = torch.tensor([[50.0, 64.0]]), torch.tensor([[100.0, 64.0]]), torch.full((1, 1, 1), 50.0)
    for wanted in (0.0, 3.2, 9.0, 20.0):
        found = freedrag.searched(ramp, start, target, template, 9.0, wanted, 10)
        assert torch.allclose(found, torch.tensor([[50 + min(round(wanted), 9), 64.0]]), atol=1e-4)
    near = torch.tensor([[54.0, 64.0]])
    assert torch.allclose(freedrag.searched(ramp, start, near, template, 9.0, 20.0, 10), near)


def test_a_place_goes_ahead_stays_or_looks_behind(ramp):
    """The first point's steps brought it near, the second's helped a little, the third's made it worse; what the
    third looks for, 46, lies behind."""
    points, targets = torch.full((3, 2), 50.0), torch.tensor([[100.0, 50.0]]).expand(3, 2)
    settings = freedrag.FreeDragSettings(expected=6.0, candidates=19)
    template = torch.tensor([50.0, 50.0, 46.0])[:, None, None]
    initial, final = torch.tensor([9.0, 9.0, 4.0]), torch.tensor([1.0, 5.0, 5.0])
    found = freedrag.relocated(ramp, points, targets, template, initial, final, 9.0, settings)
    assert torch.allclose(found[:, 0], torch.tensor([56.0, 50.0, 46.0]), atol=1e-4)
    assert (found[:, 1] == 50).all()


@pytest.mark.parametrize("name", PEERS)
def test_peers_return_their_last_state_and_say_why(name, small):
    generator, w_plus = small
    points = torch.tensor([[16.0, 16.0]])

    def states(target, landmarks=None):
        return find_method(name).steps(generator, w_plus, points, target, None, short(name, 4), None, landmarks)

    seen, run = [], states(points + 12.0, landmarks=lambda image: pytest.fail("a peer looks at no landmarks"))
    while True:
        try:
            seen.append(next(run))
        except StopIteration as end:
            result = end.value
            break
    assert result.stop_reason == "step limit" and result.steps == 4 and [s.step for s in seen] == list(range(5))
    assert torch.equal(seen[0].w_plus, w_plus) and torch.equal(seen[-1].w_plus, result.w_plus)
    assert (result.w_plus[:, :5] != w_plus[:, :5]).any(-1).all()
    assert finished(states(points)).stop_reason == "arrived"
    run = states(points + 12.0)
    next(run)
    with pytest.raises(StopIteration) as end:
        run.send(True)
    assert end.value.value.stop_reason == "stopped" and end.value.value.steps == 0


@pytest.mark.parametrize("name", [*PEERS, "flow"])
def test_a_mask_holds_what_lies_outside(name, small):
    """White everywhere it changes nothing; black everywhere the features stay nearer to what they were."""
    generator, w_plus = small
    points = torch.tensor([[16.0, 16.0]])
    free, white, black = (
        finished(find_method(name).steps(generator, w_plus, points, points + 12.0, mask, short(name, 8))).w_plus
        for mask in (None, torch.ones(32, 32), torch.zeros(1, 1, 64, 64))
    )
    free_change, change = (
        (generator.features(code, 32) - generator.features(w_plus, 32)).abs().mean() for code in (free, black)
    )
    assert torch.equal(free, white) and change < 0.8 * free_change


@pytest.mark.parametrize("name", PEERS)
def test_a_code_that_is_no_number_any_more_is_a_failure(name, small):
    """Features whose gradient isn't finite; without a word the result would be a picture of nothing."""
    generator, w_plus = small
    features = generator.features
    generator.features = lambda code, side: features(code, side) + (code * 0).sum().sqrt()  # 0, its gradient infinite
    points = torch.tensor([[10.0, 10.0]])
    states = find_method(name).steps(generator, w_plus, points, points + 4, None, short(name, 6), None)
    seen = []
    with pytest.raises(Failure, match="no finite number, after 1 steps: drag less far"):
        finished(states, lambda state: seen.append(state.step))
    assert seen == [0]

"""What is true of every drag: pins alone change nothing, the same input gives the same code, mirrored points move
mirrored, and pins stay."""

import dataclasses

import numpy as np
import pytest
import torch
from methods_here import HERE
from toy import Mirrored, mirrored

from photodrag.drag import DragSettings, drag
from photodrag.drag.methods import find_method
from photodrag.drag.state import finished
from photodrag.invert.quality import to_uint8
from photodrag.pipeline.editing.face_drag import followed
from photodrag.pipeline.faces.landmarks import Frame, predict

NOSE, LEFT, RIGHT = 30, 48, 54


@pytest.fixture(scope="module")
def toy():
    return Mirrored()


@pytest.fixture
def bent(toy):
    """A code of the toy, not symmetric."""
    random = torch.Generator().manual_seed(1)
    return 0.3 * torch.randn(1, toy.num_ws, toy.w_dim, generator=random, dtype=torch.float64)


def other_side(points: torch.Tensor, side: int) -> torch.Tensor:
    return torch.stack((side - 1 - points[:, 0], points[:, 1]), 1)


def run(method: str, steps: int, generator, w_plus, handles, targets, space, landmarks=None):
    settings = dataclasses.replace(find_method(method).settings, steps=steps)
    return finished(find_method(method).steps(generator, w_plus, handles, targets, None, settings, space, landmarks))


@pytest.mark.parametrize("method", HERE)
@pytest.mark.parametrize("count", [1, 12])
def test_pins_alone_change_nothing(method, count, face, space, person):
    """Wherever they are, between pixels too."""
    w_plus, landmarks = person
    points = torch.from_numpy(np.random.RandomState(count).uniform(0, 255, (count, 2)))
    result = run(method, 9, face, w_plus, points, points.clone(), space, followed(landmarks))
    assert (result.stop_reason, result.steps) == ("arrived", 0)
    assert torch.equal(result.w_plus, w_plus) and result.distances.max() < (
        1 if "draggan" in method else 0.25
    )  # whole pixels there


@pytest.mark.parametrize("method, marks", [*((name, [19, LEFT]) for name in HERE), ("photodrag", [NOSE])])
def test_the_same_drag_gives_the_same_code(method, marks, face, space, person):
    """To the bit; the last one is guided by landmarks."""
    w_plus, landmarks = person
    points = torch.from_numpy(landmarks[marks])
    a, b = (run(method, 3, face, w_plus, points, points - 7.5, space, followed(landmarks)) for _ in range(2))
    assert torch.equal(a.w_plus, b.w_plus) and torch.equal(a.points, b.points)
    assert not torch.equal(a.w_plus, w_plus)


def test_the_toy_is_symmetric(toy, bent):
    flipped = toy.features(bent, 128).flip(3)
    assert torch.allclose(toy.features(mirrored(bent), 128), flipped, atol=1e-12)
    assert not torch.allclose(toy.features(bent, 128), flipped, atol=0.1)


@pytest.mark.parametrize("method", [name for name in HERE if name != "flow"])  # a fitted network knows left from right
def test_mirrored_points_move_mirrored(method, toy, bent):
    handles = torch.tensor([[70.0, 101.0], [150.0, 90.0], [128.0, 180.0]], dtype=torch.float64)
    targets = handles + torch.tensor([[9.0, -6.0], [0.0, 0.0], [-3.0, 8.0]], dtype=torch.float64)
    a = run(method, 20, toy, bent, handles, targets, toy.space)
    ends = (other_side(points, toy.resolution) for points in (handles, targets))
    b = run(method, 20, toy, mirrored(bent), *ends, toy.space)
    assert (a.stop_reason, a.steps) == (b.stop_reason, b.steps) and a.steps > 2
    assert torch.allclose(mirrored(a.w_plus), b.w_plus, atol=1e-4, rtol=0)
    assert torch.allclose(other_side(a.points, toy.resolution), b.points, atol=1e-4, rtol=0)
    assert (a.w_plus - bent).abs().max() > 1e-2


def test_the_order_of_points_means_nothing(toy, bent):
    handles = torch.tensor([[70.0, 101.0], [150.0, 90.0], [128.0, 180.0]], dtype=torch.float64)
    targets = handles + torch.tensor([[9.0, -6.0], [0.0, 0.0], [-3.0, 8.0]], dtype=torch.float64)
    a = run("photodrag", 20, toy, bent, handles, targets, toy.space)
    b = run("photodrag", 20, toy, bent, handles.flip(0), targets.flip(0), toy.space)
    assert torch.allclose(a.w_plus, b.w_plus, atol=1e-4, rtol=0) and torch.allclose(a.points.flip(0), b.points)


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.5, 0.7])
def test_points_between_pixels_arrive(fraction, toy, bent):
    """What lay at the handle lies at the target, as the toy's own flow says, to half a pixel."""
    handles = torch.tensor([[90.0, 100.0]], dtype=torch.float64) + fraction
    targets = handles + torch.tensor([[10.3, -6.6]], dtype=torch.float64)
    result = drag(toy, bent, handles, targets, space=toy.space)
    assert result.stop_reason == "arrived"
    there = toy.origin(result.w_plus, result.points) - toy.origin(bent, handles)
    assert there.norm() < 0.5


def test_a_pin_stays(face, space, person):
    """One corner of the mouth is pulled, the other pinned, as a detector sees it that the drag doesn't look at: it
    stays within 2 of 256 px, where it would have come along."""
    w_plus, landmarks = person
    handles = torch.from_numpy(landmarks[[LEFT, RIGHT]])
    way = torch.tensor([[-5.0, -7.0], [0.0, 0.0]])

    def after(count: int) -> np.ndarray:
        ends, settings = (handles[:count], (handles + way)[:count]), DragSettings(steps=20, feature_side=64)
        result = drag(face, w_plus, *ends, settings=settings, space=space)
        return predict(to_uint8(face.synthesis(result.w_plus)), Frame.around(landmarks)) - landmarks

    free, pinned = after(1), after(2)
    assert np.linalg.norm(pinned[RIGHT]) < 2 and np.linalg.norm(free[RIGHT]) > 5
    assert pinned[LEFT] @ way[0].numpy() > 0.5 * (way[0] @ way[0]).item()

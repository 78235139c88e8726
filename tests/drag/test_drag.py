"""Dragging: what tracking finds, where an independent detector sees the handles arrive, what can't go wrong."""

import dataclasses

import numpy as np
import pytest
import torch
from methods_here import HERE
from torch.nn import functional as F

from photodrag import weights
from photodrag.drag import DragSettings, drag
from photodrag.drag.methods import find_method
from photodrag.drag.motion import hold_gradient, hold_loss, motion_loss
from photodrag.drag.sampling import disc, sample
from photodrag.drag.tracking import Tracker
from photodrag.invert.quality import to_uint8
from photodrag.pipeline.faces.detection import detect
from photodrag.pipeline.faces.landmarks import Frame, predict

SIDE = 1024


def smooth(seed: int, side: int = 128) -> torch.Tensor:
    noise = torch.from_numpy(np.random.RandomState(seed).randn(1, 16, side // 8, side // 8)).float()
    return F.interpolate(noise, size=(side, side), mode="bicubic")


def test_sample_reads_between_cells():
    """Features that are the cells' own places in picture pixels are read as the points asked for."""
    centres = (torch.arange(128) + 0.5) * 8 - 0.5
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    points = torch.tensor([[100.3, 700.9], [512.0, 3.5], [1019.5, 500.0]])
    assert torch.allclose(sample(torch.stack((x, y))[None], points, SIDE), points, atol=1e-3)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_sample_is_grid_sample(layout):
    """Its values and its gradient, inside, at the border and beyond it."""
    features = smooth(4).contiguous(memory_format=layout).requires_grad_()
    points = torch.rand(50, 4, 2, generator=torch.Generator().manual_seed(0)) * (SIDE + 60) - 30
    grid = ((2 * points + 1) / SIDE - 1).reshape(1, 1, -1, 2)
    wanted = F.grid_sample(features, grid, padding_mode="border", align_corners=False)[0, :, 0].T.view(50, 4, -1)
    got = sample(features, points, SIDE)
    assert torch.allclose(got, wanted, atol=1e-4)
    weight = torch.randn(50, 4, 16, generator=torch.Generator().manual_seed(1))
    a, b = (torch.autograd.grad((values * weight).sum(), features)[0] for values in (got, wanted))
    assert torch.allclose(a, b, atol=1e-3) and a.abs().max() > 0.1


def test_disc_is_round_and_centred():
    offsets = disc(6.0, 3.0, torch.device("cpu"))
    assert len(offsets) == 13 and (offsets == 0).all(1).any() and torch.equal(offsets, -offsets.flip(0))


@pytest.mark.parametrize("shift", [(0, 0), (2, -1), (-1, 2)])
def test_tracker_finds_a_shift(shift):
    features = smooth(0)
    moved = torch.roll(features, shift[::-1], (2, 3))
    points = torch.tensor([[400.0, 500.0], [613.7, 299.2]])
    found = Tracker(features, points, SIDE, patch_radius=6, search_radius=24)(moved, points)
    assert (found - points - 8 * torch.tensor(shift)).abs().max() < 1.0


def test_motion_loss_pulls_towards_the_target():
    """Its gradient with respect to a shift of the features points from the handle to the target."""
    features = smooth(1)
    shift = torch.zeros(2, requires_grad=True)
    grid = F.affine_grid(torch.eye(2, 3)[None], (1, 16, 128, 128), align_corners=False)
    moved = F.grid_sample(features, grid - shift * 2 / SIDE, align_corners=False)
    handle, target = torch.tensor([[512.0, 512.0]]), torch.tensor([[560.0, 512.0]])
    motion_loss(moved, handle, target, SIDE, patch_radius=6, look_ahead=4).backward()
    assert shift.grad[0] < 0 and shift.grad[1].abs() < shift.grad[0].abs()


def test_hold_loss_sees_only_what_is_held():
    features, hold = smooth(2), torch.zeros(1, 1, 128, 128)
    hold[..., :64] = 1
    changed = features.clone()
    changed[..., 64:] += 1
    assert hold_loss(changed, features, hold) == 0 and hold_loss(changed, features, 1 - hold) > 0


def test_hold_gradient_is_autograd_s():
    features, reference, hold = smooth(2), smooth(3), torch.rand(1, 1, 128, 128, generator=torch.Generator())
    features[..., :9] = reference[..., :9]  # where nothing has changed, nothing pulls
    features.requires_grad_()
    (wanted,) = torch.autograd.grad(hold_loss(features, reference, hold), features)
    got = hold_gradient(features.detach(), reference, hold)
    assert torch.allclose(got, wanted, rtol=1e-5, atol=0) and (got != 0).any() and (got[..., :9] == 0).all()


def test_handles_arrive_where_landmarks_see_them(face, space, person):
    w_plus, landmarks = person
    handle = landmarks[[54]]
    way = 0.04 * (landmarks[16, 0] - landmarks[0, 0]) * np.array([[0.6, -0.8]])
    result = drag(face, w_plus, torch.from_numpy(handle), torch.from_numpy(handle + way), space=space)
    after = predict(to_uint8(face.synthesis(result.w_plus)), Frame.around(landmarks))
    covered = ((after[[54]] - handle) * way).sum() / (way**2).sum()
    assert result.stop_reason == "arrived" and result.distances.max() <= 0.5
    assert 0.5 < covered < 1.6
    # The codes behind the features' block are never touched.
    assert torch.equal(result.w_plus[:, 7:], w_plus[:, 7:]) and not torch.equal(result.w_plus, w_plus)


def test_it_ends_and_says_why(face, space, person):
    w_plus, landmarks = person
    points = torch.from_numpy(landmarks[[30]])
    short = drag(face, w_plus, points, points + 15.0, settings=DragSettings(steps=2), space=space)
    assert short.stop_reason == "step limit" and short.steps == 2
    frozen = DragSettings(lr=0.0, patience=3, progress=0.4)  # tracking itself is good to a fifth of a pixel
    still = drag(face, w_plus, points, points + 15.0, settings=frozen, space=space)
    assert still.stop_reason == "stalled" and still.steps <= 5


def test_a_wild_step_is_taken_back(face, space, person):
    """With a learning rate far too high there is still a face, within the shell, which here is that of the start, and
    nearer than that."""
    w_plus, landmarks = person
    points = torch.from_numpy(landmarks[[48, 54]])
    settings = DragSettings(lr=3.0, steps=12, max_rms=0.1)
    result = drag(face, w_plus, points, points + torch.tensor([[-15.0, 20.0], [15.0, -20.0]]), None, settings, space)
    assert result.distances.mean() < 24.0
    moved = space.whiten(result.w_plus[:, :7]).square().mean(-1).sqrt()
    start = space.whiten(w_plus[:, :7]).square().mean(-1).sqrt()
    assert (moved <= start + 1e-3).all()
    assert detect(to_uint8(face.synthesis(result.w_plus)))


def test_a_mask_holds_what_lies_outside(face, space, person):
    w_plus, landmarks = person
    picture = to_uint8(face.synthesis(w_plus))
    points = torch.from_numpy(landmarks[[54]])
    mask = torch.zeros(face.resolution, face.resolution)
    mask[150:, 75:] = 1
    free = dataclasses.replace(DragSettings(), feature_side=64, locality_weight=0.0, steps=8, arrival_distance=0.0)
    held = dataclasses.replace(free, locality_weight=20.0)

    def change_outside(settings):
        result = drag(face, w_plus, points, points - 10.0, mask, settings, space)
        change = np.abs(to_uint8(face.synthesis(result.w_plus)).astype(float) - picture).mean(2)
        return change[:140].mean()

    assert change_outside(held) < 0.7 * change_outside(free)


@pytest.mark.parametrize("name", HERE)
@pytest.mark.parametrize(
    "handles, targets, sentence",
    [
        ([(-5.0, 10.0)], [(5.0, 5.0)], r"The handle -5,10 lies outside .* 256 × 256 pixels: give x,y from 0,0"),
        ([(5.0, 5.0)], [(10.0, 256.0)], "The target 10,256 lies outside"),
        ([(float("nan"), 3.0)], [(5.0, 5.0)], "The handle nan,3 is no point in the picture: give two finite numbers"),
        ([(5.0, 5.0)], [(3.0, float("-inf"))], "The target 3,-inf is no point"),
        ([(5.0, 5.0), (9.0, 9.0)], [(5.0, 6.0)], "2 handles and 1 targets were given"),
        ([], [], "0 handles and 0 targets"),
        ([(1.0, 2.0, 3.0)], [(5.0, 5.0)], r"The handles are no points \(x, y\), but of shape \(1, 3\)"),
        ([(5.0, 5.0), (9.0, 9.0), (5.0, 5.0)], [(5.0, 6.0), (9.0, 9.0), (5.0, 5.0)], "The handle 5,5 has two targets"),
    ],
)
def test_points_that_make_no_drag_are_refused(name, handles, targets, sentence, face, space, person):
    with pytest.raises(weights.UserError, match=sentence):
        next(find_method(name).steps(face, person[0], torch.tensor(handles), torch.tensor(targets), space=space))

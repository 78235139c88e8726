"""Dragging by optical flow: the network finds motion that is known, and its gradient brings a handle to its target."""

import dataclasses
import hashlib

import pytest
import torch
from fit_flow import displacement, seen
from torch.nn import functional as F
from torchvision.models.optical_flow import raft_small
from toy import Mirrored

from photodrag.drag import flow
from photodrag.drag.flow_network import correlation, places, small_network, warped
from photodrag.drag.methods import find_method
from photodrag.drag.state import finished
from photodrag.weights import Failure, catalogue
from photodrag.weights.backbones import Backbone

HANDLES = torch.tensor([[140.0, 110.0]], dtype=torch.float64)
NAME = "raft_small_C_T_V2-01064c6d.pth"


@pytest.fixture(scope="module")
def picture(face):
    """A face [1, 3, 256, 256] that the network was not fitted on."""
    z = torch.randn(1, face.z_dim, generator=torch.Generator().manual_seed(11))
    with torch.no_grad():
        return face.synthesis(face.mapping(z, psi=0.7))


@pytest.mark.parametrize("way", [(0, 0), (5, -3), (-12, 9)])
def test_a_known_translation_is_found(way, picture):
    """By less than a pixel of 256 on the average, where both pictures show the same."""
    x, y = way
    first = picture[:, :, 32 + y : 224 + y, 32 + x : 224 + x]  # what is at (u, v) here lies at (u + x, v + y) there
    found = small_network()(first, picture[:, :, 32:224, 32:224])[:, :, 5:-5, 5:-5]
    error = (found - torch.tensor(way).view(1, 2, 1, 1)).norm(dim=1)
    assert error.mean() < 1 and error.median() < 0.6


def test_the_network_is_small_and_has_a_gradient():
    network = small_network()
    assert 200_000 < sum(weight.numel() for weight in network.parameters()) < 400_000
    second = torch.rand(1, 3, 128, 128).requires_grad_()
    network(torch.rand(1, 3, 128, 128), second).sum().backward()
    assert second.grad.abs().max() > 0 and not any(weight.requires_grad for weight in network.parameters())


def test_comparing_is_a_product_with_each_place():
    a, b = torch.randn(2, 1, 3, 8, 9)
    cost, offsets = correlation(a, b), places(a.device).tolist()
    assert cost.shape[1] == len(offsets) == 25 and offsets[:2] == [[-2, -2], [-1, -2]]
    for k, (x, y) in enumerate(offsets):
        assert torch.allclose(cost[0, k, 4, 5], a[0, :, 4, 5] @ b[0, :, 4 + y, 5 + x if 5 + x < 9 else 0])


def test_warping_reads_where_the_flow_leads():
    b = torch.arange(72.0).view(1, 1, 8, 9)
    cells = torch.tensor([1.0, -2.0]).view(1, 2, 1, 1).expand(1, 2, 8, 9)
    assert torch.allclose(warped(b, cells)[0, 0, 2:, :-1], b[0, 0, :-2, 1:], atol=1e-4)
    assert torch.allclose(warped(b, 0 * cells), b, atol=1e-4)


def test_what_it_is_fitted_on_has_no_folds():
    """Nearly everywhere: the displaced lattice keeps its order, and most of it stays in the picture."""
    way = displacement(torch.Generator().manual_seed(1), 8, 64)
    stretch = torch.stack((way[:, 0].diff(dim=2)[:, :-1], way[:, 1].diff(dim=1)[:, :, :-1]))
    assert (stretch > -1).float().mean() > 0.98 and 2 < way.norm(dim=1).mean() < 32
    assert torch.equal(seen(torch.zeros(1, 2, 64, 64), 16), torch.ones(1, 16, 16, dtype=torch.bool))
    assert seen(torch.full((1, 2, 64, 64), 32.0), 16).float().mean() == 0.25


class Told:
    """Stands for a network: a flow that the pictures' own brightness tells, everywhere the same, in their pixels."""

    def __call__(self, first, second):
        way = (second - first).mean((2, 3))[:, :2]
        return way[..., None, None].expand(-1, -1, 8, 8)


def test_what_has_moved_is_read_in_pixels_of_the_generators_picture():
    first, second = torch.zeros(1, 3, 128, 128), torch.zeros(1, 3, 128, 128)
    second[:, 0], second[:, 1] = 2.0, -1.0
    found = flow.moved(Told(), first, second, torch.tensor([[10.0, 500.0]], dtype=torch.float64), 1024)
    assert torch.equal(found, torch.tensor([[16.0, -8.0]], dtype=torch.float64))


def test_a_drag_reaches_its_target_by_the_flow(face, space, person):
    """And is its nearest state, drawn; where it comes no nearer, it says that it has stalled."""
    w_plus, landmarks = person
    nose = torch.from_numpy(landmarks[[30]])
    states, settings = [], dataclasses.replace(flow.SMALL, steps=12, arrival_distance=3.0)
    run = flow.steps(face, w_plus, nose, nose - torch.tensor([0.0, 6.0]), None, settings, space)
    result = finished(run, states.append)
    assert torch.equal(states[0].w_plus, w_plus) and states[0].distance == pytest.approx(6.0)
    assert result.stop_reason == "arrived" and result.distances.item() < 1.5
    assert result.w_plus is states[-1].w_plus and torch.allclose(result.image, face.synthesis(result.w_plus), atol=1e-5)
    stuck = dataclasses.replace(settings, lr=0.0, patience=1)
    far = finished(flow.steps(face, w_plus, nose, nose - 50, None, stuck, space))
    assert (far.stop_reason, far.steps) == ("stalled", 2) and torch.equal(far.w_plus, w_plus)


def test_raft_is_torchvisions(tmp_path, monkeypatch):
    """From a file that lies where torch looks for it, by the name and the hash that are asked for."""
    torch.manual_seed(2)
    network = raft_small().eval()
    path = tmp_path / "hub" / "checkpoints" / NAME
    path.parent.mkdir(parents=True)
    torch.save(network.state_dict(), path)
    made = Backbone(NAME, None, hashlib.sha256(path.read_bytes()).hexdigest())
    entries = [dataclasses.replace(e, backbone=made) if e.name == "raft-small" else e for e in catalogue.ENTRIES]
    monkeypatch.setattr(catalogue, "ENTRIES", tuple(entries))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    first, second = torch.rand(2, 1, 3, 128, 128) * 2 - 1
    with torch.no_grad():
        assert torch.equal(flow.flow_network(True, first.device)(first, second), network(first, second)[-1])
    toy, method = Mirrored(), find_method("flow-raft")
    settings = dataclasses.replace(method.settings, side=128)
    w_plus = torch.full((1, toy.num_ws, toy.w_dim), 0.2, dtype=torch.float64)
    start = next(method.steps(toy, w_plus, HANDLES, HANDLES + 3.0, None, settings, toy.space))
    assert method.settings.raft and start.distance == pytest.approx(3 * 2**0.5)


def test_raft_that_cannot_be_had(tmp_path, monkeypatch, empty_cache):
    """Neither here nor fetched: a sentence says what to put where. A wrong file stays, and isn't taken."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    path = tmp_path / "hub" / "checkpoints" / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(b"something else")
    toy = Mirrored()
    with pytest.raises(Failure, match=rf"Could not fetch {NAME} .*put that file, whose SHA-256 .* into {path.parent}"):
        next(flow.steps(toy, toy.w_avg.expand(1, 14, -1), HANDLES, HANDLES, None, flow.RAFT, toy.space))
    assert path.read_bytes() == b"something else"


def test_pictures_are_averaged_down_or_interpolated():
    image = torch.rand(1, 3, 64, 64)
    assert torch.allclose(flow._shown(image, 16), F.avg_pool2d(image, 4))
    assert flow._shown(image, 128).shape[-1] == 128

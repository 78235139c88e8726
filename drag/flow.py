"""Dragging by optical flow, to compare the project's own drag with: the flow from the picture as it was to the picture
as it is should lead each handle to its target.

One network's answer is both motion supervision and point tracking, and its gradient goes through it and the generator's
whole picture into the code. The network knows nothing of faces: whatever picture makes it say that a handle has moved
will do, so it is no judge of how far it really has. The code that moves is the whitened one, kept where `loop.drag`
keeps it."""

from collections.abc import Callable
from collections.abc import Generator as States
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from photodrag.drag.flow_network import small_network
from photodrag.drag.landmarks import Landmarks
from photodrag.drag.motion import hold_loss
from photodrag.drag.points import checked
from photodrag.drag.round import arrived
from photodrag.drag.sampling import disc, sample
from photodrag.drag.state import LIMIT, STALLED, DragResult, DragState, ending
from photodrag.drag.trust_region import project_to_trust_region
from photodrag.weights import Generator, LatentSpace, get, latent_space
from photodrag.weights.common.adam import Adam
from photodrag.weights.common.bounds import check_numbers

FlowNetwork = Callable[[Tensor, Tensor], Tensor]
"""Two pictures [1, 3, S, S], RGB, [-1, 1] → the flow between them [1, 2, s, s], in pixels of S."""


@dataclass(frozen=True)
class FlowSettings:
    """Lengths are in pixels of a 512² picture; what isn't explained is as in DragSettings."""

    raft: bool = False
    """Whether the network is torchvision's RAFT, its small one, whose weights are fetched, instead of
    `flow_network.FlowNet`."""
    steps: int = 60
    side: int = 256
    """Of the pictures that the network is shown; a multiple of 16, and 128 or more for RAFT."""
    codes: int = 7
    lr: float = 0.03
    patch_radius: float = 8.0
    """Around a handle, all of which should move as the handle does."""
    locality_weight: float = 100.0
    """Of the mean difference of the pictures outside the mask, against pixels of `side`."""
    arrival_distance: float = 1.0
    patience: int = 15
    progress: float = 0.02
    max_rms: float = 1.1
    radius: float = 0.35

    def __post_init__(self) -> None:
        check_numbers(self, side=(128, 4096), codes=(1, 64))


SMALL = FlowSettings()
RAFT = FlowSettings(raft=True)


def steps(
    generator: Generator,
    w_plus: Tensor,
    handles: Tensor,
    targets: Tensor,
    mask: Tensor | None = None,
    settings: FlowSettings = SMALL,
    space: LatentSpace | None = None,
    landmarks: Landmarks | None = None,
) -> States[DragState, bool | None, DragResult]:
    """Move what lies at `handles` [N, 2] to `targets` [N, 2], (x, y) in pixels of the generator's picture.

    w_plus: [1, num_ws, w_dim]. mask: [H, W] or [1, 1, H, W] of any size, 0 … 1, where the picture may change;
    everywhere by default. `space` is as `loop.drag` takes it. Yields a state after every step, the first one being the
    start; sent True, it ends there. Returns the state that the flow has nearest to the targets. `landmarks` are not
    used: they are there so that methods are called alike. Raises UserError for points as `loop.drag` does, Failure
    where RAFT's weights are neither here nor can be fetched."""
    s, picture_side = settings, generator.resolution
    handles, targets = checked(handles, targets, picture_side, w_plus)
    network, space = flow_network(s.raft, w_plus.device), space or latent_space(generator)
    px, codes = picture_side / 512, min(s.codes, w_plus.shape[1])
    patch = handles[:, None] + disc(s.patch_radius * px, s.patch_radius * px / 2, handles.device).to(handles)
    at = torch.cat((handles[:, None], patch), 1)  # the handle itself, then what is around it
    held = None if mask is None else 1 - _shown(mask.to(w_plus).reshape(1, 1, *mask.shape[-2:]), s.side)

    start, rest = space.whiten(w_plus[:, :codes]).detach(), w_plus[:, codes:]
    optimiser, p, reason = Adam(), start, LIMIT
    best: DragState | None = None
    for step in range(s.steps + 1):
        p = p.detach().requires_grad_()
        with torch.enable_grad():
            code = torch.cat((space.unwhiten(p), rest), 1)
            image = generator.synthesis(code)
            seen = _shown(image.float(), s.side)
            if best is None:
                first = seen.detach()
                still = moved(network, first, first, at, picture_side)
            way = moved(network, first, seen, at, picture_side) - still
        points = (handles + way[:, 0].detach()).clamp(0, picture_side - 1)
        known = (code if step else w_plus).detach()  # whitened and back it would be the start, but for rounding
        state = DragState(step, known, points, (points - targets).norm(dim=1).mean().item(), image.detach())
        there = arrived(points, targets, s.arrival_distance * px)
        if best is None or there or state.distance < best.distance - s.progress * px:
            best = state
        stop = yield state
        if end := ending(there, stop, step, s.steps):
            reason = end
            break
        if step - best.step > s.patience:
            reason = STALLED
            break
        with torch.enable_grad():
            loss = (way - (targets - handles)[:, None]).norm(dim=2).mean() * (s.side / picture_side)
            if held is not None:
                loss = loss + s.locality_weight * hold_loss(seen, first, held)
        (gradient,) = torch.autograd.grad(loss, p)
        p = p.detach() - s.lr * optimiser(gradient)
        p = space.settled(project_to_trust_region(p, start, s.radius, s.max_rms))
    assert best  # since there is a step at least
    return DragResult(best.w_plus, best.points, (best.points - targets).norm(dim=1), step, reason, best.image)


def flow_network(raft: bool, device: torch.device) -> FlowNetwork:
    """RAFT, or this project's own network. Raises Failure where RAFT's weights are neither here nor can be fetched."""
    if not raft:
        return small_network().to(device)
    from torchvision.models.optical_flow import raft_small  # takes a while, and only who asks for it needs it

    network = raft_small()
    network.load_state_dict(torch.load(get("raft-small"), map_location="cpu", weights_only=True))
    network = network.eval().requires_grad_(False).to(device)
    return lambda first, second: network(first, second)[-1]


def moved(network: FlowNetwork, first: Tensor, second: Tensor, at: Tensor, picture_side: int) -> Tensor:
    """How far the network says that what is at points `at` [..., 2] of the first picture has moved in the second,
    [..., 2], both in pixels of the generator's picture of that side."""
    flow = network(first, second).to(at) * (picture_side / first.shape[-1])
    return sample(flow, at, picture_side)


def _shown(image: Tensor, side: int) -> Tensor:
    """A picture [N, C, H, W] of that side: averaged down, or interpolated."""
    if side <= image.shape[-1]:
        return F.interpolate(image, size=(side, side), mode="area")
    return F.interpolate(image, size=(side, side), mode="bilinear", align_corners=False)

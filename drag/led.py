"""Dragging by landmarks, where every handle is one, or lies on a contour between two.

A drag that follows features can believe it has arrived while the face has not: a contour looks the same a little
further along. Landmarks can't: they are found anew on every picture. And since they follow the code almost linearly
(face_model.py), no gradient is needed: of all ways that should bring them to their targets the most natural one is
taken, which changes the person least; then one looks where they came to, corrects the model by what was seen
(Broyden 1965), and goes on. For the generator's own faces a shift of the whitened code is as likely as it is short,
so the shortest way is what else changes in a face, on the average, where this does: a corner of the mouth takes the
cheek along."""

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from photodrag.drag.contours import on_contours
from photodrag.drag.face_model import FaceModel
from photodrag.drag.shell import within
from photodrag.drag.state import ARRIVED, LIMIT, STALLED, STOPPED, DragResult, DragState
from photodrag.weights import LatentSpace

Landmarks = Callable[[Tensor], np.ndarray]
"""Finds the 68 landmarks [68, 2] of the face in a picture [1, 3, R, R], in its pixels."""


@dataclass(frozen=True)
class LeadSettings:
    """Lengths are in pixels of a 512² picture."""

    steps: int = 8
    """Pictures looked at, at most."""
    codes: int = 7
    """That move, from the coarsest: the later ones colour and polish."""
    doubt: float = 10.0
    """The variance of what a landmark is read as; the larger it is, the shorter the way."""
    identity: float = 30.0
    """Of the squared change of the identity descriptor, against the squared length of the way."""
    arrive: float = 1.0
    """Mean distance from the targets at which a drag has arrived."""
    progress: float = 0.05
    """What a step must gain in the mean distance for the next to be worth it."""
    radius: float = 0.8
    """How far (root mean square) a code may move from its start."""
    shell: float = 1.1
    """The root mean square that it may reach, or its own at the start where that is larger."""


def led_steps(
    generator,
    w_plus: Tensor,
    handles: Tensor,
    targets: Tensor,
    landmarks: Landmarks,
    model: FaceModel,
    space: LatentSpace,
    settings: LeadSettings = LeadSettings(),
) -> Generator[DragState, bool | None, DragResult | None]:
    """`loop.steps` by landmarks; None, and no state, where a handle lies on no contour of the face."""
    s, px = settings, generator.resolution / 512
    first = _found(generator, w_plus, landmarks)
    weights = on_contours(handles.cpu().numpy(), first)
    if weights is None:
        return None
    weights, wanted = torch.from_numpy(weights), (targets - handles).double().cpu() / px
    jacobian, identity = model.landmarks.double().cpu(), model.identity.double().cpu()
    metric = torch.eye(len(identity)).double() + s.identity * identity @ identity.T
    start, rest = space.whiten(w_plus[:, : s.codes]), w_plus[:, s.codes :]
    code, way, moved = w_plus, torch.zeros(len(metric)).double(), torch.zeros(68, 2).double()
    best, reason = None, LIMIT
    for step in range(s.steps + 1):
        points = handles + (weights @ moved).to(handles) * px
        state = DragState(step, code, points, (points - targets).norm(dim=1).mean().item())
        gained = best is None or state.distance < best.distance - s.progress * px
        if best is None or state.distance < best.distance:
            best = state
        stop = yield state
        if state.distance <= s.arrive * px:
            reason = ARRIVED
        elif not gained:
            reason = STALLED
        elif stop:
            reason = STOPPED
        if reason != LIMIT or step == s.steps:
            break
        following = torch.einsum("nk,dkc->dnc", weights, jacobian).flatten(1)
        further = (wanted - weights @ moved).flatten()
        whole = shortest(following, metric, further + way @ following, s)
        p = within(start + whole.to(start), start, s.radius, s.shell)
        code = torch.cat((space.unwhiten(p), rest), 1)
        seen = torch.from_numpy(_found(generator, code, landmarks) - first) / px
        taken = (p - start).double().cpu().mean((0, 1)) - way
        pull = metric @ taken
        surprise = seen - moved - torch.einsum("d,dkc->kc", taken, jacobian)
        jacobian = jacobian + torch.einsum("d,kc->dkc", pull / (taken @ pull), surprise)
        way, moved = way + taken, seen
    return DragResult(best.w_plus, best.points, (best.points - targets).norm(dim=1), step, reason)


@torch.no_grad()
def _found(generator, w_plus: Tensor, landmarks: Landmarks) -> np.ndarray:
    return landmarks(generator.synthesis(w_plus))


def shortest(following: Tensor, metric: Tensor, wanted: Tensor, s: LeadSettings) -> Tensor:
    """The way d [w_dim] of least dᵀ metric d + |followingᵀ d − wanted|² / doubt: following [w_dim, 2N] says how
    the handles' coordinates follow it, wanted [2N] how far they are to go."""
    return torch.linalg.solve(metric + following @ following.T / s.doubt, following @ wanted / s.doubt)

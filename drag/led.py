"""Dragging the head by its landmarks, where every handle is one, or lies on a contour between two.

What turns a head moves every pixel of it, and features that are followed one step at a time get lost on the way: on
portraits turned so the eyes were smeared. Landmarks are found anew on every picture, so a drag can't believe that it
has arrived. And since they follow the code almost linearly (face_model.py), no gradient is needed: of all ways that
should bring them to their targets the most natural one is taken, which changes the person least; then one looks
where they came to, corrects the model by what was seen (Broyden 1965), and goes on. Whitened codes are as natural as
they are near to the mean, so the shortest way is what else changes in faces, on the average, where this does. It
changes the whole face, and so a drag of a part, in which all else should stay, is left to features.

The model knows, too, how the landmarks of faces differ, and so how odd it is to want them there. A code may go far
for what is usual, above all for many landmarks that agree, and not for what no face does."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from photodrag.drag.contours import on_contours, width
from photodrag.drag.face_model import FaceModel
from photodrag.drag.landmarks import Landmarks, found
from photodrag.drag.shell import farthest, rms, within
from photodrag.drag.state import ARRIVED, LIMIT, STALLED, STOPPED, DragResult, DragState
from photodrag.weights import LatentSpace
from photodrag.weights.common.face_landmarks import COUNT, SKULL


@dataclass(frozen=True)
class LeadSettings:
    """Lengths are in pixels of a 512² picture."""

    least: float = 0.03
    """How far a point of the skull is to go, in parts of the face's width, for the drag to be of the head."""
    steps: int = 24
    """Pictures looked at, at most."""
    codes: int = 7
    """That move, from the coarsest: the later ones colour and polish."""
    doubt: float = 10.0
    """The variance of what a landmark is read as; the larger it is, the shorter the way. Half after the first look
    and after each step that gained something, twice after one that didn't (Marquardt 1963), which makes the next step
    shorter, too, by the trust in it (Levenberg 1944): a third after one that didn't, twice, but no more than all, after
    one that did."""
    least_doubt: float = 0.03
    """It is never less than this for each handle: many together trust the model too far."""
    misread: float = 5.0
    """Chance has its share in what is learnt of a step, as if its squared length were longer by so much: landmarks
    jump by half a pixel, which after a short step would pass for a steep slope, and shorten all that follow."""
    identity: float = 30.0
    """Of the squared change of the identity descriptor, against the squared length of the way."""
    identity_each: float = 1.75
    """It is never less than this for each handle: many together outweigh it, and take another's likeness where they
    could do without."""
    arrive: float = 0.5
    """Mean distance from the targets at which a drag has arrived."""
    progress: float = 0.05
    """What counts as such, in the mean distance."""
    patience: int = 5
    """Steps without progress, each more cautious than the one before, until it is called stalled."""
    reach: float = 0.5
    """How far (root mean square) a code may move from its start where the oddness (see `oddness`) is 1; less with its
    root. Of the drags from one face of the generator to another 68 points had 0.1 to 1.2, 5 points 0.1 to 6.3, one
    point 0 to 8; of landmarks pulled at random by up to 0.15 of the crop, six and more never had less than 6."""
    radius: tuple[float, float] = (0.2, 0.8)
    """At least, and at most. A head turned by a preset takes 0.15, a nose pulled by a fifth of the face's width 0.19.
    Of 36 drags, most of which asked for what no head does, six lost the face with a radius of 0.8, all of them where
    the code went 0.21 and farther."""
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
    """`loop.steps` by landmarks; None, and no state, where a handle lies on no contour of the face, they say nothing of
    where the head is to be (`moves_the_head`), or no face is seen. A step that loses the face is taken back, and those
    after it go no farther than half way from the best to it."""
    s, px = settings, generator.resolution / 512
    on_face, ways = on_contours(handles.cpu().numpy(), landmarks.known), (targets - handles).cpu().numpy()
    if not on_face.any(1).all():
        return None
    jacobian, identity = model.landmarks.cpu().double(), model.identity.cpu().double()
    weights, wanted = torch.from_numpy(on_face), torch.from_numpy(ways).double() / px
    if not moves_the_head(on_face, ways, s.least * width(landmarks.known)):
        return None
    odd = oddness(_following(weights, jacobian), wanted.flatten(), s.doubt)
    first = found(generator, w_plus, landmarks)
    if first is None:
        return None
    likeness = max(s.identity, s.identity_each * len(handles))
    metric = torch.eye(len(identity)).double() + likeness * identity @ identity.T
    p = start = space.whiten(w_plus[:, : s.codes])
    rest = w_plus[:, s.codes :]
    code, way, moved = w_plus, torch.zeros(len(metric)).double(), torch.zeros(COUNT, 2).double()
    radius = float(np.clip(s.reach / max(odd, 1e-9) ** 0.5, *s.radius))
    best, doubt, trust, idle, reason = None, s.doubt, 1.0, 0, LIMIT
    for step in range(s.steps + 1):
        points = handles + (weights @ moved).to(handles) * px
        state = DragState(step, code, points, (points - targets).norm(dim=1).mean().item())
        idle = 0 if best is None or state.distance < best.distance - s.progress * px else idle + 1
        if best is None or state.distance < best.distance:
            best, best_p, best_way, best_moved = state, p, way, moved
        doubt = 2 * doubt if idle else max(doubt / 2, s.least_doubt * len(handles))
        trust = trust / 3 if idle else min(2 * trust, 1.0)
        stop = yield state
        if state.distance <= s.arrive * px:
            reason = ARRIVED
        elif idle == s.patience:
            reason = STALLED
        elif stop:
            reason = STOPPED
        if reason != LIMIT or step == s.steps:
            break
        following, further = _following(weights, jacobian), (wanted - weights @ best_moved).flatten()
        caution = doubt
        while rms(shortest(following, metric, best_way, further, caution)) > radius:
            caution *= 1.5  # a way cut short would go less far for its length
        whole = shortest(following, metric, best_way, further, caution, trust)
        p = within(start + whole.to(start), start, radius, s.shell)
        code = torch.cat((space.unwhiten(p), rest), 1)
        seen = found(generator, code, landmarks)
        if seen is None:
            radius = (farthest(best_p, start) + farthest(p, start)) / 2
            code, p, way, moved = best.w_plus, best_p, best_way, best_moved
            continue
        way, moved = (p - start).cpu().double().mean((0, 1)), torch.from_numpy(seen - first) / px
        taken = way - best_way
        pull = metric @ taken
        surprise = moved - best_moved - torch.einsum("d,dkc->kc", taken, jacobian)
        jacobian = jacobian + torch.einsum("d,kc->dkc", pull / (taken @ pull + s.misread), surprise)
    return DragResult(best.w_plus, best.points, (best.points - targets).norm(dim=1), step, reason)


def moves_the_head(weights: np.ndarray, ways: np.ndarray, least: float) -> bool:
    """Whether the handles, of these weights [N, 68] of landmarks, are the whole skull, so that they say where the head
    is to be, or one of them lies on it and is to go as far as `least`, of these ways [N, 2]."""
    skull = weights[:, SKULL]
    whole, far = (skull > 0.5).any(0).all(), np.linalg.norm(ways, axis=1) >= least
    return bool(whole or far[skull.sum(1) > 0.5].any())


def oddness(following: Tensor, wanted: Tensor, doubt: float) -> float:
    """How unusual it would be among faces if landmarks differed by `wanted` [2N]: its squared Mahalanobis distance, by
    coordinate, about 1 where they are two faces'. following [w_dim, 2N] says how they follow a code, whose coordinates
    differ by 1."""
    spread = following.T @ following + doubt * torch.eye(len(wanted)).double()
    return (wanted @ torch.linalg.solve(spread, wanted) / len(wanted)).item()


def shortest(
    following: Tensor, metric: Tensor, before: Tensor, wanted: Tensor, doubt: float, trust: float = 1.0
) -> Tensor:
    """The way d [w_dim] of least dᵀ metric d + |followingᵀ s − wanted|² / doubt + (1 / trust − 1) sᵀ metric s, where
    s = d − before is the step: following [w_dim, 2N] says how the handles' coordinates follow it, wanted [2N] how far
    they are to go yet after the way `before`. The less trust, the shorter the step; 1 is the most."""
    onward = following @ wanted / doubt - metric @ before
    return before + trust * torch.linalg.solve(metric + (trust / doubt) * following @ following.T, onward)


def _following(weights: Tensor, jacobian: Tensor) -> Tensor:
    """How the coordinates of handles, of these weights [N, 68] of landmarks, follow a code: [w_dim, 2N]."""
    return torch.einsum("nk,dkc->dnc", weights, jacobian).flatten(1)

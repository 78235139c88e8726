"""One round of a drag by features: motion supervision, one step of Adam, point tracking, over and over."""

from collections.abc import Generator as States
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from photodrag.drag.motion import hold_gradient, motion_loss
from photodrag.drag.settings import DragSettings
from photodrag.drag.state import LIMIT, STALLED, STOPPED, DragState, ending
from photodrag.drag.tracking import Tracker
from photodrag.drag.trust_region import project_to_trust_region
from photodrag.weights import Generator, LatentSpace
from photodrag.weights.common.adam import Adam


@dataclass(frozen=True, eq=False)
class Scene:
    """What all rounds of a drag have in common."""

    generator: Generator
    space: LatentSpace
    settings: DragSettings
    w_plus: Tensor
    """[1, num_ws, w_dim], of the drag's start."""
    start: Tensor
    """Those of its codes that move, whitened."""
    targets: Tensor
    """[N, 2], in pixels of the generator's picture."""
    feature_side: int
    """Of the feature maps."""
    hold: Tensor
    """[1, 1, feature_side, feature_side], how much the features are held there."""


@dataclass(frozen=True, eq=False)
class Round:
    """What a round has come to."""

    states: list[DragState]
    """Those that were each the best so far."""
    best_code: Tensor
    """The whitened code of the last of them."""
    reference: Tensor | None
    """The features of the drag's start, which are held."""
    step: int
    """Of the drag, the last that was tried."""
    reason: str
    """Why it ended."""
    is_final: bool
    """Whether there may be no other: the drag was stopped, or the limit reached."""


def arrived(points: Tensor, targets: Tensor, tolerance: float) -> bool:
    """Whether each is as near to its target; of more than 5 points (DragGAN) twice as near is enough."""
    return bool(((points - targets).norm(dim=1) <= tolerance * (1 if len(points) <= 5 else 2)).all())


def follow(
    scene: Scene, p: Tensor, points: Tensor, radius: float, done: int, reference: Tensor | None = None
) -> States[DragState, bool | None, Round]:
    """The states of a round from the whitened code p on, in whose picture the handles are at points [N, 2], and
    no farther than `radius` from the drag's start; `done` steps of it were done before. A step that is taken back
    shows the best state once more. `reference` is that of the round before, if there was one."""
    generator, s, targets, picture_side = scene.generator, scene.settings, scene.targets, scene.generator.resolution
    px, rest = picture_side / 512, scene.w_plus[:, scene.start.shape[1] :]
    optimiser, lr, reason, tracker = Adam(), s.lr, LIMIT, None
    stop: bool | None = False
    bests: list[DragState] = []
    p, best_p, best_gradient = p.clone(), p, torch.zeros_like(p)
    for step in range(done, s.steps + 1):
        if bests and step - bests[-1].step > s.patience:
            reason = STALLED
            break
        p.requires_grad_()
        with torch.enable_grad():
            code = torch.cat((scene.space.unwhiten(p), rest), 1)
            features = generator.features(code, scene.feature_side)
        seen = features.detach()
        reference = seen if reference is None else reference
        if tracker is None:
            most = s.max_growth * reference.abs().mean()
            tracker = Tracker(seen, points, picture_side, s.patch_radius * px, s.search_radius * px)
        else:
            points = tracker(seen, points)
        code = (code if step else scene.w_plus).detach()  # whitened and back it would be the start, but for rounding
        state = DragState(step, code, points, (points - targets).norm(dim=1).mean().item())
        sane = seen.abs().mean() < most  # which no NaN is
        if bests and not (sane and state.distance < bests[-1].distance + s.max_setback * px):
            # Taken back, and from the best state half as far is tried: what it looks like is known.
            points, optimiser, lr = bests[-1].points, Adam(), lr / 2
            p = _natural(best_p - lr * optimiser(best_gradient), scene, radius)
            stop = yield replace(bests[-1], step=step)  # so that whoever stops the drag need not wait for a better one
            if stop:
                reason = STOPPED
                break
            continue
        there = arrived(points, targets, s.arrival_distance * px)
        is_best = not bests or there or state.distance < bests[-1].distance - s.progress * px
        if is_best:
            bests.append(state)
            best_p = p.detach()
        stop = yield state
        if end := ending(there, stop, step, s.steps):
            reason = end
            break
        with torch.enable_grad():
            loss = motion_loss(features, points, targets, picture_side, s.patch_radius * px, s.look_ahead * px)
            # Features times a gradient have it as theirs; autograd, given it, would import SymPy, a second's work.
            loss = loss + (features * hold_gradient(seen, reference, scene.hold)).sum()
        (gradient,) = torch.autograd.grad(loss, p)
        best_gradient = gradient if is_best else best_gradient
        p = _natural(p.detach() - lr * optimiser(gradient), scene, radius)
    return Round(bests, best_p, reference, step, reason, bool(stop) or step == s.steps)


def _natural(p: Tensor, scene: Scene, radius: float) -> Tensor:
    """Whitened codes p, drawn back to where they may be."""
    return scene.space.settled(project_to_trust_region(p, scene.start, radius, scene.settings.max_rms))

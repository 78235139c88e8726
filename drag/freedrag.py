"""FreeDrag (Ling et al., arXiv 2307.04684), written from its description, to compare the project's own drag with.

No point is tracked. A handle's place h is chosen on the line to its target, so far ahead that the features there
differ from a template by an expected amount l; a few steps of Adam make them like the template; then the template
takes over as much of what came out as its likeness deserves, and the next place is chosen. Where the steps left
the difference large, h stays; where they made it larger, h is looked for behind as well."""

import math
from collections.abc import Generator as States
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from photodrag.drag.landmarks import Landmarks
from photodrag.drag.motion import hold_loss
from photodrag.drag.points import checked
from photodrag.drag.sampling import sample
from photodrag.drag.state import LIMIT, DragResult, DragState, ending
from photodrag.weights import Generator, LatentSpace
from photodrag.weights.common.adam import Adam
from photodrag.weights.common.bounds import MOST_STEPS, check_numbers


@dataclass(frozen=True)
class FreeDragSettings:
    """The paper's values. Lengths are in pixels of a 512² picture, but for `max_move`."""

    steps: int = 300
    """Of Adam, at most."""
    feature_side: int = 128
    """Of the feature maps: the sixth block."""
    codes: int = 6
    """That move, from the coarsest."""
    lr: float = 2e-3
    """Adam's, on w_plus itself."""
    patch_radius: float = 3.0
    """Half the square around a place, which is read at 3 × 3 points."""
    expected: float = 0.3
    """l, the mean absolute difference to the template that a new place should have: theirs for faces, on
    StyleGAN2's features."""
    max_move: float = 3.0
    """d, the farthest that a place moves at once, in cells of the features."""
    inner: int = 5
    """Steps at one place, at most; it is left earlier when every difference is below l / 2."""
    candidates: int = 10
    """Places compared on a line."""
    locality_weight: float = 10.0
    """γ of the features outside the mask."""
    arrival_distance: float = 2.0
    """Distance at which a place has arrived; looked at when its steps are over, so that the features can follow."""

    def __post_init__(self) -> None:
        check_numbers(self, feature_side=(1, 4096), codes=(1, 64), expected=(1e-6, 1e6), inner=(1, MOST_STEPS))


PAPER = FreeDragSettings()


def steps(
    generator: Generator,
    w_plus: Tensor,
    handles: Tensor,
    targets: Tensor,
    mask: Tensor | None = None,
    settings: FreeDragSettings = PAPER,
    space: LatentSpace | None = None,
    landmarks: Landmarks | None = None,
) -> States[DragState, bool | None, DragResult]:
    """Move what lies at `handles` [N, 2] to `targets` [N, 2], (x, y) in pixels of the generator's picture.

    w_plus: [1, num_ws, w_dim]. mask: [H, W] or [1, 1, H, W] of any size, 0 … 1, where the picture may change;
    everywhere by default. Yields a state after every step, the first one being the start, whose points are the
    places h; sent True, it ends there. Returns the last state, not the best one. `space` and
    `landmarks` are not used: they are there so that methods are called alike. Raises UserError for points as
    `loop.drag` does."""
    s, picture_side = settings, generator.resolution
    points, targets = checked(handles, targets, picture_side, w_plus)
    feature_side, tolerance = min(s.feature_side, picture_side), s.arrival_distance * picture_side / 512
    d, axis = s.max_move * picture_side / feature_side, torch.tensor([-1.0, 0.0, 1.0], device=points.device)
    square = torch.cartesian_prod(axis, axis) * s.patch_radius * picture_side / 512
    if mask is not None:
        mask = mask.to(w_plus).reshape(1, 1, *mask.shape[-2:])
        held = 1 - F.interpolate(mask, size=(feature_side, feature_side), mode="area")

    optimiser, w, fixed = Adam(), w_plus[:, : s.codes].detach().clone(), w_plus[:, s.codes :]
    reason = LIMIT
    for step in range(s.steps + 1):
        w.requires_grad_()
        with torch.enable_grad():
            code = torch.cat((w, fixed), 1)
            features = generator.features(code, feature_side)
        now = Field(features.detach(), picture_side, square)
        if step == 0:
            first, template = now.features, now(points)
            initial, taken = now.loss(points, template), 0
        final, distances = now.loss(points, template), (points - targets).norm(dim=1)
        over = taken == s.inner or bool((final < s.expected / 2).all())
        state = DragState(step, code.detach(), points, distances.mean().item())
        stop = yield state
        if end := ending(over and bool((distances <= tolerance).all()), stop, step, s.steps):
            reason = end
            break
        if over:
            # A place that has arrived takes over everything: nothing is left to be moved there.
            share = trust(final, s.expected).masked_fill(distances <= tolerance, 1.0)
            template = template + share[:, None, None] * (now(points) - template)
            points = relocated(now, points, targets, template, initial, final, d, s)
            initial, taken = now.loss(points, template), 0
        with torch.enable_grad():
            loss = Field(features, picture_side, square).loss(points, template).sum()
            if mask is not None:
                loss = loss + s.locality_weight * hold_loss(features, first, held)
        (gradient,) = torch.autograd.grad(loss, w)
        w, taken = w.detach() - s.lr * optimiser(gradient), taken + 1
    return DragResult(state.w_plus, points, distances, step, reason)


@dataclass(frozen=True, eq=False)
class Field:
    """Features [1, C, H, W] of a picture of that side, read on patches: the offsets `square` [K, 2] around places."""

    features: Tensor
    picture_side: int
    square: Tensor

    def __call__(self, places: Tensor) -> Tensor:
        """Patches at places [..., 2]: [..., K, C]."""
        return sample(self.features, places[..., None, :] + self.square, self.picture_side)

    def loss(self, places: Tensor, template: Tensor) -> Tensor:
        """Mean absolute difference of the patches at places [..., 2] to templates that broadcast to them: [...]."""
        return (self(places) - template).abs().mean((-2, -1))


def trust(final: Tensor, l: float) -> Tensor:  # noqa: E741 - the paper's name
    """λ, the share of what came out that a template takes over, by the difference [N] that the steps left: half at
    0.2 l, a tenth at 0.8 l."""
    return torch.sigmoid(-math.log(9) / (0.6 * l) * (final - 0.2 * l))


def relocated(
    now: Field,
    points: Tensor,
    targets: Tensor,
    template: Tensor,
    initial: Tensor,
    final: Tensor,
    d: float,
    s: FreeDragSettings,
) -> Tensor:
    """The next places [N, 2] (equation 9): d ahead at most where the steps brought the difference [N] from `initial`
    below l / 2, the same where they only lessened it, and else those most like the template from d behind to d
    ahead."""
    way = targets - points
    behind = points - way * (d / way.norm(dim=1, keepdim=True).clamp_min(1e-6))
    ahead = searched(now, points, targets, template, d, s.expected, s.candidates)
    back = searched(now, behind, targets, template, 2 * d, 0.0, s.candidates)
    good, better = final < s.expected / 2, final < initial
    return torch.where(good[:, None], ahead, torch.where(better[:, None], points, back))


def searched(
    now: Field, starts: Tensor, targets: Tensor, template: Tensor, length: float, wanted: float, count: int
) -> Tensor:
    """Of `count` places on each line from start to target [N, 2], no longer than `length`, the one whose difference
    to the template is nearest to `wanted` (equation 8): [N, 2]."""
    way = targets - starts
    way = way * (length / way.norm(dim=1, keepdim=True).clamp_min(length))
    places = starts[:, None] + torch.linspace(0, 1, count, device=way.device)[:, None] * way[:, None]
    places = places.clamp(0, now.picture_side - 1)
    best = (now.loss(places, template[:, None]) - wanted).abs().argmin(1)
    return places[torch.arange(len(places), device=best.device), best]

"""DragGAN (Pan et al., arXiv 2305.10973), written from its description, to compare the project's own drag with.

Twice: with the values of the paper, and with those that its authors' program starts with, which differ in more
than the learning rate. The program's slip of up to a pixel in the patch's place is not repeated. Both enlarge the
features to the picture's size first; here they are read where that map would be, which gives the same values and
needs none of its memory."""

from collections.abc import Generator as States
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from photodrag.drag.landmarks import Landmarks
from photodrag.drag.points import checked
from photodrag.drag.sampling import sample
from photodrag.drag.state import LIMIT, DragResult, DragState, ending
from photodrag.weights import Generator, LatentSpace
from photodrag.weights.common.adam import Adam
from photodrag.weights.common.bounds import check_numbers


@dataclass(frozen=True)
class DragGANSettings:
    """The paper's values by default. Lengths are in pixels of a 512² picture, but for the step ahead, which is
    one pixel of the generator's picture, and `rest_distance`."""

    steps: int = 300
    """At most: the limit of the paper's evaluation. The program has none."""
    feature_side: int = 128
    """Of the feature maps: the sixth block."""
    codes: int = 6
    """That move, from the coarsest."""
    lr: float = 2e-3
    """Adam's, on w_plus itself: the paper's for faces."""
    patch_radius: float = 3.0
    """r1: whose pixels motion supervision looks at."""
    search_radius: float = 12.0
    """r2: half the square in which a handle is looked for."""
    locality_weight: float = 20.0
    """λ of the features outside the mask."""
    norm: int = 1
    """Of the difference of two features, for tracking: L1 or L2."""
    means: bool = False
    """Losses are means over pixels and channels instead of sums, so that λ weighs differently."""
    arrival_distance: tuple[float, float] = (1.0, 2.0)
    """Distance within which every handle has arrived: up to 5 points, and for more. No less than that many pixels
    in a smaller picture."""
    rest_distance: float = 0.0
    """Pixels of the generator's picture: a handle no farther from its target adds no motion loss."""

    def __post_init__(self) -> None:
        # A search looks at a square of this radius, and a patch at a disc.
        check_numbers(self, feature_side=(1, 4096), codes=(1, 64), patch_radius=(0, 512), search_radius=(0, 512))


PAPER = DragGANSettings()
CODE = DragGANSettings(lr=1e-3, norm=2, means=True, arrival_distance=(2.0, 2.0), rest_distance=1.0)


def steps(
    generator: Generator,
    w_plus: Tensor,
    handles: Tensor,
    targets: Tensor,
    mask: Tensor | None = None,
    settings: DragGANSettings = PAPER,
    space: LatentSpace | None = None,
    landmarks: Landmarks | None = None,
) -> States[DragState, bool | None, DragResult]:
    """Move what lies at `handles` [N, 2] to `targets` [N, 2], (x, y) in pixels of the generator's picture.

    w_plus: [1, num_ws, w_dim]. mask: [H, W] or [1, 1, H, W] of any size, 0 … 1, where the picture may change;
    everywhere by default. Yields a state after every step, the first one being the start; sent True, it ends there.
    Returns the last state, not the best one. `space` and `landmarks` are not used: they are there so that methods are
    called alike. Raises UserError for points as `loop.drag` does."""
    s, picture_side = settings, generator.resolution
    px = picture_side / 512
    points, targets = checked(handles, targets, picture_side, w_plus)
    points = points.round().clamp(0, picture_side - 1)  # handles are whole pixels there, clicked or tracked
    feature_side = min(s.feature_side, picture_side)
    r1, r2 = (max(1, round(radius * px)) for radius in (s.patch_radius, s.search_radius))
    tolerance = s.arrival_distance[len(points) > 5] * max(px, 1)
    if mask is not None:
        mask = mask.to(w_plus).reshape(1, 1, *mask.shape[-2:])
        held = 1 - F.interpolate(mask, size=(picture_side, picture_side), mode="area")

    optimiser, w, fixed = Adam(), w_plus[:, : s.codes].detach().clone(), w_plus[:, s.codes :]
    reason = LIMIT
    for step in range(s.steps + 1):
        w.requires_grad_()
        with torch.enable_grad():
            code = torch.cat((w, fixed), 1)
            features = generator.features(code, feature_side)
        if step == 0:
            first = features.detach()
            templates = sample(first, points, picture_side)
        else:
            points = tracked(features.detach(), points, templates, picture_side, r2, s.norm)
        distances = (points - targets).norm(dim=1)
        state = DragState(step, code.detach(), points, distances.mean().item())
        stop = yield state
        if end := ending(bool((distances <= tolerance).all()), stop, step, s.steps):
            reason = end
            break
        with torch.enable_grad():
            loss = motion_loss(features, points, targets, picture_side, r1, s)
            if mask is not None:
                change = F.interpolate(
                    features - first, size=(picture_side, picture_side), mode="bilinear", align_corners=False
                )
                change = (change * held).abs()
                loss = loss + s.locality_weight * (change.mean() if s.means else change.sum())
        (gradient,) = torch.autograd.grad(loss, w)
        w = w.detach() - s.lr * optimiser(gradient)
    return DragResult(state.w_plus, points, distances, step, reason)


def motion_loss(
    features: Tensor, points: Tensor, targets: Tensor, picture_side: int, r1: int, s: DragGANSettings
) -> Tensor:
    """Equation 1 without the mask: features [1, C, H, W] at the pixels nearer than r1 to each point [N, 2], held
    fixed, against those one pixel of the picture, of that side, nearer to the target."""
    way = targets - points
    length = way.norm(dim=1, keepdim=True)
    moving = length[:, 0] > s.rest_distance
    axis = torch.arange(1 - r1, r1, device=points.device)
    offsets = torch.cartesian_prod(axis, axis)
    patch = points[moving, None] + offsets[offsets.square().sum(1) < r1**2]
    ahead = read(features, patch + (way / length)[moving, None], picture_side)
    change = (ahead - sample(features.detach(), patch, picture_side)).abs()
    return change.mean((1, 2)).sum() if s.means else change.sum()


@torch.no_grad()
def tracked(features: Tensor, points: Tensor, templates: Tensor, picture_side: int, r2: int, norm: int) -> Tensor:
    """The pixels [N, 2], within r2 of each point in x and y, whose features are nearest to templates [N, C]."""
    axis = torch.arange(-r2, r2 + 1, device=points.device)
    window, found = torch.cartesian_prod(axis, axis), []
    for point, template in zip(points, templates, strict=True):
        places = (point + window).clamp(0, picture_side - 1)
        found.append(places[(sample(features, places, picture_side) - template).norm(norm, dim=1).argmin()])
    return torch.stack(found)


def read(features: Tensor, points: Tensor, picture_side: int) -> Tensor:
    """What the features [1, C, H, W], enlarged bilinearly to `picture_side` (corners not aligned), are at points
    [..., 2] between their pixels: [..., C].

    At whole pixels that is `sample`. Between two it isn't where a cell's centre lies between them, so the four
    pixels around are read and weighed."""
    corner = points.floor()
    part = (points - corner)[..., None, :]
    around = torch.cartesian_prod(*[torch.arange(2, device=points.device)] * 2)
    weight = torch.where(around == 1, part, 1 - part).prod(-1, keepdim=True)
    return (sample(features, (corner[..., None, :] + around).clamp(0, picture_side - 1), picture_side) * weight).sum(-2)

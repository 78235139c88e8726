"""Point tracking (DragGAN, §3.3): a handle is where its first features are found again.

Two changes: five vectors are compared, not one (the point's and four around it), and the place is
refined between lattice points by a parabola in each direction."""

import torch
from torch import Tensor

from photodrag.drag.sampling import disc, sample


class Tracker:
    """Follows N points through feature maps [1, C, H, W] of one generator."""

    def __init__(self, features: Tensor, points: Tensor, resolution: int, patch: float, window: float):
        """`points` [N, 2]: where the handles are in `features`. `patch` and `window` are the radii of
        what is compared and of where it is looked for, in pixels of the picture of side `resolution`."""
        self.resolution = resolution
        self.spacing = resolution / features.shape[-1] / 2
        self.patch = disc(patch, patch, points.device)
        self.reach = max(1, round(window / self.spacing))
        self.templates = sample(features, points[:, None] + self.patch, resolution)

    @torch.no_grad()
    def __call__(self, features: Tensor, points: Tensor) -> Tensor:
        """Where the handles are in `features`, looked for around `points` [N, 2]: [N, 2]."""
        side = 2 * self.reach + 1
        axis = torch.arange(-self.reach, self.reach + 1, device=points.device) * self.spacing
        window = torch.stack(torch.meshgrid(axis, axis, indexing="ij")[::-1], -1).reshape(-1, 2)  # rows of y
        found = []
        for point, template in zip(points, self.templates, strict=True):
            places = point + window[:, None] + self.patch
            cost = (sample(features, places, self.resolution) - template).abs().mean((1, 2)).view(side, side)
            y, x = divmod(int(cost.argmin()), side)
            shift = torch.stack((_vertex(cost[y], x), _vertex(cost[:, x], y)))
            found.append(point + window[y * side + x] + shift.to(points) * self.spacing)
        return torch.stack(found).clamp(0, self.resolution - 1)


def _vertex(cost: Tensor, i: int) -> Tensor:
    """Where, within half a sample of i, the parabola through three samples is lowest."""
    if not 0 < i < len(cost) - 1:
        return cost.new_zeros(())
    before, here, after = cost[i - 1 : i + 2]
    return (0.5 * (before - after) / (before - 2 * here + after).clamp_min(1e-12)).clamp(-0.5, 0.5)

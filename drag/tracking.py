"""Point tracking (DragGAN, §3.3): a handle is where its first features are found again.

Two changes: five vectors are compared, not one (the point's and four around it), and the place is
refined between lattice points by a parabola in each direction."""

import torch
from torch import Tensor

from photodrag.drag.sampling import disc, sample


class Tracker:
    """Follows N points through feature maps [1, C, H, W] of one generator."""

    def __init__(self, features: Tensor, points: Tensor, picture_side: int, patch_radius: float, search_radius: float):
        """`points` [N, 2]: where the handles are in `features`. What is compared, and where it is looked for, lies
        within these radii, in pixels of the picture of that side."""
        self.picture_side = picture_side
        self.spacing = picture_side / features.shape[-1] / 2
        self.patch = disc(patch_radius, patch_radius, points.device)
        self.reach = max(1, round(search_radius / self.spacing))
        self.templates = sample(features, points[:, None] + self.patch, picture_side)

    @torch.no_grad()
    def __call__(self, features: Tensor, points: Tensor) -> Tensor:
        """Where the handles are in `features`, looked for around `points` [N, 2]: [N, 2]."""
        side = 2 * self.reach + 1
        axis = torch.arange(-self.reach, self.reach + 1, device=points.device) * self.spacing
        window = torch.stack(torch.meshgrid(axis, axis, indexing="ij")[::-1], -1).reshape(-1, 2)  # rows of y
        found = []
        for point, template in zip(points, self.templates, strict=True):
            places = point + window[:, None] + self.patch
            cost = (sample(features, places, self.picture_side) - template).abs().mean((1, 2))
            least, cost = cost.argmin().view(1), cost.view(side, side)  # a tensor still: nobody waits for a GPU here
            y, x = least // side, least % side
            shift = torch.cat((_vertex(cost.index_select(0, y)[0], x), _vertex(cost.index_select(1, x)[:, 0], y)))
            found.append(point + window.index_select(0, least)[0] + shift.to(points) * self.spacing)
        return torch.stack(found).clamp(0, self.picture_side - 1)


def _vertex(cost: Tensor, i: Tensor) -> Tensor:
    """Where, within half a sample of i [1], the parabola through three samples is lowest, [1]; at an end i itself."""
    last = len(cost) - 1
    before, here, after = cost.index_select(0, torch.cat((i - 1, i, i + 1)).clamp(0, last)).split(1)
    vertex = (0.5 * (before - after) / (before - 2 * here + after).clamp_min(1e-12)).clamp(-0.5, 0.5)
    return torch.where((i > 0) & (i < last), vertex, torch.zeros_like(vertex))

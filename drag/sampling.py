"""Reading feature maps between their cells, at points given in pixels of the picture."""

import torch
from torch import Tensor


def sample(features: Tensor, points: Tensor, picture_side: int) -> Tensor:
    """Features [1, C, R, R] at points [..., 2], bilinear: [..., C].

    `points` are (x, y) in pixels of the generator's picture of that side, pixel centres at integers; beyond the
    border the nearest feature counts. Features are read as rows, as channels-last keeps them (see
    docs/design-notes.md#reading-features-as-rows)."""
    feature_side = features.shape[-1]
    rows = features.permute(0, 2, 3, 1).reshape(feature_side * feature_side, -1)
    at = ((points + 0.5) * (feature_side / picture_side) - 0.5).clamp(0, feature_side - 1)
    corner = at.floor()
    u, v = (at - corner)[..., None].unbind(-2)
    x, y = corner.long().unbind(-1)
    right, below = (x + 1).clamp_max(feature_side - 1), (y + 1).clamp_max(feature_side - 1)

    def read(x: Tensor, y: Tensor) -> Tensor:
        return rows.index_select(0, (y * feature_side + x).flatten()).unflatten(0, x.shape)

    above, under = (torch.lerp(read(x, line), read(right, line), u) for line in (y, below))
    return torch.lerp(above, under, v)


def disc(radius: float, spacing: float, device: torch.device) -> Tensor:
    """Offsets [K, 2] of a square lattice of that spacing within a radius of the origin, which is among them."""
    n = int(radius / spacing)
    axis = torch.arange(-n, n + 1, device=device, dtype=torch.float32) * spacing
    lattice = torch.cartesian_prod(axis, axis)
    return lattice[lattice.norm(dim=1) <= radius * (1 + 1e-6)]

"""Reading feature maps between their cells, at points given in pixels of the picture."""

import torch
from torch import Tensor
from torch.nn import functional as F


def sample(features: Tensor, points: Tensor, resolution: int) -> Tensor:
    """Features [1, C, H, W] at points [..., 2], bilinear: [..., C].

    `points` are (x, y) in pixels of the generator's picture of side `resolution`, pixel centres at
    integers; beyond the border the nearest feature counts."""
    grid = (2 * points + 1) / resolution - 1
    values = F.grid_sample(features, grid.reshape(1, 1, -1, 2), padding_mode="border", align_corners=False)
    return values[0, :, 0].T.unflatten(0, points.shape[:-1])


def disc(radius: float, spacing: float, device: torch.device) -> Tensor:
    """Offsets [K, 2] of a square lattice of that spacing within a radius of the origin, which is among them."""
    n = int(radius / spacing)
    axis = torch.arange(-n, n + 1, device=device, dtype=torch.float32) * spacing
    lattice = torch.cartesian_prod(axis, axis)
    return lattice[lattice.norm(dim=1) <= radius * (1 + 1e-6)]

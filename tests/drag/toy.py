"""A generator that is exactly mirror-symmetric, and tells where everything in its pictures goes."""

import torch
from torch import Tensor

from photodrag.weights import LatentSpace


class Mirrored:
    """A fixed pattern, each of whose halves is the other's mirror picture, bent by a smooth flow.

    The codes' mean is the amplitudes of bumps of that flow, each of which has its mirror picture among them: swapped
    (`mirrored`), they give the flipped picture. In float64, so that both come out alike in spite of rounding."""

    resolution, num_ws, w_dim, c_dim = 256, 14, 64, 0
    has_ffhq_w = False

    def __init__(self, seed: int = 0, channels: int = 12):
        random = torch.Generator().manual_seed(seed)
        self.w_avg = torch.zeros(self.w_dim, dtype=torch.float64)
        self._waves = torch.rand(channels, 3, generator=random, dtype=torch.float64) * torch.tensor([9.0, 9.0, 6.0])
        self._bumps = torch.rand(self.w_dim // 4, 2, generator=random, dtype=torch.float64) * 1.6 - 0.8
        one = torch.eye(self.w_dim, dtype=torch.float64)
        self.space = LatentSpace(self.w_avg, one, one[0] * 0 + 1)

    def features(self, w_plus: Tensor, resolution: int) -> Tensor:
        at = (torch.arange(resolution, dtype=torch.float64) + 0.5) * (2 / resolution) - 1
        v, u = torch.meshgrid(at, at, indexing="ij")
        u, v = torch.stack((u, v), -1).add(self._flow(w_plus, torch.stack((u, v), -1))).unbind(-1)
        a, b, c = self._waves[:, :, None, None].unbind(1)
        return ((a * u).cos() * (b * v + c).cos())[None]  # even in u

    @staticmethod
    def codes_read(resolution: int) -> int:
        return 2 * resolution.bit_length() - 5

    def synthesis(self, w_plus: Tensor) -> Tensor:
        return self.features(w_plus, 64)[:, :3]  # small, for it's slow

    def origin(self, w_plus: Tensor, points: Tensor) -> Tensor:
        """Where what is at points [N, 2] of the picture lies in the pattern, in the same pixels."""
        at = (points + 0.5) * (2 / self.resolution) - 1
        return (at + self._flow(w_plus, at) + 1) * (self.resolution / 2) - 0.5

    def _flow(self, w_plus: Tensor, at: Tensor) -> Tensor:
        """The displacement [..., 2] at places [..., 2], all from −1 to 1."""
        amplitudes, turned = w_plus[0, :7].mean(0).view(2, -1, 2), torch.tensor([-1.0, 1.0], dtype=torch.float64)
        here, there = (
            torch.exp(-((at[..., None, :] - centres) / 0.3).square().sum(-1))
            for centres in (self._bumps, self._bumps * turned)
        )
        return 0.2 * (here @ amplitudes[0] + there @ amplitudes[1] * turned)


def mirrored(w_plus: Tensor) -> Tensor:
    """The codes of the flipped picture."""
    return w_plus.unflatten(-1, (2, -1)).flip(-2).flatten(-2)

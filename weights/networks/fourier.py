"""The input of StyleGAN3: waves over the plane, in which a picture can be moved and turned before it's drawn."""

from math import pi

import torch
from torch import Tensor, nn

from photodrag.weights.networks.modulated import Linear


class FourierInput(nn.Module):
    """w [N, w_dim] → [N, channels, size, size]: sines of fixed frequencies, moved and turned by what the code says,
    and mixed.

    `transform` [3, 3] moves and turns the picture once more: it takes places of the picture, whose side is 1 and whose
    middle is the origin, to where what is drawn there would be otherwise."""

    freqs: Tensor
    phases: Tensor
    transform: Tensor

    def __init__(self, channels: int, w_dim: int, size: int, rate: int, bandwidth: float) -> None:
        """`size`: samples a side, of which `rate` lie within the picture; waves above `bandwidth`, which only a
        transform makes, fade out towards half the rate."""
        super().__init__()
        self.size, self.rate, self.bandwidth = size, rate, bandwidth
        self.weight = nn.Parameter(torch.empty(channels, channels))
        self.affine = Linear(w_dim, 4)
        self.register_buffer("freqs", torch.empty(channels, 2))
        self.register_buffer("phases", torch.empty(channels))
        self.register_buffer("transform", torch.empty(3, 3))

    def forward(self, w: Tensor) -> Tensor:
        """w [N, w_dim] → [N, channels, size, size], channels-last."""
        t = self.affine(w)
        cos, sin, x, y = (t / t[:, :2].norm(dim=1, keepdim=True)).unbind(1)
        turn = torch.stack((torch.stack((cos, -sin), 1), torch.stack((sin, cos), 1)), 1)
        move = turn @ -torch.stack((x, y), 1)[..., None]  # R · T(−t), as one matrix and one vector
        matrix = turn @ self.transform[:2, :2]
        shift = (turn @ self.transform[:2, 2:] + move)[..., 0]
        freqs = self.freqs @ matrix
        phases = self.phases + shift @ self.freqs.t()
        amplitudes = 1 - (freqs.norm(dim=2) - self.bandwidth) / (self.rate / 2 - self.bandwidth)

        places = (torch.arange(self.size, device=w.device, dtype=w.dtype) - (self.size - 1) / 2) / self.rate
        across, along = (places[None, :, None] * freqs[:, None, :, i] for i in (0, 1))
        waves = torch.sin((along[:, :, None] + across[:, None] + phases[:, None, None]) * (2 * pi))
        # The amplitudes ride on the weight, which is smaller than the map.
        weight = self.weight.t() * amplitudes.clamp(0, 1)[..., None] * len(self.weight) ** -0.5
        return (waves.flatten(1, 2) @ weight).unflatten(1, (self.size, self.size)).permute(0, 3, 1, 2)

"""The mapping network of StyleGAN2 and StyleGAN3, under the names of NVIDIA's checkpoints."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from photodrag.weights.networks.codes import normalised, truncated
from photodrag.weights.networks.modulated import CONV_GAIN, SLOPE, Linear


class Mapping(nn.Module):
    """z [N, z_dim] and a class → w: both normalised, then (linear, leaky ReLU, √2) a layer."""

    w_avg: Tensor

    def __init__(
        self, widths: tuple[int, ...], num_ws: int, c_dim: int = 0, embed_dim: int = 0, lr: float = 0.01
    ) -> None:
        """`widths`: what the first layer reads (z and the embedded class), then what each layer gives."""
        super().__init__()
        self.z_dim, self.c_dim, self.num_ws = widths[0] - embed_dim, c_dim, num_ws
        self.layers = len(widths) - 1
        if c_dim:
            self.embed = Linear(c_dim, embed_dim)
        for i in range(self.layers):
            setattr(self, f"fc{i}", Linear(widths[i], widths[i + 1], lr))
        self.register_buffer("w_avg", torch.empty(widths[-1]))

    def forward(self, z: Tensor, c: Tensor | None = None, psi: float = 1.0, cutoff: int | None = None) -> Tensor:
        """Map z [N, z_dim], with classes c [N, c_dim] (one-hot) where the network has classes, to w_plus
        [N, num_ws, w_dim], truncated towards `w_avg` by `psi` in the first `cutoff` codes (all of them by
        default). Raises ValueError where c is wanted and not given, or given and not wanted."""
        if c is not None and not self.c_dim:
            raise ValueError("this generator has no classes: leave c out")
        if c is None and self.c_dim:
            raise ValueError(f"this generator has classes: give c [N, {self.c_dim}]")
        parts = [normalised(z)] if self.z_dim else []
        if self.c_dim:
            parts.append(normalised(self.embed(c)))
        w = torch.cat(parts, 1)
        for i in range(self.layers):
            w = F.leaky_relu(getattr(self, f"fc{i}")(w), SLOPE) * CONV_GAIN
        return truncated(w, self.w_avg, self.num_ws, psi, cutoff)

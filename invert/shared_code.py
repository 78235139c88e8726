"""A generator seen as one with a single code, which all its layers share: StyleGAN2's W, where a projection there
is wanted to compare with, and the published methods start."""

import torch
from torch import Tensor

from photodrag.weights import Generator


class SharedCode:
    """The generator with w [N, 1, w_dim] for w_plus. All else is the generator's own."""

    num_ws = 1

    def __init__(self, generator: Generator):
        self.generator, self.has_ffhq_w = generator, generator.has_ffhq_w
        self.resolution, self.subject, self.digest = generator.resolution, generator.subject, generator.digest
        self.z_dim, self.w_dim, self.c_dim = generator.z_dim, generator.w_dim, generator.c_dim

    @property
    def w_avg(self) -> Tensor:
        """[w_dim]"""
        return self.generator.w_avg

    def mapping(self, z: Tensor, c: Tensor | None = None, psi: float = 1.0, cutoff: int | None = None) -> Tensor:
        """z [N, z_dim] → w [N, 1, w_dim]."""
        return self.generator.mapping(z, c, psi, cutoff)[:, :1]

    def synthesis(self, w: Tensor, noise: str = "const") -> Tensor:
        """The picture of w [N, 1, w_dim]."""
        return self.generator.synthesis(self.opened(w), noise)

    def features(self, w: Tensor, resolution: int, noise: str = "const") -> Tensor:
        """Those of the generator itself, for w [N, 1, w_dim]."""
        return self.generator.features(self.opened(w), resolution, noise)

    def codes_read(self, resolution: int) -> int:
        """The one code, at every resolution."""
        return 1

    def style_weights(self) -> list[Tensor]:
        """Of all layers, one below the other, for the one code: [1][C, w_dim]."""
        return [torch.cat(self.generator.style_weights())]

    def opened(self, w: Tensor) -> Tensor:
        """w [N, 1, w_dim] as the w_plus [N, num_ws, w_dim] of the generator itself."""
        return w.expand(-1, self.generator.num_ws, -1).contiguous()

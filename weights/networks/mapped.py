"""What StyleGAN's generators, from the first to the third, have in common: a mapping and a synthesis."""

from typing import Any

from torch import Tensor, nn


class MappedGenerator(nn.Module):
    """A generator: z [N, z_dim] → w_plus [N, num_ws, w_dim] → RGB [N, 3, R, R], about [-1, 1].

    `mapping(z, c, psi, cutoff)` and `synthesis(w_plus, noise)` are modules of the network's own."""

    subject: str | None
    digest: str
    has_ffhq_w: bool
    """These three are told by `photodrag.weights.load`."""

    def __init__(self, mapping: Any, synthesis: Any) -> None:
        super().__init__()
        self.mapping, self.synthesis = mapping, synthesis
        self.resolution, self.num_ws = synthesis.resolution, mapping.num_ws
        self.z_dim, self.c_dim, self.w_dim = mapping.z_dim, mapping.c_dim, len(mapping.w_avg)

    @property
    def w_avg(self) -> Tensor:
        """The mean w [w_dim], of all classes."""
        w_avg = self.mapping.w_avg
        assert isinstance(w_avg, Tensor)
        return w_avg

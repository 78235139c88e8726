"""What every StyleGAN2-like generator does alike with its codes and its noise."""

from torch import Tensor

EPSILON = 1e-8


def normalised(x: Tensor) -> Tensor:
    """x [N, n] scaled to a mean square of 1 in every row: [N, n]."""
    return x * (x.square().mean(1, keepdim=True) + EPSILON).rsqrt()


def truncated(w: Tensor, w_avg: Tensor, num_ws: int, psi: float, cutoff: int | None) -> Tensor:
    """w [N, w_dim] repeated for every code, w_plus [N, num_ws, w_dim], the first `cutoff` codes (all by default)
    truncated: w_avg + psi · (w − w_avg)."""
    w_plus = w.unsqueeze(1).repeat(1, num_ws, 1)
    if psi != 1:
        w_plus[:, :cutoff] = w_avg.lerp(w_plus[:, :cutoff], psi)
    return w_plus


def codes_read(resolution: int) -> int:
    """How many codes the features of that resolution depend on: b4 reads one, every block up to it two more."""
    return 2 * resolution.bit_length() - 5


def adds_noise(noise: str) -> bool:
    """Whether the network's own constant noise is added. Raises ValueError for what is neither "const" nor "none"."""
    if noise not in ("const", "none"):
        raise ValueError(f'noise is "const" or "none", not {noise!r}')
    return noise == "const"

"""Where a moved code may be: near its start, and no farther out than natural codes are."""

from torch import Tensor


def project_to_trust_region(p: Tensor, start: Tensor, radius: float, max_rms: float) -> Tensor:
    """Whitened codes p [..., w_dim], drawn back, each by itself, into the ball of that radius around `start`, and
    into the shell of natural codes, or to how far out the start was. Both are root mean squares."""
    way = p - start
    p = start + way * (radius / rms(way)).clamp_max(1)
    return p * (rms(start).clamp_min(max_rms) / rms(p)).clamp_max(1)


def farthest(p: Tensor, start: Tensor) -> float:
    """How far the one of whitened codes p [..., w_dim] that moved most lies from its start, as a root mean square."""
    return rms(p - start).max().item()


def rms(p: Tensor) -> Tensor:
    """The root mean square of each of the codes [..., w_dim]: [..., 1]."""
    return p.square().mean(-1, keepdim=True).sqrt().clamp_min(1e-8)

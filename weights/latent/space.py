"""A generator's w in whitened coordinates, in which a natural code is a standard normal sample.

A code's root mean square there is 1 for the generator's own samples, and says how editable a code
is; one step means as much in every direction, so it is the variable to optimise, too.

II2S (arXiv 2012.09036) whitens not w but x = leaky ReLU₅(w), which undoes the mapping network's last
activation and is nearer to normal (Wulff & Torralba, arXiv 2009.06529): `slope=5.0`. It is not the
default, because x has next to no variance in many directions, where good faces would then count as far
out: see docs/design-notes.md#whitening-w-rather-than-x.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from photodrag.weights.common.errors import UserError
from photodrag.weights.common.generator import Generator

SPHERE_TOLERANCE = 1e-3
"""Of the mean squares of codes that lie on a sphere: no mapping network gives thousands of equal length by chance."""


@dataclass(frozen=True)
class LatentSpace:
    """w = leaky ReLU of slope 1/slope of mean + (p · std) @ components, for p [..., w_dim]."""

    mean: Tensor
    """[w_dim]; with slope 1 that of w."""
    components: Tensor
    """[w_dim, w_dim], orthonormal rows, the one of largest deviation first."""
    std: Tensor
    """[w_dim], deviations along the components."""
    slope: float = 1.0
    """Of the leaky ReLU that w goes through first; 1 is the identity."""
    axes: Tensor | None = None
    """[w_dim, w_dim], orthonormal rows: those of p, turned; its lengths, and what is natural, stay."""
    is_sphere: bool = False
    """Whether codes lie on a sphere, for only their direction counts (ProGAN's): w is p, each scaled to a root mean
    square of 1, and all else is not used."""

    def turned(self, axes: Tensor) -> "LatentSpace":
        """The same space with other axes [w_dim, w_dim], orthonormal rows, for p."""
        return replace(self, axes=axes.to(self.mean))

    def whiten(self, w_plus: Tensor) -> Tensor:
        """w_plus [..., w_dim] → p, of the same shape; differentiable."""
        if self.is_sphere:
            return _on_sphere(w_plus)
        p = (F.leaky_relu(w_plus, self.slope) - self.mean) @ self.components.T / self.std
        return p if self.axes is None else p @ self.axes.T

    def unwhiten(self, p: Tensor) -> Tensor:
        """p [..., w_dim] → w_plus, of the same shape: the inverse of `whiten`; differentiable."""
        if self.is_sphere:
            return _on_sphere(p)
        if self.axes is not None:
            p = p @ self.axes
        return F.leaky_relu(p * self.std @ self.components + self.mean, 1 / self.slope)

    def settled(self, p: Tensor) -> Tensor:
        """p [..., w_dim] where codes are: on the sphere, if they lie on one. An optimiser, whose steps leave it, is to
        go on from there."""
        return _on_sphere(p) if self.is_sphere else p

    def rms(self, w_plus: Tensor) -> Tensor:
        """The root mean square of each whitened code w_plus [N, num_ws, w_dim]: [N, standard deviations], about 1 for a
        true sample, more for a code that is hard to edit."""
        return self.whiten(w_plus).square().mean((-2, -1)).sqrt()


@torch.no_grad()
def latent_space(
    generator: Generator, slope: float = 1.0, samples: int = 10_000, seed: int = 123, c: Tensor | None = None
) -> LatentSpace:
    """The whitened space of any generator, on its device, in float32: a PCA of the w of random z.

    slope: of the leaky ReLU that w goes through first; 1 is the identity.
    samples: how many z are mapped; more than w_dim + 2.
    c: [1, c_dim], one-hot, the class whose codes are meant, if it has classes.

    A covariance of so few samples is too narrow for the next one by √((n−1)/(n−d−2)), the mean of the
    inverse Wishart distribution, so the deviations are widened by that factor. Codes that all have the same
    length lie on a sphere, and are left as they are. Raises UserError for a generator whose codes are not finite."""
    device, n, d = generator.w_avg.device, samples, generator.w_dim

    def mapping(z: Tensor) -> Tensor:
        return generator.mapping(z.to(device), None if c is None else c.to(device).expand(len(z), -1))[:, 0]

    x = F.leaky_relu(sample_w(mapping, generator.z_dim, n, seed), slope).cpu().double()  # not every device has float64
    if not x.isfinite().all():
        raise UserError("This generator makes codes of random z that are no finite numbers: give another checkpoint.")
    if c is None and _lie_on_sphere(x):
        one = torch.eye(d, device=device)
        return LatentSpace(torch.zeros_like(one[0]), one, torch.ones_like(one[0]), is_sphere=True)
    mean = x.mean(0)
    variance, components = eigh((x - mean).T @ (x - mean) / (n - d - 2))
    std = variance.flip(0).clamp_min(0).sqrt()
    std = std.clamp_min(max(1e-6 * std[0].item(), 1e-6))  # a generator may leave a direction unused, or all of them
    components = components.flip(1).T.contiguous()
    return LatentSpace(mean.float().to(device), components.float().to(device), std.float().to(device), slope)


@torch.no_grad()
def sample_w(mapping: Callable[[Tensor], Tensor], z_dim: int, samples: int = 10_000, seed: int = 123) -> Tensor:
    """The w [samples, w_dim] of standard normal z; number and seed as in the projector of StyleGAN2's authors.

    mapping: z [N, z_dim] → w [N, w_dim]."""
    z = torch.from_numpy(np.random.RandomState(seed).randn(samples, z_dim)).float()
    return torch.cat([mapping(part) for part in z.split(1000)])


def mean_w(mapping: Callable[[Tensor], Tensor], z_dim: int) -> Tensor:
    """The mean w [w_dim] of `sample_w`, where whoever published a network has not kept it."""
    return sample_w(mapping, z_dim).double().mean(0).float()


def _lie_on_sphere(codes: Tensor) -> bool:
    """Whether codes [n, d] of random z lie on a sphere around 0, all over it."""
    lengths, middle = codes.square().mean(1), codes.mean(0)
    return bool((lengths - 1).abs().max() < SPHERE_TOLERANCE and middle.square().mean() < 0.1)


def _on_sphere(x: Tensor) -> Tensor:
    return x * (x.square().mean(-1, keepdim=True) + 1e-12).rsqrt()


def eigh(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues [n], the least first, and eigenvectors, the columns of [n, n], of a symmetric matrix."""
    # Several threads only wait for each other: see docs/design-notes.md#one-thread-for-an-eigendecomposition.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return torch.linalg.eigh(matrix)
    finally:
        torch.set_num_threads(threads)

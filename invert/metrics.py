"""How two pictures differ, everywhere or where a weight says so. Pictures are [1, 3, H, W] in [-1, 1]."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from photodrag.invert.perceptual import PerceptualDistance

SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""The exponents of MS-SSIM's five scales (Wang, Simoncelli and Bovik 2003)."""
WINDOW, SIGMA, C1, C2 = 11, 1.5, 0.01**2, 0.03**2
"""Of its Gaussian window, in pixels, and its stabilisers, for values of 0 … 1."""


def mse(a: Tensor, b: Tensor, weight: Tensor | None = None) -> float:
    """The mean squared error, weighted by `weight` [1, 1, H, W]."""
    return _mean((a - b).square().mean(1, keepdim=True), weight).item()


def psnr(error: float) -> float:
    """Of a mean squared error, in dB: 10·log10(4 / mse), for the peak of [-1, 1] is 2."""
    return 10 * math.log10(4 / max(error, 1e-12))


def ms_ssim(a: Tensor, b: Tensor, weight: Tensor | None = None) -> float | None:
    """Multi-scale structural similarity, 1 for equal pictures; the mean over the colours. None for pictures that
    are too small for five scales, so below 176 pixels a side."""
    if min(a.shape[-2:]) < WINDOW * 2 ** (len(SCALES) - 1):
        return None
    a, b, parts = (a + 1) / 2, (b + 1) / 2, []
    for scale in range(len(SCALES)):
        if scale:
            a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
        luminance, contrast = _ssim(a, b)
        over = None if weight is None else _within(F.interpolate(weight, size=a.shape[-2:], mode="area"))
        last = scale == len(SCALES) - 1
        parts.append(_mean(contrast * luminance if last else contrast, over).clamp_min(0))
    return torch.stack([part**share for part, share in zip(parts, SCALES, strict=True)]).prod(0).mean().item()


def distance(net: PerceptualDistance, a: Tensor, b: Tensor, weight: Tensor | None = None) -> float:
    """A perceptual distance. The weight counts behind the network, at the sides of its maps: pixels blackened in
    front of it would make edges of their own."""
    total = 0.0
    for x, y in zip(net.maps(a), net.maps(b), strict=True):
        error = (x - y).square().sum(1, keepdim=True)
        over = None if weight is None else F.interpolate(weight, size=error.shape[-2:], mode="area")
        total += _mean(error, over).item()
    return total


def _ssim(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The luminance and the contrast-structure term at every place of a Gaussian window, [1, 3, h, w] each."""
    at = torch.arange(WINDOW, dtype=a.dtype, device=a.device) - WINDOW // 2
    tap = torch.exp(-(at**2) / (2 * SIGMA**2))
    tap = (tap / tap.sum()).expand(a.shape[1], 1, 1, WINDOW)

    def blurred(x: Tensor) -> Tensor:
        rows = F.conv2d(x, tap, groups=x.shape[1])
        return F.conv2d(rows, tap.transpose(2, 3), groups=x.shape[1])

    m, n = blurred(a), blurred(b)
    v, w, both = blurred(a * a) - m * m, blurred(b * b) - n * n, blurred(a * b) - m * n
    return (2 * m * n + C1) / (m * m + n * n + C1), (2 * both + C2) / (v + w + C2)


def _within(weight: Tensor) -> Tensor:
    """The places around which a window fits."""
    edge = WINDOW // 2
    return weight[..., edge:-edge, edge:-edge]


def _mean(values: Tensor, weight: Tensor | None) -> Tensor:
    """Over places: [C] for values [1, C, H, W]."""
    if weight is None:
        return values.mean((0, 2, 3))
    return (values * weight).sum((0, 2, 3)) / weight.sum().clamp_min(1e-12)

"""The figures of a comparison, against definitions computed another way."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from photodrag.invert import metrics, perceptual


def pictures(side: int) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(4)
    coarse = torch.rand(1, 3, side // 8, side // 8, generator=random) * 2 - 1
    a = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bilinear")
    return a, (a + 0.2 * torch.randn(a.shape, generator=random)).clamp(-1, 1)


def ms_ssim_by_scipy(a: np.ndarray, b: np.ndarray) -> float:
    """Wang et al. 2003 on one channel [H, W] in 0 … 1, in float64, from the definition."""

    def blurred(x):
        for axis in (0, 1):
            x = gaussian_filter1d(x, 1.5, axis, truncate=5 / 1.5)
        return x[5:-5, 5:-5]

    result = 1.0
    for scale, exponent in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        if scale:
            a, b = (x[: len(x) // 2 * 2, : len(x) // 2 * 2].reshape(len(x) // 2, 2, -1, 2).mean((1, 3)) for x in (a, b))
        m, n = blurred(a), blurred(b)
        cov = blurred(a * b) - m * n
        cs = (2 * cov + 0.03**2) / (blurred(a * a) - m * m + blurred(b * b) - n * n + 0.03**2)
        if scale == 4:
            cs = cs * (2 * m * n + 0.01**2) / (m * m + n * n + 0.01**2)
        result *= max(cs.mean(), 0) ** exponent
    return result


def test_ms_ssim_is_that_of_the_definition():
    a, b = pictures(192)
    ours = metrics.ms_ssim(a, b)
    x, y = ((p.double().numpy()[0] + 1) / 2 for p in (a, b))
    assert ours == pytest.approx(np.mean([ms_ssim_by_scipy(p, q) for p, q in zip(x, y, strict=True)]), abs=2e-4)
    assert metrics.ms_ssim(a, a) == pytest.approx(1, abs=1e-6)


def test_ms_ssim_of_small_pictures_is_none():
    assert metrics.ms_ssim(*pictures(168)) is None
    a, b = (torch.zeros(1, 3, 176, 176),) * 2
    assert metrics.ms_ssim(a, b) == pytest.approx(1)


def test_psnr_has_the_peak_of_its_range():
    """A picture that is off by one grey level of 255 everywhere has 48.13 dB."""
    assert metrics.psnr((2 / 255) ** 2) == pytest.approx(48.1308, abs=1e-3)


def test_only_what_the_weight_says_counts():
    a, b = pictures(192)
    weight = torch.zeros(1, 1, 192, 192)
    weight[..., 64:128, 64:128] = 1
    part = (slice(None), slice(None), slice(64, 128), slice(64, 128))
    assert metrics.mse(a, b, weight) == pytest.approx((a[part] - b[part]).square().mean().item(), rel=1e-5)
    a, _ = pictures(512)
    weight = torch.zeros(1, 1, 512, 512)
    weight[..., 320:448, 320:448] = 1
    far = a.clone()
    far[..., :160, :160] = 1  # farther from the weight than the coarsest window reaches, 96 pixels
    assert metrics.mse(a, far, weight) == 0
    assert metrics.ms_ssim(a, far, weight) == pytest.approx(1, abs=1e-6) and metrics.ms_ssim(a, far) < 0.95


def test_distance_is_the_net_s_own_and_weighs_places():
    net = perceptual.load("st-lpips-vgg")
    a, b = pictures(64)
    assert metrics.distance(net, a, b) == pytest.approx(net(a, b).item(), rel=1e-5)
    left = torch.zeros(1, 1, 64, 64)
    left[..., :32] = 1
    halves = [metrics.distance(net, a, b, weight) for weight in (left, 1 - left)]
    assert np.mean(halves) == pytest.approx(net(a, b).item(), rel=1e-4)

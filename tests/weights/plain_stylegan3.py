"""StyleGAN3's synthesis the plain way, from the description alone, as its slow path computes it: a copy of the weights
for each picture, zeros put between samples, filters at the high rate, and what isn't wanted thrown away.

It takes the canonical state dict and arguments; `random_stylegan3` makes networks that no file holds."""

import math
import re

import numpy as np
import torch
from scipy.signal import firwin, kaiser_atten, kaiser_beta
from scipy.special import j1
from torch import Tensor
from torch.nn import functional as F


def random_stylegan3(
    resolution: int,
    config: str,
    channel_base: int = 32768,
    channel_max: int = 512,
    w_dim: int = 512,
    count: int = 14,
    margin: int = 10,
    seed: int = 0,
) -> tuple[dict[str, Tensor], dict[str, object]]:
    """A canonical state and its arguments, of the sizes that the training code gives a configuration, "t" or "r", with
    `count` layers and one more for the picture."""
    chance = torch.Generator().manual_seed(seed)
    if config == "r":
        channel_base, channel_max = 2 * channel_base, 2 * channel_max

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=chance)

    critical, last = 2, resolution / 2
    steps = np.minimum(np.arange(count + 1) / (count - critical), 1)
    cutoffs = 2 * (last / 2) ** steps
    stopbands = 2**2.1 * (last * 2**0.3 / 2**2.1) ** steps
    rates = np.exp2(np.ceil(np.log2(np.minimum(stopbands * 2, resolution)))).astype(int)
    halves = np.maximum(stopbands, rates / 2) - cutoffs
    sizes = rates + 2 * margin
    sizes[-2:] = resolution
    channels = np.rint(np.minimum(channel_base / 2 / cutoffs, channel_max)).astype(int)
    channels[-1] = 3
    width = int(channels[0])
    state = {
        "mapping.w_avg": normal(w_dim) * 0.1,
        "synthesis.input.weight": normal(width, width),
        "synthesis.input.affine.weight": normal(4, w_dim) * 0.1,
        "synthesis.input.affine.bias": torch.tensor([1.0, 0, 0, 0]),
        "synthesis.input.freqs": F.normalize(normal(width, 2)) * torch.rand(width, 1, generator=chance) * cutoffs[0],
        "synthesis.input.phases": torch.rand(width, generator=chance) - 0.5,
        "synthesis.input.transform": torch.eye(3),
    }
    for i in range(2):
        state |= {f"mapping.fc{i}.weight": normal(w_dim, w_dim) * 100, f"mapping.fc{i}.bias": normal(w_dim) * 10}
    for i in range(count + 1):
        before, is_rgb, is_critical = max(i - 1, 0), i == count, i >= count - critical
        name = f"synthesis.L{i}_{sizes[i]}_{channels[i]}"
        kernel = 1 if is_rgb or config == "r" else 3
        high = max(rates[before], rates[i]) * (1 if is_rgb else 2)
        up, down = high // rates[before], high // rates[i]
        inputs, outputs = int(channels[before]), int(channels[i])
        state |= {
            f"{name}.weight": normal(outputs, inputs, kernel, kernel),
            f"{name}.bias": normal(outputs) * 0.2,
            f"{name}.affine.weight": normal(inputs, w_dim),
            f"{name}.affine.bias": torch.ones(inputs),
            f"{name}.magnitude_ema": torch.tensor(1.0),
        }
        if not is_rgb:
            radial = config == "r" and not is_critical
            state[f"{name}.up_filter"] = low_pass(6 * up, cutoffs[before], halves[before], high)
            state[f"{name}.down_filter"] = low_pass(6 * down, cutoffs[i], halves[i], high, radial)
    arguments = {
        "family": "stylegan3",
        "rates": [int(rates[0]), *map(int, rates)],
        "input_size": int(sizes[0]),
        "bandwidth": float(cutoffs[0]),
    }
    return state, arguments


def low_pass(taps: int, cutoff: float, half_width: float, rate: float, radial: bool = False) -> Tensor:
    """A filter of unit gain: a sinc, or in two dimensions a jinc, under a Kaiser window."""
    if not radial:
        return torch.from_numpy(firwin(taps, cutoff, width=2 * half_width, fs=rate)).float()
    x = (np.arange(taps) - (taps - 1) / 2) / rate
    r = np.hypot(*np.meshgrid(x, x))
    jinc = j1(2 * cutoff * math.pi * r) / (math.pi * r)
    attenuation = kaiser_atten(taps, 2 * half_width / (rate / 2))
    window = np.kaiser(taps, kaiser_beta(attenuation))
    kernel = jinc * np.outer(window, window)
    return torch.from_numpy(kernel / kernel.sum()).float()


def plain_synthesis(
    state: dict[str, Tensor], arguments: dict[str, object], w_plus: Tensor
) -> tuple[Tensor, list[Tensor]]:
    """The picture [N, 3, R, R] of w_plus, and what every layer gives."""
    names = {match[1] for key in state if (match := re.match(r"synthesis\.(L\d+_\d+_\d+)\.", key))}
    names = sorted(names, key=lambda name: int(name[1:].split("_")[0]))
    rates, outputs = arguments["rates"], []
    x = _waves(state, arguments, w_plus[:, 0])
    for i, name in enumerate(names):
        x = _layer(state, f"synthesis.{name}", x, w_plus[:, i + 1], rates[i], rates[i + 1], i == len(names) - 1)
        outputs.append(x)
    return x * 0.25, outputs


def _affine(state: dict[str, Tensor], name: str, w: Tensor) -> Tensor:
    weight = state[f"{name}.affine.weight"]
    return w @ (weight / weight.shape[1] ** 0.5).t() + state[f"{name}.affine.bias"]


def _waves(state: dict[str, Tensor], arguments: dict[str, object], w: Tensor) -> Tensor:
    t = _affine(state, "synthesis.input", w)
    t = t / t[:, :2].norm(dim=1, keepdim=True)
    size, rate, bandwidth = arguments["input_size"], arguments["rates"][0], arguments["bandwidth"]
    turn, move = torch.eye(3).repeat(len(w), 1, 1), torch.eye(3).repeat(len(w), 1, 1)
    turn[:, 0, 0], turn[:, 0, 1], turn[:, 1, 0], turn[:, 1, 1] = t[:, 0], -t[:, 1], t[:, 1], t[:, 0]
    move[:, 0, 2], move[:, 1, 2] = -t[:, 2], -t[:, 3]
    matrix = turn @ move @ state["synthesis.input.transform"]
    freqs, phases = state["synthesis.input.freqs"], state["synthesis.input.phases"]
    phases = phases + (freqs @ matrix[:, :2, 2:]).squeeze(2)
    freqs = freqs @ matrix[:, :2, :2]
    amplitudes = (1 - (freqs.norm(dim=2) - bandwidth) / (rate / 2 - bandwidth)).clamp(0, 1)
    theta = torch.tensor([[0.5 * size / rate, 0, 0], [0, 0.5 * size / rate, 0]])
    grid = F.affine_grid(theta[None], [1, 1, size, size], align_corners=False)
    x = torch.einsum("hwd,ncd->nhwc", grid[0], freqs) + phases[:, None, None]
    x = torch.sin(x * (2 * math.pi)) * amplitudes[:, None, None]
    weight = state["synthesis.input.weight"]
    return (x @ (weight / len(weight) ** 0.5).t()).permute(0, 3, 1, 2).contiguous()


def _layer(state: dict[str, Tensor], name: str, x: Tensor, w: Tensor, rate_in: int, rate: int, is_rgb: bool) -> Tensor:
    weight, style = state[f"{name}.weight"], _affine(state, name, w)
    if is_rgb:
        style = style / weight[0].numel() ** 0.5
    else:
        weight = weight * weight.square().mean((1, 2, 3), keepdim=True).rsqrt()
        style = style * style.square().mean().rsqrt()
    weight = weight[None] * style[:, None, :, None, None]
    if not is_rgb:
        weight = weight * (weight.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    weight = weight * state[f"{name}.magnitude_ema"].rsqrt()
    n, i, h, _ = x.shape
    kernel = weight.shape[-1]
    x = F.conv2d(x.reshape(1, n * i, h, h), weight.flatten(0, 1), padding=kernel - 1, groups=n).unflatten(1, (n, -1))
    x = x.squeeze(0) + state[f"{name}.bias"][:, None, None]
    if is_rgb:
        return x.clamp(-256, 256)
    up_filter, down_filter = state[f"{name}.up_filter"], state[f"{name}.down_filter"]
    high = max(rate_in, rate) * 2
    up, down, out = high // rate_in, high // rate, int(name.split("_")[1])
    total = (out - 1) * down + 1 - x.shape[2] * up + len(up_filter) + len(down_filter) - 2
    before = (total + up) // 2
    x = _resampled(x, up_filter * up, up, before, total - before)
    x = (F.leaky_relu(x, 0.2) * 2**0.5).clamp(-256, 256)
    return _resampled(x, down_filter)[:, :, ::down, ::down]


def _resampled(x: Tensor, kernel: Tensor, up: int = 1, before: int = 0, after: int = 0) -> Tensor:
    """x with zeros between its samples and around, convolved with a kernel of one dimension twice, or of two once."""
    n, c, h, w = x.shape
    x = F.pad(x.reshape(n, c, h, 1, w, 1), [0, up - 1, 0, 0, 0, up - 1]).reshape(n, c, h * up, w * up)
    x = F.pad(x, [before, after, before, after])
    kernel = kernel.flip(tuple(range(kernel.dim()))).expand(c, 1, *kernel.shape)
    if kernel.dim() == 4:
        return F.conv2d(x, kernel, groups=c)
    return F.conv2d(F.conv2d(x, kernel[:, :, None], groups=c), kernel[..., None], groups=c)

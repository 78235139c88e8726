"""StyleGAN2's synthesis the plain way, from the description alone: a copy of the weights for each picture
and one grouped convolution for all, zeros put between the pixels, a filter, gain and clamp as passes.

It takes the canonical state dict; so does `random_state`, which makes networks that no file holds."""

import torch
from torch import Tensor
from torch.nn import functional as F

FILTER = torch.outer(torch.tensor([1.0, 3, 3, 1]), torch.tensor([1.0, 3, 3, 1])) / 64


def random_state(
    channels: tuple[int, ...],
    z_dim: int = 8,
    w_dim: int = 8,
    c_dim: int = 0,
    layers: int = 2,
    architecture: str = "skip",
    seed: int = 0,
) -> dict[str, Tensor]:
    """A canonical state of the given sizes, seeded, of the magnitudes of a trained one."""
    chance = torch.Generator().manual_seed(seed)

    def normal(*shape: int, scale: float = 1.0) -> Tensor:
        return torch.randn(shape, generator=chance) * scale

    state = {"mapping.w_avg": normal(w_dim, scale=0.1)}
    if c_dim:
        state |= {"mapping.embed.weight": normal(w_dim, c_dim), "mapping.embed.bias": normal(w_dim)}
    for i in range(layers):
        inputs = w_dim if i else z_dim + (w_dim if c_dim else 0)
        state[f"mapping.fc{i}.weight"] = normal(w_dim, inputs, scale=100)
        state[f"mapping.fc{i}.bias"] = normal(w_dim, scale=10)

    def styled(name: str, out_channels: int, in_channels: int, kernel: int) -> None:
        state[f"{name}.weight"] = normal(out_channels, in_channels, kernel, kernel)
        state[f"{name}.bias"] = normal(out_channels, scale=0.2)
        state[f"{name}.affine.weight"] = normal(in_channels, w_dim)
        state[f"{name}.affine.bias"] = 1 + normal(in_channels, scale=0.2)

    for i, out_channels in enumerate(channels):
        block, in_channels = f"synthesis.b{4 << i}", channels[i - 1] if i else 0
        state[f"{block}.resample_filter"] = FILTER.clone()
        if not i:
            state[f"{block}.const"] = normal(out_channels, 4, 4)
        for name, inputs in [("conv0", in_channels), ("conv1", out_channels)][i == 0 :]:
            styled(f"{block}.{name}", out_channels, inputs, 3)
            state[f"{block}.{name}.resample_filter"] = FILTER.clone()
            state[f"{block}.{name}.noise_const"] = normal(4 << i, 4 << i)
            state[f"{block}.{name}.noise_strength"] = normal(scale=0.2)
        if architecture == "skip" or i == len(channels) - 1:
            styled(f"{block}.torgb", 3, out_channels, 1)
        if architecture == "resnet" and i:
            state[f"{block}.skip.weight"] = normal(out_channels, in_channels, 1, 1)
            state[f"{block}.skip.resample_filter"] = FILTER.clone()
    return state


def plain_synthesis(
    state: dict[str, Tensor], w_plus: Tensor, clamp: float | None = None, noise: bool = True
) -> tuple[Tensor, list[Tensor]]:
    """The picture [N, 3, R, R] of w_plus, and the output of every block."""
    x, image, blocks = None, None, []
    resnet = "synthesis.b8.skip.weight" in state
    for i in range(w_plus.shape[1] // 2):
        block = f"synthesis.b{4 << i}"
        if i == 0:
            x = state[f"{block}.const"].expand(len(w_plus), -1, -1, -1)
            x = _layer(state, f"{block}.conv1", x, w_plus[:, 0], clamp, noise)
        else:
            past, gain = None, 1.0
            if resnet:
                weight = state[f"{block}.skip.weight"]
                gain = 0.5**0.5
                past = _doubled(F.conv2d(x, weight / weight.shape[1] ** 0.5)) * gain
            x = _layer(state, f"{block}.conv0", x, w_plus[:, 2 * i - 1], clamp, noise, up=True)
            x = _layer(state, f"{block}.conv1", x, w_plus[:, 2 * i], clamp, noise, gain=gain)
            x = x if past is None else x + past
        blocks.append(x)
        image = None if image is None else _doubled(image)
        if f"{block}.torgb.weight" in state:
            rgb = _to_rgb(state, f"{block}.torgb", x, w_plus[:, 2 * i + 1], clamp)
            image = rgb if image is None else image + rgb
    return image, blocks


def _style(state: dict[str, Tensor], name: str, w: Tensor) -> Tensor:
    weight = state[f"{name}.affine.weight"]
    return w @ (weight / weight.shape[1] ** 0.5).t() + state[f"{name}.affine.bias"]


def _layer(state, name, x, w, clamp, noise, up=False, gain=1.0) -> Tensor:
    weight = state[f"{name}.weight"][None] * _style(state, name, w)[:, None, :, None, None]
    weight = weight / (weight.square().sum((2, 3, 4), keepdim=True) + 1e-8).sqrt()
    x = _doubled(x, weight.flip(-2, -1)) if up else _grouped(x, weight)
    if noise:
        x = x + state[f"{name}.noise_const"] * state[f"{name}.noise_strength"]
    x = F.leaky_relu(x + state[f"{name}.bias"][:, None, None], 0.2) * (2**0.5 * gain)
    return _clamped(x, clamp, gain)


def _to_rgb(state, name, x, w, clamp) -> Tensor:
    weight = state[f"{name}.weight"]
    weight = weight[None] * (_style(state, name, w) / weight.shape[1] ** 0.5)[:, None, :, None, None]
    return _clamped(_grouped(x, weight) + state[f"{name}.bias"][:, None, None], clamp, 1.0)


def _grouped(x: Tensor, weight: Tensor) -> Tensor:
    """x [N, I, H, W], each picture with its own weight [N, O, I, k, k]."""
    n, i, h, w = x.shape
    x = F.conv2d(x.reshape(1, n * i, h, w), weight.flatten(0, 1), padding=weight.shape[-1] // 2, groups=n)
    return x.unflatten(1, (n, -1)).squeeze(0)


def _doubled(x: Tensor, weight: Tensor | None = None) -> Tensor:
    """Twice the side: zeros between pixels, convolved with the weights (if any), then with the filter."""
    n, c, h, w = x.shape
    zeros = x.new_zeros(n, c, 2 * h, 2 * w)
    zeros[..., ::2, ::2] = x
    if weight is None:
        zeros = F.pad(zeros, (2, 1, 2, 1))
    else:
        zeros = _grouped(F.pad(zeros, (3, 2, 3, 2)), weight)[..., 1:-1, 1:-1]
    channels = zeros.shape[1]
    return F.conv2d(zeros, 4 * FILTER.to(x).expand(channels, 1, 4, 4), groups=channels)


def _clamped(x: Tensor, clamp: float | None, gain: float) -> Tensor:
    return x if clamp is None else x.clamp(-clamp * gain, clamp * gain)

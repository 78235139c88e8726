"""The layers of StyleGAN2 (arXiv 1912.04958), in plain PyTorch, under the names of NVIDIA's checkpoints.

A style scales the channels of an input, one code a picture. The published code scales the weights
instead, a copy a picture, and convolves in groups. Here the activations are scaled and the weights are
shared, which is equal and leaves no gradient of a weight to compute where only a code is asked for;
demodulation is then a factor on the output's channels.

That factor, the noise and the bias carry the gain of the leaky ReLU, which commutes with positive
factors, so there is no pass for the gain. tests/bench/stylegan2.py measures each of these choices.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from photodrag.weights.networks.codes import EPSILON

SLOPE = 0.2
CONV_GAIN = 2**0.5
"""Of a leaky ReLU, so that it keeps the variance of what it gets."""


class Linear(nn.Module):
    """x [N, in] → [N, out]: a linear layer whose weight is kept scaled by √in / `lr`, its bias by 1 / `lr`."""

    def __init__(self, in_features: int, out_features: int, lr: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.bias = nn.Parameter(torch.empty(out_features))
        self.lr = lr

    def forward(self, x: Tensor) -> Tensor:
        """x [N, in] → [N, out]."""
        gain = self.lr * self.weight.shape[1] ** -0.5
        return F.linear(x * gain, self.weight, self.bias * self.lr)


def smoothed(x: Tensor, kernel: Tensor) -> Tensor:
    """Every channel of x [N, C, H + 1, W + 1] convolved with the same kernel [4, 4], gain 4: [N, C, H, W]."""
    channels = x.shape[1]
    kernel = (kernel.flip(0, 1) * 4).to(x.dtype).expand(channels, 1, -1, -1)
    return F.conv2d(x, kernel, padding=1, groups=channels)


def upsampled(x: Tensor, kernel: Tensor) -> Tensor:
    """x [N, C, H, W] at twice the side, a zero between pixels, then every channel convolved with the
    kernel [4, 4], gain 4: [N, C, 2H, 2W]. The zeros are never made."""
    channels = x.shape[1]
    kernel = (kernel * 4).to(x.dtype).expand(channels, 1, -1, -1)
    return F.conv_transpose2d(x, kernel, stride=2, padding=1, groups=channels)


class SynthesisLayer(nn.Module):
    """A styled, demodulated 3 × 3 convolution, noise, bias and leaky ReLU; `up` doubles the side first."""

    resample_filter: Tensor
    noise_const: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        w_dim: int,
        resolution: int,
        up: bool = False,
        gain: float = 1.0,
        clamp: float | None = None,
        use_noise: bool = True,
    ) -> None:
        """`gain`: a factor on the output; `clamp`: the largest magnitude before that factor."""
        super().__init__()
        self.up = up
        self.gain = CONV_GAIN * gain
        self.clamp = None if clamp is None else clamp * gain
        self.use_noise = use_noise
        self.affine = Linear(w_dim, in_channels)
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.empty(out_channels))
        self.register_buffer("resample_filter", torch.empty(4, 4))
        if use_noise:
            self.register_buffer("noise_const", torch.empty(resolution, resolution))
            self.noise_strength = nn.Parameter(torch.empty(()))

    def forward(self, x: Tensor, w: Tensor, noise: bool) -> Tensor:
        """x [N, in, H, W] styled by w [N, w_dim] → [N, out, R, R]; the constant noise only if `noise`."""
        style: Tensor = self.affine(w)
        weight: Tensor = self.weight
        if x.dtype == torch.float16:  # whose largest number is 65504: demodulation undoes these factors
            style = style / style.abs().amax(1, keepdim=True)
            weight = weight / (weight.abs().amax((1, 2, 3), keepdim=True) * weight[0].numel() ** 0.5)
        energy = weight.square().sum((2, 3))
        factor = self.gain * (style.square() @ energy.t() + EPSILON).rsqrt()

        x = x * style[..., None, None].to(x.dtype)
        weight = weight.to(x.dtype)
        if self.up:
            x = smoothed(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), self.resample_filter)
        else:
            x = F.conv2d(x, weight, padding=1)
        x = x * factor[..., None, None].to(x.dtype)
        offset = (self.bias * self.gain)[:, None, None].to(x.dtype)
        x = x.add_(offset)
        if noise and self.use_noise:
            x = x.add_((self.noise_const * (self.noise_strength * self.gain)).to(x.dtype))
        x = F.leaky_relu_(x, SLOPE)
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)


class ToRGB(nn.Module):
    """A styled 1 × 1 convolution to RGB, without demodulation, noise or activation."""

    def __init__(self, in_channels: int, w_dim: int, clamp: float | None = None, channels: int = 3) -> None:
        """`channels`: those of the picture."""
        super().__init__()
        self.clamp = clamp
        self.affine = Linear(w_dim, in_channels)
        self.weight = nn.Parameter(torch.empty(channels, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.empty(channels))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """x [N, in, R, R] styled by w [N, w_dim] → [N, channels, R, R]."""
        style = self.affine(w) * (self.gain() * self.weight.shape[1] ** -0.5)
        if len(x) == 1:  # of the two tensors that could be scaled, few rows of weights are the smaller
            x = F.conv2d(x, (self.weight * style[..., None, None]).to(x.dtype), self.bias.to(x.dtype))
        else:
            x = F.conv2d(x * style[..., None, None].to(x.dtype), self.weight.to(x.dtype), self.bias.to(x.dtype))
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)

    def gain(self) -> Tensor | float:
        """A factor on what it gets."""
        return 1.0


class Skip(nn.Module):
    """The way past a block of the residual architecture: a 1 × 1 convolution, twice the side, never clamped."""

    resample_filter: Tensor

    def __init__(self, in_channels: int, out_channels: int, gain: float) -> None:
        super().__init__()
        self.gain = gain * in_channels**-0.5
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, 1, 1))
        self.register_buffer("resample_filter", torch.empty(4, 4))

    def forward(self, x: Tensor) -> Tensor:
        """x [N, in, H, W] → [N, out, 2H, 2W]."""
        return upsampled(F.conv2d(x, (self.weight * self.gain).to(x.dtype)), self.resample_filter)

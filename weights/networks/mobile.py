"""MobileStyleGAN (arXiv 2104.04767), the network of the generator `face`, in plain PyTorch.

A light student of StyleGAN2: it keeps the mapping network, grows a picture in the wavelet domain
(an inverse Haar step doubles the side) and convolves separably. Demodulation is folded into the
weights of the published model, so a style only ever scales the channels of an input.

That makes three foldings exact, and no pass over activations is left that only scales:

- a style in front of a depthwise convolution commutes with it and becomes a factor on the columns
  of the pointwise weight behind it;
- a style in front of the Haar step becomes a factor on its kernel, a 2 × 2 transposed convolution
  of stride 2, grouped by output channel;
- the bias rides on the convolution, so a constant noise costs one addition in place.

Activations are channels-last: depthwise and pointwise convolutions are both fastest there on a CPU. The last two
blocks, whose maps are three quarters of all, are worked on in strips (strips.py).
"""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from photodrag.weights.networks.codes import adds_noise, codes_read, normalised, truncated
from photodrag.weights.networks.strips import Part, Strip, in_strips

SLOPE = 0.2
STRIP = 32
"""Rows of a block's input that are worked on at once."""
LARGE = 128
"""Rows of a block's input from which on it is worked on in strips: the two blocks whose maps are largest."""
# Rows: the bands low, lh, hl, hh. Columns: the pixel's place in its 2 × 2 square, row by row.
HAAR = torch.tensor([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]).view(4, 2, 2) / 2


class Mapping(nn.Module):
    """z [N, z_dim] → w [N, w_dim]: normalise, then (linear, leaky ReLU, √2) a layer."""

    def __init__(self, z_dim: int, w_dim: int, layers: int) -> None:
        super().__init__()
        self.fc = nn.ModuleList(nn.Linear(w_dim if i else z_dim, w_dim) for i in range(layers))

    def forward(self, z: Tensor) -> Tensor:
        """z [N, z_dim] → w [N, w_dim]."""
        w = normalised(z)
        for fc in self.fc:
            w = F.leaky_relu(fc(w), SLOPE) * 2**0.5
        return w


def scaled_conv(x: Tensor, style: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve x [N, C, H, W], its channels scaled by style [N, C], with weight [O, C, k, k].

    The scale goes to the smaller of the two tensors; a batch's styles differ, so there it is x."""
    if len(x) == 1 and weight.numel() < x.numel():
        weight = weight * style.view(1, -1, 1, 1)
    else:
        x = x * style[..., None, None]
    return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)


def inverse_haar(x: Tensor, style: Tensor | None = None) -> Tensor:
    """Bands [N, 4C, H, W], the four of a channel side by side, scaled by style → [N, C, 2H, 2W]."""
    channels = x.shape[1] // 4
    kernel = HAAR.to(x).repeat(channels, 1, 1).unsqueeze(1)
    if style is not None and len(x) == 1:
        kernel = kernel * style.view(-1, 1, 1, 1)
    elif style is not None:
        x = x * style[..., None, None]
    return F.conv_transpose2d(x, kernel, stride=2, groups=channels)


def styled_conv(
    x: Tensor, style: Tensor, depthwise: Tensor | None, weight: Tensor, bias: Tensor, noise: Tensor | None
) -> Tensor:
    """x [N, in, H, W], convolved, its channels scaled by style [N, in], noise [1, 1, H, W] added: [N, out, H, W]."""
    if depthwise is not None:
        x = F.conv2d(x, depthwise, padding=1, groups=x.shape[1])
    x = scaled_conv(x, style, weight, bias)
    if noise is not None:
        x = x.add_(noise)
    return F.leaky_relu_(x, SLOPE)


class StyledConv(nn.Module):
    """A styled 3 × 3 convolution, noise, bias and leaky ReLU: separable (depthwise, then pointwise)
    or dense."""

    def __init__(
        self, in_channels: int, out_channels: int, w_dim: int, resolution: int, separable: bool = True
    ) -> None:
        super().__init__()
        self.gain = (9 * in_channels) ** -0.5
        self.style = nn.Linear(w_dim, in_channels)
        self.depthwise = nn.Parameter(torch.empty(in_channels, 1, 3, 3)) if separable else None
        kernel = 1 if separable else 3
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(out_channels))
        self.noise = nn.Parameter(torch.empty(1, 1, resolution, resolution))

    def forward(self, x: Tensor, w: Tensor, noise: bool) -> Tensor:
        """x [N, in, R, R] styled by w [N, w_dim] → [N, out, R, R]; the constant noise only if `noise`."""
        added = self.noise if noise else None
        return styled_conv(x, self.styled(w), self.depthwise, self.weight, self.bias, added)

    def styled(self, w: Tensor) -> Tensor:
        """The factors [N, in] of x's channels, for w [N, w_dim]."""
        return self.style(w) * self.gain


def striped(part: Part, x: Tensor, others: Sequence[Tensor]) -> Tensor:
    """What the part makes of x [N, C, H, W], in strips where x is large and each of them costs no launches."""
    rows = x.shape[2]
    if rows < LARGE or x.device.type != "cpu":
        return part(x, others, Strip(0, rows, 0, rows))
    return in_strips(part, x, others, max(1, rows // STRIP), reach=1)


class Block(nn.Module):
    """One doubling of the side: styled inverse Haar step, then two styled separable convolutions."""

    def __init__(self, in_channels: int, out_channels: int, w_dim: int, resolution: int) -> None:
        super().__init__()
        self.up_style = nn.Linear(w_dim, in_channels)
        self.conv0 = StyledConv(in_channels // 4, out_channels, w_dim, resolution)
        self.conv1 = StyledConv(out_channels, out_channels, w_dim, resolution)

    def forward(self, x: Tensor, w0: Tensor, w1: Tensor, noise: bool) -> Tensor:
        """x [N, in, R/2, R/2] styled by two codes [N, w_dim] → [N, out, R, R]."""
        return striped(partial(block_rows, add=noise), x, self.tensors(w0, w1))

    def tensors(self, w0: Tensor, w1: Tensor) -> list[Tensor]:
        """What `block_rows` makes it of: the styles of its three steps, then what the two convolutions have."""
        styles = [self.up_style(w0), self.conv0.styled(w0), self.conv1.styled(w1)]
        convs = self.conv0, self.conv1
        return [*styles, *(t for conv in convs for t in (conv.depthwise, conv.weight, conv.bias, conv.noise))]


def block_rows(x: Tensor, others: Sequence[Tensor], strip: Strip, add: bool) -> Tensor:
    """From the rows of a block's input that a strip reads to the rows of its result, twice as many as the strip's."""
    up, style0, style1, *tensors = others
    read = slice(2 * strip.above, 2 * strip.below)
    x = inverse_haar(x, up)
    for style, (depthwise, weight, bias, noise) in ((style0, tensors[:4]), (style1, tensors[4:])):
        x = styled_conv(x, style, depthwise, weight, bias, noise[:, :, read] if add else None)
    first = 2 * (strip.first - strip.above)
    return x[:, :, first : first + 2 * (strip.last - strip.first)]


def picture_rows(x: Tensor, others: Sequence[Tensor], strip: Strip, add: bool) -> Tensor:
    """From the rows of the last block's input that a strip reads to the rows of the picture that it becomes."""
    style, weight, bias, *block = others
    return inverse_haar(scaled_conv(block_rows(x, block, strip, add), style, weight, bias))


class MobileStyleGAN(nn.Module):
    """The generator `face`: z [N, 512] → w_plus [N, 16, 512] → RGB [N, 3, 1024, 1024], about [-1, 1].

    Block `b4` reads w_plus[:, 0], block i of `b8 … b512` the codes 2i+1 and 2i+2, the last 1 × 1
    convolution code 15. Codes 0 … 14 are StyleGAN2-FFHQ's own.
    """

    c_dim = 0
    w_avg: Tensor

    subject: str | None
    digest: str
    has_ffhq_w: bool
    """These three are told by `photodrag.weights.load`."""

    def __init__(self, channels: tuple[int, ...], z_dim: int = 512, w_dim: int = 512, mapping_layers: int = 8) -> None:
        """`channels`: those of b4, b8, … in order; the picture has twice the last block's side."""
        super().__init__()
        self.z_dim, self.w_dim, self.num_ws = z_dim, w_dim, 2 * len(channels)
        self.resolution = 4 * 2 ** len(channels)
        self.mapping_network = Mapping(z_dim, w_dim, mapping_layers)
        self.register_buffer("w_avg", torch.zeros(w_dim))
        self.const = nn.Parameter(torch.empty(1, channels[0], 4, 4))
        self.b4 = StyledConv(channels[0], channels[0], w_dim, 4, separable=False)
        self.blocks = nn.ModuleList(
            Block(c_in, c_out, w_dim, 4 * 2 ** (i + 1)) for i, (c_in, c_out) in enumerate(pairwise(channels))
        )
        self.to_rgb_style = nn.Linear(w_dim, channels[-1])
        self.to_rgb_weight = nn.Parameter(torch.empty(12, channels[-1], 1, 1))
        self.to_rgb_bias = nn.Parameter(torch.empty(12))

    def mapping(self, z: Tensor, c: Tensor | None = None, psi: float = 1.0, cutoff: int | None = None) -> Tensor:
        """Map z [N, z_dim] to w_plus [N, num_ws, w_dim], truncated towards `w_avg` by `psi` in the
        first `cutoff` codes (all of them by default). `c` must be None: the network has no classes."""
        if c is not None:
            raise ValueError("this generator has no classes: leave c out")
        return truncated(self.mapping_network(z), self.w_avg, self.num_ws, psi, cutoff)

    def synthesis(self, w_plus: Tensor, noise: str = "const") -> Tensor:
        """The picture of w_plus [N, num_ws, w_dim]: [N, 3, R, R], RGB, about [-1, 1].

        `noise`: "const" adds the network's own constant noise, "none" leaves it out."""
        x, add, last = self._run(w_plus, len(self.blocks) - 1, noise), adds_noise(noise), self.blocks[-1]
        assert isinstance(last, Block)
        w0, w1, w2 = w_plus[:, -3], w_plus[:, -2], w_plus[:, -1]
        style = self.to_rgb_style(w2) * self.to_rgb_weight.shape[1] ** -0.5
        others = [style, self.to_rgb_weight, self.to_rgb_bias, *last.tensors(w0, w1)]
        return striped(partial(picture_rows, add=add), x, others)

    def features(self, w_plus: Tensor, resolution: int, noise: str = "const") -> Tensor:
        """Block output [N, C, resolution, resolution], for a resolution of 4, 8, … R/2; nothing
        beyond that block is computed, and codes beyond it are not read."""
        count = resolution.bit_length() - 3
        if resolution != 4 << max(count, 0) or not 0 <= count <= len(self.blocks):
            raise ValueError(f"features are there at 4, 8, … {self.resolution // 2}, not at {resolution}")
        return self._run(w_plus, count, noise)

    def codes_read(self, resolution: int) -> int:
        """How many codes, from the coarsest, `features` of that resolution depend on."""
        return codes_read(resolution)

    def style_weights(self) -> list[Tensor]:
        """For each code what takes it to the styles of the layers that read it: [num_ws][C, w_dim]."""
        rows = [self.b4.style.weight]
        for block in self.blocks:
            assert isinstance(block, Block)
            rows += [torch.cat((block.up_style.weight, block.conv0.style.weight)), block.conv1.style.weight]
        return [*rows, self.to_rgb_style.weight]

    def _run(self, w_plus: Tensor, count: int, noise: str) -> Tensor:
        add = adds_noise(noise)
        x = self.const.expand(len(w_plus), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        x = self.b4(x, w_plus[:, 0], add)
        for i, block in enumerate(self.blocks[:count]):
            x = block(x, w_plus[:, 2 * i + 1], w_plus[:, 2 * i + 2], add)
        return x

"""StyleGAN (arXiv 1812.04948): a style sets mean and deviation of every channel of a map that was normalised.

Modules and tensors are called as in NVIDIA's later checkpoints. The weights are as they are used, whatever scales they
were trained with. Of a layer's passes over its map, convolution, blur, noise and bias, activation, statistics, style,
the bias rides on a convolution, and the normalisation on the style: one factor and one offset a channel."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from photodrag.weights.networks.codes import adds_noise, normalised, truncated
from photodrag.weights.networks.growing import GrowingBlock, check_side, doubled, grown
from photodrag.weights.networks.mapped import MappedGenerator
from photodrag.weights.networks.modulated import SLOPE
from photodrag.weights.networks.pictures import as_rgb

LINE = torch.tensor([1.0, 2.0, 1.0]) / 4
"""Of the blur behind an upsampling convolution."""


@dataclass(frozen=True)
class Variant:
    """What differs between the code of NVIDIA and that of rosinality."""

    epsilon: float = 1e-8
    """Of the normalisation of a map."""
    bias_before_blur: bool = False
    """Whether the bias of an upsampling convolution is blurred with its map, which shows at the border."""


class Mapping(nn.Module):
    """z [N, z_dim] and a class → w: normalised together, then (linear, leaky ReLU) a layer."""

    w_avg: Tensor

    def __init__(self, widths: tuple[int, ...], num_ws: int, c_dim: int = 0, embed_dim: int = 0) -> None:
        """`widths`: what the first layer reads (z and the embedded class), then what each layer gives."""
        super().__init__()
        self.z_dim, self.c_dim, self.num_ws = widths[0] - embed_dim, c_dim, num_ws
        self.layers = len(widths) - 1
        if c_dim:
            self.embed = nn.Linear(c_dim, embed_dim, bias=False)
        for i in range(self.layers):
            setattr(self, f"fc{i}", nn.Linear(widths[i], widths[i + 1]))
        self.register_buffer("w_avg", torch.empty(widths[-1]))

    def forward(self, z: Tensor, c: Tensor | None = None, psi: float = 1.0, cutoff: int | None = None) -> Tensor:
        """As the mapping of StyleGAN2 (see mapping.py)."""
        check_class(c, self.c_dim)
        w = normalised(z if c is None else torch.cat((z, self.embed(c)), 1))
        for i in range(self.layers):
            w = F.leaky_relu(getattr(self, f"fc{i}")(w), SLOPE)
        return truncated(w, self.w_avg, self.num_ws, psi, cutoff)


def check_class(c: Tensor | None, c_dim: int) -> None:
    """Raise ValueError where a class is wanted and not given, or given and not wanted."""
    if c is not None and not c_dim:
        raise ValueError("this generator has no classes: leave c out")
    if c is None and c_dim:
        raise ValueError(f"this generator has classes: give c [N, {c_dim}]")


class Layer(nn.Module):
    """A 3 × 3 convolution (none behind the constant), noise, bias, leaky ReLU, normalisation and style."""

    noise_const: Tensor

    def __init__(
        self, in_channels: int, channels: int, w_dim: int, side: int, up: bool, use_noise: bool, variant: Variant
    ) -> None:
        """`in_channels` is 0 where nothing is convolved; `up` doubles the side first."""
        super().__init__()
        self.up, self.variant, self.use_noise = up, variant, use_noise
        self.affine = nn.Linear(w_dim, 2 * channels)
        if in_channels:
            self.weight = nn.Parameter(torch.empty(channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.empty(channels))
        if use_noise:
            self.register_buffer("noise_const", torch.empty(side, side))
            self.noise_strength = nn.Parameter(torch.empty(channels))

    def forward(self, x: Tensor, w: Tensor, noise: bool) -> Tensor:
        """x [N, in, H, W] styled by w [N, w_dim] → [N, channels, R, R]; the constant noise only if `noise`."""
        x = self.convolved(x)
        if noise and self.use_noise:
            x = x.addcmul_(self.noise_const, self.noise_strength[:, None, None])
        x = F.leaky_relu_(x, SLOPE)
        variance, mean = torch.var_mean(x, (2, 3), correction=0)
        scale, shift = self.affine(w).chunk(2, 1)
        scale = (scale + 1) * (variance + self.variant.epsilon).rsqrt()
        return torch.addcmul((shift - mean * scale)[..., None, None], x, scale[..., None, None])

    def convolved(self, x: Tensor) -> Tensor:
        """x, convolved where there is a convolution, with the bias: a map of its own, to be changed in place."""
        if not hasattr(self, "weight"):
            return x + self.bias[:, None, None]
        if not self.up:
            return F.conv2d(x, self.weight, self.bias, padding=1)
        before, after = (self.bias, None) if self.variant.bias_before_blur else (None, self.bias)
        blur = torch.outer(LINE, LINE).to(x).expand(len(self.bias), 1, 3, 3)
        return F.conv2d(doubled(x, self.weight, before), blur, after, padding=1, groups=len(self.bias))


class Block(GrowingBlock):
    """One side of the picture: `b4` from a constant, the others at twice the side of what they get."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        picture_channels: int,
        w_dim: int,
        side: int,
        use_noise: bool,
        variant: Variant,
    ) -> None:
        """`in_channels` is 0 for b4."""
        super().__init__(channels, picture_channels)
        if not in_channels:
            self.const = nn.Parameter(torch.empty(channels, 4, 4))
        self.conv0 = Layer(in_channels, channels, w_dim, side, in_channels > 0, use_noise, variant)
        self.conv1 = Layer(channels, channels, w_dim, side, False, use_noise, variant)

    def forward(self, x: Tensor | None, w: Tensor, noise: bool) -> Tensor:
        """x [N, in, R/2, R/2] (None for b4) and two codes, w [N, 2, w_dim] → [N, channels, R, R]."""
        if x is None:
            x = self.const.expand(len(w), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        return self.conv1(self.conv0(x, w[:, 0], noise), w[:, 1], noise)


class Synthesis(nn.Module):
    """w_plus → picture. Block i reads the codes 2i and 2i + 1."""

    def __init__(
        self,
        channels: tuple[int, ...],
        w_dim: int,
        picture_channels: int = 3,
        lod: float = 0.0,
        use_noise: bool = True,
        variant: Variant = Variant(),
    ) -> None:
        """`channels`: those of b4, b8, … in order; `lod`: how far it has grown (see growing.py)."""
        super().__init__()
        self.lod, self.count, self.resolution = lod, len(channels), 2 << len(channels)
        for i, width in enumerate(channels):
            before = channels[i - 1] if i else 0
            block = Block(before, width, picture_channels, w_dim, 4 << i, use_noise, variant)
            setattr(self, f"b{4 << i}", block)

    def forward(self, w_plus: Tensor, noise: str = "const") -> Tensor:
        """The picture of w_plus [N, num_ws, w_dim]: [N, 3, R, R], RGB, about [-1, 1].

        `noise`: "const" adds the network's own constant noise, "none" leaves it out."""
        return as_rgb(grown(self.outputs(w_plus, noise), self.count, self.lod))

    def features(self, w_plus: Tensor, resolution: int, noise: str = "const") -> Tensor:
        """See StyleGAN1.features."""
        number = check_side(resolution, self.count)
        return next(islice(self.outputs(w_plus, noise), number, None))[1]

    def outputs(self, w_plus: Tensor, noise: str = "const") -> Iterator[tuple[Block, Tensor]]:
        """Every block with what it gives, from b4 on, computed when it is asked for."""
        add, x = adds_noise(noise), None
        for i, block in enumerate(self.children()):
            assert isinstance(block, Block)
            x = block(x, w_plus[:, 2 * i : 2 * i + 2], add)
            yield block, x


class StyleGAN1(MappedGenerator):
    """Its parts: see Mapping and Synthesis."""

    mapping: Mapping
    synthesis: Synthesis

    def features(self, w_plus: Tensor, resolution: int, noise: str = "const") -> Tensor:
        """Block output [N, C, resolution, resolution], styled, for a resolution of 4, 8, … R; nothing beyond that block
        is computed, nor a picture, and codes beyond it are not read."""
        return self.synthesis.features(w_plus, resolution, noise)

    def codes_read(self, resolution: int) -> int:
        """How many codes, from the coarsest, `features` of that resolution depend on: two a block."""
        return 2 * check_side(resolution, self.synthesis.count) + 2

    def style_weights(self) -> list[Tensor]:
        """For each code what takes it to the styles of the layer that reads it: [num_ws][2 · C, w_dim]."""
        blocks = [block for block in self.synthesis.children() if isinstance(block, Block)]
        return [layer.affine.weight for block in blocks for layer in (block.conv0, block.conv1)]

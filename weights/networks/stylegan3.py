"""StyleGAN3 (arXiv 2106.12423), configurations T and R, with or without classes. Modules and tensors are called as in
NVIDIA's checkpoints.

Its layers aren't blocks of one side each: they have rates, samples a picture's side, and most of their maps reach
beyond the picture by a margin, so that nothing in the picture depends on where its border is."""

import copy
import math
from collections.abc import Mapping as Dict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from photodrag.weights.networks import modulated
from photodrag.weights.networks.alias_free import Resampling, filtered_leaky_relu
from photodrag.weights.networks.codes import adds_noise
from photodrag.weights.networks.fourier import FourierInput
from photodrag.weights.networks.mapped import MappedGenerator
from photodrag.weights.networks.mapping import Mapping
from photodrag.weights.networks.modulated import CONV_GAIN, SLOPE, Linear
from photodrag.weights.networks.pictures import as_rgb


class SynthesisLayer(nn.Module):
    """A styled, demodulated convolution and a filtered leaky ReLU."""

    magnitude_ema: Tensor
    up_filter: Tensor
    down_filter: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        w_dim: int,
        kernel: int,
        rate: int,
        how: Resampling,
        is_radial: bool,
        clamp: float | None,
    ) -> None:
        """`rate`: how many of the rows and columns that it gives lie within the picture; `how`: from what the
        convolution gives, `kernel` − 1 rows more than it gets; `is_radial`: whether the filter down is one of two
        dimensions."""
        super().__init__()
        self.rate, self.size, self.clamp = rate, how.out_size, clamp
        self.how, trim = how.trimmed()
        self.border = kernel - 1 - trim
        self.affine = Linear(w_dim, in_channels)
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(out_channels))
        self.register_buffer("magnitude_ema", torch.empty(()))
        self.register_buffer("up_filter", torch.empty(how.up_taps))
        self.register_buffer("down_filter", torch.empty((how.down_taps,) * (2 if is_radial else 1)))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """x [N, in, S, S] styled by w [N, w_dim] → [N, out, size, size]."""
        style: Tensor = self.affine(w)
        energy = self.weight.square().sum((2, 3))
        factor = (style.square() @ energy.t() * self.magnitude_ema).rsqrt()
        if self.border < 0:
            x = F.pad(x, (self.border,) * 4)
        x = F.conv2d(x * style[..., None, None], self.weight, padding=max(self.border, 0))
        x = torch.addcmul(self.bias[:, None, None], x, factor[..., None, None])
        return filtered_leaky_relu(x, (self.up_filter, self.down_filter), self.how, SLOPE, CONV_GAIN, self.clamp)


class ToRGB(modulated.ToRGB):
    """The last layer: a styled 1 × 1 convolution to the picture, at its rate."""

    magnitude_ema: Tensor

    def __init__(self, in_channels: int, w_dim: int, clamp: float | None, channels: int) -> None:
        super().__init__(in_channels, w_dim, clamp, channels)
        self.register_buffer("magnitude_ema", torch.empty(()))

    def gain(self) -> Tensor:
        """That keeps the mean square of what it gets at 1."""
        return self.magnitude_ema.rsqrt()


class Synthesis(nn.Module):
    """w_plus → picture. The input reads code 0, layer i code i + 1."""

    input: FourierInput

    def __init__(
        self, input: FourierInput, layers: Dict[str, SynthesisLayer], torgb: tuple[str, ToRGB], output_scale: float
    ) -> None:
        """`layers` and the last one with their names; `output_scale`: the picture's, by what the last one gives."""
        super().__init__()
        self.output_scale, self.names, self.last = output_scale, tuple(layers), torgb[0]
        self.resolution = list(layers.values())[-1].size
        self.input = input
        for name, layer in (*layers.items(), torgb):
            setattr(self, name, layer)

    def forward(self, w_plus: Tensor, noise: str = "const") -> Tensor:
        """The picture of w_plus [N, num_ws, w_dim]: [N, 3, R, R], RGB, about [-1, 1].

        `noise` is "const" or "none": the network has none."""
        x = self.layers_output(w_plus, len(self.names) - 1, noise)
        return as_rgb(getattr(self, self.last)(x, w_plus[:, -1]) * self.output_scale)

    def features(self, w_plus: Tensor, resolution: int, noise: str = "const") -> Tensor:
        """See StyleGAN3.features."""
        number = self.layer_at(resolution)
        rate, x = self.layer(number).rate, self.layers_output(w_plus, number, noise)
        margin = (x.shape[-1] - rate) // 2
        x = x[:, :, margin : margin + rate, margin : margin + rate]
        if rate == resolution:
            return x
        return F.interpolate(x, size=(resolution, resolution), mode="area" if rate > resolution else "bilinear")

    def layers_output(self, w_plus: Tensor, last: int, noise: str = "const") -> Tensor:
        """What the layer of that number gives, margin and all: [N, C, size, size]."""
        adds_noise(noise)
        x = self.input(w_plus[:, 0])
        for number in range(last + 1):
            x = self.layer(number)(x, w_plus[:, number + 1])
        return x

    def layer(self, number: int) -> SynthesisLayer:
        """The layer of that number, from 0."""
        layer = getattr(self, self.names[number])
        assert isinstance(layer, SynthesisLayer)
        return layer

    def layer_at(self, resolution: int) -> int:
        """The number of the layer whose rate is nearest to a resolution of 4, 8, … R: of several, the first (see
        docs/design-notes.md#which-layer-of-stylegan3)."""
        if resolution not in [4 << i for i in range(self.resolution.bit_length() - 2)]:
            raise ValueError(f"features are there at 4, 8, … {self.resolution}, not at {resolution}")
        return min(range(len(self.names)), key=lambda i: (abs(math.log2(self.layer(i).rate / resolution)), i))


class StyleGAN3(MappedGenerator):
    """Its parts: see Mapping and Synthesis."""

    mapping: Mapping
    synthesis: Synthesis

    def features(self, w_plus: Tensor, resolution: int, noise: str = "const") -> Tensor:
        """What the first layer of the rate nearest to a resolution of 4, 8, … R gives, without its margin:
        [N, C, resolution, resolution]; nothing beyond that layer is computed, and codes beyond it are not read.

        A point means there what it means in the picture: the outermost samples are those of the picture's own border,
        as a block's are in StyleGAN2, for the margin, ten samples or so around them, is left out. The lowest rate is
        mostly 16; a resolution that is no layer's rate is resampled from the nearest one."""
        return self.synthesis.features(w_plus, resolution, noise)

    def codes_read(self, resolution: int) -> int:
        """How many codes, from the coarsest, `features` of that resolution depend on: one for the input, and one a
        layer."""
        return self.synthesis.layer_at(resolution) + 2

    def style_weights(self) -> list[Tensor]:
        """For each code what takes it to the input's transform, to the styles of the layer that reads it, or of the
        last one: [num_ws][C, w_dim]."""
        net = self.synthesis
        layers = [net.layer(number) for number in range(len(net.names))]
        return [layer.affine.weight for layer in (net.input, *layers, getattr(net, net.last))]

    def moved(self, x: float = 0.0, y: float = 0.0, roll: float = 0.0) -> "StyleGAN3":
        """The same network, whose pictures are moved by (x, y) pixels after being turned clockwise by `roll` degrees
        around their middle; what comes in at a border is drawn, and no code changes. Configuration T holds its pictures
        together when they are moved, R when they are turned, too. All weights are shared."""
        tensors = (*self.parameters(), *self.buffers())
        kept = {id(t): t for t in tensors if t is not self.synthesis.input.transform}
        other = copy.deepcopy(self, kept)
        cos, sin = math.cos(math.radians(roll)), math.sin(math.radians(roll))
        x, y = x / self.resolution, y / self.resolution
        way = torch.tensor([[cos, -sin, x], [sin, cos, y], [0, 0, 1]]).to(self.w_avg)
        other.synthesis.input.transform = self.synthesis.input.transform @ torch.linalg.inv(way)
        return other

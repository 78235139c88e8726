"""ProGAN (arXiv 1710.10196): z itself is the code, read once, at the start; every layer is convolution, bias, leaky
ReLU and a normalisation of each pixel over its channels.

Modules and tensors are called as in NVIDIA's later checkpoints, and the weights are as they are used."""

from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from photodrag.weights.networks.codes import adds_noise, normalised
from photodrag.weights.networks.growing import GrowingBlock, check_side, doubled, grown
from photodrag.weights.networks.modulated import SLOPE
from photodrag.weights.networks.pictures import as_rgb
from photodrag.weights.networks.stylegan1 import check_class


def activated(x: Tensor, epsilon: float) -> Tensor:
    """x [N, C, H, W] behind a leaky ReLU, each pixel with a mean square of 1 over its channels. x is changed."""
    x = F.leaky_relu_(x, SLOPE)
    return x * (x.square().mean(1, keepdim=True) + epsilon).rsqrt()


class Dense(nn.Module):
    """A code [N, in] → [N, channels, 4, 4]."""

    def __init__(self, in_features: int, channels: int, epsilon: float) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.empty(16 * channels, in_features))
        self.bias = nn.Parameter(torch.empty(channels))

    def forward(self, w: Tensor) -> Tensor:
        """w [N, in], of any length, for only its direction counts, → [N, channels, 4, 4]."""
        x = F.linear(normalised(w), self.weight).view(len(w), -1, 4, 4) + self.bias[:, None, None]
        return activated(x.contiguous(memory_format=torch.channels_last), self.epsilon)


class Layer(nn.Module):
    """A 3 × 3 convolution, bias, leaky ReLU and normalisation; `up` doubles the side first."""

    def __init__(self, in_channels: int, channels: int, up: bool, epsilon: float) -> None:
        super().__init__()
        self.up, self.epsilon = up, epsilon
        self.weight = nn.Parameter(torch.empty(channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        """x [N, in, H, W] → [N, channels, R, R]."""
        x = doubled(x, self.weight, self.bias) if self.up else F.conv2d(x, self.weight, self.bias, padding=1)
        return activated(x, self.epsilon)


class Block(GrowingBlock):
    """One side of the picture: `b4` from a code, the others at twice the side of what they get."""

    def __init__(self, w_dim: int, in_channels: int, channels: int, picture_channels: int, epsilon: float) -> None:
        """`in_channels` is 0 for b4, which reads `w_dim` numbers."""
        super().__init__(channels, picture_channels)
        if in_channels:
            self.conv0 = Layer(in_channels, channels, True, epsilon)
        else:
            self.dense = Dense(w_dim, channels, epsilon)
        self.conv1 = Layer(channels, channels, False, epsilon)

    def forward(self, x: Tensor) -> Tensor:
        """A code [N, w_dim] for b4, else x [N, in, R/2, R/2] → [N, channels, R, R]."""
        return self.conv1(self.dense(x) if x.dim() == 2 else self.conv0(x))


class Synthesis(nn.Module):
    """A code → picture."""

    def __init__(
        self, channels: tuple[int, ...], w_dim: int, picture_channels: int = 3, lod: float = 0.0, epsilon: float = 1e-8
    ) -> None:
        """`channels`: those of b4, b8, … in order; `lod`: how far it has grown (see growing.py); `epsilon`: of the
        normalisation of pixels."""
        super().__init__()
        self.lod, self.count, self.resolution, self.w_dim = lod, len(channels), 2 << len(channels), w_dim
        for i, width in enumerate(channels):
            block = Block(w_dim, channels[i - 1] if i else 0, width, picture_channels, epsilon)
            setattr(self, f"b{4 << i}", block)

    def forward(self, w_plus: Tensor, noise: str = "const") -> Tensor:
        """The picture of w_plus [N, 1, w_dim]: [N, 3, R, R], RGB, about [-1, 1].

        `noise` is "const" or "none": the network has none."""
        return as_rgb(grown(self.outputs(w_plus, noise), self.count, self.lod))

    def features(self, w_plus: Tensor, resolution: int, noise: str = "const") -> Tensor:
        """See ProGAN.features."""
        number = check_side(resolution, self.count)
        return next(islice(self.outputs(w_plus, noise), number, None))[1]

    def outputs(self, w_plus: Tensor, noise: str = "const") -> Iterator[tuple[Block, Tensor]]:
        """Every block with what it gives, from b4 on, computed when it is asked for."""
        adds_noise(noise)
        x = w_plus[:, 0]
        for block in self.children():
            assert isinstance(block, Block)
            x = block(x)
            yield block, x


class ProGAN(nn.Module):
    """A generator: z [N, z_dim] → w_plus [N, 1, w_dim] → RGB [N, 3, R, R], about [-1, 1].

    Its code is z, normalised, with the class behind it if there are classes: there is no w, and only a code's direction
    counts, so its codes lie on a sphere. `synthesis(w_plus, noise)` is a module: see Synthesis."""

    num_ws = 1

    subject: str | None
    digest: str
    has_ffhq_w: bool
    """These three are told by `photodrag.weights.load`."""

    def __init__(self, synthesis: Synthesis, c_dim: int = 0) -> None:
        super().__init__()
        self.synthesis, self.resolution, self.c_dim = synthesis, synthesis.resolution, c_dim
        self.w_dim, self.z_dim = synthesis.w_dim, synthesis.w_dim - c_dim

    @property
    def w_avg(self) -> Tensor:
        """The mean code [w_dim], 0: no code of random z lies anywhere near it."""
        return torch.zeros_like(self.synthesis.get_submodule("b4.dense").get_parameter("weight")[0])

    def mapping(self, z: Tensor, c: Tensor | None = None, psi: float = 1.0, cutoff: int | None = None) -> Tensor:
        """z [N, z_dim] and a class c [N, c_dim] as a code w_plus [N, 1, w_dim]: side by side, normalised together.
        Truncation shortens it, which changes no picture. Raises ValueError where c is wanted and not given, or given
        and not wanted."""
        check_class(c, self.c_dim)
        code = normalised(z if c is None else torch.cat((z, c), 1)).unsqueeze(1)
        return code if cutoff == 0 else code * psi

    def features(self, w_plus: Tensor, resolution: int, noise: str = "const") -> Tensor:
        """Block output [N, C, resolution, resolution], for a resolution of 4, 8, … R; nothing beyond that block is
        computed, nor a picture."""
        return self.synthesis.features(w_plus, resolution, noise)

    def codes_read(self, resolution: int) -> int:
        """The one code, at every resolution."""
        check_side(resolution, self.synthesis.count)
        return 1

    def style_weights(self) -> list[Tensor]:
        """What takes the one code to the map of 4 × 4, for there are no styles: [1][16 · C, w_dim]."""
        return [self.synthesis.get_submodule("b4.dense").get_parameter("weight")]

"""StyleGAN2 (arXiv 1912.04958; with ADA, arXiv 2006.06676): any resolution, with or without classes, in
its three architectures. Modules and tensors are called as in NVIDIA's PyTorch checkpoints.
"""

from collections.abc import Iterator
from functools import partial
from itertools import islice

import torch
from torch import Tensor, nn

from photodrag.weights.networks.codes import adds_noise, codes_read
from photodrag.weights.networks.mapped import MappedGenerator
from photodrag.weights.networks.mapping import Mapping
from photodrag.weights.networks.modulated import Skip, SynthesisLayer, ToRGB, upsampled
from photodrag.weights.networks.pictures import as_rgb


class Block(nn.Module):
    """One side of the picture: `b4` from a constant, the others at twice the side of what they get."""

    resample_filter: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        w_dim: int,
        resolution: int,
        architecture: str,
        to_rgb: bool,
        picture_channels: int,
        clamp: float | None,
        use_fp16: bool,
        use_noise: bool,
    ) -> None:
        """`in_channels` is 0 for b4; `use_fp16`: in half precision where that is fast."""
        super().__init__()
        self.use_fp16 = use_fp16
        residual = architecture == "resnet" and in_channels > 0
        gain = 0.5**0.5 if residual else 1.0
        layer = partial(SynthesisLayer, w_dim=w_dim, resolution=resolution, clamp=clamp, use_noise=use_noise)
        self.register_buffer("resample_filter", torch.empty(4, 4))
        if in_channels:
            self.conv0 = layer(in_channels, out_channels, up=True)
        else:
            self.const = nn.Parameter(torch.empty(out_channels, 4, 4))
        self.conv1 = layer(out_channels, out_channels, gain=gain)
        self.torgb = ToRGB(out_channels, w_dim, clamp, picture_channels) if to_rgb else None
        self.skip = Skip(in_channels, out_channels, gain) if residual else None

    def forward(self, x: Tensor | None, w: Tensor, noise: bool) -> Tensor:
        """x [N, in, R/2, R/2] (None for b4) and a code a convolution, w [N, 1 or 2, w_dim] → [N, out, R, R]."""
        if x is None:
            x = self.const.expand(len(w), -1, -1, -1).contiguous(memory_format=torch.channels_last)
            return self.conv1(x, w[:, 0], noise)
        x = x.to(torch.float16 if self.use_fp16 and has_fast_half(x.device) else w.dtype)
        past = self.skip(x) if self.skip is not None else None
        x = self.conv1(self.conv0(x, w[:, 0], noise), w[:, 1], noise)
        return x if past is None else x + past

    def add_rgb(self, image: Tensor | None, x: Tensor, w: Tensor) -> Tensor | None:
        """The image so far [N, 3, R/2, R/2] (or of other channels; None before the first) grown to R × R, with what
        this block's x [N, out, R, R] adds to it by the code w [N, w_dim]."""
        if image is not None:
            image = upsampled(image, self.resample_filter)
        if self.torgb is None:
            return image
        rgb = self.torgb(x, w).to(w.dtype)
        return rgb if image is None else image + rgb


class Synthesis(nn.Module):
    """w_plus → picture. Block i reads the codes 2i−1 and 2i, and 2i+1 for its RGB; b4 reads 0, and 1."""

    def __init__(
        self,
        channels: tuple[int, ...],
        w_dim: int,
        architecture: str = "skip",
        clamp: float | None = None,
        num_fp16_res: int = 0,
        use_noise: bool = True,
        picture_channels: int = 3,
    ) -> None:
        """`channels`: those of b4, b8, … in order; `picture_channels`: of the picture (see pictures.py)."""
        super().__init__()
        last = len(channels) - 1
        self.resolution = 4 << last
        for i, out_channels in enumerate(channels):
            to_rgb = architecture == "skip" or i == last
            use_fp16 = 1 <= i > last - num_fp16_res
            in_channels = channels[i - 1] if i else 0
            block = Block(
                in_channels,
                out_channels,
                w_dim,
                4 << i,
                architecture,
                to_rgb,
                picture_channels,
                clamp,
                use_fp16,
                use_noise=use_noise,
            )
            setattr(self, f"b{4 << i}", block)

    def forward(self, w_plus: Tensor, noise: str = "const") -> Tensor:
        """The picture of w_plus [N, num_ws, w_dim]: [N, 3, R, R], RGB, about [-1, 1].

        `noise`: "const" adds the network's own constant noise, "none" leaves it out."""
        image: Tensor | None = None
        for i, (block, x) in enumerate(self._outputs(w_plus, noise)):
            image = block.add_rgb(image, x, w_plus[:, 2 * i + 1])
        assert image is not None  # the last block has an RGB layer in every architecture
        return as_rgb(image)

    def features(self, w_plus: Tensor, resolution: int, noise: str = "const") -> Tensor:
        """See StyleGAN2.features."""
        blocks = len(list(self.children()))
        count = resolution.bit_length() - 2
        if resolution != 2 << max(count, 0) or not 1 <= count <= blocks:
            raise ValueError(f"features are there at 4, 8, … {self.resolution}, not at {resolution}")
        _, x = next(islice(self._outputs(w_plus, noise), count - 1, None))
        return x.to(w_plus.dtype)

    def _outputs(self, w_plus: Tensor, noise: str) -> Iterator[tuple[Block, Tensor]]:
        """Every block with what it gives, from b4 on, computed when it is asked for."""
        add, x = adds_noise(noise), None
        for i, block in enumerate(self.children()):
            assert isinstance(block, Block)
            x = block(x, w_plus[:, max(2 * i - 1, 0) : 2 * i + 1], add)
            yield block, x


def has_fast_half(device: torch.device) -> bool:
    """Whether half precision is worth its loss there: on a CPU it is slower."""
    return device.type == "cuda"


class StyleGAN2(MappedGenerator):
    """Its parts: see Mapping and Synthesis."""

    mapping: Mapping
    synthesis: Synthesis

    def __init__(self, mapping: Mapping, synthesis: Synthesis, num_fp16_res: int = 0) -> None:
        """`num_fp16_res`: how many of the last blocks are in half precision on a GPU."""
        super().__init__(mapping, synthesis)
        self.num_fp16_res = num_fp16_res

    def features(self, w_plus: Tensor, resolution: int, noise: str = "const") -> Tensor:
        """Block output [N, C, resolution, resolution], for a resolution of 4, 8, … R; nothing beyond
        that block is computed, nor an RGB, and codes beyond it are not read."""
        return self.synthesis.features(w_plus, resolution, noise)

    def codes_read(self, resolution: int) -> int:
        """How many codes, from the coarsest, `features` of that resolution depend on."""
        return codes_read(resolution)

    def style_weights(self) -> list[Tensor]:
        """For each code what takes it to the styles of the convolution that reads it, or of the last RGB layer:
        [num_ws][C, w_dim]."""
        blocks = [block for block in self.synthesis.children() if isinstance(block, Block)]
        layers = [layer for block in blocks for layer in (getattr(block, "conv0", None), block.conv1) if layer]
        last = blocks[-1].torgb
        assert last is not None  # the last block has an RGB layer in every architecture
        return [layer.affine.weight for layer in (*layers, last)]

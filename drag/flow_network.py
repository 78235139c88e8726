"""Optical flow by a small network of this project's own, whose gradient a drag can follow (`--method flow`).

It is built as PWC-Net is (Sun et al., arXiv 1709.02371), with a fortieth of its weights: features of both pictures at
three scales; at each, from coarse to fine, the second's are warped by the flow so far and compared with the first's
around each place, and the flow is corrected by what fits best. Where that lies, the mean of the places weighed by how
well they fit already says roughly; convolutions say the rest. It was fitted by tests/bench/fit_flow.py on pictures of
the generator `face`, bent in known ways."""

from functools import cache
from importlib.resources import files

import torch
from safetensors.torch import load as read_safetensors
from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS = (32, 48, 64)
"""Of the features at a quarter, an eighth and a sixteenth of the picture's side."""
STRIDES = (4, 8, 16)
REACH = 2
"""How many cells around a place are looked at, either way, at each scale."""
SHARPNESS = 12.0
"""Of the weights of places: of the cosine between two features, before it is fitted."""
SLOPE = 0.1


class FlowNet(nn.Module):
    """Two pictures [N, 3, H, W], RGB, [-1, 1], sides multiples of 16 → the flow [N, 2, H/4, W/4] from the first to the
    second: how far (x, y), in pixels of these pictures, what is there in the first has moved."""

    def __init__(self) -> None:
        super().__init__()
        stages, before = [], 12
        for width in CHANNELS:
            stages.append(nn.Sequential(_conv(before, width, 2), _conv(width, width)))
            before = width
        self.features = nn.ModuleList(stages)
        self.correct = nn.ModuleList(
            nn.Sequential(_conv((2 * REACH + 1) ** 2 + c + 4, 48), _conv(48, 32), nn.Conv2d(32, 2, 3, padding=1))
            for c in CHANNELS
        )
        self.sharpness = nn.Parameter(torch.full((len(CHANNELS),), SHARPNESS))
        for correct in self.correct:
            assert isinstance(correct, nn.Sequential)
            nn.init.zeros_(correct[-1].weight)  # type: ignore[arg-type]
            nn.init.zeros_(correct[-1].bias)  # type: ignore[arg-type]

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """The flow at a quarter of the side, [N, 2, H/4, W/4]."""
        return self.scales(first, second)[-1]

    def scales(self, first: Tensor, second: Tensor) -> list[Tensor]:
        """The flow as it is known at each scale, coarse to fine, [N, 2, h, w], in pixels of the pictures."""
        x, pyramid = F.pixel_unshuffle(torch.cat((first, second)), 2), []
        for stage in self.features:
            x = stage(x)
            pyramid.append(F.normalize(x, dim=1).chunk(2))
        flows: list[Tensor] = []
        for (a, b), stride, correct, sharpness in reversed(
            [*zip(pyramid, STRIDES, self.correct, self.sharpness, strict=True)]
        ):
            flow = _enlarged(flows[-1]) if flows else torch.zeros_like(a[:, :2])
            cost = correlation(a, warped(b, flow / stride))
            near = (cost * sharpness).softmax(1)
            step = torch.einsum("nkhw,kc->nchw", near, places(a.device).to(a))
            known = torch.cat((cost, a, flow / stride, step), 1)
            flows.append(flow + stride * (step + correct(known)))
        return flows


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """The products of features a [N, C, H, W] with those of b at `places` around: [N, K, H, W]."""
    height, width = a.shape[-2:]
    padded = F.pad(b, [REACH] * 4)
    at = range(2 * REACH + 1)
    return torch.stack([(a * padded[:, :, y : y + height, x : x + width]).sum(1) for y in at for x in at], 1)


def places(device: torch.device) -> Tensor:
    """The offsets (x, y) [K, 2] that are looked at, in cells, row by row."""
    axis = torch.arange(-REACH, REACH + 1, device=device)
    return torch.cartesian_prod(axis, axis).flip(1)


def warped(b: Tensor, cells: Tensor) -> Tensor:
    """b [N, C, H, W], read where `cells` [N, 2, H, W], in cells, leads; beyond the border the nearest."""
    height, width = b.shape[-2:]
    y, x = torch.meshgrid(*(torch.arange(n, device=b.device, dtype=b.dtype) for n in (height, width)), indexing="ij")
    at = torch.stack(((x + cells[:, 0] + 0.5) * (2 / width) - 1, (y + cells[:, 1] + 0.5) * (2 / height) - 1), -1)
    return F.grid_sample(b, at, padding_mode="border", align_corners=False)


def _conv(before: int, after: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1), nn.LeakyReLU(SLOPE))


def _enlarged(flow: Tensor) -> Tensor:
    return F.interpolate(flow, scale_factor=2, mode="bilinear", align_corners=False)


@cache
def small_network() -> FlowNet:
    """The fitted network, on the CPU, float32, its weights without gradients."""
    data = files("photodrag.drag").joinpath("flow_network.safetensors").read_bytes()
    network = FlowNet()
    network.load_state_dict({name: tensor.float() for name, tensor in read_safetensors(data).items()})
    return network.eval().requires_grad_(False)

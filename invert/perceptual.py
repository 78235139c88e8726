"""Perceptual distances: how different two pictures look, as a trained network sees them.

`st-lpips-vgg` (the default) and `st-lpips-alex` are shift-tolerant LPIPS (Ghildyal & Liu,
arXiv 2207.13686); `lpips-vgg` and `lpips-alex` are the package `lpips` (Zhang et al.,
arXiv 1801.03924).

Each is a weighted squared distance between unit feature vectors, averaged over a layer's map and
summed over five layers. `maps` gives the vectors with the weights' square roots multiplied in: a
target's maps can be kept, and a distance is a plain squared difference.
"""

import copy
from collections.abc import Callable, Iterable
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from photodrag import weights

NAMES = ("st-lpips-vgg", "st-lpips-alex", "lpips-vgg", "lpips-alex")


def load(
    name: str = "st-lpips-vgg", device: str | torch.device = "cpu", progress: Callable[[str], None] | None = None
) -> "PerceptualDistance":
    """The perceptual distance of that name, in eval mode, float32, with no gradients for its weights.
    `progress` is told of fetching and converting, on first use.

    Raises UserError for an unknown name and for weights that are neither here nor can be fetched."""
    if name not in NAMES:
        raise weights.UserError(f"There is no perceptual distance {name!r}; choose one of {', '.join(NAMES)}.")
    distance: PerceptualDistance
    if name.startswith("st-"):
        distance = ShiftTolerantLPIPS(name.rpartition("-")[2])
        distance.load_state_dict(weights.state(name, progress))
    else:
        weights.get(name, progress)
        distance = ClassicLPIPS(name.rpartition("-")[2])
    distance.name = name
    distance.eval().requires_grad_(False).to(device)
    return distance.to(memory_format=torch.channels_last)


def compare(a: list[Tensor], b: list[Tensor]) -> Tensor:
    """Distances [N] between pictures given by their maps."""
    return torch.stack([(x - y).square().sum(1).mean((1, 2)) for x, y in zip(a, b, strict=True)]).sum(0)


class PerceptualDistance(nn.Module):
    """A perceptual distance is made of `layers` and `root_weights`."""

    name: str

    def layers(self, image: Tensor) -> list[Tensor]:
        """The picture [N, 3, H, W] in [-1, 1] as five maps of features [N, C, h, w]."""
        raise NotImplementedError

    def root_weights(self) -> Iterable[Tensor]:
        """For each layer the square roots of its weights, [1, C, 1, 1]."""
        raise NotImplementedError

    @property
    def quick(self) -> "PerceptualDistance":
        """The same distance for a loss, cheaper where this machine can do that; here it is itself."""
        return self

    def maps(self, image: Tensor) -> list[Tensor]:
        """The picture [N, 3, H, W] in [-1, 1] as five maps [N, C, h, w] of weighted unit vectors."""
        return [
            F.normalize(x, eps=1e-10) * scale for x, scale in zip(self.layers(image), self.root_weights(), strict=True)
        ]

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Distances [N] between pictures [N, 3, H, W] in [-1, 1]; 0 for equal ones."""
        return compare(self.maps(a), self.maps(b))


class BlurPool(nn.Module):
    """Blur by [1, 2, 1] in both directions, then keep every second pixel."""

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] at half its sides."""
        tap = x.new_tensor([1, 2, 1]) / 4
        kernel = (tap[:, None] * tap).expand(x.shape[1], 1, 3, 3)
        return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), kernel, stride=2, groups=x.shape[1])


class ShiftTolerantLPIPS(PerceptualDistance):
    """LPIPS on a trunk, `vgg` or `alex`, whose pooling blurs before it drops pixels."""

    shift: Tensor
    scale: Tensor

    def __init__(self, trunk: str):
        super().__init__()
        self.slices = nn.ModuleList(vgg() if trunk == "vgg" else alex())
        self.scales = nn.ParameterList(torch.empty(1, c, 1, 1) for c in CHANNELS[trunk])
        self.register_buffer("shift", torch.empty(1, 3, 1, 1))
        self.register_buffer("scale", torch.empty(1, 3, 1, 1))

    def layers(self, image: Tensor) -> list[Tensor]:
        """The picture [N, 3, H, W] in [-1, 1] as five maps of features [N, C, h, w]."""
        x = ((image - self.shift) / self.scale).contiguous(memory_format=torch.channels_last)
        x, outputs = x.to(next(self.slices.parameters()).dtype), []
        for part in self.slices:
            x = part(x)
            outputs.append(x.float())
        return outputs

    def root_weights(self) -> Iterable[Tensor]:
        """For each layer the square roots of its weights, [1, C, 1, 1]."""
        return self.scales

    @cached_property
    def quick(self) -> PerceptualDistance:
        """With its trunk in bfloat16, where the processor multiplies these natively: a third less time, gradients
        that differ by 5 %, and reconstructions as good."""
        if self.shift.device.type != "cpu" or not multiplies_bfloat16():
            return self
        other = copy.deepcopy(self)
        other.slices.to(torch.bfloat16)
        return other


def multiplies_bfloat16() -> bool:
    """Whether this machine's processor has instructions for products of bfloat16 matrices; others emulate them."""
    known: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()  # not in every PyTorch
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


CHANNELS = {"vgg": (64, 128, 256, 512, 512), "alex": (64, 192, 384, 256, 256)}


def vgg() -> list[nn.Module]:
    """VGG-16's five slices, each but the first behind a max pooling of stride 1 and a blur."""
    slices: list[nn.Module] = []
    c_in = 3
    for c_out, depth in zip(CHANNELS["vgg"], (2, 2, 3, 3, 3), strict=True):
        part: list[nn.Module] = [] if c_in == 3 else [nn.MaxPool2d(2, 1), BlurPool()]
        for _ in range(depth):
            part += [nn.Conv2d(c_in, c_out, 3, padding=1), nn.ReLU(inplace=True)]
            c_in = c_out
        slices.append(nn.Sequential(*part))
    return slices


def alex() -> list[nn.Module]:
    """AlexNet's five slices, every stride replaced by a blur."""

    def pool() -> tuple[nn.Module, nn.Module]:
        return nn.MaxPool2d(3, 1), BlurPool()

    return [
        nn.Sequential(nn.Conv2d(3, 64, 11, padding=2), BlurPool(), nn.ReLU(inplace=True)),
        nn.Sequential(*pool(), nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(inplace=True)),
        nn.Sequential(*pool(), nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(inplace=True)),
        nn.Sequential(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(inplace=True)),
        nn.Sequential(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(inplace=True)),
    ]


class ClassicLPIPS(PerceptualDistance):
    """The package `lpips`, seen as maps. `backbone=False` leaves the trunk untrained, for tests."""

    def __init__(self, trunk: str, backbone: bool = True):
        super().__init__()
        import lpips

        self.net = lpips.LPIPS(net=trunk, verbose=False, pnet_rand=not backbone)
        for i, lin in enumerate(self.net.lins):
            self.register_buffer(f"scale{i}", lin.model[-1].weight.detach().clamp_min(0).sqrt())

    def root_weights(self) -> list[Tensor]:
        """For each layer the square roots of its weights, [1, C, 1, 1]."""
        return [getattr(self, f"scale{i}") for i in range(len(self.net.lins))]

    def layers(self, image: Tensor) -> list[Tensor]:
        """The picture [N, 3, H, W] in [-1, 1] as five maps of features [N, C, h, w]."""
        return list(self.net.net(self.net.scaling_layer(image)))

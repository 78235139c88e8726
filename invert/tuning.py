"""Pivotal tuning (Roich et al., arXiv 2106.05744): the synthesis network learns the one person, around a code
that stays where it is, near the natural ones.

What differs from the published method: each tensor moves in steps of its own size, so that one rate fits
the layers of any generator; the face counts by itself; and two kinds of weights stay. Noise maps are
fixed to places of the picture, and what they learnt would stick there while the face moves. The matrices
that take w to styles say what moving a code does: their biases alone can say who it is, and with the
matrices tuned, too, nothing came nearer."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from photodrag.invert import perceptual
from photodrag.invert.crop import Crop, whole_view
from photodrag.invert.perceptual import PerceptualDistance
from photodrag.invert.schedule import learning_rate
from photodrag.invert.views import Views, mean_square
from photodrag.weights import Generator
from photodrag.weights.common.adam import Adam
from photodrag.weights.common.bounds import MOST_STEPS, check_numbers
from photodrag.weights.common.errors import Failure

KEPT = ("mapping", ".noise", "style.weight", "affine.weight")
"""Parts of the names of tensors that aren't tuned."""


@dataclass(frozen=True)
class TuneSettings:
    """Chosen on the astronaut and a portrait with glasses and moustache."""

    steps: int = 54
    lr: float = 0.007
    """Adam's, as a share of a tensor's root mean square (0.003 is too slow; 0.01 without a long warm-up blows up)."""
    beta1: float = 0.9
    beta2: float = 0.99
    warm_up: float = 0.25
    cool_down: float = 0.5
    """Shares of the steps over which lr rises, and falls by a cosine."""
    whole: int = 128
    face: int = 224
    """Sides of the views (see Views)."""
    face_weight: float = 1.0
    whole_weight: float = 0.5
    pixel_weight: float = 3.0
    """Of the mean squared error at full size (PTI: 1, after which hair and background were still another's)."""
    locality: float = 0.0
    """Of the regulariser that keeps other faces as they were (PTI: 0.1, and off as here, for a generator
    that is tuned for one photo); it makes a step three times as long."""
    locality_radius: float = 30.0
    """How far from the pivot those faces lie, in w (PTI: 30)."""

    def __post_init__(self) -> None:
        shares = {name: (0, 1) for name in ("beta1", "beta2", "warm_up", "cool_down")}
        check_numbers(self, steps=(1, MOST_STEPS), whole=(1, 4096), face=(1, 4096), **shares)


NO_NUMBER = (
    "The generator was not tuned: how far its picture is from the photo is no finite number; "
    "leave --tune out, or give another generator, or --device cpu."
)


def tuned(generator: Generator, deltas: dict[str, Tensor]) -> Generator:
    """The generator with `deltas` added to its weights: a copy that shares all others with it, so that the
    generator itself never changes, whatever happens meanwhile. Without deltas it is the generator.

    Raises ValueError for deltas of another network."""
    if not deltas:
        return generator
    if wrong := mismatched_deltas(generator, deltas):
        raise ValueError(f"the deltas are another network's: it has no {wrong[0]} of that shape")
    module = as_module(generator)
    shared: dict[int, Tensor] = {id(weight): weight for name, weight in module.named_parameters() if name not in deltas}
    shared |= {id(buffer): buffer for buffer in module.buffers()}
    other = copy.deepcopy(generator, shared)
    for name, weight in as_module(other).named_parameters():
        if name in deltas:
            weight.data = weight.data + deltas[name].to(weight)
    return other


def mismatched_deltas(generator: Generator, deltas: dict[str, Tensor]) -> list[str]:
    """The names of those deltas that are another network's, or of another size there."""
    sizes = {name: weight.shape for name, weight in as_module(generator).named_parameters()}
    return [name for name, delta in deltas.items() if sizes.get(name) != delta.shape]


def as_module(generator: Generator) -> nn.Module:
    """The generator as the module whose weights are tuned. Raises TypeError for one that is no PyTorch network."""
    if not isinstance(generator, nn.Module):
        raise TypeError(f"{type(generator).__name__} has no weights that could be tuned")
    return generator


@dataclass(frozen=True, eq=False)
class TuneState:
    """After `step` of `steps` steps. `tune` goes on from here as if it had never stopped."""

    step: int
    steps: int
    loss: float
    values: dict[str, Tensor]
    """Of the tensors that are tuned, by name, and Adam's moments of each."""
    first: dict[str, Tensor]
    second: dict[str, Tensor]
    best: float
    """The least loss so far, and the deltas that gave it, in float16."""
    deltas: dict[str, Tensor]
    seconds: float


@dataclass(frozen=True, eq=False)
class Tuning:
    """What is to be added to the generator's weights (see `tuned`), from the best step."""

    deltas: dict[str, Tensor]
    """By the weights' names, float16."""
    loss: float
    steps: int
    seconds: float


def tune(
    generator: Generator,
    w_plus: Tensor,
    crop: Crop,
    distance: PerceptualDistance | None = None,
    settings: TuneSettings = TuneSettings(),
    progress: Callable[[TuneState], None] | None = None,
    resume: TuneState | None = None,
) -> Tuning:
    """Weights with which the picture of w_plus [1, num_ws, w_dim] is the crop [1, 3, R, R], R the generator's
    resolution. The generator itself stays as it is.

    `distance` is st-lpips-vgg where none is given. `progress` is called after every step; any of its states
    can be given as `resume`. On a CPU the same pivot gives the same weights, with or without a stop between.
    Raises Failure where the loss is no finite number from the start, or a weight comes to be none."""
    began, s = time.monotonic(), settings
    distance = distance or perceptual.load("st-lpips-vgg", crop.image.device)
    pivots = {name: weight for name, weight in as_module(generator).named_parameters() if is_tuned(name)}
    sizes = {name: weight.square().mean().sqrt() for name, weight in pivots.items()}
    network = tuned(generator, {name: torch.zeros_like(weight) for name, weight in pivots.items()})
    tensors = as_module(network).named_parameters()
    weights = {name: weight.requires_grad_() for name, weight in tensors if is_tuned(name)}
    optimisers = {name: Adam(s.beta1, s.beta2) for name in weights}
    views, best, start, spent = Views(crop, distance, s.whole, s.face), math.inf, 0, 0.0
    deltas: dict[str, Tensor] = {}
    if resume:
        best, deltas, start, spent = resume.best, resume.deltas, resume.step, resume.seconds
        for name, adam in optimisers.items():
            weights[name].data = resume.values[name]
            adam.t, adam.m, adam.v = resume.step, resume.first[name], resume.second[name]
    for step in range(start, s.steps):
        with torch.enable_grad():
            value = loss(network.synthesis(w_plus), crop, views, s)
            if s.locality:
                value = value + s.locality * locality_loss(network, generator, w_plus, distance, step, s)
            gradients = torch.autograd.grad(value, list(weights.values()))
        if value.item() < best:
            best, deltas = value.item(), {n: (weight.detach() - pivots[n]).half() for n, weight in weights.items()}
        if not math.isfinite(best):
            raise Failure(NO_NUMBER)
        rate = learning_rate((step + 1) / s.steps, s)
        for (name, weight), gradient in zip(weights.items(), gradients, strict=True):
            weight.data = weight.data - rate * sizes[name] * optimisers[name](gradient)
        if progress:
            values = {name: weight.data for name, weight in weights.items()}
            first, second = ({name: getattr(adam, m) for name, adam in optimisers.items()} for m in "mv")
            took = spent + time.monotonic() - began
            progress(TuneState(step + 1, s.steps, value.item(), values, first, second, best, deltas, took))
    if not all(delta.isfinite().all() for delta in deltas.values()):  # too large for float16
        raise Failure(NO_NUMBER)
    return Tuning(deltas, best, s.steps, spent + time.monotonic() - began)


def is_tuned(name: str) -> bool:
    """Whether the tensor of that name is tuned."""
    return not any(part in name for part in KEPT)


def loss(image: Tensor, crop: Crop, views: Views, s: TuneSettings) -> Tensor:
    """What is minimised: distances on face and whole, and the full-size mean squared error; of what counts alone."""
    face, whole, _ = views.compare(image)
    pixels = mean_square(image, crop.image, crop.weight)
    return s.face_weight * face + s.whole_weight * whole + s.pixel_weight * pixels


def locality_loss(
    network: Generator, generator: Generator, w_plus: Tensor, distance: PerceptualDistance, seed: int, s: TuneSettings
) -> Tensor:
    """PTI's locality regulariser (§3.3): how far the picture of a code near the pivot has moved from the
    generator's own, in perceptual distance and pixels."""
    z = torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(seed)).to(w_plus)
    way = generator.mapping(z) - w_plus
    near = w_plus + s.locality_radius * way / way.norm(dim=-1, keepdim=True)
    with torch.no_grad():
        own = generator.synthesis(near)
    image = network.synthesis(near)
    a, b = whole_view(image, s.whole), whole_view(own, s.whole)
    return distance(a, b).sum() + (image - own).square().mean()

"""Projection of a crop into W+ (StyleGAN2, arXiv 1912.04958, §5), by perceptual distance.

What differs from the published method: the start is not w_avg but a code read off the crop (start.py);
the variable is the whitened code, in which a prior keeps the code natural, and so editable (as II2S,
arXiv 2012.09036, does in its P-norm space), turned to the axes along which pictures differ most
(weights/axes.py), for Adam scales each by itself; and the views go from coarse to fine. A face view of full
resolution from the first step on ends lower and looks worse: waxen, without moustache or glasses."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from photodrag.invert import perceptual
from photodrag.invert.crop import Crop
from photodrag.invert.perceptual import PerceptualDistance
from photodrag.invert.start import starting_codes
from photodrag.invert.views import Views
from photodrag.weights import LatentSpace, latent_space, sensitive_axes
from photodrag.weights.adam import Adam


@dataclass(frozen=True)
class Stage:
    """Some steps on one pair of views (see Views)."""

    steps: int
    whole: int
    face: int | None = None


@dataclass(frozen=True)
class ProjectSettings:
    """Chosen on the astronaut and six portraits, for the cost of about 120 pictures with their gradients."""

    stages: tuple[Stage, ...] = (Stage(20, 128), Stage(44, 96, 224))
    face_weight: float = 1.15
    whole_weight: float = 0.5
    pixel_weight: float = 0.12
    """Of the views' mean squared errors; with 1.0 a white moustache was averaged away."""
    prior: float = 0.001
    """Of the mean square of the whitened code, which is 1 for a natural one."""
    lr: float = 0.1
    """Adam's, on the whitened code (0.15 is faster, and less like the person)."""
    beta1: float = 0.8
    beta2: float = 0.99
    warm_up: float = 0.05
    cool_down: float = 0.35
    """Shares of all steps over which lr rises, and falls by a cosine (StyleGAN2: 0.05 and 0.25)."""
    patience: int = 15
    """Steps of a stage without a better loss after which it ends."""


@dataclass(frozen=True, eq=False)
class ProjectState:
    """After `step` of at most `steps` steps."""

    step: int
    steps: int
    w_plus: Tensor
    loss: float


@dataclass(frozen=True, eq=False)
class Projection:
    """The code w_plus [1, num_ws, w_dim] of the last stage's best step."""

    w_plus: Tensor
    loss: float
    steps: int
    seconds: float


def project(
    generator,
    crop: Crop,
    distance: PerceptualDistance | None = None,
    settings: ProjectSettings = ProjectSettings(),
    space: LatentSpace | None = None,
    progress: Callable[[ProjectState], None] | None = None,
) -> Projection:
    """The code whose picture looks like the crop [1, 3, R, R], R the generator's resolution.

    `distance` is st-lpips-vgg where none is given, `space` the generator's whitened space. `progress` is
    called after every step. Nothing is random: on a CPU the same crop gives the same code."""
    began, s = time.monotonic(), settings
    distance = distance or perceptual.load("st-lpips-vgg", crop.image.device)
    space = space or latent_space(generator)
    axes = sensitive_axes(space)
    space = space if axes is None else space.turned(axes)
    total, before, taken = sum(stage.steps for stage in s.stages), 0, 0
    optimiser, p = Adam(s.beta1, s.beta2), None
    for stage in s.stages:
        views = Views(crop, distance, stage.whole, stage.face)
        if p is None:
            p = best_start(generator, views, starting_codes(crop.image, distance, space), space, s)
        best, best_p, best_step = math.inf, p, 0
        for step in range(stage.steps):
            with torch.enable_grad():
                p.requires_grad_()
                value = loss(generator.synthesis(space.unwhiten(p)), p, views, s)
                (gradient,) = torch.autograd.grad(value, p)
            p, taken = p.detach(), taken + 1
            if value.item() < best:
                best, best_p, best_step = value.item(), p, step
            at = before + step + 1  # the schedule's place, though an earlier stage may have ended early
            if progress:
                progress(ProjectState(at, total, space.unwhiten(p), value.item()))
            if step - best_step >= s.patience:
                break
            p = p - learning_rate(at / total, s) * optimiser(gradient)
        before, p = before + stage.steps, best_p
    return Projection(space.unwhiten(p), best, taken, time.monotonic() - began)


def loss(image: Tensor, p: Tensor, views: Views, s: ProjectSettings) -> Tensor:
    """What is minimised: distances on face and whole, pixels, and how unnatural the code p is."""
    face, whole, pixels = views.compare(image)
    return s.face_weight * face + s.whole_weight * whole + s.pixel_weight * pixels + s.prior * p.square().mean()


@torch.no_grad()
def best_start(generator, views: Views, codes: list[Tensor], space: LatentSpace, s: ProjectSettings) -> Tensor:
    """Of whitened codes [w_dim] the one of least loss, in every slot: [1, num_ws, w_dim]."""
    starts = [code.expand(1, generator.num_ws, -1) for code in codes]
    return min(starts, key=lambda p: loss(generator.synthesis(space.unwhiten(p)), p, views, s).item()).clone()


def learning_rate(t: float, s: ProjectSettings) -> float:
    """lr at the share t of all steps."""
    rise, fall = min(1.0, t / s.warm_up), min(1.0, (1 - t) / s.cool_down)
    return s.lr * rise * (0.5 - 0.5 * math.cos(math.pi * fall))

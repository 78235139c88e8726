"""Projection of a crop into W+ (StyleGAN2, arXiv 1912.04958, §5), by perceptual distance.

What differs from the published method: the start is not w_avg but a code read off the crop (start.py);
the variable is the whitened code, in which a prior keeps the code natural, and so editable (as II2S,
arXiv 2012.09036, does in its P-norm space), turned to the axes along which pictures differ most
(weights/latent/axes.py), for Adam scales each by itself; and the views go from coarse to fine. A face view of full
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
from photodrag.invert.schedule import learning_rate
from photodrag.invert.start import starting_codes
from photodrag.invert.views import Views
from photodrag.weights import LatentSpace, latent_space, sensitive_axes
from photodrag.weights.common.adam import Adam


@dataclass(frozen=True)
class Stage:
    """Some steps on one pair of views (see Views)."""

    steps: int
    whole: int
    face: int | None = None


@dataclass(frozen=True)
class ProjectSettings:
    """Chosen on the astronaut and six portraits, for the cost of about 100 pictures with their gradients."""

    stages: tuple[Stage, ...] = (Stage(20, 128), Stage(44, 128, 224))
    face_weight: float = 1.2
    whole_weight: float = 0.8
    pixel_weight: float = 0.12
    """Of the views' mean squared errors; with 1.0 a white moustache was averaged away."""
    prior: float = 0.001
    """Of the mean square of the whitened code, which is 1 for a natural one."""
    lr: float = 0.12
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
    """After `step` of at most `steps` steps. `project` goes on from here as if it had never stopped."""

    step: int
    steps: int
    w_plus: Tensor
    """The code whose loss was computed last."""
    loss: float
    stage: int
    """The number of the stage that goes on."""
    within: int
    """How many of its steps are done, and how many of them came after its best."""
    idle: int
    taken: int
    """Steps of all stages; those that one saved by ending early aren't counted, as they are in `step`."""
    p: Tensor
    """The whitened code that comes next, and Adam's two moments, after so many updates."""
    first: Tensor
    second: Tensor
    updates: int
    best: float
    """The stage's least loss, and its code."""
    best_p: Tensor
    seconds: float


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
    resume: ProjectState | None = None,
) -> Projection:
    """The code whose picture looks like the crop [1, 3, R, R], R the generator's resolution.

    `distance` is st-lpips-vgg where none is given, `space` the generator's whitened space. `progress` is
    called after every step; any of its states can be given as `resume`. Nothing is random: on a CPU the
    same crop gives the same code, with or without a stop between."""
    began, s = time.monotonic(), settings
    distance = distance or perceptual.load("st-lpips-vgg", crop.image.device)
    space = space or latent_space(generator)
    axes = sensitive_axes(space)
    space = space if axes is None else space.turned(axes)
    total, optimiser = sum(stage.steps for stage in s.stages), Adam(s.beta1, s.beta2)
    p, taken, spent = None, 0, 0.0
    if resume:
        p, taken, spent = resume.p, resume.taken, resume.seconds
        optimiser.t, optimiser.m, optimiser.v = resume.updates, resume.first, resume.second
    for number in range(resume.stage if resume else 0, len(s.stages)):
        stage, before = s.stages[number], sum(stage.steps for stage in s.stages[:number])
        views = Views(crop, distance, stage.whole, stage.face)
        if p is None:
            p = best_start(generator, views, starting_codes(at_start(generator, crop), distance, space), space, s)
        within, idle, best, best_p = 0, 0, math.inf, p
        if resume and number == resume.stage:
            within, idle, best, best_p = resume.within, resume.idle, resume.best, resume.best_p
        while within < stage.steps and idle < s.patience:
            with torch.enable_grad():
                p.requires_grad_()
                value = loss(generator.synthesis(space.unwhiten(p)), p, views, s)
                (gradient,) = torch.autograd.grad(value, p)
            p, idle = p.detach(), idle + 1
            if value.item() < best:
                best, best_p, idle = value.item(), p, 0
            seen, taken, within = p, taken + 1, within + 1
            at = before + within  # the schedule's place, though an earlier stage may have ended early
            if idle < s.patience:
                p = p - learning_rate(at / total, s) * optimiser(gradient)
            if progress:
                progress(
                    ProjectState(
                        step=at,
                        steps=total,
                        w_plus=space.unwhiten(seen),
                        loss=value.item(),
                        stage=number,
                        within=within,
                        idle=idle,
                        taken=taken,
                        p=p,
                        first=optimiser.m,
                        second=optimiser.v,
                        updates=optimiser.t,
                        best=best,
                        best_p=best_p,
                        seconds=spent + time.monotonic() - began,
                    )
                )
        p = best_p
    return Projection(space.unwhiten(p), best, taken, spent + time.monotonic() - began)


def loss(image: Tensor, p: Tensor, views: Views, s: ProjectSettings) -> Tensor:
    """What is minimised: distances on face and whole, pixels, and how unnatural the code p is."""
    face, whole, pixels = views.compare(image)
    return s.face_weight * face + s.whole_weight * whole + s.pixel_weight * pixels + s.prior * p.square().mean()


@torch.no_grad()
def at_start(generator, crop: Crop) -> Tensor:
    """The crop from which starting codes are read. What is ignored shows the generator's mean face, for a chin that
    fades into a collar reads as another person: on eight generated faces with a patch, the codes miss the true ones
    by 0.83 of their size; with the views' smooth cover by 0.85, with the patch by 0.88, without one by 0.80."""
    if crop.weight is None:
        return crop.image
    mean = generator.synthesis(generator.w_avg.expand(1, generator.num_ws, -1).contiguous())
    return torch.lerp(mean.clamp(-1, 1), crop.image, crop.weight)


@torch.no_grad()
def best_start(generator, views: Views, codes: list[Tensor], space: LatentSpace, s: ProjectSettings) -> Tensor:
    """Of whitened codes [w_dim] the one of least loss, in every slot: [1, num_ws, w_dim]."""
    starts = [code.expand(1, generator.num_ws, -1) for code in codes]
    return min(starts, key=lambda p: loss(generator.synthesis(space.unwhiten(p)), p, views, s).item()).clone()

"""Projection of a crop into W+ (StyleGAN2, arXiv 1912.04958, §5), by perceptual distance.

What differs from the published method: the start is not w_avg but a code read off the crop (start.py);
the variable is the whitened code, in which a prior keeps the code natural, and so editable (as II2S,
arXiv 2012.09036, does in its P-norm space), turned to the axes along which pictures differ most
(weights/latent/axes.py), for Adam scales each by itself; and the views go from coarse to fine. A face view of full
resolution from the first step on ends lower and looks worse: waxen, without moustache or glasses.

A stage begins with nothing but the code of the one before. So a projection of the first stages is the beginning of one
of all of them, and what was kept of it is gone on from."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from photodrag.invert import perceptual
from photodrag.invert.crop import Crop
from photodrag.invert.perceptual import PerceptualDistance
from photodrag.invert.schedule import learning_rate
from photodrag.invert.start import starting_codes
from photodrag.invert.views import Views
from photodrag.weights import Generator, LatentSpace, latent_space, sensitive_axes
from photodrag.weights.common.adam import Adam
from photodrag.weights.common.bounds import MOST_STEPS, check_numbers
from photodrag.weights.common.errors import Failure


@dataclass(frozen=True)
class Stage:
    """Some steps on one pair of views (see Views), with a schedule of their own."""

    steps: int
    whole: int
    face: int | None = None
    lr: float | None = None
    """Adam's, on the whitened code; None for that of the settings."""

    def __post_init__(self) -> None:
        check_numbers(self, steps=(1, MOST_STEPS), whole=(1, 4096), face=(1, 4096))


@dataclass(frozen=True)
class ProjectSettings:
    """Chosen on the astronaut and six portraits, for the cost of about 90 pictures with their gradients."""

    stages: tuple[Stage, ...] = (Stage(10, 64, 160, 0.16), Stage(44, 128, 224))
    face_weight: float = 1.2
    whole_weight: float = 0.8
    pixel_weight: float = 0.12
    """Of the views' mean squared errors; with 1.0 a white moustache was averaged away."""
    prior: float = 0.001
    """Of the mean square of the whitened code, which is 1 for a natural one."""
    lr: float = 0.1
    """Adam's, on the whitened code (more is faster, and less like the person)."""
    beta1: float = 0.8
    beta2: float = 0.99
    warm_up: float = 0.05
    cool_down: float = 0.35
    """Shares of a stage's steps over which lr rises, and falls by a cosine (StyleGAN2: 0.05 and 0.25)."""
    patience: int = 15
    """Steps of a stage without a better loss after which it ends."""

    def __post_init__(self) -> None:
        check_numbers(self, beta1=(0, 1), beta2=(0, 1), warm_up=(0, 1), cool_down=(0, 1), patience=(1, MOST_STEPS))


NO_NUMBER = (
    "The photo was not inverted: how far the generator's picture is from it is no finite number; "
    "give another generator, or --device cpu."
)
QUICK = ProjectSettings(stages=ProjectSettings().stages[:1])
"""The first stage alone: enough where a code only says how a face moves (docs/design-notes.md#quick-inversions)."""


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
    generator: Generator,
    crop: Crop,
    distance: PerceptualDistance | None = None,
    settings: ProjectSettings = ProjectSettings(),
    space: LatentSpace | None = None,
    progress: Callable[[ProjectState], None] | None = None,
    resume: ProjectState | None = None,
    begin: tuple[Tensor, int] | None = None,
) -> Projection:
    """The code whose picture looks like the crop [1, 3, R, R], R the generator's resolution.

    `distance` is st-lpips-vgg where none is given, `space` the generator's whitened space. `progress` is
    called after every step; any of its states can be given as `resume`. begin: the code [1, num_ws, w_dim] of a
    projection by the first so many stages, to go on with the next. Nothing is random: on a CPU the same crop gives the
    code, with or without a stop between. Raises Failure where a stage begins with a loss that
    is no finite number."""
    began, s = time.monotonic(), settings
    distance = distance or perceptual.load("st-lpips-vgg", crop.image.device)
    space = _along_sensitive_axes(generator, space or latent_space(generator))
    total, spent = sum(stage.steps for stage in s.stages), resume.seconds if resume else 0.0
    descent = Descent.resumed(s, resume) if resume else Descent(s)
    code, first = (None, resume.stage) if resume else begin or (None, 0)
    for number in range(first, len(s.stages)):
        stage, before = s.stages[number], sum(stage.steps for stage in s.stages[:number])
        views = Views(crop, distance, stage.whole, stage.face)
        if not (resume and number == resume.stage):
            if code is None:
                codes = starting_codes(generator, start_image(generator, crop), distance, space)
                code = space.unwhiten(best_start(generator, views, codes, space, s))
            descent.begin(space.whiten(code))
        while descent.within < stage.steps and descent.idle < s.patience:
            seen = descent.p
            with torch.enable_grad():
                seen.requires_grad_()
                value = loss(generator.synthesis(space.unwhiten(seen)), seen, views, s)
                (gradient,) = torch.autograd.grad(value, seen)
            seen = seen.detach()
            descent.step(seen, value.item(), gradient, stage)
            if not math.isfinite(descent.best):
                raise Failure(NO_NUMBER)
            descent.p = space.settled(descent.p)
            if progress:
                took = spent + time.monotonic() - began
                progress(descent.state(before, total, number, space.unwhiten(seen), value.item(), took))
        code = space.unwhiten(descent.best_p)
    if code is None:
        raise ValueError("a projection needs a stage at least")
    return Projection(code, descent.best, descent.taken, spent + time.monotonic() - began)


class Descent:
    """Adam's way over the whitened code p [1, num_ws, w_dim], and the best code of the stage that goes on."""

    def __init__(self, settings: ProjectSettings):
        self.settings, self.taken = settings, 0

    @classmethod
    def resumed(cls, settings: ProjectSettings, state: ProjectState) -> "Descent":
        """The descent that came to this state."""
        descent = cls(settings)
        descent.begin(state.p)
        descent.taken, descent.within, descent.idle = state.taken, state.within, state.idle
        descent.best, descent.best_p = state.best, state.best_p
        descent.adam.t, descent.adam.m, descent.adam.v = state.updates, state.first, state.second
        return descent

    def begin(self, p: Tensor) -> None:
        """Begin a stage at p: losses on other views can't be compared, nor their gradients."""
        self.p, self.within, self.idle, self.best, self.best_p = p, 0, 0, math.inf, p
        self.adam = Adam(self.settings.beta1, self.settings.beta2)

    def step(self, seen: Tensor, value: float, gradient: Tensor, stage: Stage) -> None:
        """Take in the loss and its gradient at `seen`, and move p on, unless this stage ends here."""
        self.p, self.idle = seen, self.idle + 1
        if value < self.best:
            self.best, self.best_p, self.idle = value, seen, 0
        self.taken, self.within = self.taken + 1, self.within + 1
        if self.idle < self.settings.patience:
            schedule = self.settings if stage.lr is None else replace(self.settings, lr=stage.lr)
            self.p = seen - learning_rate(self.within / stage.steps, schedule) * self.adam(gradient)

    def state(self, before: int, total: int, stage: int, w_plus: Tensor, value: float, seconds: float) -> ProjectState:
        """What is told, and kept to go on from, after a step whose code was w_plus."""
        return ProjectState(
            step=before + self.within,
            steps=total,
            w_plus=w_plus,
            loss=value,
            stage=stage,
            within=self.within,
            idle=self.idle,
            taken=self.taken,
            p=self.p,
            first=self.adam.m,
            second=self.adam.v,
            updates=self.adam.t,
            best=self.best,
            best_p=self.best_p,
            seconds=seconds,
        )


def _along_sensitive_axes(generator: Generator, space: LatentSpace) -> LatentSpace:
    """The space turned to the axes along which pictures differ most, where they are known."""
    axes = sensitive_axes(space) if generator.has_ffhq_w else None
    return space if axes is None else space.turned(axes)


def loss(image: Tensor, p: Tensor, views: Views, s: ProjectSettings) -> Tensor:
    """What is minimised: distances on face and whole, pixels, and how unnatural the code p is."""
    face, whole, pixels = views.compare(image)
    return s.face_weight * face + s.whole_weight * whole + s.pixel_weight * pixels + s.prior * p.square().mean()


@torch.no_grad()
def start_image(generator: Generator, crop: Crop) -> Tensor:
    """The crop from which starting codes are read. What is ignored shows the generator's mean face, for a chin that
    fades into a collar reads as another person (see docs/design-notes.md#what-is-ignored-at-the-start)."""
    if crop.weight is None:
        return crop.image
    mean = generator.synthesis(generator.w_avg.expand(1, generator.num_ws, -1).contiguous())
    return torch.lerp(mean.clamp(-1, 1), crop.image, crop.weight)


@torch.no_grad()
def best_start(
    generator: Generator, views: Views, codes: list[Tensor], space: LatentSpace, s: ProjectSettings
) -> Tensor:
    """Of whitened codes [w_dim] the one of least loss, in every slot: [1, num_ws, w_dim]."""
    starts = [code.expand(1, generator.num_ws, -1) for code in codes]
    losses = [loss(generator.synthesis(space.unwhiten(p)), p, views, s).item() for p in starts]
    finite = [value if math.isfinite(value) else math.inf for value in losses]
    return starts[finite.index(min(finite))].clone()

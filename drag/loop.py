"""Dragging: w_plus moves until the handles' features lie at their targets, and never out of the faces.

The loop is DragGAN's (arXiv 2305.10973): motion supervision, one step of Adam, point tracking. Three
things differ. The variable is the whitened code, in which one step means as much in every direction,
and it is kept within a ball around its start and within the shell in which the generator's own codes
lie. Each step is judged: one that loses the handles or blows up the features is taken back and tried
again at half the length. And the loop ends: on arrival, when nothing improves any more, or at the
step limit, with the best state it has seen."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from photodrag.drag.face_model import face_model
from photodrag.drag.led import Landmarks, LeadSettings, led_steps
from photodrag.drag.motion import hold_gradient, motion_loss
from photodrag.drag.points import checked
from photodrag.drag.shell import within
from photodrag.drag.state import LIMIT, STALLED, DragResult, DragState, ending, finished
from photodrag.drag.tracking import Tracker
from photodrag.weights import LatentSpace, latent_space
from photodrag.weights.adam import Adam


@dataclass(frozen=True)
class DragSettings:
    """Lengths are in pixels of a 512² picture, as in the papers, and scale with the generator: with its picture
    and not with its features, though a small one's are coarser. On features of `face` at 16² and 32² lengths of
    more cells took more steps, and the landmarks followed no better."""

    steps: int = 120
    """At most; DragGAN's evaluation allows 300."""
    resolution: int = 128
    """Of the features, DragGAN's sixth block."""
    codes: int = 7
    """That move, from the coarsest, as far as the features depend on them; DragGAN moves 6."""
    lr: float = 0.03
    """Adam's, on the whitened code: natural codes have deviation 1."""
    patch: float = 16.0
    """DragGAN's r1 is 3; a larger patch has enough of a contour in it to be told from its neighbour."""
    window: float = 12.0
    """DragGAN's r2."""
    step: float = 4.0
    """The most that motion supervision looks ahead (DragGAN: 1)."""
    hold: float = 2.0
    """λ of the features outside the mask (FreeDrag: 10, DragGAN's code: 20)."""
    reach: float = 200.0
    """Without a mask, what is far from all handles and targets is held: its weight is 1 − exp(−(d / reach)²)."""
    arrive: float = 1.0
    """Distance at which a handle has arrived, up to 5 points; twice that for more (DragGAN)."""
    patience: int = 15
    """Steps without progress until the drag is called stalled."""
    progress: float = 0.02
    """What counts as such, in the mean distance."""
    lost: float = 6.0
    """A step that leaves the handles this much farther than the best state is taken back."""
    growth: float = 1.25
    """Features may grow by this factor in their mean absolute value."""
    shell: float = 1.1
    """The root mean square that a moved whitened code may reach, or its own at the start where that is larger."""
    radius: float = 0.35
    """How far (root mean square) a code may move from its start: a turned head takes 0.3, and of random drags
    those that moved it by 0.4 and more left a face only to the detector."""
    led: LeadSettings = field(default_factory=LeadSettings)
    """Where landmarks lead."""


def drag(
    generator,
    w_plus: Tensor,
    handles: Tensor,
    targets: Tensor,
    mask: Tensor | None = None,
    settings: DragSettings = DragSettings(),
    space: LatentSpace | None = None,
    progress: Callable[[DragState], bool | None] | None = None,
    landmarks: Landmarks | None = None,
) -> DragResult:
    """Move what lies at `handles` [N, 2] to `targets` [N, 2], (x, y) in pixels of the generator's picture.

    w_plus: [1, num_ws, w_dim]. mask: [H, W] or [1, 1, H, W] of any size, 0 … 1, where the picture may
    change; around the handles and targets by default. `space` is the generator's whitened space, made
    anew where it isn't given (of a generator with classes it must be: that of the code's class). `progress` is
    called with every state, the first one included; where it returns True, the drag ends as if `state.step` had
    been the limit. `landmarks` are those of the face, if it is one: where the generator is `face` and there is no
    mask, a drag that moves the head is led by them (see led.py). Nothing is random.

    A handle whose target is itself is a pin; where all are, the result is w_plus itself, to the bit. Raises UserError
    for points that aren't finite or lie outside the picture, and for a handle with two targets."""
    return finished(steps(generator, w_plus, handles, targets, mask, settings, space, landmarks), progress)


def steps(
    generator,
    w_plus: Tensor,
    handles: Tensor,
    targets: Tensor,
    mask: Tensor | None = None,
    settings: DragSettings = DragSettings(),
    space: LatentSpace | None = None,
    landmarks: Landmarks | None = None,
) -> Generator[DragState, bool | None, DragResult]:
    """`drag` as an iterator of states; the generator function's return value is the DragResult. Sent True,
    it ends there."""
    s, side = settings, generator.resolution
    px = side / 512
    handles, targets = checked(handles, targets, side, w_plus)
    space = space or latent_space(generator)
    model = face_model(space) if landmarks and mask is None else None
    if model:
        led = replace(s.led, steps=min(s.led.steps, s.steps))
        result = yield from led_steps(generator, w_plus, handles, targets, landmarks, model, space, led)
        if result:
            return result
    resolution = min(s.resolution, side // 2)
    codes = min(s.codes, codes_read(resolution))
    rest = w_plus[:, codes:]
    start = space.whiten(w_plus[:, :codes]).detach()
    arrive = s.arrive * px * (1 if len(handles) <= 5 else 2)
    if mask is None:
        mask = neighbourhood(torch.cat((handles, targets)), side, resolution, s.reach * px)
    hold = s.hold * (1 - _resized(mask.to(w_plus), resolution))

    optimiser, lr, reason = Adam(), s.lr, None
    p, points, best, best_p = start.clone(), handles, None, start
    for step in range(s.steps + 1):
        if best and step - best.step > s.patience:
            reason = STALLED
            break
        p.requires_grad_()
        with torch.enable_grad():
            code = torch.cat((space.unwhiten(p), rest), 1)
            features = generator.features(code, resolution)
        seen = features.detach()
        size = seen.abs().mean()
        if step == 0:
            first, first_size = seen, size
            tracker = Tracker(first, handles, side, s.patch * px, s.window * px)
        else:
            points = tracker(seen, points)
        code = (code if step else w_plus).detach()  # whitened and back it would be the start, but for rounding
        state = DragState(step, code, points, (points - targets).norm(dim=1).mean().item())
        sane = size < s.growth * first_size  # which no NaN is
        if best and not (sane and state.distance < best.distance + s.lost * px):
            p, points, optimiser, lr = best_p, best.points, Adam(), lr / 2  # taken back
            continue
        if best is None or state.distance < best.distance - s.progress * px:
            best, best_p = state, p.detach()
        stop = yield state
        arrived = bool(((points - targets).norm(dim=1) <= arrive).all())
        best = state if arrived else best
        if reason := ending(arrived, stop, step, s.steps):
            break
        with torch.enable_grad():
            loss = motion_loss(features, points, targets, side, s.patch * px, s.step * px)
        (gradient,) = torch.autograd.grad((loss, features), p, (None, hold_gradient(seen, first, hold)))
        p = within(p.detach() - lr * optimiser(gradient), start, s.radius, s.shell)
    return DragResult(best.w_plus, best.points, (best.points - targets).norm(dim=1), step, reason or LIMIT)


def codes_read(resolution: int) -> int:
    """How many codes features of that resolution depend on: b4 reads one, every block up to it two more."""
    return 2 * resolution.bit_length() - 5


def neighbourhood(points: Tensor, side: int, resolution: int, reach: float) -> Tensor:
    """Where a drag of these points [N, 2] may change a picture: [resolution, resolution], 1 at a point,
    falling with the distance to the nearest one as a Gaussian of width `reach`, in pixels of the picture.

    Without it Adam, whose steps are of one length in every direction, changes hair and background too:
    on two portraits ten grey levels far from the handles, and with it two to four."""
    centres = (torch.arange(resolution, device=points.device) + 0.5) * (side / resolution) - 0.5
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    nearest = torch.cdist(torch.stack((x, y), -1).reshape(-1, 2).to(points), points).amin(1)
    return torch.exp(-((nearest / reach) ** 2)).view(resolution, resolution)


def _resized(mask: Tensor, resolution: int) -> Tensor:
    return F.interpolate(mask.reshape(1, 1, *mask.shape[-2:]), size=(resolution, resolution), mode="area")

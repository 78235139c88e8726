"""Dragging: w_plus moves until the handles lie at their targets, and never out of the faces.

A round of it is DragGAN's loop (arXiv 2305.10973): motion supervision, one step of Adam, point tracking. Four things
differ. The variable is the whitened code, in which one step means as much in every direction, and it is kept within a
ball around its start and within the shell in which the generator's own codes lie. Each step is judged: one that loses
the handles or blows up the features is taken back and tried again at half the length. A round ends: on arrival, when
nothing improves any more, or at the step limit, with the best state it has seen. And where there is a face, its
landmarks are looked at then, for tracking believes that it has arrived while the face has not: handles that lie on
contours go on from where they really are, in another round; a drag that has stalled goes back to where it was as
near sooner; and where no face is seen any more, to where one was."""

from collections.abc import Callable
from collections.abc import Generator as States
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from photodrag.drag.face_model import face_model
from photodrag.drag.landmark_guided import landmark_guided_steps
from photodrag.drag.landmarks import Landmarks, LandmarkTracker, earliest_as_near, last_with_face
from photodrag.drag.points import checked
from photodrag.drag.round import Scene, arrived, follow
from photodrag.drag.settings import DragSettings
from photodrag.drag.state import ARRIVED, LIMIT, STALLED, DragResult, DragState, finished
from photodrag.drag.trust_region import farthest
from photodrag.weights import Generator, LatentSpace, latent_space

DEFAULTS = DragSettings()


def drag(
    generator: Generator,
    w_plus: Tensor,
    handles: Tensor,
    targets: Tensor,
    mask: Tensor | None = None,
    settings: DragSettings = DEFAULTS,
    space: LatentSpace | None = None,
    progress: Callable[[DragState], bool | None] | None = None,
    landmarks: Landmarks | None = None,
) -> DragResult:
    """Move what lies at `handles` [N, 2] to `targets` [N, 2], (x, y) in pixels of the generator's picture.

    w_plus: [1, num_ws, w_dim]. mask: [H, W] or [1, 1, H, W] of any size, 0 … 1, where the picture may
    change; around the handles and targets by default. `space` is the generator's whitened space, made
    anew where it isn't given (of a generator with classes it must be: that of the code's class). `progress` is
    called with every state, the first one included; where it returns True, the drag ends as if `state.step` had
    been the limit. `landmarks` are those of the face, if it is one: where the generator has FFHQ's W and there is no
    mask, a drag that says where the head is to be is guided by them (see landmark_guided.py), and with
    `settings.landmark_guided.parts` one of a part, whatever the mask; handles on the face's
    contours have arrived where the landmarks say so, and else go on (see the top of this file); and a drag ends with a
    face, if it began with one: while none is seen in its best state, it goes back half of the way, and an arrival has
    stalled. A drag by features that has stalled goes back likewise as long as that costs the handles next to nothing.
    Nothing is random.

    A handle whose target is itself is a pin; where all are, the result is w_plus itself, to the bit. Raises UserError
    for points that aren't finite or lie outside the picture, and for a handle with two targets."""
    return finished(steps(generator, w_plus, handles, targets, mask, settings, space, landmarks), progress)


def steps(
    generator: Generator,
    w_plus: Tensor,
    handles: Tensor,
    targets: Tensor,
    mask: Tensor | None = None,
    settings: DragSettings = DEFAULTS,
    space: LatentSpace | None = None,
    landmarks: Landmarks | None = None,
) -> States[DragState, bool | None, DragResult]:
    """`drag` as an iterator of states; the generator function's return value is the DragResult. Sent True,
    it ends there."""
    s, picture_side = settings, generator.resolution
    handles, targets = checked(handles, targets, picture_side, w_plus)
    space = space or latent_space(generator)
    may_lead = mask is None or s.landmark_guided.parts
    if landmarks and may_lead and (model := face_model(generator, space)):
        guided = replace(s.landmark_guided, steps=min(s.landmark_guided.steps, s.steps))
        result = yield from landmark_guided_steps(generator, w_plus, handles, targets, landmarks, model, space, guided)
        if result:
            return result
    feature_side = min(s.feature_side, picture_side // 2)
    codes = min(s.codes, generator.codes_read(feature_side))
    if mask is None:
        reach = s.locality_radius * picture_side / 512
        mask = neighbourhood(torch.cat((handles, targets)), picture_side, feature_side, reach)
    hold = s.locality_weight * (1 - _resized(mask.to(w_plus), feature_side))
    start = space.whiten(w_plus[:, :codes]).detach()
    scene = Scene(generator, space, s, w_plus, start, targets, feature_side, hold)
    return (yield from in_rounds(scene, handles, landmarks))


def in_rounds(scene: Scene, handles: Tensor, landmarks: Landmarks | None) -> States[DragState, bool | None, DragResult]:
    """Rounds by features, each from where the landmarks have the handles after the one before, as long as a round
    brings them much nearer. Without landmarks there is one."""
    s, px = scene.settings, scene.generator.resolution / 512
    tracker = LandmarkTracker(scene.generator, scene.w_plus, handles, landmarks) if landmarks else None
    p, points, radius, step = scene.start, handles, s.radius, 0
    reference: Tensor | None = None
    states: list[DragState] = []
    nearest: DragState | None = None
    tolerance = s.arrival_distance * px
    for _ in range(s.rounds):
        end = yield from follow(scene, p, points, radius, step, reference)
        states += end.states
        seen = tracker(states[-1], scene.targets) if tracker and len(end.states) > 1 else states[-1]
        if seen is None:
            assert landmarks  # or nobody would have looked
            nearest = nearest or last_with_face(states, scene.generator, landmarks)
            break
        gained = nearest is None or seen.distance < s.round_gain * nearest.distance
        nearest = seen if nearest is None or seen.distance < nearest.distance else nearest
        if seen is states[-1]:
            break
        tolerance = s.landmark_arrival_distance * px
        if arrived(nearest.points, scene.targets, tolerance) or not gained or end.is_final:
            break
        if farthest(end.best_code, scene.start) > s.later_radius:
            break
        p, points, radius, step, reference = end.best_code, seen.points, s.later_radius, end.step, end.reference
    assert nearest  # since there is a round at least
    reason = end.reason
    if reason in (ARRIVED, STALLED):
        reason = ARRIVED if arrived(nearest.points, scene.targets, tolerance) else STALLED
    elif reason == LIMIT and seen is not None and arrived(nearest.points, scene.targets, tolerance):
        reason = ARRIVED  # at the last step, where tracking does not believe it
    if seen is not None and reason == STALLED and tracker and tracker.on_contour.any():
        nearest = earliest_as_near(states, nearest, scene.targets, tracker, s.early_stop_slack * states[0].distance)
    distances = (nearest.points - scene.targets).norm(dim=1)
    return DragResult(nearest.w_plus, nearest.points, distances, end.step, reason)


def neighbourhood(points: Tensor, picture_side: int, feature_side: int, reach: float) -> Tensor:
    """Where a drag of these points [N, 2] may change a picture: [feature_side, feature_side], 1 at a
    point, falling with the distance to the nearest one as a Gaussian of width `reach`, in pixels of the picture (see
    docs/design-notes.md#what-is-held-far-from-the-handles)."""
    centres = (torch.arange(feature_side, device=points.device) + 0.5) * (picture_side / feature_side) - 0.5
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    nearest = torch.cdist(torch.stack((x, y), -1).reshape(-1, 2).to(points), points).amin(1)
    return torch.exp(-((nearest / reach) ** 2)).view(feature_side, feature_side)


def _resized(mask: Tensor, feature_side: int) -> Tensor:
    return F.interpolate(mask.reshape(1, 1, *mask.shape[-2:]), size=(feature_side, feature_side), mode="area")

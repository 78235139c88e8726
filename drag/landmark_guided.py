"""Dragging the head, guided by its landmarks, where every handle is one, or lies on a contour between two.

What turns a head moves every pixel of it, and features that are followed one step at a time get lost on the way: on
portraits turned so the eyes were smeared. Landmarks are found anew on every picture, so a drag can't believe that it
has arrived. And since they follow the code almost linearly (face_model.py), no gradient is needed: of all ways that
should bring them to their targets the most natural one is taken, which changes the person least; then one looks
where they came to, corrects the model by what was seen (Broyden 1965), and goes on. Whitened codes are as natural as
they are near to the mean, so the shortest way is what else changes in faces, on the average, where this does. It
changes the whole face, and so a drag of a part, in which all else should stay, is left to features, unless little of
the picture is looked at (`LandmarkGuidedSettings.parts`); then all landmarks are aimed, those without a handle at where
they go along with one, or stay (see docs/design-notes.md#parts-led-by-landmarks).

The model knows, too, how the landmarks of faces differ, and so how odd it is to want them there. A code may go far
for what is usual, above all for many landmarks that agree, and not for what no face does."""

from collections.abc import Generator as States

import numpy as np
import torch
from torch import Tensor

from photodrag.drag.contours import on_contours, width
from photodrag.drag.face_model import FaceModel
from photodrag.drag.landmark_search import LandmarkSearch, Look
from photodrag.drag.landmarks import Landmarks, found_at_start
from photodrag.drag.settings import LandmarkGuidedSettings
from photodrag.drag.state import ARRIVED, LIMIT, STALLED, STOPPED, DragResult, DragState
from photodrag.drag.together import moved_together
from photodrag.drag.trust_region import project_to_trust_region
from photodrag.weights import Generator, LatentSpace
from photodrag.weights.common.face_landmarks import COUNT, SKULL


def landmark_guided_steps(
    generator: Generator,
    w_plus: Tensor,
    handles: Tensor,
    targets: Tensor,
    landmarks: Landmarks,
    model: FaceModel,
    space: LatentSpace,
    settings: LandmarkGuidedSettings = LandmarkGuidedSettings(),
) -> States[DragState, bool | None, DragResult | None]:
    """`loop.steps` by landmarks; None, and no state, where a handle lies on no contour of the face, they say nothing of
    where the head is to be (`moves_the_head`) and parts aren't guided, or no face is seen. A step that loses the face
    is taken back, and those after it go no farther than half way from the best to it."""
    s, px = settings, generator.resolution / 512
    on_face, ways = on_contours(handles.cpu().numpy(), landmarks.known), (targets - handles).cpu().double().numpy()
    head = moves_the_head(on_face, ways, s.least_head_move * width(landmarks.known))
    if not (on_face.any(1).all() and (head or s.parts)):
        return None
    first = found_at_start(generator, w_plus, landmarks)
    if first is None:
        return None
    start, rest = space.whiten(w_plus[:, : s.codes]), w_plus[:, s.codes :]
    weights = torch.from_numpy(on_face)
    led = on_face, ways
    if not head:  # all the rest of the face stays where it is, or goes along
        beside = s.held * moved_together(landmarks.known, on_face, ways)
        led = np.concatenate((on_face, s.held * np.eye(COUNT))), np.concatenate((ways, beside))
    search = LandmarkSearch(torch.from_numpy(led[0]), torch.from_numpy(led[1]) / px, model, s, start, px)
    look, image = Look.at_start(w_plus, start), None
    reason = LIMIT
    for step in range(s.steps + 1):
        points = handles + (weights @ look.moved).to(handles) * px
        state = DragState(step, look.w_plus, points, (points - targets).norm(dim=1).mean().item(), image)
        search.judge(state, look)
        stop = yield state
        if state.distance <= s.arrival_distance * px:
            reason = ARRIVED
        elif search.idle == s.patience or search.taken_back == s.most_taken_back:
            reason = STALLED
        elif stop:
            reason = STOPPED
        if reason != LIMIT or step == s.steps:
            break
        p = project_to_trust_region(start + search.next_way().to(start), start, search.radius, s.max_rms)
        code = torch.cat((space.unwhiten(p), rest), 1)
        with torch.no_grad():
            image = generator.synthesis(code)
        seen = landmarks.find(image)
        if seen is None:
            look, image = search.take_back(p), search.best_state.image
            continue
        look = Look(code, p, (p - start).cpu().double().mean((0, 1)), torch.from_numpy(seen - first) / px)
        search.learn(look)
    best = search.best_state
    distances = (best.points - targets).norm(dim=1)
    return DragResult(best.w_plus, best.points, distances, step, reason, best.image)


def moves_the_head(weights: np.ndarray, ways: np.ndarray, least: float) -> bool:
    """Whether the handles, of these weights [N, 68] of landmarks, are the whole skull, so that they say where the head
    is to be, or one of them lies on it and is to go as far as `least`, of these ways [N, 2]."""
    skull = weights[:, SKULL]
    whole, far = (skull > 0.5).any(0).all(), np.linalg.norm(ways, axis=1) >= least
    return bool(whole or far[skull.sum(1) > 0.5].any())

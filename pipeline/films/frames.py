"""Seeing an edit happen: the photo from first to last, in even motion, as pictures of the whole photo."""

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from photodrag.drag import DragState
from photodrag.pipeline.editing.compositing import drawn, photo_alone, put_in, start_of
from photodrag.pipeline.editing.inversion import Inversion
from photodrag.pipeline.editing.plan import Plan
from photodrag.pipeline.editing.restyling import Restyled, put_in_code
from photodrag.pipeline.editing.whole_motion import moved_inversion

FRAMES = 40
"""Two seconds at film_files.RATE: a second of work each on two CPU cores, blending included."""
COLOURS = (255, 255, 255), (214, 40, 40)
"""Of an arrow's border and itself, RGB."""


def pictures(
    plan: Plan,
    inversion: Inversion,
    states: Sequence[DragState],
    frames: int = FRAMES,
    arrows: bool = False,
    share: float = 1.0,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Iterator[np.ndarray]:
    """The pictures of an edit of the plan, uint8 sRGB [H, W, 3] of the photo's size, one at a time: the first of the
    inversion, the last of the last of the drag's states. arrows: with the drags drawn on them. share: the edit's.
    `progress` hears how many of how many there are, each time that one has been taken."""
    codes, points = even(states, frames)
    start, choices = start_of(plan, inversion), None
    if plan.person:  # what the last picture shows of other photos appears in those before it
        last = inversion.alignment.to_photo(points[-1].numpy())
        _, choices = put_in(plan, start, drawn(inversion, codes[-1:]), last, share=share)
    for number, (code, at) in enumerate(zip(codes, points, strict=True), 1):
        finish = (number - 1) / max(frames - 1, 1)
        seen = inversion.alignment.to_photo(at.numpy())
        blended, _ = put_in(plan, start, drawn(inversion, code[None]), seen, finish, share, choices)
        picture = plan.photo.to_srgb(blended.picture)
        yield with_arrows(picture, plan.handles, plan.targets, seen) if arrows else picture
        progress(number, frames)


def reshaped_pictures(
    plan: Plan,
    frames: int = FRAMES,
    share: float = 1.0,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Iterator[np.ndarray]:
    """The pictures of an edit by the photo alone, uint8 sRGB [H, W, 3]: as `pictures` gives those of a drag."""
    start, seen = photo_alone(plan)
    none, choices = np.zeros((0, 2)), None
    if plan.person:
        _, choices = put_in(plan, start, seen, none, share=share)
    for number in range(1, frames + 1):
        blended, _ = put_in(plan, start, seen, none, (number - 1) / max(frames - 1, 1), share, choices)
        yield plan.photo.to_srgb(blended.picture)
        progress(number, frames)


def restyled_pictures(
    change: Restyled, frames: int = FRAMES, progress: Callable[[int, int], object] = lambda done, total: None
) -> Iterator[np.ndarray]:
    """The pictures of a photo whose code is changed, uint8 sRGB [H, W, 3], in even steps from its own code to the new
    one: the first is the photo itself."""
    plan, start, end = change.before, change.original.w_plus, change.inversion.w_plus
    for number in range(frames):
        share = number / max(frames - 1, 1)
        motion = change.motion.share(share)
        edited = drawn(moved_inversion(change.original, motion), torch.lerp(start, end, share))
        blended = put_in_code(plan, change.original, edited, motion=motion)
        yield plan.photo.to_srgb(blended.picture) if number else plan.photo.srgb
        progress(number + 1, frames)


def even(states: Sequence[DragState], frames: int) -> tuple[Tensor, Tensor]:
    """Codes [frames, num_ws, w_dim] and points [frames, N, 2] along a drag, at even shares of the points' way.

    A drag slows down, turns and overshoots. How far a state is, is how far its points are along the straight way to
    where they end; a state that isn't farther than those before it is left out, and between those left codes and
    points are mixed. The first and the last are exact."""
    points = torch.stack([state.points.detach().cpu().double() for state in states])
    way = points[-1] - points[0]
    far = ((points - points[0]) * way).sum((1, 2)) / way.square().sum().clamp_min(1e-12)
    kept, shares = [0], [0.0]
    for i in range(1, len(states) - 1):
        if shares[-1] < far[i] < 1:
            kept.append(i)
            shares.append(float(far[i]))
    kept.append(len(states) - 1)
    shares.append(1.0)
    codes, places = [], []
    for share in np.linspace(0, 1, frames):
        after = int(np.searchsorted(shares, share).clip(1, len(shares) - 1))
        part = float((share - shares[after - 1]) / (shares[after] - shares[after - 1]))
        a, b = kept[after - 1], kept[after]
        codes.append(torch.lerp(states[a].w_plus[0], states[b].w_plus[0], part))
        places.append(torch.lerp(points[a], points[b], part))
    return torch.stack(codes), torch.stack(places)


def with_arrows(picture: np.ndarray, handles: np.ndarray, targets: np.ndarray, points: np.ndarray) -> np.ndarray:
    """A copy with an arrow from each handle to its target and a dot where it is; all [N, 2] in pixels of it.

    A pin is a dot alone."""
    drawn = picture.copy()
    thick = max(1, round(max(picture.shape[:2]) / 500))
    for handle, target, point in zip(handles, targets, points, strict=True):
        start, end, at = (tuple(int(value) for value in np.round(place)) for place in (handle, target, point))
        for colour, more in zip(COLOURS, (2, 0), strict=True):
            if start != end:
                cv2.arrowedLine(drawn, start, end, colour, thick + more, cv2.LINE_AA, tipLength=0.3)
            cv2.circle(drawn, at, 2 * thick + more // 2, colour, cv2.FILLED, cv2.LINE_AA)
    return drawn

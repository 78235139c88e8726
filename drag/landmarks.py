"""The landmarks of a face that is dragged, found in the generator's own pictures of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from photodrag.drag.contours import on_contours
from photodrag.drag.state import DragState
from photodrag.weights import Generator


@dataclass(frozen=True, eq=False)
class Landmarks:
    """The 68 landmarks of a face in the generator's pictures, in their pixels."""

    known: np.ndarray
    """[68, 2], of what is dragged: of the photo's crop, where there is one."""
    find: Callable[[Tensor], np.ndarray | None]
    """Finds them [68, 2] in a picture [1, 3, R, R] of that face, moved or not; None where no face is seen any more."""
    start: Callable[[], np.ndarray | None] | None = None
    """What it finds in the picture of the code that is dragged, where that was drawn before."""


@torch.no_grad()
def found(generator: Generator, w_plus: Tensor, landmarks: Landmarks) -> np.ndarray | None:
    """The landmarks [68, 2] in the picture of a code; None where no face is seen in it."""
    return landmarks.find(generator.synthesis(w_plus))


def last_with_face(states: Sequence[DragState], generator: Generator, landmarks: Landmarks) -> DragState:
    """Of a drag's states, in the last of which no face is seen, the one half way from the first to it in which one is,
    or half way to that, and so on.

    Where none is seen in the first one either, looking tells nothing, and the last one stands."""

    def seen(state: DragState) -> bool:
        return found(generator, state.w_plus, landmarks) is not None

    at = (len(states) - 1) // 2
    while at and not seen(states[at]):
        at //= 2
    return states[at] if at or seen(states[0]) else states[-1]


def found_at_start(generator: Generator, w_plus: Tensor, landmarks: Landmarks) -> np.ndarray | None:
    """`found`, for the code that is dragged."""
    return found(generator, w_plus, landmarks) if landmarks.start is None else landmarks.start()


class LandmarkTracker:
    """Where the landmarks have the handles of a drag, which tracking only believes."""

    def __init__(self, generator: Generator, w_plus: Tensor, handles: Tensor, landmarks: Landmarks):
        """Handles [N, 2] of the picture of w_plus, with which the drag begins."""
        self.generator, self.w_plus, self.landmarks, self.handles = generator, w_plus, landmarks, handles
        self.weights = on_contours(handles.cpu().numpy(), landmarks.known)
        self.on_contour = torch.from_numpy(self.weights.any(1)).to(handles.device)

    @cached_property
    def first(self) -> np.ndarray | None:
        """The landmarks of the drag's start, if any handle lies on a contour. Not looked for before they are asked for:
        the first step of a drag is waited for."""
        return found_at_start(self.generator, self.w_plus, self.landmarks) if self.on_contour.any() else None

    def __call__(self, state: DragState, targets: Tensor) -> DragState | None:
        """A state with those points where the landmarks have them that lie on contours of the face, or as it is, where
        none does; None where no face is seen in it."""
        first, now = self.first, found(self.generator, state.w_plus, self.landmarks)
        if now is None:
            return None
        if first is None:
            return state
        points = self.handles + torch.from_numpy(self.weights @ (now - first)).to(self.handles)
        points = torch.where(self.on_contour[:, None], points, state.points)
        return replace(state, points=points, distance=(points - targets).norm(dim=1).mean().item())


def earliest_as_near(
    states: Sequence[DragState],
    nearest: DragState,
    targets: Tensor,
    tracker: Callable[[DragState, Tensor], DragState | None],
    slack: float,
) -> DragState:
    """Of a stalled drag's states one half way to the last, or half way to that, and so on, as long as landmarks have it
    no farther from the targets than `nearest` and the slack, or no face is seen in it: what followed was not for the
    handles, and each step costs some of the person. Else `nearest`."""
    most, at = nearest.distance + slack, (len(states) - 1) // 2
    while at:
        seen = tracker(states[at], targets)
        if seen and seen.distance > most:
            break
        nearest, at = seen or nearest, at // 2
    return nearest

"""What a drag has come to, on its way and in the end."""

from collections.abc import Callable, Sequence
from collections.abc import Generator as States
from dataclasses import dataclass, replace

from torch import Tensor

from photodrag.weights.common.errors import Failure

ARRIVED, STALLED, LIMIT, STOPPED = "arrived", "stalled", "step limit", "stopped"


@dataclass(frozen=True, eq=False)
class DragState:
    """One state of a drag, after `step` steps."""

    step: int
    w_plus: Tensor
    """[1, num_ws, w_dim]"""
    points: Tensor
    """[N, 2], where tracking or the landmarks find the handles, in pixels of the generator's picture."""
    distance: float
    """Mean distance from points to targets, in the same pixels."""
    image: Tensor | None = None
    """The generator's picture of w_plus, [1, 3, R, R], where the drag has drawn it: large, so who keeps states had
    better keep them `without_image`."""

    def without_image(self) -> "DragState":
        """The state alone."""
        return replace(self, image=None)


@dataclass(frozen=True, eq=False)
class DragResult:
    """The best state of a drag, and why it ended."""

    w_plus: Tensor
    points: Tensor
    distances: Tensor
    """[N], from points to targets."""
    steps: int
    """Tried, those that were taken back included."""
    stop_reason: str
    """ARRIVED, STALLED, LIMIT or STOPPED."""
    image: Tensor | None = None
    """The generator's picture of w_plus, [1, 3, R, R], where the drag has drawn it."""


def states_until(states: Sequence[DragState], result: DragResult) -> tuple[DragState, ...]:
    """Of all states of a drag those from the first to the one that is its result."""
    last = next(i for i, state in enumerate(states) if state.w_plus is result.w_plus)
    return tuple(states[: last + 1])


def ending(arrived: bool, stop: bool | None, step: int, limit: int) -> str | None:
    """Why a drag ends after a step, if it does: `stop` is what its iterator was sent."""
    if arrived:
        return ARRIVED
    if step == limit:
        return LIMIT
    return STOPPED if stop else None


def finished(
    states: States[DragState, bool | None, DragResult],
    progress: Callable[[DragState], bool | None] | None = None,
) -> DragResult:
    """The result of a drag's iterator, after all of its states; `progress` is called with each, and where it returns
    True, the iterator is sent that. Raises Failure as soon as a state's code is no finite number."""
    stop = None
    while True:
        try:
            state = states.send(stop)
        except StopIteration as end:
            return end.value
        if not state.w_plus.isfinite().all():
            raise Failure(
                f"The drag came to a code that is no finite number, after {state.step} steps: drag less far, or leave "
                "--method out."
            )
        stop = progress(state) if progress else None

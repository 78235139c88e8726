"""The ways to drag that can be chosen and compared: this project's, and its peers' written from their descriptions."""

from collections.abc import Callable, Generator
from dataclasses import dataclass

from photodrag.drag import draggan, freedrag, loop
from photodrag.drag.draggan import DragGANSettings
from photodrag.drag.freedrag import FreeDragSettings
from photodrag.drag.settings import DragSettings
from photodrag.drag.state import DragResult, DragState
from photodrag.weights import UserError

Settings = DragSettings | DragGANSettings | FreeDragSettings
"""Of one method or another: all have a field `steps`, the limit."""


@dataclass(frozen=True)
class Method:
    """A way to drag."""

    steps: Callable[..., Generator[DragState, bool | None, DragResult]]
    """Called as `loop.steps` is, with settings of its own. This project's returns the best state it has seen, its
    peers' their last, as their authors' programs do."""
    settings: Settings
    """As published."""


METHODS = {
    "photodrag": Method(loop.steps, DragSettings()),
    "draggan": Method(draggan.steps, draggan.PAPER),
    "draggan-code": Method(draggan.steps, draggan.CODE),
    "freedrag": Method(freedrag.steps, FreeDragSettings()),
}


def find_method(name: str) -> Method:
    """Raises UserError where there is none of that name."""
    if name not in METHODS:
        raise UserError(f"There is no method of dragging {name!r}: choose one of {', '.join(METHODS)}.")
    return METHODS[name]

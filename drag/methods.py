"""The ways to drag that can be chosen and compared: this project's, its peers' written from their
descriptions, and optical flow.

Their names stand here alone. A method's module, which needs PyTorch, is imported when the method is asked for."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from photodrag.weights.common.errors import UserError

if TYPE_CHECKING:
    from photodrag.drag.draggan import DragGANSettings
    from photodrag.drag.flow import FlowSettings
    from photodrag.drag.freedrag import FreeDragSettings
    from photodrag.drag.settings import DragSettings
    from photodrag.drag.state import DragResult, DragState

    Settings = DragSettings | DragGANSettings | FreeDragSettings | FlowSettings
    """Of one method or another: all have a field `steps`, the limit."""

DEFAULT = "photodrag"
METHODS = {
    DEFAULT: ("loop", "DEFAULTS"),
    "draggan": ("draggan", "PAPER"),
    "draggan-code": ("draggan", "CODE"),
    "freedrag": ("freedrag", "PAPER"),
    "flow": ("flow", "SMALL"),
    "flow-raft": ("flow", "RAFT"),
}
"""Of each method, the module in this folder whose function `steps` drags, and the name of its settings there."""


@dataclass(frozen=True)
class Method:
    """A way to drag."""

    steps: Callable[..., Generator[DragState, bool | None, DragResult]]
    """Called as `loop.steps` is, with settings of its own. This project's returns the best state it has seen, and so
    does flow; its peers' their last, as their authors' programs do."""
    settings: Settings
    """As published."""


def find_method(name: str) -> Method:
    """The method of that name. Raises UserError where there is none."""
    if name not in METHODS:
        raise UserError(f"There is no method of dragging {name!r}: choose one of {', '.join(METHODS)}.")
    module, settings = METHODS[name]
    found = import_module(f"photodrag.drag.{module}")
    return Method(found.steps, getattr(found, settings))

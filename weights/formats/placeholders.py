"""What stands for the classes, functions and objects that a pickle names: placeholders that do nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Constructor = Callable[..., object]
"""Makes the value that a pickle's call stands for, of the pickle's own arguments."""


@dataclass(frozen=True, slots=True)
class Global:
    """A class or function that a pickle names."""

    module: str
    name: str

    def __str__(self) -> str:
        text = ascii(f"{self.module}.{self.name}")[1:-1]  # nothing that a terminal obeys
        return text if len(text) <= 80 else f"{text[:79]}…"


@dataclass(eq=False, slots=True)
class Shell:
    """An object of somebody else's class, inert: what it would have been made of.

    `module` and `name` are those of the class, or of the function that would have made the object;
    `arguments` would have been the function's; `state` is what the object would then have been given."""

    module: str
    name: str
    arguments: tuple[Any, ...] = ()
    state: object = None


@dataclass(eq=False, slots=True)
class Pending:
    """A value that its state (BUILD) completes: `finish(state)` makes it."""

    finish: Constructor
    memo_indices: list[int] = field(default_factory=list)
    """Where the memo has it, to be replaced by the finished value."""

"""How an edit can be made: by which network, how it is dragged and inverted. `Selection` says of what.

Nothing here computes, so the command line reads it without loading torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from photodrag.drag.methods import DEFAULT

if TYPE_CHECKING:
    from os import PathLike

    from photodrag.drag.methods import Settings
    from photodrag.invert.projection import ProjectSettings
    from photodrag.invert.tuning import TuneSettings
    from photodrag.pipeline.editing.direction_names import CodeEdit
    from photodrag.pipeline.editing.inversion import Models


Likeness = Literal["auto", "quick", "fine", "tuned"]
LIKENESS: tuple[Likeness, ...] = get_args(Likeness)


@dataclass(frozen=True, eq=False)
class Network:
    """The generator whose pictures are edited."""

    generator: str | PathLike[str] = "face"
    """A name (see `photodrag weights list`), or a checkpoint's path."""
    class_: int | None = None
    """Which of its classes, from 0 on; None for a generator that has none."""
    device: str = "auto"
    """What computes: "cpu", "cuda", "mps", or "auto" for the fastest that is there."""
    models: Models | None = None
    """Loaded ones, to be used again; then nothing else of this is looked at."""


@dataclass(frozen=True)
class Dragging:
    """How points are dragged."""

    method: str = DEFAULT
    """One of `drag.methods.METHODS`."""
    steps: int | None = None
    """At most so many; None for as many as the settings say."""
    settings: Settings | None = None
    """The method's; None for its own as published."""
    snap: bool = False
    """Whether handles that are numbers go to the nearest of the face's landmarks."""


@dataclass(frozen=True)
class Inverting:
    """How the photo is turned into a code."""

    projection: ProjectSettings | None = None
    """Other settings, whatever the likeness; None for those that belong to it."""
    tuning: TuneSettings | None = None
    """How the generator is tuned to the photo as well; None leaves it as it is."""
    refresh: bool = False
    """Invert anew, even if the cache has an inversion."""
    likeness: Likeness = "auto"
    """How like the person the reconstruction is to be: "quick", "fine" (which goes on from there, five times as long),
    "tuned" (fine, and the generator tuned as well, by its usual settings if `tuning` gives none), or "auto" for as
    much as the edit needs."""

    def before(self, code_edit: CodeEdit) -> Inverting:
        """The same, where a code is to be edited then: what is new the generator draws, so "auto" is fine."""
        return replace(self, likeness="fine") if code_edit.given and self.likeness == "auto" else self

    @property
    def least_likeness(self) -> Likeness:
        """The likeness, or "tuned" for what is."""
        return self.likeness if self.tuning is None else "tuned"

    @property
    def tuned_by(self) -> TuneSettings | None:
        """How the generator is tuned; None where it isn't."""
        if self.tuning is None and self.likeness == "tuned":
            from photodrag.invert.tuning import TuneSettings

            return TuneSettings()
        return self.tuning

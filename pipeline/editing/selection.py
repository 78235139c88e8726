"""What of the photo an edit means: a face or a square of it, and what lies in front. It loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    import numpy as np

    from photodrag.pipeline.faces.box import Box
    from photodrag.pipeline.faces.detection import Face
    from photodrag.pipeline.people.person import Person


@dataclass(frozen=True, eq=False)
class Selection:
    """What of the photo is edited."""

    face: int | Face | None = None
    """A face's number, from 1 for the largest on, or one that was found before; None for the person's, if there is one,
    or the largest."""
    box: Box | None = None
    """(x, y, width, height) in photo pixels: of a face that isn't found by itself, or around which a square is
    edited."""
    align: str | None = None
    """What the generator is shown, "face" or "square"; None for what it was made for."""
    ignore: np.ndarray | str | PathLike[str] | None = None
    """What lies in front of the face and is neither looked at nor changed: an array [H, W] of the photo's size, 0 … 1
    or bool, or a picture file, white there."""
    person: str | Person | None = None
    """Whose face it is, of those who were learned (see pipeline.people): theirs is edited, unless face or box say
    which, and their other photos show what this one doesn't."""

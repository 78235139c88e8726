"""All that changes a face without points being named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING

from photodrag.pipeline.editing.direction_names import CodeEdit
from photodrag.pipeline.editing.parts_asked import PartsAsked
from photodrag.pipeline.faces.expressions import Expression, Ways, added
from photodrag.pipeline.faces.preset_table import UNSHAPED, Reshaping
from photodrag.pipeline.faces.presets import checked, reshaping
from photodrag.pipeline.faces.regions import Region

if TYPE_CHECKING:  # `--help` needs none of it
    import numpy as np


@dataclass(frozen=True, eq=False)
class Controls:
    """What is asked of a face beside points."""

    presets: Mapping[str, float] = field(default_factory=dict)
    """How much of each of `preset_table.PRESETS`, -1 … 1."""
    expression: Expression | None = None
    """Another face's, that is taken over."""
    regions: Sequence[Region] = ()
    """Parts that are moved as one."""
    parts: PartsAsked | np.ndarray | str | PathLike[str] | None = None
    """Where the face's parts shall be: its map (see `part_map`), painted over, a picture file or uint8 RGB [H, W, 3];
    or what was read of such a one."""
    code: CodeEdit = field(default_factory=CodeEdit)
    """What is done to the photo's code."""

    @classmethod
    def of(cls, given: Controls | Mapping[str, float] | None) -> Controls:
        """Presets alone may be given as such. Raises UserError for one, or an amount, that there isn't."""
        controls = given if isinstance(given, Controls) else cls(given or {})
        return replace(controls, presets=checked(controls.presets))

    @property
    def asked(self) -> bool:
        """Whether anything is asked of what a photo shows."""
        return bool(self.presets or self.expression or self.regions or self.parts is not None)

    @property
    def only_of_face(self) -> str | None:
        """What of it only a face's landmarks can tell, in a word or two; None for nothing, as for painted regions that
        go so many pixels."""
        if self.presets or self.expression or self.parts is not None:
            return next(iter(self.presets), "an expression or parts")
        return next((one.where for one in self.regions if one.mask is None or "%" in one.way), None)

    @property
    def known_parts(self) -> PartsAsked:
        """What is asked of the face's parts, as far as it has been read."""
        return self.parts if isinstance(self.parts, PartsAsked) else PartsAsked()

    def ways_on(self, landmarks: np.ndarray) -> Ways:
        """What expression and parts ask of a face with these landmarks [68, 2]."""
        return added(self.expression.on(landmarks) if self.expression else {}, self.known_parts.ways)

    @property
    def reshaping(self) -> Reshaping:
        """What of it is no drag."""
        return sum((reshaping(self.presets), self.known_parts.reshaping), UNSHAPED)

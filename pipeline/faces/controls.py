"""All that moves a face without points being named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from photodrag.pipeline.faces.expressions import Expression
from photodrag.pipeline.faces.preset_table import Reshaping
from photodrag.pipeline.faces.presets import checked, reshaping
from photodrag.pipeline.faces.regions import Region


@dataclass(frozen=True, eq=False)
class Controls:
    """What is asked of a face beside points."""

    presets: Mapping[str, float] = field(default_factory=dict)
    """How much of each of `preset_table.PRESETS`, -1 … 1."""
    expression: Expression | None = None
    """Another face's, that is taken over."""
    regions: Sequence[Region] = ()
    """Parts that are moved as one."""

    @classmethod
    def of(cls, given: Controls | Mapping[str, float] | None) -> Controls:
        """Presets alone may be given as such. Raises UserError for one, or an amount, that there isn't."""
        controls = given if isinstance(given, Controls) else cls(given or {})
        return cls(checked(controls.presets), controls.expression, controls.regions)

    def __bool__(self) -> bool:
        return bool(self.presets or self.expression or self.regions)

    @property
    def reshaping(self) -> Reshaping:
        """What of it is no drag."""
        return reshaping(self.presets)

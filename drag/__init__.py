"""w_plus → w_plus: landmarks that lead, motion supervision, point tracking, and the loop that keeps a drag safe."""

from typing import TYPE_CHECKING

from photodrag.weights.common.lazy import lazily

if TYPE_CHECKING:
    from photodrag.drag.landmarks import Landmarks
    from photodrag.drag.loop import drag, steps
    from photodrag.drag.settings import DragSettings, LandmarkGuidedSettings
    from photodrag.drag.state import DragResult, DragState

__getattr__, __all__ = lazily(
    __name__,
    {
        "landmarks": "Landmarks",
        "loop": "drag steps",
        "settings": "DragSettings LandmarkGuidedSettings",
        "state": "DragResult DragState",
    },
)

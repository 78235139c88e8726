"""w_plus → w_plus: landmarks that lead, motion supervision, point tracking, and the loop that keeps a drag safe."""

from photodrag.drag.landmarks import Landmarks
from photodrag.drag.led import LeadSettings
from photodrag.drag.loop import drag, steps
from photodrag.drag.settings import DragSettings
from photodrag.drag.state import DragResult, DragState

__all__ = ["DragResult", "DragSettings", "DragState", "Landmarks", "LeadSettings", "drag", "steps"]

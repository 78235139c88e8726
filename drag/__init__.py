"""w_plus → w_plus: landmarks that lead, motion supervision, point tracking, and the loop that keeps a drag safe."""

from photodrag.drag.led import Landmarks, LeadSettings
from photodrag.drag.loop import DragSettings, drag, steps
from photodrag.drag.state import DragResult, DragState

__all__ = ["DragResult", "DragSettings", "DragState", "Landmarks", "LeadSettings", "drag", "steps"]

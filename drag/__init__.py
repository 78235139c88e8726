"""w_plus → w_plus: motion supervision, point tracking, and the loop that keeps a drag safe."""

from photodrag.drag.loop import DragResult, DragSettings, DragState, drag, steps

__all__ = ["DragResult", "DragSettings", "DragState", "drag", "steps"]

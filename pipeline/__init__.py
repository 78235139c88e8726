"""Photo → photo: alignment, blending, the whole edit, report, command line.

edit = photodrag.pipeline.edit("photo.jpg", handles=[(412, 530)], targets=[(412, 510)])
edit.save("edited.jpg")

What of the photo is meant, by which network, how it is dragged and inverted, what is asked of its
face and its code: Selection, Network, Dragging, Inverting, Controls, CodeEdit.
"""

from typing import TYPE_CHECKING

from photodrag.weights.common.lazy import lazily

if TYPE_CHECKING:
    from photodrag.pipeline.editing.controls import Controls
    from photodrag.pipeline.editing.direction_names import CodeEdit
    from photodrag.pipeline.editing.options import Dragging, Inverting, Network
    from photodrag.pipeline.editing.result import Edit, Handle
    from photodrag.pipeline.editing.selection import Selection
    from photodrag.pipeline.editing.whole_edit import edit

__getattr__, __all__ = lazily(
    __name__,
    {
        "editing.controls": "Controls",
        "editing.direction_names": "CodeEdit",
        "editing.options": "Dragging Inverting Network",
        "editing.selection": "Selection",
        "editing.result": "Edit Handle",
        "editing.whole_edit": "edit",
    },
)

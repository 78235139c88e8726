"""Photo → photo: alignment, blending, the whole edit, report, command line.

edit = photodrag.pipeline.edit("photo.jpg", handles=[(412, 530)], targets=[(412, 510)])
edit.save("edited.jpg")
"""

from photodrag.weights.common.lazy import lazily

__getattr__, __all__ = lazily(__name__, {"editing.whole_edit": "Edit Handle edit"})

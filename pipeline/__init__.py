"""Photo → photo: alignment, blending, the whole edit, report, command line."""

from photodrag.pipeline.editing import Edit, Handle, edit

__all__ = ["Edit", "Handle", "edit"]

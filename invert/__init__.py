"""Crop → w_plus: perceptual distance, projection, quality figures, the cache of inversions."""

from typing import TYPE_CHECKING

from photodrag.weights.common.lazy import lazily

if TYPE_CHECKING:
    from photodrag.invert.crop import Crop
    from photodrag.invert.projection import Projection, ProjectSettings, project

__getattr__, __all__ = lazily(__name__, {"crop": "Crop", "projection": "Projection ProjectSettings project"})

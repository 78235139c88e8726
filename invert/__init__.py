"""Crop → w_plus: perceptual distance, projection, quality figures, the cache of inversions."""

from photodrag.invert.crop import Crop
from photodrag.invert.projection import Projection, ProjectSettings, project

__all__ = ["Crop", "ProjectSettings", "Projection", "project"]

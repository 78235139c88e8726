"""Crop → w_plus: perceptual distance, projection, quality figures, the cache of inversions."""

from photodrag.weights.common.lazy import lazily

__getattr__, __all__ = lazily(__name__, {"crop": "Crop", "projection": "Projection ProjectSettings project"})

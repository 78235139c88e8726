"""Projection of a crop into W+ (StyleGAN2, arXiv 1912.04958, §5), by perceptual distance on two views.

What differs from the published method: the start is not w_avg but the best of several codes read off
the crop (start.py); the variable is the whitened code, in which a prior keeps the code natural, and
so editable (II2S, arXiv 2012.09036); the whole crop is matched first, at a low resolution, the face
itself after that, at a higher one."""

from dataclasses import dataclass

import torch
from torch import Tensor

from photodrag.invert.crop import Crop, face_view, whole_view
from photodrag.invert.perceptual import PerceptualDistance, compare


@dataclass(frozen=True)
class ProjectSettings:
    """Chosen on portraits, by tests/bench/inversion.py, for the cost of 120 pictures with gradient."""

    coarse_steps: int = 25
    """On the whole crop alone, at half the whole view's final side or less."""
    steps: int = 60
    """In all."""
    whole_side: int = 128
    face_side: int = 224
    whole_weight: float = 0.5
    face_weight: float = 1.0
    pixel_weight: float = 0.1
    """Of the mean squared errors of both views."""
    prior: float = 0.005
    """Of the mean square of the whitened code, which is 1 for a natural one."""
    lr: float = 0.1
    """Adam's, on the whitened code; up over the first 5 %, down by a cosine over the last 30 %."""
    beta1: float = 0.8
    beta2: float = 0.99
    patience: int = 20
    """Steps without a better loss after which it ends."""
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Projection:
    """The code w_plus [1, num_ws, w_dim] of the best step, its loss, the steps and seconds taken."""

    w_plus: Tensor
    loss: float
    steps: int
    seconds: float


class Views:
    """The views of a crop on which a picture is compared with it; the crop's maps are kept."""

    def __init__(self, crop: Crop, distance: PerceptualDistance, sides: dict[str, int], weights: dict[str, float]):
        self.face, self.distance, self.sides, self.weights = crop.face, distance, sides, weights
        self.views = self._of(crop.image)
        with torch.no_grad():
            self.maps = {name: distance.maps(view) for name, view in self.views.items()}

    def _of(self, image: Tensor) -> dict[str, Tensor]:
        return {
            name: whole_view(image, side) if name == "whole" else face_view(image, self.face, side)
            for name, side in self.sides.items()
        }

    def loss(self, image: Tensor, pixel_weight: float) -> Tensor:
        """Weighted perceptual distance plus pixel_weight × mean squared error, summed over the views."""
        total = image.new_zeros(())
        for name, view in self._of(image).items():
            perceptual = compare(self.distance.maps(view), self.maps[name]).sum()
            pixels = (view - self.views[name]).square().mean()
            total = total + self.weights[name] * (perceptual + pixel_weight * pixels)
        return total

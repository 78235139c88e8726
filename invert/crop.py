"""The crop that is inverted, and the views in which two pictures of a face are compared."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

FFHQ_FACE = (0.13, 0.24, 0.73)
"""x, y and side of the face's square in an FFHQ-aligned crop, as shares of its side, where no landmarks are known."""
MIDDLE = (0.125, 0.125, 0.75)
"""The same of what stands for the face in a picture of something else: there, too, the thing itself fills most of
it, in the middle."""
SMALLEST_VIEW = 64
"""The side of the pictures that LPIPS was trained on; its networks make too little of smaller ones."""


@dataclass(frozen=True, eq=False)
class Crop:
    """A face, or whatever else the generator knows, as it would draw it."""

    image: Tensor
    """[1, 3, R, R], RGB, [-1, 1], of the generator's own side R."""
    landmarks: np.ndarray | None = None
    """float64 [68, 2], (x, y) in pixels of the crop; None where nobody knows them, or there is no face."""
    focus: tuple[float, float, float] = FFHQ_FACE
    """Where to look closely if no landmarks say it: FFHQ_FACE, or MIDDLE for what is no face."""
    weight: Tensor | None = None
    """[1, 1, R, R], how much each pixel counts: 0 for what is to be ignored (a hand, a microphone), else 1; None
    where all of them count. Some of the face must."""

    @property
    def face(self) -> tuple[int, int, int]:
        """The square x, y, side around the face, in pixels: the landmarks' box, a fifth larger and a
        little higher, since the landmarks end at the brows. Without landmarks it is `focus`. Within the crop."""
        resolution = self.image.shape[-1]
        if self.landmarks is None:
            left, top, extent = (round(share * resolution) for share in self.focus)
            return left, top, extent
        low, high = self.landmarks.min(0), self.landmarks.max(0)
        extent = (high - low).max()
        side = min(round(1.2 * extent), resolution)
        corner = (low + high) / 2 - (side / 2, side / 2 + 0.05 * extent)
        x, y = np.clip(corner.round(), 0, resolution - side).astype(int)
        return int(x), int(y), side

    @cached_property
    def _cover(self) -> Tensor:
        return self.image if self.weight is None else smooth_fill(self.image, self.weight)

    def covered(self, image: Tensor) -> Tensor:
        """A picture [1, 3, R, R], covered where nothing counts by what the rest of the crop goes over into there: the
        same cover for every picture, so that a network sees no difference beneath it, and without the edges that a
        black one has. Where all pixels count it is the picture itself."""
        return image if self.weight is None else torch.lerp(self._cover, image, self.weight)


def view_side(wanted: int, extent: int) -> int:
    """The side of a view of `extent` pixels: `wanted`, or less where there is no more to be seen, for a small
    generator's picture only costs more when it is enlarged. But not below SMALLEST_VIEW."""
    return min(wanted, max(extent, SMALLEST_VIEW))


def whole_view(image: Tensor, side: int) -> Tensor:
    """A picture [1, 3, R, R] averaged down to side × side, or enlarged to it."""
    if image.shape[-1] % side == 0:
        return F.avg_pool2d(image, image.shape[-1] // side)
    return _resized(image, side)


def face_view(image: Tensor, face: tuple[int, int, int], side: int) -> Tensor:
    """The square x, y, side `face` of a picture [1, 3, R, R], resampled to side × side."""
    x, y, extent = face
    return _resized(image[:, :, y : y + extent, x : x + extent], side)


def _resized(image: Tensor, side: int) -> Tensor:
    return F.interpolate(image, size=(side, side), mode="bilinear", antialias=True, align_corners=False)


def smooth_fill(image: Tensor, weight: Tensor) -> Tensor:
    """A picture [1, 3, R, R] whose pixels of weight 0, of [1, 1, R, R], are made up from the others, smoothly: each
    takes the mean of those near it, on the finest grid that has some (pull-push; Gortler et al. 1996). What was
    there leaves no trace."""
    return _filled(image * weight, weight)


def _filled(colours: Tensor, weight: Tensor) -> Tensor:
    own, side = colours / weight.clamp_min(1e-12), weight.shape[-1]
    if side == 1:
        return own
    coarse = [F.interpolate(x, size=(side + 1) // 2, mode="area") for x in (colours, weight)]
    around = F.interpolate(_filled(*coarse), size=(side, side), mode="bilinear", align_corners=False)
    return torch.lerp(around, own, (weight > 0).to(own))

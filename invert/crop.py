"""The crop that is inverted, and the views in which two pictures of a face are compared."""

from dataclasses import dataclass

import numpy as np
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

    @property
    def face(self) -> tuple[int, int, int]:
        """The square x, y, side around the face, in pixels: the landmarks' box, a fifth larger and a
        little higher, since the landmarks end at the brows. Without landmarks it is `focus`. Within the crop."""
        resolution = self.image.shape[-1]
        if self.landmarks is None:
            return tuple(round(share * resolution) for share in self.focus)
        low, high = self.landmarks.min(0), self.landmarks.max(0)
        extent = (high - low).max()
        side = min(round(1.2 * extent), resolution)
        corner = (low + high) / 2 - (side / 2, side / 2 + 0.05 * extent)
        x, y = np.clip(corner.round(), 0, resolution - side).astype(int)
        return int(x), int(y), side


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

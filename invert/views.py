"""The loss of a projection: how a picture differs from the crop, on the whole and on the face."""

import torch
from torch import Tensor
from torch.nn import functional as F

from photodrag.invert.crop import Crop, face_view, view_side, whole_view
from photodrag.invert.perceptual import PerceptualDistance, compare


class Views:
    """A crop at the sides that one stage of a projection looks at; its maps are computed once.

    The whole crop at `whole` × `whole`, and the face either cut out at `face` × `face` or, with
    `face=None`, as its part of the whole view's maps: weights behind the network, not black pixels in
    front of it, which would make edges of their own. Of a small crop the views are smaller: see view_side.

    What the crop says is to be ignored has no weight there either, and no picture shows it: see Crop.covered."""

    def __init__(self, crop: Crop, distance: PerceptualDistance, whole: int, face: int | None):
        self.distance, self.crop, self.box = distance.quick, crop, crop.face
        self.sides = view_side(whole, crop.image.shape[-1]), face and view_side(face, self.box[2])
        with torch.no_grad():
            self.target = self._seen(crop.image)
        counts = crop.weight
        self.weights = [None] * len(self.target) if counts is None else self._views(counts)
        """Of each view's pixels and maps; None where all of them count."""
        self.on_maps = [
            weight if weight is None else resized(weight, maps)
            for weight, (_, maps) in zip(self.weights, self.target, strict=True)
        ]
        if face is None:
            x, y, side = self.box
            inside = torch.zeros_like(crop.image[:, :1])
            inside[:, :, y : y + side, x : x + side] = 1 if counts is None else counts[:, :, y : y + side, x : x + side]
            self.on_face = resized(inside, self.target[0][1])

    def _views(self, image: Tensor) -> list[Tensor]:
        whole, face = self.sides
        return [whole_view(image, whole)] + ([face_view(image, self.box, face)] if face else [])

    def _seen(self, image: Tensor) -> list[tuple[Tensor, list[Tensor]]]:
        return [(view, self.distance.maps(view)) for view in self._views(self.crop.covered(image))]

    def compare(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The perceptual distances on the face and on the whole, and the mean squared error, of a
        picture [1, 3, R, R]."""
        seen = self._seen(image)
        errors = [
            mean_square(view, target, weight)
            for (view, _), (target, _), weight in zip(seen, self.target, self.weights, strict=True)
        ]
        pixels = sum(errors[1:], errors[0])
        on_views = [
            weighted(maps, target, over) if over else compare(maps, target).sum()
            for (_, maps), (_, target), over in zip(seen, self.target, self.on_maps, strict=True)
        ]
        if len(seen) > 1:
            return on_views[1], on_views[0], pixels
        return weighted(seen[0][1], self.target[0][1], self.on_face), on_views[0], pixels


def resized(weight: Tensor, maps: list[Tensor]) -> list[Tensor]:
    """A weight [1, 1, H, W] at the sides of maps: each place's is the mean of what it covers."""
    return [F.interpolate(weight, size=m.shape[-2:], mode="area") for m in maps]


def weighted(a: list[Tensor], b: list[Tensor], weights: list[Tensor]) -> Tensor:
    """The perceptual distance between two pictures' maps, as a mean over what has weight: [1, 1, h, w] for each map."""
    total = a[0].new_zeros(())
    for x, y, weight in zip(a, b, weights, strict=True):
        error = (x - y).square().sum(1, keepdim=True)
        total = total + (error * weight).sum() / weight.sum()
    return total


def mean_square(a: Tensor, b: Tensor, weight: Tensor | None) -> Tensor:
    """The mean squared error of two pictures, over what has weight [1, 1, H, W]; over all of them without one."""
    error = (a - b).square()
    return error.mean() if weight is None else (error.mean(1, keepdim=True) * weight).sum() / weight.sum()

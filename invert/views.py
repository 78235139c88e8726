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
    front of it, which would make edges of their own. Of a small crop the views are smaller: see view_side."""

    def __init__(self, crop: Crop, distance: PerceptualDistance, whole: int, face: int | None):
        self.distance, self.box = distance.quick, crop.face
        self.sides = view_side(whole, crop.image.shape[-1]), face and view_side(face, self.box[2])
        with torch.no_grad():
            self.target = self._seen(crop.image)
        if face is None:
            x, y, side = self.box
            inside = torch.zeros_like(crop.image[:, :1])
            inside[:, :, y : y + side, x : x + side] = 1
            self.on_face = [F.interpolate(inside, size=m.shape[-2:], mode="area") for m in self.target[0][1]]

    def _seen(self, image: Tensor) -> list[tuple[Tensor, list[Tensor]]]:
        whole, face = self.sides
        views = [whole_view(image, whole)] + ([face_view(image, self.box, face)] if face else [])
        return [(view, self.distance.maps(view)) for view in views]

    def compare(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The perceptual distances on the face and on the whole, and the mean squared error, of a
        picture [1, 3, R, R]."""
        seen = self._seen(image)
        pixels = sum((view - target).square().mean() for (view, _), (target, _) in zip(seen, self.target, strict=True))
        whole = compare(seen[0][1], self.target[0][1]).sum()
        if len(seen) > 1:
            return compare(seen[1][1], self.target[1][1]).sum(), whole, pixels
        return self._on_face(seen[0][1], self.target[0][1]), whole, pixels

    def _on_face(self, a: list[Tensor], b: list[Tensor]) -> Tensor:
        total = a[0].new_zeros(())
        for x, y, weight in zip(a, b, self.on_face, strict=True):
            error = (x - y).square().sum(1, keepdim=True)
            total = total + (error * weight).sum() / weight.sum()
        return total

"""How good an inversion is, in figures that its loss did not choose."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from photodrag.invert import identity, metrics
from photodrag.invert.crop import Crop, face_view, view_side, whole_view
from photodrag.invert.perceptual import PerceptualDistance
from photodrag.invert.views import mean_square
from photodrag.weights import LatentSpace

FACE_SIDE, WHOLE_SIDE = 224, 256


@dataclass(frozen=True)
class Quality:
    """Crop against reconstruction. Pixel values in [-1, 1], so that the peak of the PSNR is 2. What is ignored of the
    crop has no weight in distances and errors, and is covered in both when identities are compared."""

    distance_face: float
    """Perceptual, on the face view of 224² (less for a small generator: see crop.view_side)."""
    distance_whole: float
    """Perceptual, on the whole crop at 256² (likewise)."""
    mse: float
    """At full size."""
    psnr: float
    """10·log10(4 / mse), in dB."""
    identity: float | None
    """Distance of dlib's 128-number descriptors: 0 for the same picture, under 0.6 for the same person;
    None where no landmarks are known."""
    rms: float
    """Root mean square of the whitened code: about 1 for a natural one, more for one that drags badly."""

    @property
    def likeness(self) -> str:
        """The identity distance in words."""
        return identity.likeness(self.identity)


@torch.no_grad()
def measure(
    crop: Crop,
    image: Tensor,
    w_plus: Tensor,
    distance: PerceptualDistance,
    space: LatentSpace,
    landmarks: np.ndarray | None = None,
) -> Quality:
    """The figures of a reconstruction `image` [1, 3, R, R] of a crop, made from w_plus [1, num_ws, w_dim].

    `landmarks` [68, 2] are those found in `image`; the crop's own by default."""
    face = crop.face
    near, far = view_side(FACE_SIDE, face[2]), view_side(WHOLE_SIDE, image.shape[-1])
    seen = [crop.covered(x) for x in (crop.image, image)]
    on_face, on_whole = (
        _distance(distance, view(seen[0]), view(seen[1]), None if crop.weight is None else view(crop.weight))
        for view in (lambda x: face_view(x, face, near), lambda x: whole_view(x, far))
    )
    mse = mean_square(crop.image, image, crop.weight).item()
    who = None
    if crop.landmarks is not None:
        marks = (crop.landmarks, crop.landmarks if landmarks is None else landmarks)
        a, b = (identity.descriptor(to_uint8(x), m) for x, m in zip(seen, marks, strict=True))
        who = identity.identity_distance(a, b)
    return Quality(on_face, on_whole, mse, metrics.psnr(mse), who, space.rms(w_plus).item())


def _distance(net: PerceptualDistance, a: Tensor, b: Tensor, weight: Tensor | None) -> float:
    return net(a, b).item() if weight is None else metrics.distance(net, a, b, weight)


def to_uint8(image: Tensor) -> np.ndarray:
    """A picture [1, 3, H, W] in [-1, 1] as uint8 RGB [H, W, 3]."""
    levels = ((image[0].detach().clamp(-1, 1) + 1) * 127.5).round().byte()
    return levels.permute(1, 2, 0).contiguous().cpu().numpy()

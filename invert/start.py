"""Starting codes read off a crop: what a face wears must be right from the start, since gradients rarely
put glasses on.

A linear regression takes perceptual features of a crop to w. It was fitted by tests/bench/fit_start.py on
pictures that the generator `face` made itself, and lies beside this file. The features are
the maps of `st-lpips-vgg` on two views at fixed places of the aligned crop, averaged to coarse grids
and sketched: every feature is added, with a random sign, to one of a few thousand sums, which keeps
inner products (count sketch; Charikar et al. 2002) and makes the regression a small matrix."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import torch
from safetensors.torch import load as read_safetensors
from torch import Tensor
from torch.nn import functional as F

from photodrag.invert.crop import face_view, whole_view
from photodrag.invert.perceptual import PerceptualDistance
from photodrag.weights import Generator, LatentSpace

FACE = (0.171875, 0.3046875, 0.65625)
"""x, y and side of the face's view, as shares of the crop's side: fixed, for the crop is aligned."""
FACE_SIDE, WHOLE_SIDE = 128, 64
GRIDS = {"face": (8, 8, 8), "whole": (8, 8, 4)}
"""Cells a side to which the last three maps of each view are averaged."""
SKETCH = 4096
ON_SPHERE = 16
"""Codes that are tried where they lie on a sphere, whose mean is no code: always the same ones."""
STRENGTHS = (0.0, 0.7, 1.0, 1.3)
"""Of the regression's answer, tried as starting codes; 0 is w_avg."""


@dataclass(frozen=True, eq=False)
class StartModel:
    """From a sketch to the w, less its mean, that it lets one expect."""

    mean: Tensor
    """[SKETCH], of the generator's own pictures."""
    weight: Tensor
    """[SKETCH, w_dim]"""

    def __call__(self, sketch: Tensor) -> Tensor:
        return (sketch - self.mean.to(sketch)) @ self.weight.to(sketch)


@cache
def start_digest() -> str:
    """SHA-256 of the model, in hexadecimal: an inversion depends on it."""
    return hashlib.sha256(_model_file()).hexdigest()


def _model_file() -> bytes:
    return files("photodrag.invert").joinpath("start.safetensors").read_bytes()


@cache
def start_model() -> StartModel:
    """The model that comes with the package, for the generator `face`."""
    tensors = read_safetensors(_model_file())
    return StartModel(*(tensors[name].float() for name in ("mean", "weight")))


def sketch(image: Tensor, distance: PerceptualDistance) -> Tensor:
    """A crop [1, 3, R, R] in SKETCH numbers: [SKETCH]. `distance` is `st-lpips-vgg`."""
    small = whole_view(image, 256)
    left, top, extent = (round(share * 256) for share in FACE)
    views = {"face": face_view(small, (left, top, extent), FACE_SIDE), "whole": whole_view(small, WHOLE_SIDE)}
    sums = image.new_zeros(SKETCH)
    for name, view in views.items():
        for layer, grid in zip(distance.maps(view)[2:], GRIDS[name], strict=True):
            features = F.adaptive_avg_pool2d(layer, grid).flatten()
            place, sign = (part.to(image.device) for part in _hash(name, len(features), layer.shape[-1]))
            sums.index_add_(0, place, features * sign / features.norm())
    return sums


@cache
def _hash(view: str, count: int, side: int) -> tuple[Tensor, Tensor]:
    """Where each of `count` features goes, and with which sign: the same on every machine."""
    random = np.random.RandomState(sum(view.encode()) * 1009 + side)
    place = torch.from_numpy(random.randint(0, SKETCH, count))
    sign = torch.from_numpy(random.randint(0, 2, count) * 2 - 1).float()
    return place, sign


@torch.no_grad()
def starting_codes(
    generator: Generator, image: Tensor, distance: PerceptualDistance, space: LatentSpace
) -> list[Tensor]:
    """Whitened codes [w_dim] from which the projection of a crop [1, 3, R, R] may start: only the mean's for
    another perceptual distance or another W than those of the regression; any where codes lie on a sphere."""
    if space.is_sphere:
        random = torch.from_numpy(np.random.RandomState(0).randn(ON_SPHERE, len(space.mean))).to(space.mean)
        return list(space.settled(random))
    if distance.name != "st-lpips-vgg" or not generator.has_ffhq_w or space.slope != 1:
        return [torch.zeros_like(space.mean)]
    answer = start_model()(sketch(image, distance))
    return [space.whiten(space.mean + strength * answer) for strength in STRENGTHS]

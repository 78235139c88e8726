"""Axes of the whitened code along which pictures differ most, as a perceptual distance sees them.

Adam scales every coordinate by itself, which helps as far as the coordinates are the axes of the loss's
curvature (the idea of SOAP, arXiv 2409.11321, which estimates them as it goes). Here they were fitted once,
by tests/bench/fit_axes.py, on pictures that the generator `face` made itself, and lie beside this file as
directions of w: so they mean the same whatever signs an eigensolver gives its vectors."""

from functools import cache
from hashlib import sha256
from importlib.resources import files

import torch
from safetensors.torch import load as read_safetensors
from torch import Tensor

from photodrag.weights.latent.space import LatentSpace

FFHQ_W_DIM = 512
TOLERANCE = 0.05
"""How far from orthonormal the axes may be in a space that is taken for theirs."""


def sensitive_axes(space: LatentSpace) -> Tensor | None:
    """The axes [w_dim, w_dim], orthonormal rows, the one along which pictures differ most first, in the
    coordinates of `space`; None for another generator's space than the one that they were fitted in."""
    directions = _directions().to(space.mean)
    if space.slope != 1 or directions.shape[1] != len(space.mean):
        return None
    axes = directions @ space.components.T / space.std
    product = axes @ axes.T
    if (product - torch.eye(len(axes)).to(product)).abs().max() > TOLERANCE:
        return None
    return 1.5 * axes - 0.5 * product @ axes  # a step of Newton and Schulz: orthonormal to the last digits


@cache
def axes_digest() -> str:
    """The SHA-256 [64 hexadecimal digits] of the axes' file, on which an inversion depends."""
    return sha256(_file()).hexdigest()


@cache
def _directions() -> Tensor:
    return read_safetensors(_file())["directions"].float()


def _file() -> bytes:
    return files("photodrag.weights.latent").joinpath("axes.safetensors").read_bytes()

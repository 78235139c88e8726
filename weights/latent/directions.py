"""Directions in a generator's W along which its pictures change in one way, found without a label, and how far a step
along any direction goes: in standard deviations of the generator's own codes.

SeFa (arXiv 2007.06600) reads them off the weights: the eigenvectors of what takes a code to the styles. GANSpace
(arXiv 2004.02546) takes the principal components of mapped z. Its published strengths are places to which a code's
coordinate is set; here every amount is an offset, so that 0 leaves a code as it is."""

from collections.abc import Sequence

import torch
from torch import Tensor

from photodrag.weights.common.generator import Generator
from photodrag.weights.latent.space import LatentSpace, eigh


@torch.no_grad()
def sefa(generator: Generator, layers: Sequence[int] | None = None) -> Tensor:
    """SeFa's directions [w_dim, w_dim] in w, unit rows, the one that changes styles most first, of the layers that read
    these codes; all of them by default. Signs are `signed`."""
    rows = generator.style_weights()
    chosen = range(len(rows)) if layers is None else layers
    weight = torch.cat([rows[i].cpu().double() for i in chosen])  # not every device has float64
    weight = weight / weight.norm(dim=1, keepdim=True).clamp_min(1e-12)
    _, vectors = eigh(weight.T @ weight)
    return signed(vectors.flip(1).T).float().to(generator.w_avg.device)


def ganspace(space: LatentSpace) -> Tensor:
    """GANSpace's directions [w_dim, w_dim] in w, unit rows, the one of largest deviation first. Signs are `signed`.

    They are of as many codes as the space was fitted to (10,000; GANSpace's are of 1,000,000), so the last ones are
    that much less certain. Raises ValueError for a space of another variable than w."""
    if space.slope != 1:
        raise ValueError("GANSpace's directions are those of w itself")
    return signed(space.components)


def signed(rows: Tensor) -> Tensor:
    """The rows [N, d] with the sign that makes each one's largest number positive, for an eigensolver's are any."""
    largest = rows.gather(1, rows.abs().argmax(1, keepdim=True))
    return rows * torch.where(largest < 0, -1.0, 1.0).to(rows)


def step(direction: Tensor, space: LatentSpace, layers: Sequence[int] | None = None) -> Tensor:
    """The offset [num_ws, w_dim] in w_plus that is one standard deviation of the generator's own codes: the direction
    [num_ws, w_dim], of any length, scaled so that the offsets of the codes that it moves are one deviation of w along
    them, in root mean square. layers: of which codes alone; what isn't named stays 0. Zeros for one of zeros."""
    moved = direction
    if layers is not None:
        moved = torch.zeros_like(direction)
        moved[list(layers)] = direction[list(layers)]
    moved = moved.to(space.mean)
    lengths = moved.norm(dim=1)
    moves = lengths > 0
    if not moves.any():
        return moved
    deviations = ((moved[moves] / lengths[moves, None]) @ space.components.T * space.std).norm(dim=1)
    return moved / (lengths[moves] / deviations).square().mean().sqrt()

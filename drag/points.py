"""Handles and their targets, found possible before anything is drawn."""

import math

import torch
from torch import Tensor

from photodrag.weights import UserError


def checked(handles: Tensor, targets: Tensor, picture_side: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Handles and targets [N, 2], (x, y) in pixels of a generator's picture of that side, of the type and on the
    device of `like`; one point [2] alone is taken, too.

    Raises UserError unless they pair up, are finite, lie in the picture, and no handle has two targets."""
    handles, targets = (_points(name, given, like) for name, given in (("handles", handles), ("targets", targets)))
    if len(handles) != len(targets) or not len(handles):
        raise UserError(f"{len(handles)} handles and {len(targets)} targets were given: each handle needs its target.")
    for name, points in (("handle", handles), ("target", targets)):
        for x, y in points.tolist():
            if not (math.isfinite(x) and math.isfinite(y)):
                raise UserError(f"The {name} {x:g},{y:g} is no point in the picture: give two finite numbers.")
            if not (-0.5 <= x <= picture_side - 0.5 and -0.5 <= y <= picture_side - 0.5):
                raise UserError(
                    f"The {name} {x:g},{y:g} lies outside the generator's picture, which is {picture_side} × "
                    f"{picture_side} pixels: give x,y from 0,0 at the top left."
                )
    aims: dict[tuple[float, float], list[float]] = {}
    for (x, y), target in zip(handles.tolist(), targets.tolist(), strict=True):
        if aims.setdefault((x, y), target) != target:
            raise UserError(f"The handle {x:g},{y:g} has two targets (a pin is one, too): leave one of them out.")
    return handles, targets


def _points(name: str, given: Tensor, like: Tensor) -> Tensor:
    points = torch.as_tensor(given).to(like)
    if points.shape == (2,):
        points = points[None]
    if points.numel() and (points.dim() != 2 or points.shape[1] != 2):
        raise UserError(f"The {name} are no points (x, y), but of shape {tuple(points.shape)}: make it [N, 2].")
    return points.reshape(-1, 2)

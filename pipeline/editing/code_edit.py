"""A photo's code, moved along directions or towards the mean, or given up for another one."""

from os import PathLike
from pathlib import Path

import torch
from torch import Tensor

from photodrag.invert.imported_codes import fitted, read_direction, read_latents
from photodrag.pipeline.editing.attribute_names import along
from photodrag.pipeline.editing.direction_names import CodeEdit, check_layers, read_direction_name
from photodrag.pipeline.editing.inversion import Inversion, Models
from photodrag.weights import Generator, LatentSpace, UserError, ganspace, sefa
from photodrag.weights.latent.attributes import attribute_offset
from photodrag.weights.latent.directions import step


def edited_code(inversion: Inversion, edit: CodeEdit) -> Tensor:
    """The code [1, num_ws, w_dim] that an inversion's becomes; the very same where nothing is to change.

    Raises UserError for directions and codes that the generator hasn't, or that can't be read."""
    models, w_plus = inversion.models, inversion.w_plus
    if edit.latent is not None:
        w_plus = given_code(edit.latent, models.generator).to(w_plus)
    w_plus = moved(w_plus, edit.directions, models.generator, models.space)
    for name, way in along(edit.attributes).items():
        w_plus = w_plus + way * attribute_offset(name, models.generator).to(w_plus)
    return truncated(w_plus, models, edit.truncation)


def given_code(latent: Tensor | str | PathLike[str], generator: Generator) -> Tensor:
    """A code [1, num_ws, w_dim] of the generator, itself or the first in a file. Raises UserError."""
    if not isinstance(latent, Tensor):
        return fitted(read_latents(Path(latent), generator.w_dim)[0].codes, generator.num_ws)
    code = latent[0] if latent.dim() == 3 else latent
    if code.dim() != 2 or code.shape[1] != generator.w_dim:
        raise UserError(f"The code is of shape {tuple(code.shape)}: give w_plus [1, num_ws, {generator.w_dim}].")
    return fitted(code, generator.num_ws)


def moved(
    w_plus: Tensor, directions: tuple[tuple[str, float], ...], generator: Generator, space: LatentSpace
) -> Tensor:
    """Codes w_plus [N, num_ws, w_dim] moved along directions (see direction_names.CodeEdit), by amounts in standard
    deviations of the generator's own codes. Raises UserError for a direction that there isn't."""
    for name, amount in directions:
        offset = offset_of(name, generator, space)
        w_plus = w_plus + amount * offset.to(w_plus) if amount else w_plus
    return w_plus


def offset_of(name: str, generator: Generator, space: LatentSpace) -> Tensor:
    """One standard deviation along the direction of that name, [num_ws, w_dim] in w_plus. Raises UserError."""
    direction, count = read_direction_name(name), generator.num_ws
    check_layers(direction.layers or (), count)
    if direction.kind == "file":
        vector = fitted(read_direction(direction.path, generator.w_dim), count)[0]
    else:
        rows = ganspace(space) if direction.kind == "ganspace" else sefa(generator, direction.layers)
        if direction.number >= len(rows):
            raise UserError(f"There is no direction {name}: its numbers go from 0 to {len(rows) - 1}.")
        vector = rows[direction.number].expand(count, -1)
    offset = step(vector, space, direction.layers)
    if not offset.any():
        raise UserError(f"The direction {name} moves none of these codes: leave @ out, or name others.")
    return offset


def truncated(w_plus: Tensor, models: Models, psi: float) -> Tensor:
    """Codes w_plus [N, num_ws, w_dim] drawn towards the mean of the generator's, or of its class: mean + psi · (w −
    mean). The very same for a psi of 1."""
    if psi == 1:
        return w_plus
    mean = models.generator.w_avg if models.class_ is None else models.space.mean
    return torch.lerp(mean.to(w_plus).expand_as(w_plus), w_plus, psi)

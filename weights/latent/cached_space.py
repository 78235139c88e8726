"""A generator's whitened space, kept in the user's cache, so that no random codes are mapped at every start."""

from contextlib import suppress

import torch
from torch.nn import functional as F

from photodrag.weights.common.checked_safetensors import read_checked, write_checked
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import cache_folder, make_folder
from photodrag.weights.common.generator import Generator
from photodrag.weights.latent.space import LatentSpace, latent_space

VERSION = 1
"""To be raised when `latent_space` gives another answer than before."""


def kept_space(generator: Generator, class_: int | None = None) -> LatentSpace:
    """`latent_space` of a generator from `load`, or of its class number `class_`; from the cache where it is there.

    A cache that can't be written doesn't matter. Raises UserError as `latent_space` does."""
    identity = {"generator": generator.digest, "class": str(class_), "space": str(VERSION)}
    name = generator.digest[:16] + (f"-{class_}" if class_ is not None else "")
    path, device = cache_folder("spaces", f"{name}.safetensors"), generator.w_avg.device
    cached = read_checked(path, identity)
    if cached is not None:
        mean, components, std = (cached[part].to(device) for part in ("mean", "components", "std"))
        return LatentSpace(mean, components, std, is_sphere="is_sphere" in cached)
    c = None if class_ is None else F.one_hot(torch.tensor([class_]), generator.c_dim).float()
    space = latent_space(generator, c=c)
    parts = {"mean": space.mean, "components": space.components, "std": space.std}
    parts |= {"is_sphere": torch.ones(1)} if space.is_sphere else {}
    with suppress(UserError):
        make_folder(path.parent)
        write_checked(path, {part: tensor.cpu() for part, tensor in parts.items()}, identity)
    return space

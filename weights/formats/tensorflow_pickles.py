"""Checkpoints of NVIDIA's TensorFlow codes, from ProGAN to StyleGAN2-ADA: pickles of the networks (G, D, Gs), of which
Gs, the averaged generator, is read, or G where it has no tensors.

Two families share a class, and a class goes by two names: which one it is shows in the names of its variables."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from photodrag.weights.formats.canonical import Canonical, as_float32, qualified_name, unusable
from photodrag.weights.formats.placeholders import Shell
from photodrag.weights.formats.tensorflow_progan import read_progan
from photodrag.weights.formats.tensorflow_stylegan1 import read_stylegan1
from photodrag.weights.formats.tensorflow_stylegan2 import read_stylegan2

NETWORKS = {("dnnlib.tflib.network", "Network"), ("tfutil", "Network")}
SIGNS: dict[str, Callable[[dict[str, object], dict[str, Tensor]], Canonical]] = {
    "synthesis/4x4/Conv/mod_weight": read_stylegan2,
    "synthesis/4x4/Conv/StyleMod/weight": read_stylegan1,
    "4x4/Dense/weight": read_progan,
}
"""A variable that a family's networks alone have, and what reads them."""


def generator_of(raw: object) -> dict[str, object] | None:
    """What the generator in an opened pickle keeps, Gs preferred; None where there is none."""
    if not (isinstance(raw, tuple | list) and len(raw) == 3):
        return None
    g, d, averaged = map(_network_state, raw)
    if g is None or d is None or averaged is None:
        return None
    own = averaged.get("variables")
    has_tensors = _dict_in(averaged, "components") or (isinstance(own, list) and own)
    return averaged if has_tensors else g


def read_tensorflow(generator: dict[str, object]) -> Canonical:
    """The canonical state and arguments of what `generator_of` found. Raises UserError for other networks."""
    variables = as_float32(dict(_variables(generator)))
    synthesis = _network_state(_dict_in(generator, "components").get("synthesis")) or {}
    given = _dict_in(synthesis, "static_kwargs") | _dict_in(generator, "static_kwargs")
    for sign, read in SIGNS.items():
        if sign in variables:
            return read(given, variables)
    raise unusable("its variables are of no family that is known")


def _variables(network: dict[str, object], path: str = "") -> Iterator[tuple[str, Tensor]]:
    """All variables by their path through the network's components."""
    variables = network.get("variables")
    for variable in variables if isinstance(variables, list) else ():
        match variable:
            case (str() as name, np.ndarray() | np.generic() as value) if value.dtype.kind == "f":
                yield qualified_name(path, name), torch.as_tensor(value)
            case _:
                raise unusable("one of its variables has no name or no value")
    for name, part in _dict_in(network, "components").items():
        state = _network_state(part)
        if state is None:
            raise unusable(f"its part {str(name)[:80]!r} is no network")
        yield from _variables(state, qualified_name(path, name, "/"))


def _network_state(value: object) -> dict[str, object] | None:
    """What a network keeps; None for what is no network."""
    if isinstance(value, Shell) and (value.module, value.name) in NETWORKS and isinstance(value.state, dict):
        return value.state
    return None


def _dict_in(network: dict[str, object], name: str) -> dict[str, object]:
    value = network.get(name)
    return value if isinstance(value, dict) else {}

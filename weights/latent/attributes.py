"""Directions in FFHQ's W along which what networks read in a face changes: age, how masculine, how happy.

Of all directions that change one reading and leave the others (conditional manipulation, as of InterFaceGAN,
arXiv 1907.10786), each is the one that changes least of the code and of the person. They were fitted by
tests/bench/fit_attributes.py on pictures that the generator `face` made itself, and lie beside this file as offsets
of w: so they mean the same whatever signs an eigensolver gives its vectors."""

from functools import cache
from importlib.resources import files

from safetensors.torch import load as read_safetensors
from torch import Tensor

from photodrag.weights.common.errors import UserError
from photodrag.weights.common.generator import Generator


def attribute_offset(name: str, generator: Generator) -> Tensor:
    """The offset [num_ws, w_dim] in w_plus that is the whole way along the direction of that name.

    Raises UserError for a generator whose W isn't FFHQ's, and KeyError for a direction that there isn't."""
    check_has_attributes(generator)
    offset = _fitted()[name].to(generator.w_avg)
    return offset.expand(generator.num_ws, -1)


def check_has_attributes(generator: Generator) -> None:
    """Raises UserError for a generator whose W isn't FFHQ's: what was fitted in one W means nothing in another."""
    if not generator.has_ffhq_w:
        raise UserError(
            "Age and the like are known for the generator face, and for those that share its W (StyleGAN2 of FFHQ), "
            "not for this one: take one of them, or name a direction of its own by --direction."
        )


@cache
def _fitted() -> dict[str, Tensor]:
    data = files("photodrag.weights.latent").joinpath("attributes.safetensors").read_bytes()
    return {name: tensor.float() for name, tensor in read_safetensors(data).items()}

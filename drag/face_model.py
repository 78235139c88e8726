"""How a face's landmarks and its identity follow its code: a linear model, which knows where to go before any
gradient does.

It was fitted by tests/bench/fit_face_model.py on pictures that the generator `face` made itself, and lies beside
this file as functions of w, so that it means the same whatever signs an eigensolver gives its vectors."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from safetensors.torch import load as read_safetensors
from torch import Tensor

from photodrag.weights import Generator, LatentSpace
from photodrag.weights.common.face_landmarks import COUNT


@dataclass(frozen=True, eq=False)
class FaceModel:
    """What one unit of each coordinate of the whitened code changes, if all codes of W+ move alike."""

    landmarks: Tensor
    """[w_dim, 68, 2], in pixels of a 512² picture."""
    identity: Tensor
    """[w_dim, 128], of dlib's descriptor."""


def face_model(generator: Generator, space: LatentSpace) -> FaceModel | None:
    """The model in the coordinates of `space`, the generator's; None for one whose W is not FFHQ's, or a space that
    whitens something else than w."""
    if not generator.has_ffhq_w or space.slope != 1:
        return None
    parts = {name: space.std[:, None] * (space.components @ part.to(space.mean)) for name, part in _fitted().items()}
    if space.axes is not None:
        parts = {name: space.axes @ part for name, part in parts.items()}
    return FaceModel(parts["landmarks"].unflatten(1, (COUNT, 2)), parts["identity"])


@cache
def _fitted() -> dict[str, Tensor]:
    data = files("photodrag.drag").joinpath("face_model.safetensors").read_bytes()
    return {name: tensor.float() for name, tensor in read_safetensors(data).items()}

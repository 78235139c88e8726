"""Which of the layouts an opened checkpoint is of, and its canonical form."""

from torch import Tensor

from photodrag.weights.common.errors import UserError
from photodrag.weights.formats import legacy_tf, nvidia
from photodrag.weights.formats.legacy_tf import read_tensorflow
from photodrag.weights.formats.nvidia import read_nvidia
from photodrag.weights.formats.rosinality import is_rosinality, read_rosinality

READERS = {"nvidia": read_nvidia, "tensorflow": read_tensorflow, "rosinality": read_rosinality}


def identify(raw: object) -> str:
    """The layout of what was read out of a file: one of READERS. Raises UserError for any other content."""
    if nvidia.generator_of(raw) is not None:
        return "nvidia"
    if legacy_tf.generator_of(raw) is not None:
        return "tensorflow"
    if is_rosinality(raw):
        return "rosinality"
    raise UserError(
        f"This is no StyleGAN2 checkpoint: it holds {_described(raw)}; give a .pkl of NVIDIA's, with G_ema or "
        "(G, D, Gs), or a .pt of rosinality's code, with g_ema and latent_avg."
    )


def to_canonical(raw: object) -> tuple[dict[str, Tensor], dict[str, object]]:
    """The canonical state dict and arguments of what was read out of a file, of whatever layout.
    Raises UserError where it has none."""
    return READERS[identify(raw)](raw)


def _described(raw: object) -> str:
    if isinstance(raw, dict) and raw:
        names = sorted(ascii(str(name)[:40])[1:-1] for name in list(raw)[:5])  # nothing that a terminal obeys
        return f"a dict of {', '.join(names)}{', …' if len(raw) > 5 else ''}"
    return f"a {type(raw).__name__}"

"""Which of the layouts an opened checkpoint is of, and its canonical form."""

from collections.abc import Callable
from functools import partial

from photodrag.weights.common.errors import UserError
from photodrag.weights.formats import nvidia, style_based, tensorflow_pickles, theano_progan
from photodrag.weights.formats.canonical import Canonical
from photodrag.weights.formats.rosinality import is_rosinality, read_rosinality


def identify(raw: object) -> str:
    """The name of the layout of what was read out of a file: "nvidia", "tensorflow", "theano", "rosinality" or
    "style-based".

    Raises UserError for any other content."""
    return _recognised(raw)[0]


def to_canonical(raw: object) -> Canonical:
    """The canonical state dict and arguments of what was read out of a file, of whatever layout.

    Raises UserError where it has none."""
    return _recognised(raw)[1]()


def _recognised(raw: object) -> tuple[str, Callable[[], Canonical]]:
    """The layout, and what reads it."""
    if (persistent := nvidia.generator_of(raw)) is not None:
        return "nvidia", partial(nvidia.read_nvidia, persistent)
    if (network := tensorflow_pickles.generator_of(raw)) is not None:
        return "tensorflow", partial(tensorflow_pickles.read_tensorflow, network)
    if (network := theano_progan.generator_of(raw)) is not None:
        return "theano", partial(theano_progan.read_theano, network)
    if (state := style_based.generator_of(raw)) is not None:
        return "style-based", partial(style_based.read_style_based, state)
    if is_rosinality(raw):
        return "rosinality", partial(read_rosinality, raw)
    raise UserError(
        f"This is no checkpoint of a known generator: it holds {_described(raw)}; give a .pkl of NVIDIA's, with G_ema "
        "or (G, D, Gs), or a file of rosinality's code, with g_ema and latent_avg, or g_running."
    )


def _described(raw: object) -> str:
    if isinstance(raw, dict) and raw:
        names = sorted(ascii(str(name)[:40])[1:-1] for name in list(raw)[:5])  # nothing that a terminal obeys
        return f"a dict of {', '.join(names)}{', …' if len(raw) > 5 else ''}"
    return f"a {type(raw).__name__}"

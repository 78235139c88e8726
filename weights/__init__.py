"""Where a generator comes from: its networks, file formats, names, fetching and checking.

generator = photodrag.weights.load("face")
w_plus = generator.mapping(torch.randn(1, generator.z_dim), psi=0.7)
image = generator.synthesis(w_plus)
"""

from typing import TYPE_CHECKING

from photodrag.weights.common.lazy import lazily

if TYPE_CHECKING:
    from photodrag.weights.allocator import keep_freed_memory
    from photodrag.weights.catalogue import names
    from photodrag.weights.common.errors import Failure, UserError
    from photodrag.weights.common.generator import Generator, MovableGenerator
    from photodrag.weights.facts import Facts, info, listing
    from photodrag.weights.latent.axes import axes_digest, sensitive_axes
    from photodrag.weights.latent.cached_space import kept_space
    from photodrag.weights.latent.directions import ganspace, sefa
    from photodrag.weights.latent.space import LatentSpace, latent_space
    from photodrag.weights.loading import digest, get, load, state
    from photodrag.weights.user_checkpoints import add, convert, remove

__getattr__, __all__ = lazily(
    __name__,
    {
        "allocator": "keep_freed_memory",
        "catalogue": "names",
        "common.errors": "Failure UserError",
        "facts": "Facts info listing",
        "common.generator": "Generator MovableGenerator",
        "latent.axes": "axes_digest sensitive_axes",
        "latent.directions": "ganspace sefa",
        "latent.space": "LatentSpace latent_space",
        "latent.cached_space": "kept_space",
        "loading": "digest get load state",
        "user_checkpoints": "add convert remove",
    },
)

"""Where a generator comes from: its networks, file formats, names, fetching and checking.

generator = photodrag.weights.load("face")
w_plus = generator.mapping(torch.randn(1, generator.z_dim), psi=0.7)
image = generator.synthesis(w_plus)
"""

from photodrag.weights.common.lazy import lazily

__getattr__, __all__ = lazily(
    __name__,
    {
        "allocator": "keep_freed_memory",
        "catalogue": "names",
        "common.errors": "Failure UserError",
        "facts": "Facts info listing",
        "latent.axes": "axes_digest sensitive_axes",
        "latent.space": "LatentSpace latent_space",
        "latent.spaces": "kept_space",
        "loading": "digest get load state",
        "own": "add convert remove",
    },
)

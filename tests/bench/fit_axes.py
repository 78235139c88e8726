"""Fits weights/latent/axes.safetensors, the axes of the whitened code along which pictures differ most.

python tests/bench/fit_axes.py [--pictures N] [--out FILE]

For a picture's perceptual maps m(p), and u normal of the same shape, Jᵀu is the gradient of u · m, and
E[(Jᵀu)(Jᵀu)ᵀ] = JᵀJ: the curvature of a squared distance of maps, a code's slot by itself. Its mean over
slots (each scaled to trace 1) and over pictures that the generator makes has the axes as eigenvectors.
About 1.5 s a picture on two CPU cores."""

import click
import torch
from safetensors.torch import save_file
from torch import Tensor
from tqdm import trange

from photodrag import weights
from photodrag.invert import perceptual
from photodrag.invert.crop import Crop, face_view, whole_view

SPREAD, APART = 0.75, 0.35
"""Deviations of the codes: what all slots of a picture share, and what each has for itself."""
WHOLE_SIDE, FACE_SIDE = 96, 160
WHOLE_WEIGHT = 0.5
DRAWS = 2
"""Of u, a picture."""


@click.command()
@click.option("--pictures", default=300, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--out", default="axes.safetensors", show_default=True, type=click.Path(dir_okay=False))
def main(pictures: int, seed: int, out: str) -> None:
    weights.keep_freed_memory()
    generator, distance = weights.load("face"), perceptual.load("st-lpips-vgg")
    space = weights.latent_space(generator)
    random = torch.Generator().manual_seed(seed)
    slots, w_dim = generator.num_ws, generator.w_dim
    curvature = torch.zeros(slots, w_dim, w_dim)
    for _ in trange(pictures):
        shared, own = (torch.randn(1, n, w_dim, generator=random) for n in (1, slots))
        p = (SPREAD * shared + APART * own).requires_grad_()
        maps = weighted_maps(generator.synthesis(space.unwhiten(p)), distance)
        for draw in range(DRAWS):
            y = sum((m * torch.randn(m.shape, generator=random)).sum() for m in maps)
            (gradient,) = torch.autograd.grad(y, p, retain_graph=draw + 1 < DRAWS)
            curvature += torch.einsum("nsi,nsj->sij", gradient, gradient)
    traces = curvature.diagonal(dim1=1, dim2=2).sum(1)
    eigenvalues, axes = torch.linalg.eigh((curvature / traces[:, None, None]).mean(0).double())
    facts = {"pictures": str(pictures), "seed": str(seed), "generator": weights.digest("face")}
    directions = axes.flip(1).T.float() * space.std @ space.components
    save_file({"directions": directions.contiguous()}, out, facts)
    shares = eigenvalues.flip(0).cumsum(0) / eigenvalues.sum()
    click.echo(
        f"of the curvature, the first 16, 64 and 256 axes have {[round(shares[i].item(), 2) for i in (15, 63, 255)]}"
    )


def weighted_maps(image: Tensor, distance) -> list[Tensor]:
    """Maps whose plain squared distance is the loss of a projection, on the whole and on the face."""
    whole, face = whole_view(image, WHOLE_SIDE), face_view(image, Crop(image).face, FACE_SIDE)
    weighted = [(m, WHOLE_WEIGHT) for m in distance.maps(whole)] + [(m, 1.0) for m in distance.maps(face)]
    return [m * (weight / (m.shape[-1] * m.shape[-2])) ** 0.5 for m, weight in weighted]


if __name__ == "__main__":
    main()

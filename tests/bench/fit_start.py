"""Fits invert/start.safetensors, the regression from a crop's sketch to w.

python tests/bench/fit_start.py [--samples N] [--out FILE]

Every sample is a picture that the generator makes from a seeded z; its sketch is what start.py would
see of a photo. The ridge is chosen on the last tenth of the samples and the fit made on all. About
0.3 s a sample on two CPU cores."""

import click
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from tqdm import trange

from photodrag import weights
from photodrag.invert import perceptual
from photodrag.invert.start import sketch

RIDGES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Tried, as shares of the mean squared length of a sketch, for a thousand samples."""


@click.command()
@click.option("--samples", default=4000, show_default=True)
@click.option("--out", default="start.safetensors", show_default=True, type=click.Path(dir_okay=False))
@torch.no_grad()
def main(samples: int, out: str) -> None:
    weights.keep_freed_memory()
    generator, distance = weights.load("face"), perceptual.load("st-lpips-vgg")
    space = weights.latent_space(generator)
    sketches, codes = [], []
    for seed in trange(samples):
        z = torch.from_numpy(np.random.RandomState(seed).randn(1, generator.z_dim)).float()
        w_plus = generator.mapping(z)
        sketches.append(sketch(generator.synthesis(w_plus), distance))
        codes.append(space.whiten(w_plus[0, 0]))
    x, y = torch.stack(sketches), torch.stack(codes)
    held = samples // 10
    share = space.std.square() / space.std.square().sum()
    explained = {}
    for ridge in RIDGES:
        mean, weight = fit(x[:-held], y[:-held], ridge)
        error = ((x[-held:] - mean) @ weight - y[-held:]).square().sum(0) / y[-held:].square().sum(0)
        explained[ridge] = ((1 - error) * share).sum().item()
    best = max(explained, key=explained.get)
    click.echo(f"variance of w explained on held-out faces: {explained}")
    mean, weight = fit(x, y, best)
    facts = {"samples": str(samples), "ridge": str(best), "generator": weights.digest("face")}
    weight = weight * space.std @ space.components  # of w: the same whatever signs the components have
    save_file({"mean": mean.half(), "weight": weight.half().contiguous()}, out, facts)


def fit(x: Tensor, y: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    """Ridge regression of y [n, d] on x [n, m] less its mean: (mean [m], weight [m, d]), by its dual."""
    mean = x.mean(0)
    x = x - mean
    kernel = x @ x.T
    kernel.diagonal().add_(ridge * kernel.diagonal().mean() * len(x) / 1000)
    return mean, x.T @ torch.linalg.solve(kernel, y)


if __name__ == "__main__":
    main()

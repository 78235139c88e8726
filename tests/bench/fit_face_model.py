"""Fits drag/face_model.safetensors: how landmarks and identity descriptor of a face follow its w.

python tests/bench/fit_face_model.py [--pictures N] [--seeds 1,2] [--out FILE]

A ridge regression on pictures that the generator `face` made itself, N a seed, truncated by 0.4 … 1: from whitened
codes to dlib's landmarks in a 512² picture, and to its 128 numbers. A process a seed, about 0.3 s a picture. Prints
the share of the variance that it explains of pictures that it hasn't seen, a tenth of them."""

from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context

import click
import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from tqdm import trange

from photodrag import weights
from photodrag.invert.identity import descriptor
from photodrag.invert.quality import to_uint8
from photodrag.pipeline.faces.landmarks import Frame, predict

SIDE = 512
FRAME = Frame(255.5, 285, 235)
"""Where the face lies in an aligned picture of that side."""
TRUNCATION = 0.4, 1.0
RIDGE = 0.03
"""Of the variance of the whitened code, which is at most 1; 0.01 and 0.1 explain less."""


@click.command()
@click.option("--pictures", default=2000, show_default=True, help="Of each seed.")
@click.option("--seeds", default="1,2", show_default=True)
@click.option("--out", default="face_model.safetensors", show_default=True, type=click.Path(dir_okay=False))
def main(pictures: int, seeds: str, out: str) -> None:
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        drawn = list(pool.map(draw, map(int, seeds.split(",")), repeat(pictures)))
    fit(*(np.concatenate(parts) for parts in zip(*drawn, strict=True)), out)


@torch.no_grad()
def draw(seed: int, pictures: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whitened codes [N, w_dim], landmarks [N, 136] and descriptors [N, 128] of so many pictures."""
    torch.set_num_threads(1)
    generator, random = weights.load("face"), np.random.RandomState(seed)
    space, codes, marks, who = weights.kept_space(generator), [], [], []
    for _ in trange(pictures, disable=None):
        psi = random.uniform(*TRUNCATION)
        w_plus = generator.mapping(torch.from_numpy(random.randn(1, generator.z_dim)).float(), psi=psi)
        picture = cv2.resize(to_uint8(generator.synthesis(w_plus)), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        landmarks = predict(picture, FRAME)
        codes.append(space.whiten(w_plus)[0, 0].numpy())
        marks.append(landmarks.ravel())
        who.append(descriptor(picture, landmarks))
    return np.array(codes), np.array(marks), np.array(who)


def fit(codes: np.ndarray, marks: np.ndarray, who: np.ndarray, out: str) -> None:
    """Fit the model, say how good it is, and write it as functions of w."""
    space = weights.kept_space(weights.load("face"))
    order = np.random.RandomState(0).permutation(len(codes))
    seen, unseen = order[len(order) // 10 :], order[: len(order) // 10]
    for name, values in (("landmarks", marks), ("identity", who)):
        answer = values[seen].mean(0) + (codes[unseen] - codes[seen].mean(0)) @ ridge(codes[seen], values[seen])
        left = ((values[unseen] - answer) ** 2).sum() / ((values[unseen] - values[seen].mean(0)) ** 2).sum()
        click.echo(f"{name}: {1 - left:.3f} of the variance explained")
    onto = (space.components.T / space.std).double()  # what the whitened code is of w
    answers = {"landmarks": ridge(codes, marks), "identity": ridge(codes, who)}
    parts = {name: onto @ torch.from_numpy(answer) for name, answer in answers.items()}
    facts = {"pictures": str(len(codes)), "generator": weights.digest("face")}
    save_file({name: part.float().contiguous() for name, part in parts.items()}, out, facts)


def ridge(x: np.ndarray, y: np.ndarray, least: float = RIDGE) -> np.ndarray:
    """The linear map [n, m] from x [N, n] to y [N, m], both less their means. least: added to the variance of x."""
    x, y = (values.astype(np.float64) - values.mean(0) for values in (x, y))
    return np.linalg.solve(x.T @ x + least * len(x) * np.eye(x.shape[1]), x.T @ y)


if __name__ == "__main__":
    main()

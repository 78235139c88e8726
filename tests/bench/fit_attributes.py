"""Fits weights/latent/attributes.safetensors: directions in W along which age, "masculine" and "happy" change.

python tests/bench/fit_attributes.py [--pictures N] [--seeds 1,2] [--drawn FILE.npz] [--out FILE]

Pictures that the generator `face` made itself, N a seed, truncated by 0.5 … 1, are read by networks and landmarks
(face_readings.py says which, and how to fetch them), and a ridge regression tells how each reading follows the
whitened code p. Of all d that raise one reading by one and leave the others of FITTED and HELD, the direction is the
one of the least |d|² + IDENTITY |Bd|², B being how dlib's descriptor follows the code: least change of the code, and of
the person. Amount 1 is the STEP of the reading that the regression expects.

Pictures are those of the small `face` of the tests: the same people, for a quarter of the time; 0.5 s a picture with
its readings. They are kept in --drawn, to be fitted again. Then prints what each amount changes on faces of another
seed: every reading, in its standard deviations over faces, by pictures drawn anew; and the identity distance."""

import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import click
import numpy as np
import safetensors.torch
import torch
from face_readings import FITTED, HELD, READINGS, Reader
from fit_face_model import ridge
from safetensors.torch import save_file
from torch import Tensor
from tqdm import trange

from photodrag import weights
from photodrag.drag.face_model import face_model
from photodrag.invert.identity import descriptor, identity_distance
from photodrag.invert.quality import to_uint8
from photodrag.pipeline.faces.landmarks import Frame, predict
from photodrag.weights.catalogue import find
from photodrag.weights.converted import ensure_state
from photodrag.weights.face import build_face

sys.path.insert(0, str(Path(__file__).parents[1]))
from small_face import RGB, small_state

FRAME = Frame(127.25, 142, 117.5)
"""Where the face lies in an aligned picture of 256²."""
TRUNCATION = 0.5, 1.0
RIDGE = 0.1
"""Of the variance of the whitened code."""
IDENTITY = 30.0
"""At this the descriptor changes two thirds as much as at 0, and the code a twentieth more."""
STEP = {"age": 22.0, "masculine": 12.0, "happy": 16.0}
"""Readings, as the regression expects them."""
AMOUNTS = -1.0, -0.5, 0.5, 1.0


@click.command()
@click.option("--pictures", default=1500, show_default=True, help="Of each seed.")
@click.option("--seeds", default="1,2", show_default=True)
@click.option("--drawn", default="attributes.npz", show_default=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--judged", default=40, show_default=True, help="Faces on which the directions are tried.")
@click.option("--out", default="attributes.safetensors", show_default=True, type=click.Path(dir_okay=False))
def main(pictures: int, seeds: str, drawn: Path, judged: int, out: str) -> None:
    if not drawn.exists():
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            parts = list(pool.map(draw, map(int, seeds.split(",")), repeat(pictures)))
        codes, readings = (np.concatenate(part) for part in zip(*parts, strict=True))
        np.savez(drawn, codes=codes, readings=readings)
    known = np.load(drawn)
    codes, readings = known["codes"], known["readings"]
    offsets = fit(codes, readings)
    facts = {"pictures": str(len(codes)), "generator": weights.digest("face")}
    save_file({name: offset.float().contiguous() for name, offset in offsets.items()}, out, facts)
    judge(offsets, readings.std(0), judged)


class Faces:
    """The small `face`, and what is read in its pictures."""

    def __init__(self) -> None:
        rgb = safetensors.torch.load_file(RGB)
        self.generator, self.reader = build_face(small_state(ensure_state(find("face")), rgb)).eval(), Reader()

    def code(self, random: np.random.RandomState, psi: float) -> Tensor:
        """A random code w_plus [1, num_ws, w_dim]."""
        return self.generator.mapping(torch.from_numpy(random.randn(1, self.generator.z_dim)).float(), psi=psi)

    def seen(self, w_plus: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """The readings of a code's picture, and its descriptor [128]."""
        picture = to_uint8(self.generator.synthesis(w_plus))
        landmarks = predict(picture, FRAME)
        return self.reader.read(picture, landmarks), descriptor(picture, landmarks)


@torch.no_grad()
def draw(seed: int, pictures: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes w [N, w_dim] and the readings [N, readings] of so many pictures."""
    torch.set_num_threads(1)
    faces, random, codes, readings = Faces(), np.random.RandomState(seed), [], []
    for _ in trange(pictures, disable=None):
        psi = random.uniform(*TRUNCATION)
        w_plus = faces.code(random, psi)
        codes.append(w_plus[0, 0].numpy())
        readings.append(faces.seen(w_plus)[0])
    return np.array(codes), np.array(readings)


def fit(codes: np.ndarray, readings: np.ndarray) -> dict[str, Tensor]:
    """The offset in w [1, w_dim] of amount 1 of each of FITTED, of codes w [N, w_dim]; says how well they are known."""
    generator = weights.load("face")
    space = weights.kept_space(generator)
    model = face_model(generator, space)
    p = space.whiten(torch.from_numpy(codes)).double().numpy()
    names = [*FITTED, *HELD]
    wanted = readings[:, [READINGS.index(name) for name in names]]
    order = np.random.RandomState(0).permutation(len(p))
    seen, unseen = order[len(order) // 10 :], order[: len(order) // 10]
    answer = (p[unseen] - p[seen].mean(0)) @ ridge(p[seen], wanted[seen], RIDGE)
    left = (wanted[unseen] - wanted[seen].mean(0) - answer).var(0) / wanted[unseen].var(0)
    click.echo("of the variance explained: " + ", ".join(f"{n} {1 - x:.2f}" for n, x in zip(names, left, strict=True)))
    ways = least_change(ridge(p, wanted, RIDGE), model.identity.double().numpy())
    onto = space.std[:, None].double() * space.components.double()
    return {name: STEP[name] * torch.from_numpy(ways[:, i]) @ onto[None] for i, name in enumerate(FITTED)}


def least_change(gradients: np.ndarray, identity: np.ndarray) -> np.ndarray:
    """Of gradients [w_dim, n], the directions [w_dim, n] whose products with them are 1 for their own and 0 for all
    others, each the one that changes least: of |d|² + IDENTITY |Bd|², with identity B [w_dim, 128]."""
    ways = np.linalg.solve(np.eye(len(identity)) + IDENTITY * identity @ identity.T, gradients)
    return ways @ np.linalg.inv(gradients.T @ ways)


@torch.no_grad()
def judge(offsets: dict[str, Tensor], deviations: np.ndarray, count: int) -> None:
    """Print what amounts change, in the mean over faces of another seed."""
    faces, random = Faces(), np.random.RandomState(10_000)
    codes = [faces.code(random, 0.7) for _ in range(count)]
    before = [faces.seen(code) for code in codes]
    click.echo(f"\n| | identity | {' | '.join(READINGS)} |\n|{'---|' * (2 + len(READINGS))}")
    for name, offset in offsets.items():
        for amount in AMOUNTS:
            after = [faces.seen(code + amount * offset.float()) for code in codes]
            changes = np.mean([(b[0] - a[0]) / deviations for a, b in zip(before, after, strict=True)], 0)
            who = np.median([identity_distance(a[1], b[1]) for a, b in zip(before, after, strict=True)])
            click.echo(f"| {name} {amount:+g} | {who:.2f} | {' | '.join(f'{x:+.2f}' for x in changes)} |")


if __name__ == "__main__":
    main()

"""Linear separability: how well attributes of pictures are told by which side of a plane their codes lie (StyleGAN,
arXiv 1812.04948, section 4.2), by NVIDIA's formula, 2 to the sum of conditional entropies in bits."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from photodrag.invert.quality import to_uint8
from photodrag.pipeline.measures.attributes import THRESHOLDS, Labeller
from photodrag.pipeline.measures.kept import sampled
from photodrag.pipeline.measures.linear_svm import fitted_svm, predicted
from photodrag.weights import Generator, UserError

KEPT = 0.5
"""Share of the samples, those of the surest labels, to which a plane is fitted."""
ENOUGH = 4
"""Times as many fitted points as codes have numbers: below twice, planes tell any labels (Cover 1965)."""
LEAST = 20
"""Faces, at least."""
NOTE = (
    "The score is 2 to the sum of bits over these attributes, labelled by landmarks and small networks; it can't be "
    "compared with published scores, which are over CelebA's 40 attributes."
)


@dataclass(frozen=True)
class Separability:
    """Of one generator, in both spaces: for each attribute the bits H(Y|X) that the plane's side leaves unknown."""

    z: dict[str, float]
    w: dict[str, float]
    samples: int
    faces: int
    """Pictures in which a face was seen: the others have no labels."""

    @staticmethod
    def score(bits: dict[str, float]) -> float:
        """2 to the sum of the bits: 1 for attributes that planes tell perfectly."""
        return float(2 ** sum(bits.values()))


@torch.no_grad()
def separability(
    generator: Generator,
    labeller: Labeller,
    samples: int = 2000,
    seed: int = 0,
    told: Callable[[int, int], object] = lambda done, total: None,
) -> Separability:
    """The separability of a generator of faces over so many random pictures, without truncation.

    Raises UserError where too few of them show a face, and for a generator with classes."""
    if generator.c_dim:
        raise UserError("Separability is measured of faces, and this generator has classes: name another one.")

    def scores(number: int) -> torch.Tensor:
        w_plus = generator.mapping(code(number))
        return torch.from_numpy(labeller.scores(to_uint8(generator.synthesis(w_plus))))

    def code(number: int) -> torch.Tensor:
        z = np.random.RandomState([seed, number]).randn(1, generator.z_dim)
        return torch.from_numpy(z).float().to(generator.w_avg.device)

    mean = generator.w_avg.expand(1, generator.num_ws, -1).contiguous()
    labeller.scores(to_uint8(generator.synthesis(mean)))  # where faces lie, whichever picture is the first
    what = {"separability": list(labeller.names), "generator": generator.digest, "seed": seed}
    found = sampled(what, samples, scores, told).double().numpy()
    seen = np.isfinite(found).all(1)
    if seen.sum() < LEAST:
        raise UserError(
            f"Of {samples} pictures {seen.sum()} show a face: give more --samples, or a generator of faces."
        )
    z = torch.cat([code(number) for number in np.flatnonzero(seen).tolist()])
    w = torch.cat([generator.mapping(part)[:, -1] for part in z.split(1000)])

    def bits(points: np.ndarray) -> dict[str, float]:
        columns = zip(labeller.names, found[seen].T, strict=True)
        return {name: left_unknown(points, column, THRESHOLDS.get(name)) for name, column in columns}

    return Separability(bits(z.cpu().numpy()), bits(w.cpu().numpy()), samples, int(seen.sum()))


def left_unknown(points: np.ndarray, scores: np.ndarray, threshold: float | None = None) -> float:
    """H(Y|X) [bits]: what is not known of labels Y, scores [N] above a threshold (their median by default), from the
    side X on which points [N, d] lie of the plane that separates the surest half best. On the very same points, as
    NVIDIA does it."""
    threshold = float(np.median(scores)) if threshold is None else threshold
    surest = np.argsort(-np.abs(scores - threshold), kind="stable")[: max(1, round(KEPT * len(scores)))]
    labels, points = scores[surest] > threshold, points[surest]
    if labels.all() or not labels.any():  # one class alone, which counts as told perfectly
        return 0.0
    sides = predicted(points, fitted_svm(points, labels))
    joint = np.array([[np.mean((sides == row) & (labels == column)) for column in (0, 1)] for row in (0, 1)])
    return conditional_entropy(joint)


def conditional_entropy(joint: np.ndarray) -> float:
    """H(Y|X) [bits] of a joint distribution [X, Y]: H(Y) less their mutual information, no less than 0."""
    px, py = joint.sum(1, keepdims=True), joint.sum(0, keepdims=True)
    there = joint > 0
    mutual = (joint[there] * np.log2((joint / np.maximum(px * py, 1e-300))[there])).sum()
    y = py[py > 0]
    return max(0.0, float(-(y * np.log2(y)).sum() - mutual))

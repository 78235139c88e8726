"""Fit the last convolution of the small `face` of the tests (tests/small_face.py): least squares from the features at
128² to the area-averaged pictures that the whole network makes, in the bands of a Haar step.

    python tests/bench/fit_small_face.py --samples 64
"""

import sys
from pathlib import Path

import click
import numpy as np
import safetensors.torch
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from photodrag import weights
from photodrag.weights.networks.mobile import HAAR

sys.path.insert(0, str(Path(__file__).parents[1]))
from small_face import RGB, SIDE


def bands(image: Tensor) -> Tensor:
    """The Haar bands [1, 12, H/2, W/2] of a picture [1, 3, H, W], in the order that `inverse_haar` takes."""
    return F.conv2d(image.transpose(0, 1), HAAR[:, None], stride=2).flatten(0, 1)[None]


@click.command()
@click.option("--samples", default=64, show_default=True)
def main(samples: int) -> None:
    """Write tests/small_face.safetensors."""
    face = weights.load("face")
    moments: list[Tensor] = [torch.zeros(()), torch.zeros(())]
    for seed in tqdm(range(samples), disable=None):
        z = torch.from_numpy(np.random.RandomState(5000 + seed).randn(2, face.z_dim)).float()
        shape, colours = face.mapping(z, psi=(1.0, 0.8, 0.6)[seed % 3])
        w_plus = torch.cat((shape[:7], colours[7:] if seed % 2 else shape[7:]))[None]
        with torch.no_grad():
            picture = F.avg_pool2d(face.synthesis(w_plus), face.resolution // SIDE)
            known = face.features(w_plus, SIDE // 2)[0].flatten(1).double()
        known = torch.cat((known, torch.ones_like(known[:1])))
        wanted = bands(picture)[0].flatten(1).double()
        moments = [sum_ + part @ known.T for sum_, part in zip(moments, (known, wanted), strict=True)]
    square = moments[0] + 1e-4 * moments[0].diagonal().mean() * torch.eye(len(moments[0]))
    fitted = torch.linalg.solve(square, moments[1].T).T.float()
    safetensors.torch.save_file({"weight": fitted[:, :-1].contiguous(), "bias": fitted[:, -1].contiguous()}, RGB)


if __name__ == "__main__":
    main()

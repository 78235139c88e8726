"""How far the networks are from what their reference codes computed of the same checkpoints, in tests/golden.

python tests/bench/parity.py

The greatest difference of codes (mapped, truncated), of pictures (each noise and level of detail that is kept) and of
every layer's features, as a part of max(1, the largest value); exit code 1 if one is beyond what tests/weights asks."""

import sys
from pathlib import Path

import click
import torch
from torch import Tensor

from photodrag.weights.formats.families import Network
from photodrag.weights.networks.stylegan3 import StyleGAN3

sys.path.append(str(Path(__file__).parents[1] / "weights"))
from reference import TOLERANCE, built, off, reference

GOLDEN = Path(__file__).parents[1] / "golden"
FILES = (
    *("nvidia-ada-skip-32.pkl", "nvidia-ada-conditional-16.pkl", "nvidia-sg3repo-stylegan2-32.pkl", "legacy-tf-16.pkl"),
    *("nvidia-sg3t-64.pkl", "nvidia-sg3r-64.pkl", "stylegan1-tf-64.pkl", "stylegan1-tf-128.pkl"),
    *("progan-tf-64.pkl", "progan-tf-32-growing.pkl"),
)


def most(pairs: dict[str, tuple[Tensor, Tensor]]) -> str:
    """The greatest difference of what is compared, or "" of nothing."""
    return f"{max(off(*pair) for pair in pairs.values()):.1e}" if pairs else ""


def codes(generator: Network, expected: dict[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    z, psi = expected["z"], 0.7 if isinstance(generator, StyleGAN3) else 0.6
    c = expected.get("c") if generator.c_dim else None
    asked = {"ws": (1.0, None), "ws_truncated": (psi, None), "ws_truncated_cutoff3": (psi, 3)}
    return {name: (generator.mapping(z, c, *how), expected[name]) for name, how in asked.items() if name in expected}


def pictures(path: Path, w_plus: Tensor, expected: dict[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    found = {}
    for name in expected:
        base, _, level = name.partition("_lod")
        if base not in ("image", "image_noise_const", "image_noise_none"):
            continue
        noise = "none" if base.endswith("none") else "const"
        grows = path.name.startswith(("stylegan1", "progan"))
        network = built(path, lod=float(level or 0)) if grows else built(path)
        found[name] = (network.synthesis(w_plus, noise), expected[name])
    return found


def layers(generator: Network, w_plus: Tensor, expected: dict[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    if isinstance(generator, StyleGAN3):
        names = enumerate(generator.synthesis.names)
        return {name: (generator.synthesis.layers_output(w_plus, i), expected[f"feature_{name}"]) for i, name in names}
    names = [name for name in expected if name.startswith("feature_")]
    sides = {name: int(name.removeprefix("feature_").removeprefix("b").split("x")[0].split("_")[0]) for name in names}
    return {name: (generator.features(w_plus, side), expected[name]) for name, side in sides.items()}


@click.command()
def main() -> None:
    print("| checkpoint | codes | pictures | every layer |\n|---|---|---|---|")
    worst = 0.0
    for file in FILES:
        path = GOLDEN / file
        generator, expected = built(path), reference(path)
        w_plus = expected["wplus"] if "wplus" in expected else generator.mapping(expected["z"])
        with torch.no_grad():
            found = codes(generator, expected), pictures(path, w_plus, expected), layers(generator, w_plus, expected)
        print(f"| {path.stem} | {' | '.join(map(most, found))} |")
        worst = max(worst, *(off(*pair) for part in found for pair in part.values()))
    sys.exit(worst > TOLERANCE)


if __name__ == "__main__":
    main()

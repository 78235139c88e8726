"""What a step of a drag costs beyond its network: features(128) with their gradient, on `face` and on the largest
StyleGAN2.

python tests/bench/drag_cost.py [--rounds N]

The second network is config-f at 1024² with seeded random weights, as in stylegan2.py: a cost depends on sizes alone.
A step is drawing, judging, tracking, the losses and the code's move, of a drag that neither arrives nor is taken
back. Exit code 1 if one takes more than ALLOWED times what its features and their gradient take."""

import math
import sys
from collections.abc import Callable

import click
import torch
from cost import medians
from stylegan2 import config_f, gradient

from photodrag import weights
from photodrag.drag import DragSettings, steps
from photodrag.weights.common.bounds import MOST_STEPS
from photodrag.weights.formats.stylegan2_canonical import build_stylegan2

ALLOWED, COUNTS = 1.15, (2, 12)
ENDLESS = {"arrival_distance": -1.0, "max_setback": math.inf, "max_growth": math.inf}
FOREVER = DragSettings(steps=MOST_STEPS, patience=MOST_STEPS, **ENDLESS)


def stepping(generator, w_plus: torch.Tensor, count: int, space: weights.LatentSpace) -> Callable[[], object]:
    """Each call is a step of one drag of so many points, on a circle around the middle, outward."""
    angle = torch.arange(count) * (2 * math.pi / count)
    way, middle = torch.stack((angle.cos(), angle.sin()), 1), generator.resolution / 2
    handles, targets = (middle + share * generator.resolution * way for share in (0.15, 0.2))
    states = steps(generator, w_plus, handles, targets, settings=FOREVER, space=space)
    next(states)
    return lambda: next(states)


def ratios(name: str, generator, rounds: int) -> float:
    """Print what steps cost, of COUNTS of points, and return the worst ratio."""
    space = weights.latent_space(generator)
    w_plus = generator.w_avg.expand(1, generator.num_ws, -1).clone()
    parts = "features(128) with gradient"
    work = {parts: lambda: gradient(lambda w: generator.features(w, DragSettings.feature_side), w_plus)}
    work |= {count: stepping(generator, w_plus, count, space) for count in COUNTS}
    spent = medians(work, rounds)
    told = [f"{count} points {spent[count]:.3f} s, {spent[count] / spent[parts]:.3f} of that" for count in COUNTS]
    click.echo(f"{name}: {parts} {spent[parts]:.3f} s; a step of {'; of '.join(told)}")
    return max(spent[count] for count in COUNTS) / spent[parts]


@click.command()
@click.option("--rounds", default=15, show_default=True)
def main(rounds: int) -> None:
    click.echo(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    weights.keep_freed_memory()
    networks = {"face": weights.load("face"), "config-f": build_stylegan2(config_f(), {})}
    worst = max(ratios(name, generator, rounds) for name, generator in networks.items())
    click.echo(f"a step costs {worst:.2f} of that at most; {ALLOWED} {'kept' if worst <= ALLOWED else 'MISSED'}")
    sys.exit(worst > ALLOWED)


if __name__ == "__main__":
    main()

"""Mutants: does a test fail where a line of the code is wrong?

python tests/bench/mutants.py [--only TEXT] [--workers N]

Each mutant changes one place of a copy of the source and runs the tests beside it, until one fails. Printed are those
that survive, and how many of how many were killed; exit code 1 where one survives that
is not known to. A minute each."""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click
from tqdm import tqdm

ROOT = Path(__file__).parents[2]
STAGES = "weights", "invert", "drag", "pipeline", "data"
BLEND = "tests/pipeline/editing/test_blend.py"


@dataclass(frozen=True)
class Mutant:
    """What is replaced by what in a file, and the tests that should notice."""

    file: str
    right: str
    wrong: str
    tests: str
    known: bool = False
    """It survives, and that is an open issue."""


MUTANTS = [
    Mutant("drag/motion.py", "ahead = way * (", "ahead = -way * (", "tests/drag"),
    Mutant("drag/motion.py", "sample(features.detach(), patch", "sample(features, patch", "tests/drag"),
    Mutant("drag/motion.py", ".sign_().mul_(hold", ".sign_().mul_(0 * hold", "tests/drag"),
    Mutant("drag/tracking.py", "return (0.5 * (before - after)", "return (0.5 * (after - before)", "tests/drag"),
    Mutant("drag/tracking.py", "cost.argmin()", "cost.argmax()", "tests/drag"),
    Mutant("drag/trust_region.py", "(rms(start).clamp_min(max_rms) / rms(p)).clamp_max(1)", "1", "tests/drag", True),
    Mutant("drag/trust_region.py", "(radius / rms(way)).clamp_max(1)", "1", "tests/drag"),
    Mutant("drag/round.py", "sane = seen.abs().mean() < most", "sane = True", "tests/drag", True),
    Mutant("drag/round.py", "bests[-1].points, Adam(), lr / 2", "bests[-1].points, Adam(), lr", "tests/drag", True),
    Mutant("drag/landmark_search.py", "self.jacobian = self.jacobian + ", "_ = self.jacobian + ", "tests/drag"),
    Mutant("drag/landmark_search.py", "likeness * identity @ identity.T", "0 * identity @ identity.T", "tests/drag"),
    Mutant("drag/landmark_search.py", "return best\n\n    def learn", "return None\n\n    def learn", "tests/drag"),
    Mutant("drag/landmark_guided.py", "s.least_head_move * width", "0 * width", "tests/drag"),
    Mutant("drag/contours.py", "weights[meant] =", "weights[meant] +=", "tests/drag"),
    Mutant("drag/loop.py", "nearest = earliest_as_near(", "_ = earliest_as_near(", "tests/drag"),
    Mutant("drag/loop.py", "nearest = nearest or last_with_face(", "nearest = states[-1] or (", "tests/drag"),
    Mutant("invert/projection.py", "s.prior * ", "0 * s.prior * ", "tests/invert", True),
    Mutant("invert/projection.py", "descent.p = descent.best_p", "pass", "tests/invert"),
    Mutant("invert/tuning.py", "best, deltas = value.item(), {", "_, deltas = value.item(), {", "tests/invert"),
    Mutant("invert/start.py", "space.mean + strength * answer", "space.mean - strength * answer", "tests/invert"),
    Mutant("invert/cache.py", "json.dumps([VERSION, *parts]", "json.dumps([*parts]", "tests/invert", True),
    Mutant("pipeline/editing/blend.py", "BLUR = 4\n", "BLUR = 0.25\n", BLEND, True),
    Mutant("pipeline/editing/blend.py", "rest + weight * _read", "rest + 0 * _read", BLEND),
    Mutant("pipeline/editing/blend.py", "np.where(alpha[..., None] > 0", "np.where(alpha[..., None] >= 0", BLEND),
    Mutant("pipeline/editing/masks.py", "np.where(kept, core, 0)", "core", "tests/pipeline/editing"),
    Mutant("pipeline/faces/presets.py", "elif share >= LEAST_WAY:", "else:", "tests/pipeline/faces/test_presets.py"),
    Mutant("pipeline/faces/align.py", "np.where(way > 0, last - start, start)", "last - start", "tests/pipeline/faces"),
]


def killed(mutant: Mutant) -> bool:
    """Whether a test fails on a copy of the source with the mutant in it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "photodrag")
        for stage in STAGES:
            shutil.copytree(ROOT / stage, copy / stage, ignore=shutil.ignore_patterns("__pycache__"))
        file = copy / mutant.file
        text = file.read_text("utf-8")
        if text.count(mutant.right) != 1:
            raise click.ClickException(f"{mutant.file} has {mutant.right!r} {text.count(mutant.right)} times, not once")
        file.write_text(text.replace(mutant.right, mutant.wrong), "utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", mutant.tests]
        environment = os.environ | {"PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8")
        if done.returncode not in (0, 1, 2):
            raise click.ClickException(f"the tests of {mutant.file} could not be run: {done.stdout[-500:]}")
        return done.returncode != 0


@click.command()
@click.option("--only", default="", help="Those whose file or text has this in it.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1))
def main(only: str, workers: int) -> None:
    mutants = [mutant for mutant in MUTANTS if only in f"{mutant.file} {mutant.right}"]
    with ThreadPoolExecutor(workers) as pool:
        dead = list(tqdm(pool.map(killed, mutants), total=len(mutants), disable=None))
    alive = [mutant for mutant, gone in zip(mutants, dead, strict=True) if not gone]
    for mutant in alive:
        click.echo(f"survives{' (known)' if mutant.known else ''}  {mutant.file}: {mutant.right} → {mutant.wrong}")
    click.echo(f"{sum(dead)} of {len(dead)} killed")
    sys.exit(any(not mutant.known for mutant in alive))


if __name__ == "__main__":
    main()

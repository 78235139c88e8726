"""Mutants: does a test fail where a line of the code is wrong?

python tests/bench/mutants.py [--only TEXT] [--generated N --seed S] [--workers N] [--minutes M]

Each mutant changes one place of a file, by what is written here or, with --generated, by its syntax tree, and the tests
beside it run until one fails. Printed are those that survive, or whose tests weren't through at the limit, and how many
were killed; exit code 1 where one survives that isn't in mutants_looked_at.txt. Seconds to a minute each."""

import random
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import click
from generated_mutants import Change, changes
from mutation_run import KILLED, ROOT, outcomes, preload
from tqdm import tqdm

BLEND = "tests/pipeline/editing/test_blend.py"


@dataclass(frozen=True)
class Mutant:
    """What is replaced by what in a file, and the tests that should notice."""

    file: str
    right: str
    wrong: str
    tests: str


MUTANTS = [
    Mutant("drag/motion.py", "ahead = way * (", "ahead = -way * (", "tests/drag"),
    Mutant("drag/motion.py", "sample(features.detach(), patch", "sample(features, patch", "tests/drag"),
    Mutant("drag/motion.py", ".sign_().mul_(hold", ".sign_().mul_(0 * hold", "tests/drag"),
    Mutant("drag/tracking.py", "vertex = (0.5 * (before - after)", "vertex = (0.5 * (after - before)", "tests/drag"),
    Mutant("drag/tracking.py", "cost.argmin()", "cost.argmax()", "tests/drag"),
    Mutant("drag/trust_region.py", "(rms(start).clamp_min(max_rms) / rms(p)).clamp_max(1)", "1", "tests/drag"),
    Mutant("drag/trust_region.py", "(radius / rms(way)).clamp_max(1)", "1", "tests/drag"),
    Mutant("drag/round.py", "sane = seen.abs().mean() < most", "sane = True", "tests/drag"),
    Mutant("drag/round.py", "bests[-1].points, Adam(), lr / 2", "bests[-1].points, Adam(), lr", "tests/drag"),
    Mutant("drag/landmark_search.py", "self.jacobian = self.jacobian + ", "_ = self.jacobian + ", "tests/drag"),
    Mutant("drag/landmark_search.py", "likeness * identity @ identity.T", "0 * identity @ identity.T", "tests/drag"),
    Mutant("drag/landmark_search.py", "return best\n\n    def learn", "return None\n\n    def learn", "tests/drag"),
    Mutant("drag/landmark_guided.py", "s.least_head_move * width", "0 * width", "tests/drag"),
    Mutant("drag/contours.py", "weights[meant] =", "weights[meant] +=", "tests/drag"),
    Mutant("drag/loop.py", "nearest = earliest_as_near(", "_ = earliest_as_near(", "tests/drag"),
    Mutant("drag/loop.py", "nearest = nearest or last_with_face(", "nearest = states[-1] or (", "tests/drag"),
    Mutant("invert/projection.py", "s.prior * ", "0 * s.prior * ", "tests/invert"),
    Mutant(
        "invert/projection.py", "code = space.unwhiten(descent.best_p)", "code = space.unwhiten(seen)", "tests/invert"
    ),
    Mutant("invert/tuning.py", "best, deltas = value.item(), {", "_, deltas = value.item(), {", "tests/invert"),
    Mutant("invert/start.py", "space.mean + strength * answer", "space.mean - strength * answer", "tests/invert"),
    Mutant("invert/cache.py", "json.dumps([VERSION, *parts]", "json.dumps([*parts]", "tests/invert"),
    Mutant("invert/crop.py", "return torch.lerp(around, own", "return torch.lerp(0 * around, own", "tests/invert"),
    Mutant(
        "pipeline/editing/blend.py",
        "alignment.to_photo(flow) - alignment.to_photo(np.zeros(2))",
        "flow / alignment.scale",
        BLEND,
    ),
    Mutant("pipeline/editing/blend.py", "x, y, cv2.INTER_CUBIC", "x, y, cv2.INTER_NEAREST", BLEND),
    Mutant(
        "pipeline/editing/masks.py",
        "cv2.GaussianBlur(change, (0, 0), 3)",
        "cv2.GaussianBlur(np.abs(change), (0, 0), 3)",
        BLEND,
    ),
    Mutant(
        "pipeline/faces/resample.py",
        "flat.min(0), flat.max(0)",
        "0 * flat.min(0) + flat.min(), 0 * flat.max(0) + flat.max()",
        "tests/pipeline/faces/test_align.py",
    ),
    Mutant(
        "pipeline/faces/resample.py",
        "{2: 1, 6: 3}.get(left, min(left, 4))",
        "min(left, 4)",
        "tests/pipeline/faces/test_align.py",
    ),
    Mutant("pipeline/editing/blend.py", "BLUR = 4\n", "BLUR = 0.25\n", BLEND),
    Mutant("pipeline/editing/blend.py", "rest + weight * _read", "rest + 0 * _read", BLEND),
    Mutant("pipeline/editing/blend.py", "np.where(alpha[..., None] > 0", "np.where(alpha[..., None] >= 0", BLEND),
    Mutant("pipeline/editing/masks.py", "np.where(kept, core, 0)", "core", "tests/pipeline/editing"),
    Mutant("pipeline/faces/presets.py", "elif share >= LEAST_WAY:", "else:", "tests/pipeline/faces/test_presets.py"),
    Mutant("pipeline/faces/align.py", "np.where(way > 0, last - start, start)", "last - start", "tests/pipeline/faces"),
]


TESTS = {
    "drag/draggan.py": ("tests/drag/test_methods.py",),
    "drag/freedrag.py": ("tests/drag/test_methods.py",),
    "drag/flow.py": ("tests/drag/test_flow.py",),
    "drag/flow_network.py": ("tests/drag/test_flow.py",),
    "drag/": ("tests/drag",),
    "invert/perceptual.py": ("tests/weights/test_stlpips.py", "tests/invert"),
    "invert/": ("tests/invert",),
    "pipeline/editing/exemplars.py": ("tests/pipeline/people/test_exemplars.py",),
    "pipeline/editing/": tuple(f"tests/pipeline/editing/test_{name}.py" for name in ("blend", "motion", "ignore")),
    "pipeline/faces/": ("tests/pipeline/faces",),
}
"""Of each folder, or file, what generated mutants are tried with."""
FILES = (
    *("drag/*.py", "invert/*.py"),
    *(f"pipeline/editing/{name}.py" for name in ("blend", "compositing", "masks", "motion", "exemplars")),
    *(f"pipeline/faces/{name}.py" for name in ("align", "resample", "presets")),
)
"""Into which mistakes are put."""
LOOKED_AT = Path(__file__).with_name("mutants_looked_at.txt")
"""Generated mutants that survive and may: a line each, with the reason."""


def written(mutant: Mutant) -> tuple[str, str, tuple[str, ...]]:
    """A mutant of MUTANTS as it is run."""
    text = (ROOT / mutant.file).read_text("utf-8")
    if text.count(mutant.right) != 1:
        raise click.ClickException(f"{mutant.file} has {mutant.right!r} {text.count(mutant.right)} times, not once")
    return mutant.file, text.replace(mutant.right, mutant.wrong), (mutant.tests,)


def sampled(count: int, seed: int, only: str) -> list[tuple[str, Change]]:
    """So many generated mutants, each with its file."""
    files = sorted(path for pattern in FILES for path in ROOT.glob(pattern))
    found = [(str(path.relative_to(ROOT)), change) for path in files for change in changes(path)]
    found = [(file, change) for file, change in found if only in f"{file} {change.before}"]
    return random.Random(seed).sample(found, min(count, len(found)))


def told(file: str, change: Change) -> str:
    """A generated mutant in a line, which stays the same when lines above it come and go."""
    return f"{file}: {change.before} → {change.after}"


def tests_of(file: str) -> tuple[str, ...]:
    return next(tests for folder, tests in TESTS.items() if file.startswith(folder))


@click.command()
@click.option("--only", default="", help="Those whose file or text has this in it.")
@click.option("--generated", default=0, help="So many that are generated, instead of those written here.")
@click.option("--seed", default=0, show_default=True, help="Which of them.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1))
@click.option("--limit", default=600.0, show_default=True, help="Seconds for the tests of one; then it is called late.")
@click.option("--minutes", default=1e6, help="After these no other is begun; generated ones are in random order.")
def main(only: str, generated: int, seed: int, workers: int, limit: float, minutes: float) -> None:
    if generated:
        chosen = sampled(generated, seed, only)
        names = [told(file, change) for file, change in chosen]
        lines = [f"{file}:{change.line}: {change.before} → {change.after}" for file, change in chosen]
        runs = [(file, change.text, tests_of(file)) for file, change in chosen]
    else:
        mutants = [mutant for mutant in MUTANTS if only in f"{mutant.file} {mutant.right}"]
        names = lines = [f"{mutant.file}: {mutant.right} → {mutant.wrong}" for mutant in mutants]
        runs = [written(mutant) for mutant in mutants]
    preload()
    fine = {line.split("  # ")[0] for line in LOOKED_AT.read_text("utf-8").splitlines()}
    ends: Counter[str] = Counter()
    with tqdm(total=len(runs), disable=None) as bar:
        for number, end in outcomes(runs, workers, limit, minutes):
            end = "may survive" if end != KILLED and names[number] in fine else end
            ends[end] += 1
            bar.update()
            if end not in (KILLED, "may survive"):
                tqdm.write(f"{end:9}{lines[number]}")
    click.echo(f"{ends[KILLED]} of {ends.total() - ends['may survive']} killed; {dict(ends)}")
    sys.exit(any(end not in (KILLED, "may survive") for end in ends))


if __name__ == "__main__":
    main()

"""How far a command is, on a terminal: one bar for all its steps, weighted by what they cost."""

import sys
from collections.abc import Sequence

from tqdm import tqdm

BASE, PIXEL = 1.15, 1.6e-5
"""Seconds of a projection step on two CPU cores: of the picture, and of each pixel that a view has."""
DRAG = 0.4
"""Seconds of a drag step."""

Costs = dict[str, Sequence[float]]
"""For each stage, in their order, what each of its steps costs, in any unit."""


def inversion_costs(stages: Sequence) -> Costs:
    """Of `ProjectSettings.stages`."""
    sides = [(stage.whole, stage.face or 0) for stage in stages for _ in range(stage.steps)]
    return {"inverting": [BASE + PIXEL * (whole**2 + face**2) for whole, face in sides]}


def drag_costs(steps: int) -> Costs:
    return {"dragging": [DRAG] * steps}


class ProgressBar:
    """A `Progress` (a callback that takes stage, done, total) that draws on stderr; use it in a `with`.

    Nothing is drawn unless `shown`. Fetching is told in lines that stay, unless `quiet`. A stage that
    is skipped (a kept inversion) or ends early leaves the total, so that the time left stays right."""

    def __init__(self, costs: Costs, shown: bool, quiet: bool = False):
        self.costs, self.shown, self.quiet = costs, shown, quiet
        self._bar: tqdm | None = None
        self._done = 0.0  # of the costs
        self._current: tuple[str, int] | None = None  # the stage with steps that goes on, and how many are done
        self._text = ""

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *_) -> None:
        self._wipe()
        if self._bar is not None:
            self._bar.close()

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage.startswith(("fetching", "waiting")):
            if not self.quiet:
                self._wipe()
                tqdm.write(stage[0].upper() + stage[1:] + " …", file=sys.stderr)
        elif not self.shown:
            return
        elif stage in self.costs and total:
            self._step(stage, done)
        elif self._bar is None:
            self._wipe()
            self._text = f"{stage} …"
            sys.stderr.write(self._text)
            sys.stderr.flush()
        else:
            self._bar.set_description(stage)

    def _step(self, stage: str, done: int) -> None:
        self._wipe()
        before = self._current[1] if self._current and self._current[0] == stage else 0
        self._done += sum(self.costs[stage][before:done])
        self._current = stage, done
        names = list(self.costs)
        total = self._done + sum(self.costs[stage][done:])
        total += sum(sum(self.costs[name]) for name in names[names.index(stage) + 1 :])
        if self._bar is None:
            layout = "{desc} {percentage:3.0f}% |{bar}| {remaining} left"
            self._bar = tqdm(bar_format=layout, file=sys.stderr, leave=False, dynamic_ncols=True, total=total)
        self._bar.total = total
        self._bar.set_description(stage, refresh=False)
        self._bar.update(self._done - self._bar.n)
        self._bar.refresh()

    def _wipe(self) -> None:
        if self._text:
            sys.stderr.write("\r" + " " * len(self._text) + "\r")
            self._text = ""

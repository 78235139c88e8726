"""How far a command is, on a terminal: one bar for all its steps, weighted by what they cost."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tqdm import tqdm

from photodrag.weights.common.printable import printable

if TYPE_CHECKING:
    from photodrag.invert.projection import Stage
    from photodrag.invert.tuning import TuneSettings

BASE, PIXEL = 1.15, 1.6e-5
"""Seconds of a projection step on two CPU cores: of the picture, and of each pixel that a view has."""
DRAG = 0.4
"""Seconds of a drag step."""

Costs = dict[str, Sequence[float]]
"""For each stage, in their order, what each of its steps costs, in any unit."""


def inversion_costs(stages: Sequence["Stage"], tuning: "TuneSettings | None" = None) -> Costs:
    """Of `ProjectSettings.stages`, and of TuneSettings where there are some."""
    costs: Costs = {
        "inverting": [_seconds(stage.whole, stage.face or 0) for stage in stages for _ in range(stage.steps)]
    }
    if tuning:
        costs["tuning"] = [_seconds(tuning.whole, tuning.face)] * tuning.steps
    return costs


def _seconds(*sides: int) -> float:
    return BASE + PIXEL * sum(side**2 for side in sides)


def drag_costs(steps: int) -> Costs:
    """Of a drag of so many steps."""
    return {"dragging": [DRAG] * steps}


class ProgressBar:
    """A `Progress` (a callback that takes stage, done, total) that draws on stderr; use it in a `with`.

    Nothing is drawn unless `shown`. Notes and fetching are told in lines that stay, unless `quiet`.
    Stages for which no steps are expected are told in words."""

    def __init__(self, shown: bool, quiet: bool = False):
        self.shown, self.quiet = shown, quiet
        self._costs: Costs = {}
        self._bar: tqdm | None = None
        self._spent = 0.0  # of the costs
        self._at: tuple[str, int] = "", 0  # the stage that goes on, and how many of its steps are done
        self._words = ""

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *_: object) -> None:
        self._wipe()
        if self._bar is not None:
            self._bar.close()

    def expect(self, costs: Costs) -> None:
        """Draw a bar over these stages as soon as the first of them begins.

        One that is skipped (a kept inversion) or ends early leaves the total, so the time left stays right."""
        self._costs = costs

    def note(self, text: str) -> None:
        """Tell something by the way."""
        if not self.quiet:
            self._wipe()
            tqdm.write(printable(text), file=sys.stderr)

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        if stage.startswith(("fetching", "waiting")):
            self.note(stage[0].upper() + stage[1:] + " …")
        elif not self.shown:
            return
        elif stage in self._costs and total:
            self._step(stage, done)
        elif self._bar is None:
            self._wipe()
            self._words = f"{stage} …"
            sys.stderr.write(self._words)
            sys.stderr.flush()
        else:
            self._bar.set_description_str(stage)

    def _step(self, stage: str, done: int) -> None:
        before = self._at[1] if self._at[0] == stage else 0
        self._at = stage, done
        self._spent += sum(self._costs[stage][before:done])
        stages = list(self._costs)
        later = stages[stages.index(stage) + 1 :]
        total = self._spent + sum(self._costs[stage][done:]) + sum(sum(self._costs[name]) for name in later)
        if self._bar is None:
            self._wipe()
            # Drawn at every step, and timed from here on: what came before (starting codes) was no step.
            self._bar = tqdm(
                desc=stage,
                total=total,
                initial=self._spent,
                bar_format="{desc} {percentage:3.0f}% |{bar}| {remaining} left",
                file=sys.stderr,
                leave=False,
                dynamic_ncols=True,
                mininterval=0,
                miniters=0,
            )
        self._bar.total = total
        self._bar.set_description_str(stage, refresh=False)
        self._bar.update(self._spent - self._bar.n)

    def _wipe(self) -> None:
        if self._words:
            sys.stderr.write("\r" + " " * len(self._words) + "\r")
            sys.stderr.flush()
            self._words = ""

"""How a learning rate goes over the steps of a projection or of tuning."""

import math
from typing import Protocol


class Schedule(Protocol):
    """Settings with a learning rate, and the shares of all steps over which it rises, and falls by a cosine."""

    @property
    def lr(self) -> float:
        """The highest rate."""
        ...

    @property
    def warm_up(self) -> float:
        """The share over which it rises."""
        ...

    @property
    def cool_down(self) -> float:
        """The share over which it falls."""
        ...


def learning_rate(t: float, s: Schedule) -> float:
    """lr at the share t of all steps."""
    rise = min(1.0, t / s.warm_up) if s.warm_up else 1.0
    fall = min(1.0, (1 - t) / s.cool_down) if s.cool_down else 1.0
    return s.lr * rise * (0.5 - 0.5 * math.cos(math.pi * fall))

"""How a learning rate goes over the steps of a projection or of tuning."""

import math
from typing import Protocol


class Schedule(Protocol):
    lr: float
    warm_up: float
    cool_down: float
    """Shares of all steps over which lr rises, and falls by a cosine."""


def learning_rate(t: float, s: Schedule) -> float:
    """lr at the share t of all steps."""
    rise, fall = min(1.0, t / s.warm_up), min(1.0, (1 - t) / s.cool_down)
    return s.lr * rise * (0.5 - 0.5 * math.cos(math.pi * fall))

"""A linear support vector machine, scikit-learn's LinearSVC() with its defaults, solved to the end.

LinearSVC minimises ½‖(v, b)‖² + C Σ max(0, 1 − y (v·x + b))² with C = 1 (squared hinge; the intercept is regularised,
too), by coordinates and at most 1000 rounds. The problem has one solution, which a few steps of Newton's method find
exactly (Keerthi and DeCoste 2005); so scikit-learn needs not be there."""

import numpy as np

C = 1.0
STEPS = 100
TOLERANCE = 1e-8
"""Of the gradient, in parts of what it was."""


def fitted_svm(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The weights [d + 1], the intercept last, for points x [N, d] with labels [N] of bool."""
    x = np.column_stack((x.astype(np.float64), np.ones(len(x))))
    y = np.where(labels, 1.0, -1.0)
    v, first = np.zeros(x.shape[1]), None
    for _ in range(STEPS):
        active = y * (x @ v) < 1
        missing = x[active]
        gradient = v + 2 * C * missing.T @ (missing @ v - y[active])
        size = np.linalg.norm(gradient)
        first = first or size
        if size <= TOLERANCE * first:
            break
        step = np.linalg.solve(np.eye(len(v)) + 2 * C * missing.T @ missing, gradient)
        v = v - _length(x, y, v, step, gradient) * step
    return v


def predicted(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The labels [N] of bool of points x [N, d]."""
    return x @ weights[:-1] + weights[-1] > 0


def loss(x: np.ndarray, y: np.ndarray, v: np.ndarray) -> float:
    """What is minimised, for points x [N, d + 1] with a 1 at their end, and labels y [N] of −1 and 1."""
    return float(v @ v / 2 + C * (np.maximum(0, 1 - y * (x @ v)) ** 2).sum())


def _length(x: np.ndarray, y: np.ndarray, v: np.ndarray, step: np.ndarray, gradient: np.ndarray) -> float:
    """How much of a Newton step is gone: halved until it gains (Armijo's rule)."""
    length, now, slope = 1.0, loss(x, y, v), 1e-4 * float(gradient @ step)
    while length > 1e-10 and loss(x, y, v - length * step) > now - length * slope:
        length /= 2
    return length

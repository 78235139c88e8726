"""Adam (Kingma & Ba, arXiv 1412.6980) as a function from a gradient to a step.

torch.optim's changes its variable in place; here a step can be looked at first, and thrown away."""

import torch
from torch import Tensor


class Adam:
    """Turns gradients, one after the other, into steps.

    `t`: how many there were; `m`, `v`: the moving averages of the gradient and of its square, in its shape. Whoever
    resumes a descent sets the three."""

    def __init__(self, beta1: float = 0.9, beta2: float = 0.999) -> None:
        self.beta1, self.beta2 = beta1, beta2
        self.t = 0
        self.m: Tensor = torch.zeros(())
        self.v: Tensor = torch.zeros(())

    def __call__(self, gradient: Tensor) -> Tensor:
        """The step to subtract, for a learning rate of 1: of the gradient's shape."""
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * gradient
        self.v = self.beta2 * self.v + (1 - self.beta2) * gradient.square()
        m, v = self.m / (1 - self.beta1**self.t), self.v / (1 - self.beta2**self.t)
        return m / (v.sqrt() + 1e-8)

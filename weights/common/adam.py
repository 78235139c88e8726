"""Adam (Kingma & Ba, arXiv 1412.6980) as a function from a gradient to a step.

torch.optim's changes its variable in place; here a step can be looked at first, and thrown away."""

from torch import Tensor


class Adam:
    def __init__(self, beta1: float = 0.9, beta2: float = 0.999):
        self.beta1, self.beta2 = beta1, beta2
        self.t, self.m, self.v = 0, 0.0, 0.0

    def __call__(self, gradient: Tensor) -> Tensor:
        """The step to subtract, for a learning rate of 1."""
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * gradient
        self.v = self.beta2 * self.v + (1 - self.beta2) * gradient.square()
        m, v = self.m / (1 - self.beta1**self.t), self.v / (1 - self.beta2**self.t)
        return m / (v.sqrt() + 1e-8)

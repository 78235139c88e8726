"""The search for the code whose landmarks lie at their targets: from look to look a linear model says the way, is
corrected by what was seen (Broyden 1965), and is trusted as far as it was right (Levenberg 1944, Marquardt 1963)."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from photodrag.drag.face_model import FaceModel
from photodrag.drag.settings import LandmarkGuidedSettings
from photodrag.drag.state import DragState
from photodrag.drag.trust_region import farthest, rms
from photodrag.weights.common.face_landmarks import COUNT


@dataclass(frozen=True, eq=False)
class Look:
    """A code whose picture was looked at."""

    w_plus: Tensor
    """[1, num_ws, w_dim]"""
    p: Tensor
    """[1, codes, w_dim], those of its codes that move, whitened."""
    way: Tensor
    """float64 [w_dim], from the start to the mean of these."""
    moved: Tensor
    """float64 [68, 2], how far each landmark has moved from where it was at the start, in pixels of a 512² picture."""

    @classmethod
    def at_start(cls, w_plus: Tensor, p: Tensor) -> "Look":
        """The look at the picture with which a drag begins."""
        return cls(w_plus, p, torch.zeros(p.shape[-1]).double(), torch.zeros(COUNT, 2).double())


class LandmarkSearch:
    """What is known of how landmarks follow a code, and how far that is trusted."""

    def __init__(
        self,
        weights: Tensor,
        wanted: Tensor,
        model: FaceModel,
        settings: LandmarkGuidedSettings,
        start: Tensor,
        px: float,
    ):
        """weights: float64 [N, 68], of which landmarks each handle is the mean. wanted: float64 [N, 2], how far the
        handles are to go, in pixels of a 512² picture, each of which is `px` pixels of the generator's. Of what counts
        less than a handle, both are scaled down. start: the whitened codes [1, codes, w_dim] from which the search
        begins."""
        self.weights, self.wanted, self.settings, self.start, self.px = weights, wanted, settings, start, px
        self.jacobian, identity = model.landmarks.cpu().double(), model.identity.cpu().double()
        likeness = max(settings.identity, settings.identity_each * len(wanted))
        self.metric = torch.eye(len(identity)).double() + likeness * identity @ identity.T
        odd = oddness(self._following(), wanted.flatten(), settings.measurement_variance)
        self.radius = float(np.clip(settings.odd_radius / max(odd, 1e-9) ** 0.5, *settings.radius))
        self.variance, self.trust, self.idle = settings.measurement_variance, 1.0, 0
        self._best: tuple[DragState, Look] | None = None
        self._least = 0.0  # progress that counts
        self.taken_back = 0

    @property
    def best_state(self) -> DragState:
        """The state nearest to the targets so far."""
        return self._known_best()[0]

    def judge(self, state: DragState, look: Look) -> None:
        """Take a state and its look into account: is it the best, was there progress, how far is the model trusted?"""
        if self._best and look is self._best[1]:  # again, after a look that was taken back
            return
        s, before = self.settings, self._best[0] if self._best else None
        if before is None:
            self._least = max(s.progress * self.px, s.least_gain * state.distance)
        progress = before is None or state.distance < before.distance - self._least
        self.idle = 0 if progress else self.idle + 1
        if before is None or state.distance < before.distance:
            self._best = state, look
        least = s.least_measurement_variance * len(self.wanted)
        self.variance = max(self.variance / 2, least) if progress else 2 * self.variance
        self.trust = min(2 * self.trust, 1.0) if progress else self.trust / 3

    def next_way(self) -> Tensor:
        """The way [w_dim] from the start that should bring the handles to their targets, as far as the radius lets."""
        following, best = self._following(), self._known_best()[1]
        further = (self.wanted - self.weights @ best.moved).flatten()
        variance = self.variance
        while rms(shortest(following, self.metric, best.way, further, variance)) > self.radius:
            variance *= 1.5  # a way cut short would go less far for its length
        return shortest(following, self.metric, best.way, further, variance, self.trust)

    def take_back(self, p: Tensor) -> Look:
        """No face was seen at the whitened codes p: the best look, from where shorter ways are tried."""
        best = self._known_best()[1]
        self.taken_back += 1
        self.radius = (farthest(best.p, self.start) + farthest(p, self.start)) / 2
        return best

    def learn(self, look: Look) -> None:
        """Correct the model by what was seen of a step from the best look to this one."""
        best = self._known_best()[1]
        taken = look.way - best.way
        pull = self.metric @ taken
        surprise = look.moved - best.moved - torch.einsum("d,dkc->kc", taken, self.jacobian)
        damped = pull / (taken @ pull + self.settings.broyden_damping)
        self.jacobian = self.jacobian + torch.einsum("d,kc->dkc", damped, surprise)

    def _known_best(self) -> tuple[DragState, Look]:
        if self._best is None:
            raise RuntimeError("no state was judged yet")
        return self._best

    def _following(self) -> Tensor:
        """How the coordinates of the handles follow a code: [w_dim, 2N]."""
        return torch.einsum("nk,dkc->dnc", self.weights, self.jacobian).flatten(1)


def oddness(following: Tensor, wanted: Tensor, variance: float) -> float:
    """How unusual it would be among faces if landmarks differed by `wanted` [2N]: its squared Mahalanobis distance, by
    coordinate, about 1 where they are two faces'. following [w_dim, 2N] says how they follow a code, whose coordinates
    differ by 1."""
    spread = following.T @ following + variance * torch.eye(len(wanted)).double()
    return (wanted @ torch.linalg.solve(spread, wanted) / len(wanted)).item()


def shortest(
    following: Tensor, metric: Tensor, before: Tensor, wanted: Tensor, variance: float, trust: float = 1.0
) -> Tensor:
    """The way d [w_dim] of least dᵀ metric d + |followingᵀ s − wanted|² / variance + (1 / trust − 1) sᵀ metric s, where
    s = d − before is the step: following [w_dim, 2N] says how the handles' coordinates follow it, wanted [2N] how far
    they are to go yet after the way `before`. The less trust, the shorter the step; 1 is the most."""
    onward = following @ wanted / variance - metric @ before
    return before + trust * torch.linalg.solve(metric + (trust / variance) * following @ following.T, onward)

"""Motion supervision (DragGAN, arXiv 2305.10973, §3.2): features a step ahead should look like those here."""

from torch import Tensor

from photodrag.drag.sampling import disc, sample


def motion_loss(features: Tensor, points: Tensor, targets: Tensor, resolution: int, radius: float, step: float):
    """Mean L1 distance between the features around each point (held fixed) and a step towards its target.

    features: [1, C, H, W]; points, targets: [N, 2] in pixels of the picture of side `resolution`.
    radius: of the patch, and step: the most that a point is asked to move, both in the same pixels.
    Points that have arrived are held where they are."""
    patch = points[:, None] + disc(radius, radius / 2, points.device)
    way = targets - points
    length = way.norm(dim=1, keepdim=True)
    ahead = way * (step / length.clamp_min(step))
    here = sample(features.detach(), patch, resolution)
    return (sample(features, patch + ahead[:, None], resolution) - here).abs().mean()


def hold_loss(features: Tensor, reference: Tensor, hold: Tensor) -> Tensor:
    """Mean L1 distance to the reference features [1, C, H, W] where `hold` [1, 1, H, W] (0 … 1) says so."""
    return ((features - reference).abs() * hold).mean()


def hold_gradient(features: Tensor, reference: Tensor, hold: Tensor) -> Tensor:
    """Of `hold_loss` to the features, in three passes over them: autograd takes three times as long, which is a tenth
    of a step."""
    return (features - reference).sign_().mul_(hold / features.numel())

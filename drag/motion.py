"""Motion supervision (DragGAN, arXiv 2305.10973, §3.2): features a step ahead should look like those here."""

from torch import Tensor

from photodrag.drag.sampling import disc, sample


def motion_loss(
    features: Tensor, points: Tensor, targets: Tensor, picture_side: int, patch_radius: float, look_ahead: float
) -> Tensor:
    """Mean L1 distance between the features around each point (held fixed) and a step towards its target.

    features: [1, C, H, W]; points, targets: [N, 2] in pixels of the picture of that side. patch_radius, and
    look_ahead, the most that a point is asked to move, are in the same pixels.
    Points that have arrived are held where they are."""
    patch = points[:, None] + disc(patch_radius, patch_radius / 2, points.device)
    way = targets - points
    length = way.norm(dim=1, keepdim=True)
    ahead = way * (look_ahead / length.clamp_min(look_ahead))
    here = sample(features.detach(), patch, picture_side)
    return (sample(features, patch + ahead[:, None], picture_side) - here).abs().mean()


def hold_loss(features: Tensor, reference: Tensor, hold: Tensor) -> Tensor:
    """Mean L1 distance to the reference features [1, C, H, W] where `hold` [1, 1, H, W] (0 … 1) says so."""
    return ((features - reference).abs() * hold).mean()


def hold_gradient(features: Tensor, reference: Tensor, hold: Tensor) -> Tensor:
    """The gradient of `hold_loss` to the features [1, C, H, W], in three passes over them (see
    docs/design-notes.md#the-gradient-of-what-is-held)."""
    return (features - reference).sign_().mul_(hold / features.numel())

"""Pictures of other channels than red, green and blue, as those: grey scans, sprites with alpha."""

from torch import Tensor

CHANNELS = (1, 3, 4)
"""Of pictures that can be shown: grey, RGB, RGB with alpha."""


def as_rgb(image: Tensor) -> Tensor:
    """A picture [N, 1, 3 or 4, H, W] as [N, 3, H, W]: grey in all three, alpha (-1 where nothing is, 1 where it's
    opaque) composed over white, as pages show it; differentiable."""
    if image.shape[1] == 1:
        return image.expand(-1, 3, -1, -1)
    if image.shape[1] == 4:
        return 1 + (image[:, :3] - 1) * (image[:, 3:] / 2 + 0.5).clamp(0, 1)
    return image

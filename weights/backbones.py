"""The backbones of `lpips-vgg` and `lpips-alex`, which torchvision downloads into the torch hub folder."""

import io
from contextlib import redirect_stderr
from pathlib import Path

import torch

from photodrag.weights.common.errors import Failure
from photodrag.weights.common.files import Progress


def backbone_path(file: str) -> Path:
    """Where torch looks for the backbone; it need not be there."""
    return Path(torch.hub.get_dir()).absolute() / "checkpoints" / file


def ensure_backbone(file: str, progress: Progress | None = None) -> Path:
    """Where the backbone lies, which torchvision downloads unless it is there.

    Raises Failure, which says where to put it by hand, where that does not work."""
    path = backbone_path(file)
    if path.exists():
        return path
    from torchvision import models  # slow to import: see docs/design-notes.md#imports-that-wait

    published = (models.VGG16_Weights.IMAGENET1K_V1, models.AlexNet_Weights.IMAGENET1K_V1)
    url = next(weights.url for weights in published if weights.url.endswith(file))
    if progress:
        progress(f"fetching {file}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with redirect_stderr(io.StringIO()):
            torch.hub.download_url_to_file(url, str(path), file.rpartition("-")[2].partition(".")[0], progress=False)
    except (OSError, RuntimeError) as error:
        raise Failure(
            f"Could not fetch {file} ({error}); connect to a network and try again, or put that file, whose SHA-256 "
            f"begins with the digits in its name, into {path.parent}."
        ) from error
    return path

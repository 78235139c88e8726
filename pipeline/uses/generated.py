"""Pictures of nobody: by a seed, as NVIDIA's generate.py numbers them; in a grid; along a walk from one to the next."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from photodrag.invert.quality import to_uint8
from photodrag.pipeline.editing.code_edit import moved
from photodrag.pipeline.editing.inversion import Models
from photodrag.pipeline.photos.output_formats import BMP, FORMATS, TIFF
from photodrag.weights import UserError
from photodrag.weights.common.files import write_whole

LARGEST = 4096
"""Pixels a side of a grid, at most."""
MOST = 400
"""Pictures of a grid, or stations of a walk, at most."""
QUALITY = 95
"""Of JPEG and WebP."""

Told = Callable[[int, int], object]
"""Told how many of how many pictures are drawn."""


@torch.no_grad()
def codes_of(
    models: Models,
    seeds: Sequence[int],
    psi: float = 1.0,
    cutoff: int | None = None,
    directions: tuple[tuple[str, float], ...] = (),
) -> Tensor:
    """The codes w_plus [N, num_ws, w_dim] of seeds: of z = RandomState(seed).randn, truncated towards w_avg by psi in
    the first `cutoff` codes (all of them by default), then moved along directions (see direction_names.CodeEdit).

    Raises UserError for no seeds, or more than MOST, and for directions that there aren't."""
    if not 1 <= len(seeds) <= MOST:
        raise UserError(f"{len(seeds)} pictures were asked for: give 1 to {MOST} seeds.")
    generator, device = models.generator, models.device
    z = np.stack([np.random.RandomState(seed).randn(generator.z_dim) for seed in seeds])
    c = None
    if models.class_ is not None:
        c = F.one_hot(torch.tensor([models.class_]), generator.c_dim).float().to(device).expand(len(z), -1)
    w_plus = generator.mapping(torch.from_numpy(z).float().to(device), c, psi, cutoff)
    return moved(w_plus, directions, generator, models.space)


@torch.no_grad()
def pictures_of(models: Models, codes: Tensor, told: Told = lambda done, total: None) -> Iterator[np.ndarray]:
    """The generator's pictures of codes [N, num_ws, w_dim], uint8 RGB [R, R, 3], one at a time."""
    for number, code in enumerate(codes, 1):
        yield to_uint8(models.generator.synthesis(code[None]))
        told(number, len(codes))


def walk(codes: Tensor, between: int) -> Tensor:
    """The codes of a walk from each of codes [N, num_ws, w_dim] to the next, by straight lines in W and in even steps,
    with `between` codes for each way and the last one: [(N − 1) · between + 1, num_ws, w_dim]."""
    shares = torch.arange(between).to(codes) / between
    ways = [torch.lerp(a, b, share) for a, b in pairwise(codes) for share in shares]
    return torch.stack([*ways, codes[-1]])


def grid(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures, uint8 RGB [R, R, 3], row by row in as square a grid as there is, black where there is none left; made
    smaller where it would be wider than LARGEST."""
    columns = math.ceil(len(pictures) ** 0.5)
    rows = math.ceil(len(pictures) / columns)
    side = min(len(pictures[0]), LARGEST // columns)
    sheet = np.zeros((rows * side, columns * side, 3), np.uint8)
    for number, picture in enumerate(pictures):
        y, x = side * (number // columns), side * (number % columns)
        small = picture if len(picture) == side else cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        sheet[y : y + side, x : x + side] = small
    return sheet


def check_picture_name(path: Path) -> None:
    """Raises UserError for a name that says no format of pictures."""
    if path.suffix.lower() not in FORMATS:
        raise UserError(f"{path} says no format of pictures: end its name in .png, .jpg, .webp or .tif.")


def write_picture(picture: np.ndarray, path: Path) -> None:
    """Write uint8 RGB [H, W, 3] in the format of the path's extension; whole, or not at all. Raises UserError."""
    kind = FORMATS[path.suffix.lower()]
    options = {} if kind in (BMP, TIFF) else {"quality": QUALITY}
    write_whole(path, lambda file: Image.fromarray(picture).save(file, kind.name, **options))

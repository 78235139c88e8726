"""What an edit is to do, found possible as far as the photo alone tells: no network is loaded before that."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np

from photodrag.pipeline import faces
from photodrag.pipeline.align import Alignment
from photodrag.pipeline.faces import Face
from photodrag.pipeline.mask_file import read_mask
from photodrag.pipeline.photo import Photo, read_photo
from photodrag.weights import UserError

Box = tuple[float, float, float, float]
"""x, y, width, height in photo pixels."""


@dataclass(frozen=True, eq=False)
class Plan:
    """An edit that can be carried out."""

    photo: Photo
    handles: np.ndarray
    """float64 [N, 2], (x, y) in photo pixels."""
    targets: np.ndarray
    """float64 [N, 2], one to each handle."""
    mask: np.ndarray | str
    """Where the photo may change: float32 [H, W], 0 … 1, "auto" or "face"."""
    face: Face
    faces: int
    """How many the photo shows."""
    seconds: float
    """What finding the face took."""


def plan(
    photo: Photo | str | PathLike,
    handles: Sequence[tuple[float, float]],
    targets: Sequence[tuple[float, float]],
    mask: np.ndarray | str | PathLike | None = None,
    face: int | None = None,
    box: Box | None = None,
) -> Plan:
    """Read and check what `photodrag.pipeline.edit` is given; the arguments are the same.

    Raises UserError for anything that a person can put right."""
    photo = photo if isinstance(photo, Photo) else read_photo(photo)
    handles, targets = check_points(photo, handles, targets)
    mask = _given_mask(mask, photo)
    began = time.monotonic()
    found, count = find_face(photo, face, box)
    alignment = Alignment.from_landmarks(found.landmarks)
    check_in_crop(alignment, handles, "handle", count)
    check_in_crop(alignment, targets, "target", count)
    return Plan(photo, handles, targets, mask, found, count, time.monotonic() - began)


def find_face(photo: Photo, number: int | None = None, box: Box | None = None) -> tuple[Face, int]:
    """The face that is meant, and how many the photo shows: the largest by default, or number `number`,
    or the one in `box`. Raises UserError where it isn't there."""
    if box is not None:
        return faces.in_box(photo.pixels, box), 1
    found = faces.detect(photo.pixels)
    return faces.choose(found, number, photo.path.name), len(found)


def check_points(photo: Photo, handles: Sequence, targets: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """Handles and targets as float64 [N, 2]. Raises UserError unless they pair up, lie in the photo, and
    at least one handle has to move."""
    handles, targets = (np.array(points, np.float64).reshape(-1, 2) for points in (handles, targets))
    if len(handles) != len(targets) or not len(handles):
        raise UserError(
            f"{len(handles)} handles and {len(targets)} targets: give one target to each handle, and one at least."
        )
    for name, points in (("handle", handles), ("target", targets)):
        for x, y in points:
            if not (-0.5 <= x <= photo.width - 0.5 and -0.5 <= y <= photo.height - 0.5):
                raise UserError(
                    f"The {name} {x:g},{y:g} lies outside {photo.path.name}, which is {photo.width} × {photo.height} "
                    "pixels: give x,y from 0,0 at the top left."
                )
    if (handles == targets).all():
        x, y = handles[0]
        raise UserError(f"The handle {x:g},{y:g} is its own target, so nothing would move: give it another target.")
    return handles, targets


def check_in_crop(alignment: Alignment, points: np.ndarray, name: str, faces: int) -> None:
    """Raises UserError for points [N, 2] of the photo outside the crop around the face."""
    for (x, y), seen in zip(points, alignment.to_crop(points), strict=True):
        if not ((seen >= 0) & (seen <= alignment.size - 1)).all():
            low, high = alignment.quad.min(0).round(), alignment.quad.max(0).round()
            other = " or choose another face with --face" if faces > 1 else ""
            raise UserError(
                f"The {name} {x:g},{y:g} lies outside the crop around the face, which reaches from "
                f"{low[0]:g},{low[1]:g} to {high[0]:g},{high[1]:g}: move it there{other}."
            )


def _given_mask(mask: np.ndarray | str | PathLike | None, photo: Photo) -> np.ndarray | str:
    """ "auto", "face", or float32 [H, W] of 0 … 1."""
    if mask is None or (isinstance(mask, str) and mask in ("auto", "face")):
        return mask or "auto"
    if not isinstance(mask, np.ndarray):
        return read_mask(mask, photo)
    if mask.shape != photo.pixels.shape[:2]:
        raise UserError(
            f"The mask is {mask.shape}, the photo {photo.pixels.shape[:2]} (rows, columns): make them equal."
        )
    if not mask.any():
        raise UserError("The mask is 0 throughout, so nothing may change: set it to 1 where the photo may.")
    return mask.astype(np.float32).clip(0, 1)

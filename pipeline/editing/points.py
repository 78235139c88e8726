"""Handles and targets: put into numbers, and found to lie where an edit can move them."""

import reprlib
from collections.abc import Iterator, Sequence

import numpy as np

from photodrag.pipeline.editing.controls import Controls
from photodrag.pipeline.faces import landmark_names
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.detection import Face
from photodrag.pipeline.faces.presets import drags as preset_drags
from photodrag.pipeline.faces.regions import region_drags
from photodrag.pipeline.photos.mask import read_mask
from photodrag.pipeline.photos.photo import Photo
from photodrag.weights import UserError
from photodrag.weights.common.bounds import MOST_POINTS

Points = Sequence[landmark_names.Point | str] | np.ndarray
"""Handles or targets as a person gives them: (x, y) in photo pixels, or words that say where they lie."""


def place_points(
    photo: Photo,
    handles: Points,
    targets: Points,
    place: Face | Alignment | None = None,
    snap: bool = False,
    controls: Controls = Controls(),
    may_be_none: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """`check_points`, of handles and targets that may be words, and of controls, on a face: see
    `landmark_names.placed` and `presets.drags`. may_be_none: whether nothing need be dragged."""
    if snap or controls.asked or landmark_names.has_words(handles) or landmark_names.has_words(targets):
        handles, targets = (
            list(points)
            if landmark_names.has_words(points)
            else [tuple(point) for point in _points(name, points).tolist()]
            for name, points in (("handles", handles), ("targets", targets))
        )
        for name, points in (("handles", handles), ("targets", targets)):
            _points(name, [point for point in points if not isinstance(point, str)])
        if handles or targets or not controls.asked:
            _check_pairs(handles, targets)
        landmarks, width = (place.landmarks, place.box[2]) if isinstance(place, Face) else (None, 0.0)
        handles, targets = landmark_names.placed(handles, targets, landmarks, width, snap)
        if controls.asked:
            if landmarks is None and controls.only_of_face:
                raise landmark_names.no_landmarks(controls.only_of_face)
            for added in by_controls(controls, photo, landmarks, width, handles):
                handles, targets = [*handles, *(start for start, _ in added)], [*targets, *(end for _, end in added)]
    if may_be_none and not (len(handles) or len(targets)):
        return np.zeros((0, 2)), np.zeros((0, 2))
    return check_points(photo, handles, targets)


def by_controls(
    controls: Controls, photo: Photo, landmarks: np.ndarray | None, width: float, given: Sequence[landmark_names.Point]
) -> Iterator[list[tuple[landmark_names.Point, landmark_names.Point]]]:
    """The drags of each region, then those of expression, parts and presets together; what was dragged by hand, or by a
    region, is left to that."""
    taken = list(given)
    for region in controls.regions:
        painted = read_mask(region.mask, photo) if region.mask and region.painted is None else region.painted
        made = [drag for drag in region_drags(region, landmarks, width, painted) if drag[0] not in given]
        taken += [start for start, _ in made]
        yield made
    if landmarks is not None:
        yield preset_drags(controls.presets, landmarks, taken, photo.pixels.shape, controls.ways_on(landmarks))


def check_points(photo: Photo, handles: Points, targets: Points) -> tuple[np.ndarray, np.ndarray]:
    """Handles and targets as float64 [N, 2]. Raises UserError unless they pair up, lie in the photo, none has two
    targets, and at least one handle has to move."""
    starts, ends = _points("handles", handles), _points("targets", targets)
    _check_pairs(starts, ends)
    for name, points in (("handle", starts), ("target", ends)):
        for x, y in points:
            if not (-0.5 <= x <= photo.width - 0.5 and -0.5 <= y <= photo.height - 0.5):
                raise UserError(
                    f"The {name} {x:g},{y:g} lies outside {photo.path.name}, which is {photo.width} × {photo.height} "
                    "pixels: give x,y from 0,0 at the top left."
                )
    if (starts == ends).all():
        x, y = starts[0]
        raise UserError(f"The handle {x:g},{y:g} is its own target, so nothing would move: give it another target.")
    aims: dict[tuple[float, float], list[float]] = {}
    for handle, target in zip(starts.tolist(), ends.tolist(), strict=True):
        if aims.setdefault(tuple(handle), target) != target:
            x, y = handle
            raise UserError(f"The handle {x:g},{y:g} has two targets (a pin is one, too): leave one of them out.")
    return starts, ends


def check_in_crop(alignment: Alignment, photo: Photo, points: np.ndarray, name: str, faces: int | None) -> None:
    """Raises UserError for points [N, 2] of the photo outside the crop, of one of so many faces or of none."""
    for (x, y), seen in zip(points, alignment.to_crop(points), strict=True):
        if not ((seen >= 0) & (seen <= alignment.size - 1)).all():
            other = " or choose another face with --face" if faces and faces > 1 else ""
            if faces is None:
                other = " or choose another square with --box X,Y,WIDTH,HEIGHT"
            where = _extent(alignment, (photo.width, photo.height), np.array([x, y]))
            raise UserError(f"The {name} {x:g},{y:g} lies outside {_crop(faces)}, {where}: move it there{other}.")


def check_mask_permits(
    mask: np.ndarray, alignment: Alignment, handles: np.ndarray, name: str, faces: int | None
) -> None:
    """Raises UserError where a mask [H, W] lets nothing of the crop change, or not the place of a handle [N, 2]."""
    region = x0, y0, x1, y1 = alignment.paste_region(mask.shape)
    if not ((mask[y0:y1, x0:x1] > 0) & alignment.covered(region)).any():
        where = _extent(alignment, mask.shape[::-1])
        raise UserError(f"The {name} lets nothing change inside {_crop(faces)}, {where}: paint white there.")
    last = np.array(mask.shape[::-1]) - 1
    for (x, y), (column, row) in zip(handles, handles.round().clip(0, last).astype(int), strict=True):
        if not mask[row, column]:
            raise UserError(f"The handle {x:g},{y:g} lies where the {name} lets nothing change: paint white there.")


def _crop(faces: int | None) -> str:
    return "the square that is edited" if faces is None else "the crop around the face"


def _extent(alignment: Alignment, size: tuple[int, int], point: np.ndarray | None = None) -> str:
    """Where the crop lies in a photo of that width and height, in words. A tilted one is described by its corners
    if `point`, which lies outside of it, lies between its lowest and highest coordinates all the same."""
    low, high = alignment.quad.min(0).round() + 0.0, alignment.quad.max(0).round() + 0.0  # no -0
    if point is None or not ((low <= point) & (point <= high)).all():
        low, high = low.clip(0), high.clip(None, np.array(size) - 1)
        return f"which reaches from about {low[0]:g},{low[1]:g} to {high[0]:g},{high[1]:g}"
    corners = [f"{x:g},{y:g}" for x, y in alignment.quad.round() + 0.0]
    return f"a square with its corners at about {', '.join(corners[:3])} and {corners[3]}"


def _check_pairs(handles: Points, targets: Points) -> None:
    if len(handles) != len(targets) or not len(handles):
        raise UserError(
            f"{len(handles)} handles and {len(targets)} targets: give one target to each handle, and one at least."
        )
    if len(handles) > MOST_POINTS:
        raise UserError(f"{len(handles)} points are too many to be dragged at once: give {MOST_POINTS} at most.")


def _points(name: str, points: Points) -> np.ndarray:
    """float64 [N, 2]; one point (x, y) alone is taken, too."""
    try:
        array = np.asarray(points)
    except ValueError:  # of different lengths
        array = np.array(None)
    if not array.size:
        return np.zeros((0, 2))
    if array.shape == (2,):
        array = array[None]
    numbers = array.dtype.kind in "iuf"
    if not numbers or array.ndim != 2 or array.shape[1] != 2 or not np.isfinite(array).all():
        raise UserError(
            f"The {name} are no points in photo pixels: give a list of (x, y), like [(412, 530)], "
            f"not {reprlib.repr(points)}."
        )
    return array.astype(np.float64)

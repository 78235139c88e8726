"""What an edit is to do, found possible as far as the photo alone tells: no network is loaded before that."""

import os
import reprlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np

from photodrag.pipeline.editing.options import Selection
from photodrag.pipeline.faces import detection, landmark_names
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.box import Box, check_box
from photodrag.pipeline.faces.detection import Face
from photodrag.pipeline.faces.presets import checked as checked_amounts
from photodrag.pipeline.faces.presets import drags as preset_drags
from photodrag.pipeline.photos.mask import given_ignored, given_mask
from photodrag.pipeline.photos.read import Photo, read_photo
from photodrag.weights import UserError

ALIGNS = "face", "square"
"""What a generator is shown: a face, aligned as FFHQ's are, or an upright square of the photo."""
SMALLEST_SQUARE = 16
"""Pixels a side, as the smallest generators' pictures have."""

Place = Face | Alignment
"""A face, or a square of the photo."""
Points = Sequence[landmark_names.Point | str] | np.ndarray
"""Handles or targets as a person gives them: (x, y) in photo pixels, or words that say where they lie."""


@dataclass(frozen=True, eq=False)
class Plan:
    """An edit that can be carried out."""

    photo: Photo
    handles: np.ndarray
    """float64 [N, 2], (x, y) in photo pixels; one whose target is itself is a pin, a point that must stay."""
    targets: np.ndarray
    """float64 [N, 2], one to each handle."""
    mask: np.ndarray | str
    """Where the photo may change: float32 [H, W], 0 … 1, "auto" or "face"."""
    place: Place
    """The face to be edited, or the square where no face was looked for."""
    faces: int | None
    """How many the photo shows; None where nobody looked."""
    seconds: float
    """What finding the face took."""
    ignored: np.ndarray | None = None
    """What of the photo is not to be looked at, nor changed: bool [H, W]; None for nothing."""

    @property
    def face(self) -> Face | None:
        """The face to be edited; None where a square is."""
        return self.place if isinstance(self.place, Face) else None

    @property
    def drags(self) -> tuple[tuple[landmark_names.Point, landmark_names.Point], ...]:
        """Each handle with its target, as an edit's file keeps them."""
        return tuple((tuple(h), tuple(t)) for h, t in zip(self.handles.tolist(), self.targets.tolist(), strict=True))


def plan_edit(
    photo: Photo | str | PathLike,
    handles: Points,
    targets: Points,
    mask: np.ndarray | str | PathLike | None = None,
    selection: Selection = Selection(),
    *,
    snap: bool = False,
    presets: Mapping[str, float] | None = None,
) -> Plan:
    """Read and check what `photodrag.pipeline.edit` is given; the arguments are the same, and snap is that of
    `Dragging`. Where the selection doesn't say what the generator is shown, it is a face: see `usual_align`.

    Raises UserError for anything that a person can put right."""
    photo = photo if isinstance(photo, Photo) else read_photo(Path(photo))
    amounts = checked_amounts(presets or {})
    waits = snap or amounts or landmark_names.by_landmarks(handles) or landmark_names.by_landmarks(targets)
    starts, ends = (None, None) if waits else place_points(photo, handles, targets)
    given, mask, ignored = mask, given_mask(mask, photo), given_ignored(selection.ignore, photo)
    began = time.monotonic()
    place, count = find_place(photo, selection.align or "face", selection.face, selection.box)
    if starts is None or ends is None:
        starts, ends = place_points(photo, handles, targets, place, snap, amounts)
    if isinstance(mask, str) and mask == "face" and count is None:
        raise UserError(
            "The mask can't be the face (--mask face) where a square of the photo is edited: "
            "give --mask auto or a picture, or --align face."
        )
    alignment = alignment_of(place)
    check_in_crop(alignment, photo, starts, "handle", count)
    check_in_crop(alignment, photo, ends, "target", count)
    if isinstance(mask, np.ndarray):
        name = f"mask {given}" if isinstance(given, str | PathLike) else "mask"
        check_mask_permits(mask, alignment, starts, name, count)
        if ignored is not None:  # a handle may lie there: a mouth behind a hand can smile
            check_mask_permits(mask * ~ignored, alignment, starts[:0], f"{name}, without what is ignored,", count)
    return Plan(photo, starts, ends, mask, place, count, time.monotonic() - began, ignored)


def find_generator(name_or_path: str | PathLike) -> tuple[str, str | None]:
    """The generator's name, or its file's path, which then has a folder ("./" at least) to be no name; and its
    subject: "face" for faces that are aligned as FFHQ's are, None where nobody knows.

    Raises UserError where there is none, or its file can't be read."""
    if name_or_path == "face":  # needs no look at the others, which would import torch
        return "face", "face"
    from photodrag.weights.user_checkpoints import resolve

    entry = resolve(name_or_path, "generator")
    is_bare = entry.user_checkpoint and entry.user_checkpoint.original and not os.path.dirname(entry.name)
    return os.path.join(os.curdir, entry.name) if is_bare else entry.name, entry.subject


def usual_align(subject: str | None) -> str:
    """Which of ALIGNS suits a generator whose pictures show that."""
    return "face" if subject == "face" else "square"


def find_place(
    photo: Photo, align: str = "face", number: int | Face | None = None, box: Box | None = None
) -> tuple[Place, int | None]:
    """What is meant: a face and how many there are, as `find_face` says it; or a square, and None.

    The square is the largest that fits, in the middle, or the one around `box`; where that reaches outside, the
    photo is mirrored at its border. Raises UserError as `find_face` does, and for a face's number with a square."""
    if align == "face":
        return find_face(photo, number, box)
    if align != "square":
        raise UserError(f"What the generator is shown (align) is one of {', '.join(ALIGNS)}, not {align!r}.")
    if number is not None:
        raise UserError("A face was chosen (--face) where a square of the photo is edited: add --align face, or --box.")
    if box is None:
        side = min(photo.width, photo.height)
        box = (photo.width - side) / 2, (photo.height - side) / 2, side, side
    check_box(box, photo.pixels.shape, SMALLEST_SQUARE, "a picture")
    return Alignment.from_box(box), None


def alignment_of(place: Place, size: int = 1024) -> Alignment:
    """The square that a generator of that size is shown."""
    if isinstance(place, Face):
        return Alignment.from_landmarks(place.landmarks, size)
    return replace(place, size=size)


def find_face(photo: Photo, number: int | Face | None = None, box: Box | None = None) -> tuple[Face, int]:
    """The face that is meant, and how many the photo shows: the largest by default, or number `number`,
    or the one in `box`; a face itself counts as the only one. Raises UserError where it isn't there, or no
    crop can be laid around it."""
    if isinstance(number, Face):
        face, count = number, 1
    elif box is not None:
        face, count = detection.in_box(photo.pixels, box), 1
    else:
        found = detection.detect(photo.pixels)
        face, count = detection.choose(found, number, photo.path.name), len(found)
    try:
        Alignment.from_landmarks(face.landmarks)
    except ValueError as error:
        raise UserError(
            f"No eyes and mouth could be told apart in {photo.path.name}: mark the face with --box X,Y,WIDTH,HEIGHT."
        ) from error
    return face, count


def place_points(
    photo: Photo,
    handles: Points,
    targets: Points,
    place: Place | None = None,
    snap: bool = False,
    amounts: Mapping[str, float] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """`check_points`, of handles and targets that may be words, and of presets, on a face: see `names.placed` and
    `presets.drags`."""
    if snap or amounts or landmark_names.has_words(handles) or landmark_names.has_words(targets):
        handles, targets = (
            list(points)
            if landmark_names.has_words(points)
            else [tuple(point) for point in _points(name, points).tolist()]
            for name, points in (("handles", handles), ("targets", targets))
        )
        for name, points in (("handles", handles), ("targets", targets)):
            _points(name, [point for point in points if not isinstance(point, str)])
        if handles or targets or not amounts:
            _check_pairs(handles, targets)
        landmarks, width = (place.landmarks, place.box[2]) if isinstance(place, Face) else (None, 0.0)
        handles, targets = landmark_names.placed(handles, targets, landmarks, width, snap)
        if amounts:
            if landmarks is None:
                raise landmark_names.no_landmarks(next(iter(amounts)))
            added = preset_drags(amounts, landmarks, handles)
            handles, targets = [*handles, *(start for start, _ in added)], [*targets, *(end for _, end in added)]
    return check_points(photo, handles, targets)


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

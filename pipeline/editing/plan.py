"""What an edit is to do, found possible as far as the photo alone tells: no network is loaded before that."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from photodrag.pipeline.editing import attribute_names
from photodrag.pipeline.editing.controls import Controls
from photodrag.pipeline.editing.direction_names import check_directions
from photodrag.pipeline.editing.painted_parts import read_map
from photodrag.pipeline.editing.parts_asked import PartsAsked
from photodrag.pipeline.editing.points import Points, check_in_crop, check_mask_permits, place_points
from photodrag.pipeline.editing.selection import Selection
from photodrag.pipeline.faces import detection, landmark_names
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.box import Box, check_box
from photodrag.pipeline.faces.detection import Face
from photodrag.pipeline.faces.irises import Iris, find_irises, not_seen
from photodrag.pipeline.faces.preset_table import Reshaping
from photodrag.pipeline.photos.mask import given_ignored, given_mask
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError

if TYPE_CHECKING:  # reading what is kept of a person needs torch, which takes a second to import
    from photodrag.pipeline.people.person import Person

ALIGNS = "face", "square"
"""What a generator is shown: a face, aligned as FFHQ's are, or an upright square of the photo."""
SMALLEST_SQUARE = 16
"""Pixels a side, as the smallest generators' pictures have."""

Place = Face | Alignment
"""A face, or a square of the photo."""


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
    person: Person | None = None
    """Whose face it is, if somebody who was learned."""
    controls: Controls = field(default_factory=Controls)
    """What is asked for beside points, parts of it that were painted read."""
    irises: tuple[Iris, Iris] | None = None
    """Of the left and the right eye, in photo pixels; None where nobody looked for them."""

    @property
    def face(self) -> Face | None:
        """The face to be edited; None where a square is."""
        return self.place if isinstance(self.place, Face) else None

    @property
    def reshaping(self) -> Reshaping:
        """What is done beside the drags."""
        return self.controls.reshaping

    @property
    def by_photo_alone(self) -> bool:
        """Whether no generator has to draw anything: nothing is dragged nor another code's, and what is reshaped hides
        nothing of which nobody knows what it looks like."""
        none = not len(self.handles) and not self.controls.code.given and self.ignored is None
        return none and bool(self.reshaping)

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
    controls: Controls | Mapping[str, float] | None = None,
) -> Plan:
    """Read and check what `photodrag.pipeline.edit` is given; the arguments are the same, and snap is that of
    `Dragging`. Controls may reshape alone, without a drag, and where a code is edited, nothing need be dragged. Where
    the selection doesn't say what the generator is shown, it is a face: see `usual_align`.

    Raises UserError for anything that a person can put right."""
    photo = photo if isinstance(photo, Photo) else read_photo(Path(photo))
    controls = Controls.of(controls)
    check_directions(controls.code.directions)
    attribute_names.checked(controls.code.attributes)
    painted = None if isinstance(controls.parts, PartsAsked | None) else read_map(controls.parts, photo)
    needs_landmarks = (
        snap or controls.asked or landmark_names.by_landmarks(handles) or landmark_names.by_landmarks(targets)
    )
    only_code = controls.code.given and not (len(handles) or len(targets) or controls.asked)
    starts, ends = (None, None) if needs_landmarks else place_points(photo, handles, targets, may_be_none=only_code)
    given, mask, ignored = mask, given_mask(mask, photo), given_ignored(selection.ignore, photo)
    began = time.monotonic()
    person = known_person(selection.person)
    place, count = find_place(photo, selection.align or "face", selection.face, selection.box, person)
    irises = None
    if isinstance(place, Face) and (painted is not None or any(controls.reshaping.gaze)):
        irises = find_irises(photo.srgb, place.landmarks)
    if isinstance(place, Face) and painted is not None:
        from photodrag.pipeline.editing.repainted import repainted  # SciPy, which no other edit needs

        controls = replace(controls, parts=repainted(painted, place.landmarks, irises))
    if starts is None or ends is None:
        may_be_none = bool(controls.reshaping) or only_code
        starts, ends = place_points(photo, handles, targets, place, snap, controls, may_be_none)
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
    gazes = any(controls.reshaping.gaze)
    if irises is None and gazes:
        raise not_seen(photo.path.name)
    seconds = time.monotonic() - began
    return Plan(photo, starts, ends, mask, place, count, seconds, ignored, person, controls, irises if gazes else None)


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
    photo: Photo,
    align: str = "face",
    number: int | Face | None = None,
    box: Box | None = None,
    person: Person | None = None,
) -> tuple[Place, int | None]:
    """What is meant: a face and how many there are, as `find_face` says it; or a square, and None.

    The square is the largest that fits, in the middle, or the one around `box`; where that reaches outside, the
    photo is mirrored at its border. Raises UserError as `find_face` does, and for a face's number with a square."""
    if align == "face":
        return find_face(photo, number, box, person)
    if align != "square":
        raise UserError(f"What the generator is shown (align) is one of {', '.join(ALIGNS)}, not {align!r}.")
    if person is not None:
        raise UserError("A person was named (--person) where a square of the photo is edited: add --align face.")
    if number is not None:
        raise UserError("A face was chosen (--face) where a square of the photo is edited: add --align face, or --box.")
    if box is None:
        side = min(photo.width, photo.height)
        box = (photo.width - side) / 2, (photo.height - side) / 2, side, side
    check_box(box, photo.pixels.shape, SMALLEST_SQUARE, "a picture")
    return Alignment.from_box(box), None


def known_person(person: str | Person | None) -> Person | None:
    """The person of a selection. Raises UserError where nobody of that name was learned."""
    if not isinstance(person, str):
        return person
    from photodrag.pipeline.people.person import find

    return find(person)


def alignment_of(place: Place, size: int = 1024) -> Alignment:
    """The square that a generator of that size is shown."""
    if isinstance(place, Face):
        return Alignment.from_landmarks(place.landmarks, size)
    return replace(place, size=size)


def find_face(
    photo: Photo, number: int | Face | None = None, box: Box | None = None, person: Person | None = None
) -> tuple[Face, int]:
    """The face that is meant, and how many the photo shows: number `number`, or the one in `box`, or that of a person,
    or the largest; a face itself counts as the only one. Raises UserError where it isn't there, or no crop can be laid
    around it."""
    if isinstance(number, Face):
        face, count = number, 1
    elif box is not None:
        face, count = detection.in_box(photo.srgb, box), 1
    elif person is not None and number is None:
        from photodrag.pipeline.people.same_person import find_person

        face, count = find_person(photo, person)
    else:
        found = detection.detect(photo.srgb)
        face, count = detection.choose(found, number, photo.path.name), len(found)
    try:
        Alignment.from_landmarks(face.landmarks)
    except ValueError as error:
        raise UserError(
            f"No eyes and mouth could be told apart in {photo.path.name}: mark the face with --box X,Y,WIDTH,HEIGHT."
        ) from error
    return face, count

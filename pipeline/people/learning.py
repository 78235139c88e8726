"""Learning a person from photos, in which other people may be, too."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import cv2
import numpy as np

from photodrag.invert import identity
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.detection import detect
from photodrag.pipeline.people import person as people
from photodrag.pipeline.people.person import Person, Portrait
from photodrag.pipeline.people.same_person import same_person
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import Failure, UserError

MOST = 50
"""Photos of a person: what more would show was seen before."""
SIDE = 1024, 128
"""Pixels of the square around a face that are kept at most, and that it must have at least."""
WHOLE = 0.95
"""Part of a face's landmarks that must lie in the photo."""
QUALITY = 95
"""Of JPEG."""
LOOKING = "looking at photos"
"""The stage that progress is told of."""


@dataclass(frozen=True, eq=False)
class Learned:
    """A person, and of which photos not."""

    person: Person
    left_out: dict[str, str]
    """Of photos that aren't used, why, by their names."""


def learn(
    name: str,
    photos: Sequence[Photo | str | PathLike],
    replaced: bool = False,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Learned:
    """Learn the person whom most of these photos show, and keep that under a name (see `person.find`).

    replaced: whether a person of that name may be replaced. progress: told the stage, and how many of how many photos
    were looked at. Raises UserError for a name that can't be or is taken, for no photos or more than MOST, and where
    none of them shows a face that can be used."""
    people.checked_name(name)
    if not replaced and people.path_of(name).exists():
        raise UserError(f"{name} is known already: give --replace to learn that person anew, or another name.")
    if not 1 <= len(photos) <= MOST:
        raise UserError(f"{len(photos)} photos were given: choose 5 to {MOST} that differ in expression and view.")
    found: dict[str, list[Portrait]] = {}
    labels: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for number, given in enumerate(photos, 1):
        label = str(given.path if isinstance(given, Photo) else given)
        try:
            photo = given if isinstance(given, Photo) else read_photo(Path(given))
            portraits = portraits_in(photo)
        except UserError as error:
            left_out[label] = str(error)
        else:
            if photo.key in found:
                left_out[label] = "it is there twice"
            elif not portraits:
                left_out[label] = "it shows no face that is large enough and whole"
            else:
                found[photo.key], labels[photo.key] = portraits, label
        progress(LOOKING, number, len(photos))
    own = []
    at = same_person([np.array([portrait.descriptor for portrait in portraits]) for portraits in found.values()])
    for key, which in zip(found, at, strict=True):
        if which is None:
            left_out[labels[key]] = "it shows somebody else"
        else:
            own.append(found[key][which])
    if not own:
        why = "; ".join(f"{label}: {reason.rstrip('.')}" for label, reason in left_out.items())
        raise UserError(f"Nobody was learned: {why}.")
    return Learned(people.keep(name, own), left_out)


def portraits_in(photo: Photo) -> list[Portrait]:
    """The faces of a photo that are large enough and whole, the largest first."""
    portraits = []
    for face in detect(photo.srgb):
        if ((face.landmarks >= 0) & (face.landmarks < photo.pixels.shape[1::-1])).all(1).mean() < WHOLE:
            continue
        try:
            alignment = Alignment.from_landmarks(face.landmarks)
        except ValueError:  # no eyes and mouth that could be told apart
            continue
        side = round(min(SIDE[0], np.hypot(*(alignment.quad[3] - alignment.quad[0]))))
        if side < SIDE[1]:
            continue
        alignment = Alignment(alignment.quad, side)
        who = identity.descriptor(photo.srgb, face.landmarks)
        landmarks = alignment.to_crop(face.landmarks)
        portraits.append(Portrait(_jpeg(alignment.crop(photo.srgb)), landmarks, who, photo.path.name))
    return portraits


def _jpeg(picture: np.ndarray) -> bytes:
    full = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY, *full]
    )
    if not done:
        raise Failure("A picture could not be kept: this OpenCV writes no JPEG.")
    return data.tobytes()

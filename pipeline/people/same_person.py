"""Who is the same person in several photos, and in a photo the one that is known."""

from collections.abc import Sequence

import numpy as np

from photodrag.invert import identity
from photodrag.pipeline.faces.detection import Face, detect
from photodrag.pipeline.people.person import Person
from photodrag.pipeline.photos.photo import Photo
from photodrag.weights import UserError

Nearest = list[tuple[int | None, float]]
"""Of each photo the number of a face, from 0 on, if one is near enough, and how far it is."""


def same_person(faces: Sequence[np.ndarray]) -> list[int | None]:
    """Of each photo, which of its faces is the person whom most of the photos show; None where none is.

    faces: of each photo the identity descriptors [F, 128] of its faces, F ≥ 0, the largest face first. Of people who
    are in as many photos the one is meant who is larger in them. At first everybody is compared with one face, then
    with the mean of those that were taken for the person, which tells people apart better."""
    everyone = [who for photo in faces for who in photo]
    if not everyone:
        return [None] * len(faces)
    chosen = max((_nearest(faces, who) for who in everyone), key=_votes)
    mean = np.mean([photo[at] for photo, (at, _) in zip(faces, chosen, strict=True) if at is not None], 0)
    return [at for at, _ in _nearest(faces, mean)]


def find_person(photo: Photo, person: Person) -> tuple[Face, int]:
    """The face of a known person in a photo, and how many faces that shows. Raises UserError where none is theirs."""
    found = detect(photo.srgb)
    number = number_of(photo, found, person)
    if number is None:
        raise UserError(
            f"No face in {photo.path.name} looks like {person.name}: choose one with --face N, or mark it with --box."
        )
    return found[number - 1], len(found)


def number_of(photo: Photo, faces: Sequence[Face], person: Person) -> int | None:
    """Which of a photo's faces is a known person's, by its number, from 1 on; None where none is."""
    descriptors = [identity.descriptor(photo.srgb, face.landmarks) for face in faces]
    ((at, _),) = _nearest([np.array(descriptors)], person.descriptor)
    return None if at is None else faces[at].number


def _nearest(faces: Sequence[np.ndarray], who: np.ndarray) -> Nearest:
    found: Nearest = []
    for photo in faces:
        apart = np.linalg.norm(np.reshape(photo, (-1, 128)) - who, axis=1)
        at = int(apart.argmin()) if len(apart) else None
        found.append((None, np.inf) if at is None or apart[at] >= identity.SAME_PERSON else (at, float(apart[at])))
    return found


def _votes(found: Nearest) -> tuple[int, float, float]:
    """How many photos show somebody, how large among the others, and how much alike."""
    ranks, apart = zip(*((at, apart) for at, apart in found if at is not None), strict=True)
    return len(ranks), -float(np.mean(ranks)), -float(np.mean(apart))

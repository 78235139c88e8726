"""What is kept of a person: the face in each of some photos, cut out, in one file that is the user's alone."""

import os
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch

from photodrag.invert import tensor_files
from photodrag.invert.cache import size_of
from photodrag.weights import UserError
from photodrag.weights.common.face_landmarks import COUNT
from photodrag.weights.common.files import cache_folder, make_folder, remove_file, sweep

MOST_BYTES = 200
"""Of a person's name, which is a file's, too."""
CROP = "crop/"
"""How the names of pictures begin in the file."""


@dataclass(frozen=True, eq=False)
class Portrait:
    """A person's face in one photo."""

    jpeg: bytes
    """Its crop, a square."""
    landmarks: np.ndarray
    """float64 [68, 2], (x, y) in pixels of the crop."""
    descriptor: np.ndarray
    """float64 [128], dlib's (see invert.identity)."""
    photo: str
    """The photo's file name at the time, for people only."""

    @cached_property
    def picture(self) -> np.ndarray:
        """The crop, uint8 RGB [S, S, 3]."""
        picture = cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError("what was kept of a portrait is no JPEG")
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody of whom some photos are known."""

    name: str
    portraits: Sequence[Portrait]
    made: str = ""
    """Date and time, ISO 8601, UTC; nothing before it is kept."""

    @cached_property
    def descriptor(self) -> np.ndarray:
        """The mean of the portraits', float64 [128]."""
        return np.mean([portrait.descriptor for portrait in self.portraits], 0)


def checked_name(name: str) -> str:
    """The name, composed as Unicode does it. Raises UserError for one that can't be a person's here."""
    name = unicodedata.normalize("NFC", name)
    kinds = [unicodedata.category(letter)[0] for letter in name]
    right = all(kind in "LMN" or letter in " .-_'" for kind, letter in zip(kinds, name, strict=True))
    if not name or not right or kinds[0] not in "LN" or name[-1] == " " or len(name.encode()) > MOST_BYTES:
        raise UserError(
            f"{name!r} can't be a person's name here: begin with a letter, and use letters, digits, spaces, dots and -."
        )
    return name


def keep(name: str, portraits: Sequence[Portrait]) -> Person:
    """Keep a person, learned now, in place of any of that name. Raises UserError where the cache can't be written."""
    made = datetime.now(timezone.utc).isoformat(timespec="seconds")
    tensors = {
        "landmarks": torch.from_numpy(np.stack([portrait.landmarks for portrait in portraits])),
        "descriptors": torch.from_numpy(np.stack([portrait.descriptor for portrait in portraits])),
    }
    for number, portrait in enumerate(portraits):
        tensors[f"{CROP}{number}"] = torch.from_numpy(np.frombuffer(portrait.jpeg, np.uint8).copy())
    name = checked_name(name)
    facts = {"name": name, "made": made, "photos": [portrait.photo for portrait in portraits]}
    make_folder(folder(), private=True)  # its files are called as people are
    tensor_files.write(path_of(name), tensors, facts)
    return Person(name, portraits, made)


def find(name: str) -> Person:
    """The person of that name. Raises UserError where nobody of that name was learned, or the file isn't whole."""
    name, path = checked_name(name), known_path(name)
    if not os.access(path, os.R_OK):
        raise UserError(f"What is kept of {name} can't be read: you have no permission to read {path}.")
    person = _read(path)
    if person is None:
        raise UserError(f"What is kept of {name} is damaged: photodrag person remove {name!r}, and learn it anew.")
    return person


def known_path(name: str) -> Path:
    """The file of a person, whole or not. Raises UserError where nobody of that name was learned."""
    name = checked_name(name)
    path = path_of(name)
    if not path.exists():
        known = ", ".join(path.stem for path in files())
        raise UserError(f"Nobody called {name} was learned{f', but {known}' if known else ''}: see `photodrag person`.")
    return path


def everybody() -> list[tuple[Person, int]]:
    """All whose files are whole, by name, with the files' sizes in bytes."""
    found = [(_read(path), size_of(path)) for path in files()]
    return [(person, size) for person, size in found if person]


def remove(name: str) -> int:
    """Forget a person; says how many bytes that freed. Raises UserError where there is none of that name, or the file
    can't be removed."""
    path = known_path(name)
    size = size_of(path)
    remove_file(path)
    sweep(folder(), 0)  # what a learning that was killed left
    return size


def folder() -> Path:
    """Where people are kept; it need not exist."""
    return cache_folder("people")


def files() -> list[Path]:
    """Of everybody, damaged ones included."""
    return sorted(folder().glob("*.safetensors"))


def path_of(name: str) -> Path:
    """The file of a person, there or not."""
    return folder() / f"{name}.safetensors"


def _read(path: Path) -> Person | None:
    """The person in a file; None for a missing, damaged or foreign one."""
    with suppress(*tensor_files.UNREADABLE):
        tensors, facts = tensor_files.read(path)
        landmarks, descriptors = (tensors[name].numpy() for name in ("landmarks", "descriptors"))
        crops = [tensors[f"{CROP}{number}"].numpy().tobytes() for number in range(len(landmarks))]
        portraits = [Portrait(*parts) for parts in zip(crops, landmarks, descriptors, facts["photos"], strict=True)]
        datetime.fromisoformat(facts["made"])
        shaped = landmarks.shape[1:] == (COUNT, 2) and descriptors.shape[1:] == (128,) and len(portraits) > 0
        right = shaped and np.isfinite(landmarks).all() and np.isfinite(descriptors).all()
        if right and facts["name"].casefold() == path.stem.casefold():
            return Person(facts["name"], portraits, facts["made"])
    return None

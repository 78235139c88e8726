"""A folder as the user's cache is, with what an edit by default needs."""

import os
import shutil
from pathlib import Path

from photodrag import weights
from photodrag.invert.dlib_models import face_detector
from photodrag.pipeline.faces.landmark_model import landmark_model
from photodrag.weights.common.files import cache_folder


def lay_out(folder: Path, *names: str) -> Path:
    """Put weights by name into it, the whitened space of `face`, and dlib's models; gives the folder."""
    weights.load("face"), face_detector(), landmark_model()  # which keep them
    spaces = cache_folder("spaces").glob(f"{weights.digest('face')[:16]}.*")
    for path in (*map(weights.get, names), *spaces, *cache_folder("faces").glob("*.*")):
        link(path, folder / path.parent.name / path.name)
    return folder


def link(path: Path, other: Path) -> None:
    """The same file in another place."""
    other.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, other)
    except OSError:  # another file system
        shutil.copy(path, other)

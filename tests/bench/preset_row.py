"""The README's picture of presets: the photo, then an edit each.

python tests/bench/preset_row.py PHOTO [--smile 0.6 --open-eyes 0.3 …] [--columns N] --out FILE

Without presets: all of them at 0.5, which is natural."""

import click
import cv2
import numpy as np
from PIL import Image

from photodrag.pipeline.editing.inversion import Models
from photodrag.pipeline.editing.options import Network
from photodrag.pipeline.editing.whole_edit import edit
from photodrag.pipeline.faces.preset_table import PRESETS
from photodrag.weights import keep_freed_memory

SIDE = 176
LETTERS = 26
"""Pixels below each picture, for what it is."""


def labelled(picture: np.ndarray, words: str) -> np.ndarray:
    """A picture, uint8 RGB, at SIDE × SIDE, with words on white below it."""
    small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    below = np.full((LETTERS, SIDE, 3), 255, np.uint8)
    cv2.putText(below, words, (4, LETTERS - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (40, 40, 40), 1, cv2.LINE_AA)
    return np.concatenate((small, below))


@click.command()
@click.argument("photo")
@click.option("--columns", type=click.IntRange(1), default=7, show_default=True)
@click.option("--out", required=True)
def main(photo: str, columns: int, out: str, **amounts: float | None) -> None:
    keep_freed_memory()
    models, row = Models.load(), []
    given = {name.replace("_", "-"): amount for name, amount in amounts.items() if amount is not None}
    for name, amount in (given or dict.fromkeys(PRESETS, 0.5)).items():
        done = edit(photo, [], [], controls={name: amount}, network=Network(models=models))
        crop = done.inversion.alignment.crop
        row = row or [labelled(crop(done.photo.pixels), "the photo")]
        row.append(labelled(crop(done.picture), f"--{name} {amount:g}"))
        told = f"{name} {amount:g}: {done.stop_reason} after {done.steps} steps, identity {done.identity:.3f}"
        click.echo(", ".join((told, *done.doubts)))
    row += [np.full_like(row[0], 255)] * (-len(row) % min(columns, len(row)))
    rows = [np.concatenate(row[i : i + columns], 1) for i in range(0, len(row), columns)]
    Image.fromarray(np.concatenate(rows)).save(out, optimize=True)


for preset in PRESETS:
    main.params.append(click.Option([f"--{preset}"], type=click.FloatRange(-1, 1)))

if __name__ == "__main__":
    main()

"""The README's row of presets: the photo, then an edit each.

python tests/bench/preset_row.py PHOTO --smile 0.6 --open-eyes 0.3 … --out FILE"""

import click
import cv2
import numpy as np
from PIL import Image

from photodrag.pipeline.editing.inversion import Models
from photodrag.pipeline.editing.options import Network
from photodrag.pipeline.editing.whole_edit import edit
from photodrag.pipeline.faces.preset_table import PRESETS
from photodrag.weights import keep_freed_memory

SIDE = 256
LETTERS = 26
"""Pixels below each picture, for what it is."""


def labelled(picture: np.ndarray, words: str) -> np.ndarray:
    """A picture, uint8 RGB, at SIDE × SIDE, with words on white below it."""
    small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    below = np.full((LETTERS, SIDE, 3), 255, np.uint8)
    cv2.putText(below, words, (4, LETTERS - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (40, 40, 40), 1, cv2.LINE_AA)
    return np.concatenate((small, below))


@click.command()
@click.argument("photo")
@click.option("--out", required=True)
def main(photo: str, out: str, **amounts: float | None) -> None:
    keep_freed_memory()
    models, row = Models.load(), []
    for name, amount in ((name.replace("_", "-"), amount) for name, amount in amounts.items() if amount is not None):
        done = edit(photo, [], [], presets={name: amount}, network=Network(models=models))
        crop = done.inversion.alignment.crop
        row = row or [labelled(crop(done.photo.pixels), "the photo")]
        row.append(labelled(crop(done.picture), f"--{name} {amount:g}"))
        click.echo(f"{name} {amount:g}: {done.stop_reason} after {done.steps} steps, identity {done.identity:.3f}")
    Image.fromarray(np.concatenate(row, 1)).save(out, optimize=True)


for preset in PRESETS:
    main.params.append(click.Option([f"--{preset}"], type=click.FloatRange(-1, 1)))

if __name__ == "__main__":
    main()

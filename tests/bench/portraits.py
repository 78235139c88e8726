"""Three edits of every photo, measured: a mouth corner, an eyebrow, the chin, each by 4 % of the face's width.

python tests/bench/portraits.py PHOTO … [--sheet FILE.png] [--refresh]

A row a photo: how good its inversion is; then, an edit each, how far the landmark nearest to the
handle, detected again on the result, covered the way asked for, and the identity distance between
photo and result. The last rows are medians. The sheet shows photo, reconstruction and results. Exit
code 1 if a figure is worse than ASKED."""

import sys
from pathlib import Path

import click
import cv2
import numpy as np
from PIL import Image

from photodrag.pipeline.editing.inversion import Models
from photodrag.pipeline.editing.options import Inverting, Network
from photodrag.pipeline.editing.plan import find_face
from photodrag.pipeline.editing.whole_edit import edit
from photodrag.pipeline.faces.landmarks import Frame, predict
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import keep_freed_memory

STEP = 0.04
EDITS = {"corner": (54, (0.6, -0.8)), "brow": (19, (0.0, -1.0)), "chin": (8, (-1.0, 0.0))}
ASKED = {"face": 0.055, "whole": 0.10, "way": 0.60, "identity": 0.35, "worst identity": 0.5}
"""Of medians, and of the worst result: at most, and of the way at least."""


@click.command()
@click.argument("photos", nargs=-1, required=True)
@click.option("--sheet", type=click.Path(dir_okay=False), help="A contact sheet of all results.")
@click.option("--refresh", is_flag=True, help="Invert again, whatever the cache holds.")
def main(photos: tuple[str, ...], sheet: str | None, refresh: bool) -> None:
    keep_freed_memory()
    models, rows, table = Models.load(), [], []
    for path in photos:
        photo = read_photo(path)
        face, _ = find_face(photo)
        width = face.landmarks[16, 0] - face.landmarks[0, 0]
        row, ids, ways = [], [], []
        for name, (mark, direction) in EDITS.items():
            start = face.landmarks[mark]
            way = STEP * width * np.array(direction)
            inverting = Inverting(refresh=refresh and not row)
            done = edit(photo, [start], [start + way], network=Network(models=models), inverting=inverting)
            moved = predict(done.picture, Frame.around(face.landmarks))[mark] - start
            ways.append(moved @ way / (way @ way))
            ids.append(done.identity)
            row = row or [done.inversion.alignment.crop(photo.pixels), done.inversion.reconstruction]
            row.append(done.inversion.alignment.crop(done.picture))
            click.echo(
                f"  {Path(path).name} {name}: {ways[-1]:.2f} of the way, identity {ids[-1]:.3f}, {done.stop_reason} "
                f"after {done.steps} steps, invert {done.seconds['invert']:.0f} s, drag {done.seconds['drag']:.1f} s"
            )
        q = done.inversion.quality
        table.append([q.distance_face, q.distance_whole, q.mse, q.identity, q.rms, *ways, *ids])
        rows.append(np.concatenate([cv2.resize(x, (256, 256), interpolation=cv2.INTER_AREA) for x in row], 1))
        if sheet:
            Image.fromarray(np.concatenate(rows)).save(sheet)
    heads = ["face", "whole", "mse", "identity", "rms", *(f"{e} way" for e in EDITS), *(f"{e} id" for e in EDITS)]
    click.echo("photo".ljust(16) + "".join(head.rjust(11) for head in heads))
    for path, row in zip(photos, table, strict=True):
        click.echo(Path(path).stem[:15].ljust(16) + "".join(f"{value:11.3f}" for value in row))
    table = np.array(table)
    click.echo("median".ljust(16) + "".join(f"{value:11.3f}" for value in np.median(table, 0)))
    ways, ids = table[:, 5:8], table[:, 8:]
    face, whole = np.median(table[:, :2], 0)
    got = dict(zip(ASKED, (face, whole, np.median(ways), np.median(ids), ids.max()), strict=True))
    good = {name: value >= ASKED[name] if name == "way" else value <= ASKED[name] for name, value in got.items()}
    click.echo(
        "all edits: " + ", ".join(f"{n} {v:.4f} ({'≥' if n == 'way' else '≤'} {ASKED[n]})" for n, v in got.items())
    )
    sys.exit(not all(good.values()))


if __name__ == "__main__":
    main()

"""The README's picture: photo, reconstruction, the drags as arrows, result.

python tests/bench/picture_row.py PHOTO --drag X,Y:X,Y … --out FILE"""

import click
import cv2
import numpy as np
from PIL import Image

from photodrag.pipeline.editing.whole_edit import edit
from photodrag.weights import keep_freed_memory

SIDE = 400


@click.command()
@click.argument("photo")
@click.option("--drag", "drags", multiple=True, required=True)
@click.option("--out", required=True)
def main(photo: str, drags: tuple[str, ...], out: str) -> None:
    keep_freed_memory()
    pairs = [[tuple(map(float, point.split(","))) for point in drag.split(":")] for drag in drags]
    done = edit(photo, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
    alignment = done.inversion.alignment
    before, after = alignment.crop(done.photo.pixels), alignment.crop(done.picture)
    small = [cv2.resize(x, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for x in (before, done.inversion.reconstruction)]
    arrows = small[0].copy()
    for handle, target in pairs:
        a, b = (((alignment.to_crop(p) + 0.5) * SIDE / alignment.size).round().astype(int) for p in (handle, target))
        far = (a + 2.5 * (b - a)).astype(int)  # drawn longer than it is, to be seen
        cv2.arrowedLine(arrows, a.tolist(), far.tolist(), (255, 255, 255), 6, cv2.LINE_AA, tipLength=0.4)
        cv2.arrowedLine(arrows, a.tolist(), far.tolist(), (220, 30, 90), 3, cv2.LINE_AA, tipLength=0.4)
    result = cv2.resize(after, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    row = np.concatenate([*small, arrows, result], 1)
    Image.fromarray(row).save(out, optimize=True)
    click.echo(f"{done.stop_reason} after {done.steps} steps, identity {done.identity:.3f}: {out}")


if __name__ == "__main__":
    main()

"""What an edit does to JPEGs beside their pictures: blocks that stay, bytes, seconds; and the seconds of other formats.

python tests/bench/files.py PHOTO.jpg …

Each photo's middle ninth is darkened by a soft spot and written twice: as Photodrag writes it, and encoded anew with
the photo's own tables and subsampling, as other editors do. A block of 8 × 8 pixels differs if a pixel of it does; it
is a far one unless it lies in, or beside, what the spot touches. Then the first photo, enlarged to 12 megapixels, is
read and written with its spot in each other format, and opened and saved by Pillow alone with the same options (the
least of ROUNDS each). Seconds are the processors', of all threads, which a busy machine lengthens least. Exit code 1 if
a far block differs, or if reading and writing take more than three times (and a tenth of a second) longer than with
encoding anew, or more than MOST times what Pillow takes.
"""

import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import click
import numpy as np
from PIL import Image

from photodrag.pipeline.photos import write
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.read import read_photo

SIZE = 4000, 3000
"""px across and down, of the photo in other formats."""
SAVED: dict[str, dict] = {
    "png": {},
    "webp": {"lossless": True, "exact": True, "quality": 50},
    "tif": {"compression": "tiff_adobe_deflate", "tiffinfo": {317: 2}},  # differences of neighbours
    "avif": {"quality": 95, "subsampling": "4:4:4", "speed": 8},
}
"""As Photodrag does it."""
ROUNDS, MOST = 3, 1.5
REACH = 32
"""px around what differs within which blocks may."""


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
def main(photos: tuple[str, ...]) -> None:
    click.echo("photo                  megapixels  blocks  differ  far ones  anew  bytes  anew  seconds  anew")
    failed = False
    for name in photos:
        began = time.process_time()
        photo = read_photo(name)
        reading = time.process_time() - began
        if photo.jpeg is None or photo.jpeg.orientation != 1:
            raise click.ClickException(f"{name} is no JPEG that is stored upright, whose blocks can be compared.")
        picture, changed = darkened(photo)
        with tempfile.TemporaryDirectory() as folder:
            kept, anew = Path(folder, "kept.jpg"), Path(folder, "anew.jpg")
            seconds = [
                timed(write.write_output, photo, picture, changed, kept),
                timed(encoded_anew, photo, picture, changed, anew),
            ]
            old = stored(Path(name))
            near = touched(photo, picture, old.shape[:2])
            differ = [blocks((stored(path) != old).any(2)) for path in (kept, anew)]
            far = [int((one & ~near).sum()) for one in differ]
            size = [path.stat().st_size / Path(name).stat().st_size for path in (kept, anew)]
        times = [reading + one for one in seconds]
        click.echo(
            f"{Path(name).name[:20]:22} {photo.pixels.size / 3e6:9.1f} {near.size:8} {differ[0].mean():7.1%} {far[0]:9}"
            f" {far[1] / max((~near).sum(), 1):5.0%} {size[0]:6.2f} {size[1]:5.2f} {times[0]:8.2f} {times[1]:5.2f}"
        )
        failed |= far[0] > 0 or times[0] > 3 * times[1] + 0.1
    click.echo("\n12 megapixels  seconds  Pillow  ratio")
    for suffix, options in SAVED.items():
        with tempfile.TemporaryDirectory() as folder:
            path, out = Path(folder, f"photo.{suffix}"), Path(folder, f"out.{suffix}")
            with Image.open(photos[0]) as image:
                image.convert("RGB").resize(SIZE).save(path, **options)
            took, alone = (min(timed(task, path, out) for _ in range(ROUNDS)) for task in (edited, by_pillow))
        click.echo(f"{suffix:13} {took:8.2f} {alone:7.2f} {took / alone:6.2f}")
        failed |= took > MOST * alone
    sys.exit(failed)


def edited(path: Path, out: Path) -> None:
    """Read a photo, and write it with its spot."""
    photo = read_photo(path)
    picture, changed = darkened(photo)
    write.write_output(photo, picture, changed, out)


def by_pillow(path: Path, out: Path) -> None:
    """The same spot, with Pillow alone."""
    with Image.open(path) as image:
        pixels = np.asarray(image)
    picture, _ = spotted(pixels)
    Image.fromarray(picture).save(out, **SAVED[path.suffix[1:]])


def darkened(photo: Photo) -> tuple[np.ndarray, np.ndarray]:
    """The photo with a soft spot in its middle ninth, and where it differs."""
    return spotted(photo.pixels)


def spotted(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels [H, W, 3] with it, and where they differ."""
    height, width = pixels.shape[:2]
    y, x = np.ogrid[-1.5 : 1.5 : height * 1j, -1.5 : 1.5 : width * 1j]
    spot = np.clip(1 - np.hypot(x, y) * 2, 0, 1)
    picture = (pixels * (1 - 0.5 * spot[..., None])).round().astype(np.uint8)
    return picture, spot > 0


def encoded_anew(photo: Photo, picture: np.ndarray, changed: np.ndarray, path: Path) -> None:
    """As it is written where its coefficients can't be kept."""
    with mock.patch.object(write.jpeg_blocks, "can_be_edited", lambda *_: False):
        write.write_output(photo, picture, changed, path)


def touched(photo: Photo, picture: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The stored picture's blocks in which something may differ."""
    differs = (picture != photo.pixels).any(2)
    rows, columns = np.flatnonzero(differs.any(1)), np.flatnonzero(differs.any(0))
    near = np.zeros(shape, bool)
    near[max(rows[0] - REACH, 0) : rows[-1] + REACH, max(columns[0] - REACH, 0) : columns[-1] + REACH] = True
    return blocks(near)


def blocks(marks: np.ndarray) -> np.ndarray:
    """Which blocks of 8 × 8 hold a mark."""
    height, width = (-(-side // 8) * 8 for side in marks.shape)
    whole = np.pad(marks, ((0, height - marks.shape[0]), (0, width - marks.shape[1])))
    return whole.reshape(height // 8, 8, width // 8, 8).any((1, 3))


def stored(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def timed(task, *arguments) -> float:
    began = time.process_time()
    task(*arguments)
    return time.process_time() - began


if __name__ == "__main__":
    main()

"""What a film's file costs, beside the one that OpenCV's MPEG-4 part 2 gave before: bytes, seconds, likeness.

python tests/bench/film_files.py FRAMES …

Each FRAMES is a folder of an edit's pictures (`photodrag edit --frames`). They are encoded three times as each kind of
file; the least of the seconds, of all processors together, counts. How near a film is to its pictures is read by
OpenCV: the PSNR over all of it in dB, and how many levels the mean colour of a picture's 8 × 8 parts is off, 99 of 100
of them. Figures in brackets are ratios to the old kind. Exit code 1 if a new kind is larger, or less like the pictures,
than the old one.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import cv2
import numpy as np
from PIL import Image

from photodrag.pipeline.films.video import CODINGS, HOLD, RATE, SIDE, bounded, encoded_video, even_sided

TIMES = 3
PARTS = 8
Write = Callable[[list[np.ndarray], Path], object]


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folders: tuple[Path, ...]) -> None:
    failed = False
    for folder in folders:
        pictures = (np.array(Image.open(path).convert("RGB")) for path in sorted(folder.glob("*.png")))
        shown = [even_sided(bounded(picture, SIDE)) for picture in pictures]
        click.echo(f"{folder}: {len(shown)} pictures of {shown[0].shape[1]} × {shown[0].shape[0]}")
        old = measured(shown, ".mp4", mpeg4)
        say("mp4v, OpenCV", old, old)
        for suffix, coding in CODINGS.items():
            new = measured(shown, suffix, as_now)
            say(f"{coding.name}, PyAV", new, old)
            failed = failed or bool(new[0] > old[0] or new[2] < old[2])
    sys.exit(failed)


def measured(shown: list[np.ndarray], suffix: str, write: Write) -> tuple[float, ...]:
    """Bytes, seconds of processors, PSNR [dB], levels."""
    with tempfile.TemporaryDirectory() as folder:
        path, seconds = Path(folder, f"film{suffix}"), []
        for _ in range(TIMES):
            began = time.process_time()
            write(shown, path)
            seconds.append(time.process_time() - began)
        seen = read(path)
        size = path.stat().st_size
    wanted = [*shown, *[shown[-1]] * round(RATE * HOLD)]
    errors = [one.astype(float) - other for one, other in zip(seen, wanted, strict=True)]
    means = np.array([cv2.resize(error, (PARTS, PARTS), interpolation=cv2.INTER_AREA) for error in errors])
    psnr = 10 * np.log10(255**2 / np.mean([(error**2).mean() for error in errors]))
    return size, min(seconds), psnr, float(np.percentile(np.abs(means), 99))


def mpeg4(pictures: list[np.ndarray], path: Path) -> None:
    """As films were made before."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE, pictures[0].shape[1::-1])
    for picture in [*pictures, *[pictures[-1]] * round(RATE * HOLD)]:
        writer.write(np.ascontiguousarray(picture[..., ::-1]))
    writer.release()


def as_now(pictures: list[np.ndarray], path: Path) -> None:
    path.write_bytes(encoded_video(pictures, path.suffix))


def read(path: Path) -> list[np.ndarray]:
    capture, seen = cv2.VideoCapture(str(path)), []
    while (frame := capture.read())[0]:
        seen.append(frame[1][..., ::-1])
    return seen


def say(name: str, new: tuple[float, ...], old: tuple[float, ...]) -> None:
    size, seconds, psnr, levels = new
    click.echo(
        f"  {name:14} {size / 1e3:6.0f} kB ({size / old[0]:.2f})  {seconds:5.2f} s ({seconds / old[1]:4.1f})"
        f"  PSNR {psnr:.1f} dB  {levels:.1f} levels"
    )


if __name__ == "__main__":
    main()

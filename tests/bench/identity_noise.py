"""Identity's own noise: the distance between a face and itself, after what happens to photos.

python tests/bench/identity_noise.py data/astronaut.png holiday/*.jpg

The largest face of each photo is described, and that of each copy, in which it is found anew. A row a copy: the median
distance, that of nine of ten, and the largest; the last one is of the photos' faces among each other."""

from collections.abc import Callable
from io import BytesIO
from itertools import combinations
from pathlib import Path

import click
import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from photodrag.invert.identity import descriptor, identity_distance
from photodrag.pipeline.faces.detection import detect
from photodrag.pipeline.photos.read import read_photo


def jpeg(quality: int) -> Callable[[np.ndarray], np.ndarray]:
    def copy(pixels: np.ndarray) -> np.ndarray:
        file = BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        return np.array(Image.open(file))

    return copy


def resized(factor: float) -> Callable[[np.ndarray], np.ndarray]:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return lambda pixels: cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=how)


def grey(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "JPEG, quality 90": jpeg(90),
    "JPEG, quality 75": jpeg(75),
    "JPEG, quality 50": jpeg(50),
    "JPEG, quality 20": jpeg(20),
    "mirrored": lambda pixels: np.ascontiguousarray(pixels[:, ::-1]),
    "at 70 % of its size": resized(0.7),
    "at 40 % of its size": resized(0.4),
    "in grey": grey,
    "blurred, σ = 1.5 px": lambda pixels: cv2.GaussianBlur(pixels, (0, 0), 1.5),
    "brighter by a fifth": lambda pixels: (pixels * 1.2).clip(0, 255).astype(np.uint8),
}


def who(pixels: np.ndarray) -> np.ndarray | None:
    """The descriptor of the largest face; None where none is found."""
    found = detect(pixels)
    return descriptor(pixels, found[0].landmarks) if found else None


@click.command()
@click.argument("photos", nargs=-1, required=True)
def main(photos: tuple[str, ...]) -> None:
    people: dict[str, np.ndarray] = {}
    apart: dict[str, list[float]] = {name: [] for name in COPIES}
    for path in tqdm(photos, disable=None):
        pixels = read_photo(path).srgb
        own = who(pixels)
        if own is None:
            raise click.ClickException(f"No face was found in {path}: leave it out.")
        people[Path(path).stem] = own
        for name, copy in COPIES.items():
            if (other := who(copy(pixels))) is not None:
                apart[name].append(identity_distance(own, other))
    apart["other people"] = [identity_distance(a, b) for a, b in combinations(people.values(), 2)]
    click.echo(f"{'':22}{'median':>8}{'90 %':>8}{'most':>8}{'least':>8}")
    for name, seen in apart.items():
        figures = (*np.quantile(seen, (0.5, 0.9, 1, 0)),) if seen else (np.nan,) * 4
        lost = "" if name == "other people" or len(seen) == len(photos) else f"  no face in {len(photos) - len(seen)}"
        click.echo(f"{name:22}" + "".join(f"{x:8.2f}" for x in figures) + lost)


if __name__ == "__main__":
    main()

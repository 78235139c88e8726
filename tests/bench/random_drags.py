"""Random drags, each of which must leave a face: 5 faces × 10 drags by default.

python tests/bench/random_drags.py [--faces N] [--drags N] [--seed N] [--sheet FILE.png]

A face is the generator's own, truncated by 0.7; a drag has 1 to 3 points anywhere in the middle four
fifths of the crop, each pulled in a random direction by up to 15 % of its side. Exit code 1 if the
detector loses one face; how many are still the same person to dlib's descriptor is printed beside it."""

import sys
from collections import Counter

import click
import cv2
import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from photodrag import weights
from photodrag.drag import drag
from photodrag.invert.identity import descriptor, identity_distance
from photodrag.invert.quality import to_uint8
from photodrag.pipeline.faces import detect


@click.command()
@click.option("--faces", default=5, show_default=True)
@click.option("--drags", default=10, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--sheet", type=click.Path(dir_okay=False), help="A contact sheet: each face and its results.")
def main(faces: int, drags: int, seed: int, sheet: str | None) -> None:
    weights.keep_freed_memory()
    generator = weights.load("face")
    space = weights.latent_space(generator)
    random = np.random.RandomState(seed)
    kept, same, reasons, rows, bar = 0, 0, Counter(), [], tqdm(total=faces * drags, disable=None)
    for _ in range(faces):
        w_plus = generator.mapping(torch.from_numpy(random.randn(1, generator.z_dim)).float(), psi=0.7)
        row = [to_uint8(generator.synthesis(w_plus))]
        who = descriptor(row[0], detect(row[0])[0].landmarks)
        for _ in range(drags):
            handles, targets = random_points(random, generator.resolution)
            result = drag(generator, w_plus, handles, targets, space=space)
            picture = to_uint8(generator.synthesis(result.w_plus))
            found = detect(picture)
            kept += bool(found)
            same += bool(found) and identity_distance(who, descriptor(picture, found[0].landmarks)) < 0.6
            reasons[result.stop_reason] += 1
            row.append(picture)
            bar.update()
        rows.append(np.concatenate([cv2.resize(x, (160, 160), interpolation=cv2.INTER_AREA) for x in row], 1))
    bar.close()
    if sheet:
        Image.fromarray(np.concatenate(rows)).save(sheet)
    click.echo(f"{kept} of {faces * drags} drags end with a face, {same} with the same; they ended by {dict(reasons)}")
    sys.exit(kept < faces * drags)


def random_points(random: np.random.RandomState, side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Handles and targets, [N, 2] in pixels of a crop."""
    count = random.randint(1, 4)
    handles = random.uniform(0.1, 0.9, (count, 2)) * (side - 1)
    angle, length = random.uniform(0, 2 * np.pi, count), random.uniform(0, 0.15, count) * side
    targets = handles + length[:, None] * np.stack((np.cos(angle), np.sin(angle)), 1)
    return torch.from_numpy(handles), torch.from_numpy(targets.clip(0, side - 1))


if __name__ == "__main__":
    with torch.no_grad():
        main()

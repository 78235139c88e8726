"""Random drags, each of which must leave a face or be refused with a sentence: 5 faces × 10 drags by default.

python tests/bench/random_drags.py [--faces N] [--drags N] [--kinds all|NAME,…] [--seed N] [--sheet FILE.png]

A face is the generator's own, truncated by 0.7; the kinds of drags (see KINDS) take turns, and each has its landmarks
as an edit has. A row a kind: how many there were, how many ended with a face, with the same person to dlib's
descriptor, or were refused, and by what the others ended. Exit code 1 if the detector loses one face, or a drag ends
by something else than it says it does; an error that is no UserError is not caught. The record has 50 of each kind:
--faces 10 --drags 11 --kinds all, with the seeds 1 to 5."""

import sys
from collections import Counter
from collections.abc import Callable
from itertools import cycle

import click
import cv2
import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from photodrag import weights
from photodrag.drag import drag
from photodrag.drag.state import ARRIVED, LIMIT, STALLED
from photodrag.invert.identity import SAME_PERSON, descriptor, identity_distance
from photodrag.invert.quality import to_uint8
from photodrag.pipeline.editing.face_drag import followed
from photodrag.pipeline.faces.detection import detect

Drawn = tuple[np.ndarray, np.ndarray]
"""Handles and targets, [N, 2] in pixels of a crop."""
Random = np.random.RandomState
REACH = 0.15
"""How far a point is pulled, at most, as a share of the crop's side."""
NO_NUMBERS = np.nan, np.inf, -np.inf


def few(random: Random, side: int, landmarks: np.ndarray) -> Drawn:
    """1 to 3 points anywhere in the middle four fifths, each pulled in a random direction."""
    count = random.randint(1, 4)
    return pulled(random, side, random.uniform(0.1, 0.9, (count, 2)) * (side - 1))


def many(random: Random, side: int, landmarks: np.ndarray) -> Drawn:
    """1 to 12 points anywhere in the crop."""
    return pulled(random, side, anywhere(random, side))


def crossing(random: Random, side: int, landmarks: np.ndarray) -> Drawn:
    """1 to 6 pairs of points, the two of each changing places."""
    count = random.randint(1, 7)
    middle, half = random.uniform(0.2, 0.8, (count, 2)) * side, directions(random, count, REACH / 2 * side)
    return np.concatenate((middle - half, middle + half)), np.concatenate((middle + half, middle - half))


def diverging(random: Random, side: int, landmarks: np.ndarray) -> Drawn:
    """2 to 12 points that lie close together, pulled apart."""
    count, middle = random.randint(2, 13), random.uniform(0.25, 0.75, (1, 2)) * side
    away = directions(random, count, side)
    near, far = random.uniform(0.005, 0.03, (count, 1)), random.uniform(0.06, REACH, (count, 1))
    return middle + near * away, middle + far * away


def on_border(random: Random, side: int, landmarks: np.ndarray) -> Drawn:
    """1 to 12 points in the outermost pixels."""
    handles = anywhere(random, side)
    handles[range(len(handles)), random.randint(2, size=len(handles))] = random.choice((0, side - 1), len(handles))
    return pulled(random, side, handles)


def outside_the_face(random: Random, side: int, landmarks: np.ndarray) -> Drawn:
    """1 to 12 points in what lies around the face: hair, collar, background."""
    low, high = landmarks.min(0), landmarks.max(0)
    low[1] -= 0.4 * (high[1] - low[1])  # the forehead, which has no landmarks
    points = random.uniform(0, side - 1, (1000, 2))
    points = points[((points < low) | (points > high)).any(1)]
    return pulled(random, side, points[: random.randint(1, 13)])


def onto_itself(random: Random, side: int, landmarks: np.ndarray) -> Drawn:
    """1 to 12 pins, and nothing that moves."""
    handles = anywhere(random, side)
    return handles, handles.copy()


def too_far(random: Random, side: int, landmarks: np.ndarray) -> Drawn:
    """1 to 12 points, one of them pulled farther than the crop reaches."""
    handles, targets = many(random, side, landmarks)
    targets[0] = handles[0] + directions(random, 1, random.uniform(1.5, 3) * side)[0]
    return handles, targets


def no_number(random: Random, side: int, landmarks: np.ndarray) -> Drawn:
    """1 to 12 points, one coordinate of which is NaN or infinite."""
    ends = many(random, side, landmarks)
    ends[random.randint(2)][random.randint(len(ends[0])), random.randint(2)] = random.choice(NO_NUMBERS)
    return ends


def doubled(random: Random, side: int, landmarks: np.ndarray) -> Drawn:
    """2 to 12 points, one of them there twice: with the same target, or with another one."""
    handles, targets = pulled(random, side, anywhere(random, side, most=11))
    other = targets[:1] if random.randint(2) else pulled(random, side, handles[:1])[1]
    return np.concatenate((handles, handles[:1])), np.concatenate((targets, other))


def pinned(random: Random, side: int, landmarks: np.ndarray) -> Drawn:
    """1 to 6 points, each with a pin in its way: on the very point, or some pixels from it."""
    handles, targets = pulled(random, side, anywhere(random, side, most=6))
    pins = handles + random.randint(2) * directions(random, len(handles), 0.01 * side)
    pins = pins.clip(0, side - 1)
    return np.concatenate((handles, pins)), np.concatenate((targets, pins))


KINDS: dict[str, Callable[[Random, int, np.ndarray], Drawn]] = {
    "few": few,
    "many": many,
    "crossing": crossing,
    "diverging": diverging,
    "border": on_border,
    "outside": outside_the_face,
    "itself": onto_itself,
    "far": too_far,
    "nan": no_number,
    "doubled": doubled,
    "pinned": pinned,
}


def anywhere(random: Random, side: int, most: int = 12) -> np.ndarray:
    """1 to `most` points [N, 2] of the crop."""
    return random.uniform(0, side - 1, (random.randint(1, most + 1), 2))


def directions(random: Random, count: int, length: float | np.ndarray) -> np.ndarray:
    """[count, 2], of that length."""
    angle = random.uniform(0, 2 * np.pi, count)
    return np.stack((np.cos(angle), np.sin(angle)), 1) * np.reshape(length, (-1, 1))


def pulled(random: Random, side: int, handles: np.ndarray) -> Drawn:
    """Each handle in a random direction, by up to REACH, and not out of the crop."""
    angle, length = random.uniform(0, 2 * np.pi, len(handles)), random.uniform(0, REACH, len(handles)) * side
    targets = handles + length[:, None] * np.stack((np.cos(angle), np.sin(angle)), 1)
    return handles, targets.clip(0, side - 1)


@click.command()
@click.option("--faces", default=5, show_default=True)
@click.option("--drags", default=10, show_default=True, help="Of each face.")
@click.option("--kinds", default="few", show_default=True, help=f"all, or some of {','.join(KINDS)}: they take turns.")
@click.option("--seed", default=0, show_default=True)
@click.option("--sheet", type=click.Path(dir_okay=False), help="A contact sheet: each face and its results.")
def main(faces: int, drags: int, kinds: str, seed: int, sheet: str | None) -> None:
    names = list(KINDS) if kinds == "all" else kinds.split(",")
    if unknown := set(names) - set(KINDS):
        raise click.BadParameter(f"{', '.join(unknown)}: there are the kinds {', '.join(KINDS)}, and all")
    weights.keep_freed_memory()
    generator = weights.load("face")
    space, random = weights.latent_space(generator), Random(seed)
    counts, rows, turns = {name: Counter() for name in names}, [], cycle(names)
    bar = tqdm(total=faces * drags, disable=None)
    for _ in range(faces):
        w_plus = generator.mapping(torch.from_numpy(random.randn(1, generator.z_dim)).float(), psi=0.7)
        row = [to_uint8(generator.synthesis(w_plus))]
        landmarks = detect(row[0])[0].landmarks
        who = descriptor(row[0], landmarks)
        for _ in range(drags):
            kind = next(turns)
            handles, targets = map(torch.from_numpy, KINDS[kind](random, generator.resolution, landmarks))
            picture, ended = np.zeros_like(row[0]), "refused"
            try:
                result = drag(generator, w_plus, handles, targets, space=space, landmarks=followed(landmarks))
            except weights.UserError as refusal:
                tqdm.write(f"{kind}: {refusal}", file=sys.stderr)
            else:
                picture, ended = to_uint8(generator.synthesis(result.w_plus)), result.stop_reason
                found = detect(picture)
                counts[kind]["faces"] += bool(found)
                near = bool(found) and identity_distance(who, descriptor(picture, found[0].landmarks)) < SAME_PERSON
                counts[kind]["same"] += near
            counts[kind].update(("drags", ended))
            row.append(picture)
            bar.update()
        rows.append(np.concatenate([cv2.resize(x, (160, 160), interpolation=cv2.INTER_AREA) for x in row], 1))
    bar.close()
    if sheet:
        Image.fromarray(np.concatenate(rows)).save(sheet)
    click.echo(table(counts))
    sys.exit(any(count["drags"] != count["faces"] + count["refused"] or not told(count) for count in counts.values()))


def told(count: Counter) -> bool:
    """Whether every drag of a kind says how it ended."""
    return count["drags"] == sum(count[ended] for ended in ("refused", ARRIVED, STALLED, LIMIT))


def table(counts: dict[str, Counter]) -> str:
    """A row a kind, and one for all."""
    heads = ("drags", "faces", "same", "refused", ARRIVED, STALLED, LIMIT)
    lines = ["kind".ljust(10) + "".join(head.rjust(11) for head in heads)]
    for name, count in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        lines.append(name.ljust(10) + "".join(str(count[head]).rjust(11) for head in heads))
    return "\n".join(lines)


if __name__ == "__main__":
    with torch.no_grad():
        main()

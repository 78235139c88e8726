"""DragGAN's face-landmark protocol (arXiv 2305.10973, §4.2): the landmarks of one face are dragged to another's.

python tests/bench/landmarks.py [--pairs N] [--seed N] [--points 1,5,68] [--methods NAME,…] [--generator NAME]
                                [--steps N] [--back] [--json FILE] [--sheet FILE.png]

Pairs are the generator's own faces, truncated by 0.7. 1 point is the nose tip, 5 are the outer eye corners, the nose
tip and the mouth corners, 68 are all that dlib knows; after the drag they are detected anew on the whole picture. A
row a method and number of points, of means over the pairs whose face the detector still finds: the distance to the
places asked for, in pixels of a 512² picture and as a share of the distance between the outer eye corners there;
faces lost; the identity distance to the start and the whitened code's root mean square; steps; seconds of the drag
alone; and the most memory that the method's process has held. Each method runs all of its rows in a process of its
own; what drawing and detecting take there is seen in the row `no edit`. With --back every result is dragged back to
where its landmarks came from: `return` is the st-lpips-vgg between the start and what comes back, at 256², and `left`
the landmarks' distance then, in pixels of a 512² picture: a method that moves nothing has 0 in both. Exit code 1 if
photodrag loses a face."""

import dataclasses
import json
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from photodrag import weights
from photodrag.drag.methods import METHODS, find_method
from photodrag.drag.state import finished
from photodrag.invert import perceptual
from photodrag.invert.crop import whole_view
from photodrag.invert.identity import descriptor, identity_distance
from photodrag.invert.quality import to_uint8
from photodrag.pipeline.editing.face_drag import followed
from photodrag.pipeline.faces.detection import detect

PSI = 0.7
POINTS = {1: [30], 5: [36, 45, 30, 48, 54], 68: list(range(68))}
NO_EDIT = "no edit"
THUMB = 160  # px, side of a picture on the sheet
HEADS = {
    "distance": ("px", "{:.2f}"),
    "share": ("% eyes", "{:.2f}"),
    "lost": ("lost", "{:.0f}"),
    "identity": ("identity", "{:.3f}"),
    "rms": ("rms", "{:.3f}"),
    "back": ("return", "{:.4f}"),
    "left": ("left", "{:.2f}"),
    "steps": ("steps", "{:.1f}"),
    "seconds": ("seconds", "{:.2f}"),
    "memory": ("GiB", "{:.2f}"),
}


@dataclasses.dataclass(frozen=True)
class Options:
    """What a method's process has to know."""

    generator: str
    points: list[int]
    steps: int | None
    back: bool


@dataclasses.dataclass(frozen=True, eq=False)
class Pair:
    """The start: w_plus [1, num_ws, w_dim] and its landmarks [68, 2]; and the other face's landmarks. In pixels of
    the generator's picture. Both pictures, THUMB wide."""

    w_plus: np.ndarray
    start: np.ndarray
    goal: np.ndarray
    pictures: list[np.ndarray]


@click.command()
@click.option("--pairs", default=20, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=0, show_default=True)
@click.option("--points", default="1,5,68", show_default=True)
@click.option("--methods", default="draggan,draggan-code,freedrag,flow,photodrag", show_default=True)
@click.option("--generator", default="face", show_default=True)
@click.option("--steps", type=click.IntRange(1), help="The limit of every method, instead of its own.")
@click.option("--back", is_flag=True, help="Drag every result back, too: twice the time.")
@click.option("--json", "out", type=click.Path(dir_okay=False), help="Every single figure.")
@click.option("--sheet", type=click.Path(dir_okay=False), help="A contact sheet: start, goal and each method's.")
def main(pairs, seed, points, methods, generator, steps, back, out, sheet) -> None:
    names, counts = methods.split(","), points.split(",")
    unknown = [*(set(names) - set(METHODS)), *(set(counts) - {str(count) for count in POINTS})]
    if unknown:
        raise click.BadParameter(f"{unknown}: there are the methods {[*METHODS]} and the points {[*POINTS]}")
    options = Options(generator, [int(count) for count in counts], steps, back)
    drawn, missed = alone(draw, generator, pairs, seed)
    click.echo(f"{pairs} pairs of seed {seed}; {missed} drawn anew because the detector found no face in one of them")
    results = [figures for name in (NO_EDIT, *names) for figures in alone(measure, name, drawn, options)]
    rows = summary(results)
    click.echo(table(rows, back))
    if sheet:
        Image.fromarray(contact_sheet(drawn, results)).save(sheet)
    if out:
        each = [{key: value for key, value in figures.items() if key != "picture"} for figures in results]
        facts = {"pairs": pairs, "seed": seed, "redrawn": missed, **dataclasses.asdict(options)}
        Path(out).write_text(json.dumps({**facts, "rows": rows, "each": each}, indent=1))
    click.echo(f"mean distance px at 512: {' | '.join(brief(name, rows) for name in names)}")
    sys.exit(any(row["lost"] for row in rows if row["method"] == "photodrag"))


def alone(work, *arguments):
    """What work(*arguments) returns, computed in a fresh process, so that nobody else's memory counts as its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


@torch.no_grad()
def draw(name: str, count: int, seed: int) -> tuple[list[Pair], int]:
    """That many pairs, and how many had to be drawn anew."""
    weights.keep_freed_memory()
    generator, random, pairs, drawn = weights.load(name), np.random.RandomState(seed), [], 0
    with tqdm(total=count, desc="pairs", disable=None) as bar:
        while len(pairs) < count:
            drawn += 1
            z = torch.from_numpy(random.randn(2, generator.z_dim)).float()
            codes = generator.mapping(z, psi=PSI)
            pictures = [to_uint8(generator.synthesis(code[None])) for code in codes]
            start, goal = (landmarks(picture) for picture in pictures)
            if start is not None and goal is not None:
                pairs.append(Pair(codes[:1].numpy(), start, goal, [thumb(picture) for picture in pictures]))
                bar.update()
    return pairs, drawn - count


@torch.no_grad()
def measure(method: str, pairs: list[Pair], options: Options) -> list[dict]:
    """The figures of one method: a dictionary a pair and number of points."""
    weights.keep_freed_memory()
    generator, results = weights.load(options.generator), []
    space = weights.kept_space(generator)
    drag = dragger(method, generator, space, options.steps)
    vgg = perceptual.load("st-lpips-vgg") if options.back else None
    scale = 512 / generator.resolution
    bar = tqdm(total=len(pairs) * len(options.points), desc=method, disable=None)
    for i, pair in enumerate(pairs):
        w_plus = torch.from_numpy(pair.w_plus)
        start = generator.synthesis(w_plus)
        who = descriptor(to_uint8(start), pair.start)
        for count in options.points:
            marks = POINTS[count]
            began = time.perf_counter()
            code, steps, reason = drag(w_plus, pair.start[marks], pair.goal[marks], pair.start)
            figures = {"method": method, "points": count, "pair": i, "steps": steps, "reason": reason}
            figures |= {"seconds": time.perf_counter() - began, "rms": space.rms(code).item()}
            picture = to_uint8(generator.synthesis(code))
            reached = landmarks(picture)
            figures |= {"lost": reached is None, "picture": thumb(picture)}
            if reached is not None:
                distance = apart(reached[marks], pair.goal[marks])
                figures |= {"distance": distance * scale, "share": 100 * distance / apart(*pair.goal[[[36], [45]]])}
                figures["identity"] = identity_distance(who, descriptor(picture, reached))
            if reached is not None and options.back:
                image = generator.synthesis(drag(code, reached[marks], pair.start[marks], reached)[0])
                figures["back"] = vgg(whole_view(start, 256), whole_view(image, 256)).item()
                returned = landmarks(to_uint8(image))
                if returned is not None:
                    figures["left"] = apart(returned[marks], pair.start[marks]) * scale
            results.append(figures)
            bar.update()
    kilobyte = 1 if sys.platform == "darwin" else 1024
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kilobyte / 2**30
    return [figures | {"memory": memory} for figures in results]


def dragger(method: str, generator, space: weights.LatentSpace, limit: int | None):
    """drag(w_plus, handles, targets, landmarks) → code, steps and why it ended, by that method.

    Points are kept inside the picture: a chin may reach over its border."""

    def unmoved(w_plus, handles, targets, landmarks):
        return w_plus, 0, ""

    def drag(w_plus, handles, targets, landmarks):
        ends = (torch.from_numpy(points.clip(0, generator.resolution - 1)) for points in (handles, targets))
        seen = {"settings": settings, "space": space, "landmarks": followed(landmarks)}
        done = finished(find_method(method).steps(generator, w_plus, *ends, **seen))
        return done.w_plus, done.steps, done.stop_reason

    if method == NO_EDIT:
        return unmoved
    settings = find_method(method).settings
    if limit is not None:
        settings = dataclasses.replace(settings, steps=limit)
    return drag


def landmarks(picture: np.ndarray) -> np.ndarray | None:
    """Those [68, 2] of the largest face that the detector finds in a picture, uint8 RGB."""
    faces = detect(picture)
    return faces[0].landmarks if faces else None


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """The mean distance of points [N, 2]."""
    return float(np.linalg.norm(a - b, axis=1).mean())


def summary(results: list[dict]) -> list[dict]:
    """A row a method and number of points: means over the pairs that have the figure; of `lost`, the number."""
    groups, rows = {}, []
    for figures in results:
        groups.setdefault((figures["method"], figures["points"]), []).append(figures)
    for (method, count), group in groups.items():
        known = {head: [figures[head] for figures in group if head in figures] for head in HEADS}
        means = {head: float(np.mean(values)) if values else None for head, values in known.items()}
        rows.append({"method": method, "points": count, **means, "lost": sum(known["lost"])})
    return rows


def table(rows: list[dict], back: bool) -> str:
    heads = {key: head for key, head in HEADS.items() if back or key not in ("back", "left")}
    lines = ["method".ljust(14) + "points".rjust(7) + "".join(head.rjust(10) for head, _ in heads.values())]
    for row in rows:
        cells = [form.format(row[key]) if row[key] is not None else "–" for key, (_, form) in heads.items()]
        lines.append(row["method"].ljust(14) + str(row["points"]).rjust(7) + "".join(cell.rjust(10) for cell in cells))
    return "\n".join(lines)


def brief(method: str, rows: list[dict]) -> str:
    """A method's mean distances, as in `draggan 1:6.1 5:2.7`."""
    known = [(row["points"], row["distance"]) for row in rows if row["method"] == method]
    return " ".join([method, *(f"{count}:{'lost' if far is None else f'{far:.1f}'}" for count, far in known)])


def contact_sheet(pairs: list[Pair], results: list[dict]) -> np.ndarray:
    """A row a pair: its start and goal, then each method's results in the order of the table."""
    rows = [list(pair.pictures) for pair in pairs]
    for figures in results:
        if figures["method"] != NO_EDIT:
            rows[figures["pair"]].append(figures["picture"])
    return np.concatenate([np.concatenate(row, 1) for row in rows])


def thumb(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, (THUMB, THUMB), interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    main()

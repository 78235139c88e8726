"""This checkout against an older one: the same edits of the same photos by both in turn, as a person would make them.

python tests/bench/against.py OLD_CHECKOUT [PHOTO …] [--edits smile,open-mouth,…] [--amount 0.5] [--no-bfloat16]
                              [--sheets FOLDER] [--json FILE]

Without photos: the project's sample and those of street.py. For each photo both builds begin with an empty cache but
for the weights; the first edit inverts its largest face, the others find that kept. Each is a process of its own, so
that seconds and memory are a person's: they are told in a (one full `face` picture with its gradient by the old build,
measured before and after) and in GiB. What became of the pictures is measured here, with one measure for both:
landmarks found anew say how much of its way a control went (way) and how far parts without a handle moved (stray, in
parts of the face's width), and dlib's descriptor who it is (identity). Medians; `ratio` is new / old, side by side.

--no-bfloat16 hides AVX-512 and bfloat16 from PyTorch and oneDNN: an older processor's ways on this one.
--sheets makes a sheet an edit, a column a photo: the photo above, and the two results in an order that chance decides
and answers.json tells: look first, and then there."""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from PIL import Image
from street import street_photos, way_and_stray
from tqdm import tqdm

from photodrag.invert.identity import descriptor, identity_distance
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.detection import detect
from photodrag.pipeline.faces.landmarks import Frame, predict
from photodrag.pipeline.photos.read import read_photo

sys.path.append(str(Path(__file__).parents[1]))
from user_cache import lay_out

HERE = Path(__file__).parents[2]
PARTS = "weights", "invert", "drag", "pipeline", "data"
EDITS = "smile,open-mouth,open-eyes,raise-brows"
SIDE = 320
PROGRAM = """
import os, sys
if {old_ways}:
    os.environ["ONEDNN_MAX_CPU_ISA"], os.environ["ATEN_CPU_CAPABILITY"] = "AVX2", "avx2"
sys.path.insert(0, {folder!r})
if {old_ways}:
    import torch

    torch.cpu.get_capabilities = dict
"""
MEASURE = """
import statistics, time, torch
from photodrag import weights
weights.keep_freed_memory()
face = weights.load("face")
def once():
    w = face.w_avg.expand(1, face.num_ws, -1).clone().requires_grad_()
    began = time.perf_counter()
    torch.autograd.grad(face.synthesis(w).square().mean(), w)
    return time.perf_counter() - began
once()
print(statistics.median(once() for _ in range(7)))
"""
RUN = """
from photodrag.pipeline import cli
sys.argv[0] = "photodrag"
sys.exit(getattr(cli, "command", cli.main)())
"""


@dataclass(frozen=True)
class Build:
    """A checkout laid out as the package is."""

    name: str
    folder: Path
    old_ways: bool

    @classmethod
    def of(cls, name: str, checkout: Path, within: Path, old_ways: bool) -> "Build":
        folder = within / name
        (folder / "photodrag").mkdir(parents=True)
        for part in PARTS:
            (folder / "photodrag" / part).symlink_to((checkout / part).resolve(), target_is_directory=True)
        return cls(name, folder, old_ways)

    def run(self, program: str, arguments: list[str], cache: Path) -> tuple[str, float, float]:
        """What it prints, its seconds, and its greatest memory [GiB]."""
        start = PROGRAM.format(old_ways=self.old_ways, folder=str(self.folder))
        began = time.perf_counter()
        with tempfile.TemporaryFile("w+") as complaints:
            process = subprocess.Popen(
                [sys.executable, "-c", start + program, *arguments],
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                env=os.environ | {"PHOTODRAG_CACHE": str(cache)},
            )
            said = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
            complaints.seek(0)
            if status:
                raise RuntimeError(f"{self.name}: {complaints.read().strip().splitlines()[-1:]}")
        return said, seconds, usage.ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)


def edited(build: Build, path: Path, control: str, amount: float, cache: Path, out: Path) -> dict:
    """An edit by a build: what it took and what it told."""
    arguments = ["edit", str(path), f"--{control}", str(amount), "--out", str(out), "--json", "--quiet"]
    said, seconds, memory = build.run(RUN, arguments, cache)
    told = json.loads(said)
    taken = {"total": seconds, "invert": told["seconds"]["invert"], "drag": told["seconds"]["drag"]}
    ends = [[handle[end] for handle in told["handles"]] for end in ("start", "target")]
    return {"build": build.name, "seconds": taken, "memory": memory, "ends": ends}


def looked_at(photo: np.ndarray, before: np.ndarray, after: np.ndarray, row: dict) -> dict:
    """The row with what became of the photo, whose face's landmarks are `before` [68, 2]."""
    now = predict(after, Frame.around(before))
    way, stray = way_and_stray(before, now, *(np.array(end) for end in row["ends"]))
    return row | {
        "way": way,
        "stray": stray,
        "identity": identity_distance(descriptor(photo, before), descriptor(after, now)),
    }


def table(rows: list[dict], edits: list[str], a: float) -> str:
    """Medians, old against new."""

    def value(build: str, control: str | None, first: bool | None, key: str) -> float:
        own = [
            row
            for row in rows
            if row["build"] == build and control in (None, row["control"]) and first in (None, row["first"])
        ]
        figure = statistics.median((row["seconds"] | row)[key] for row in own)
        return figure / a if key in ("total", "invert", "drag") else figure

    lines = [f"a = {a:.3f} s", f"{'':34s} {'old':>8s} {'new':>8s} {'ratio':>7s}"]
    asked = [("first edit [a]", None, True, "total"), ("its inversion [a]", None, True, "invert")]
    asked += [("its memory [GiB]", None, True, "memory")]
    asked += [("edit, inversion kept [a]", None, False, "total"), ("its memory [GiB]", None, False, "memory")]
    asked += [(f"drag, {control} [a]", control, None, "drag") for control in edits]
    asked += [(f"{key}, {control}", control, None, key) for key in ("way", "identity", "stray") for control in edits]
    for words, control, first, key in asked:
        old, new = (value(build, control, first, key) for build in ("old", "new"))
        lines.append(f"{words:34s} {old:8.3f} {new:8.3f} {new / old if old else float('nan'):7.2f}")
    return "\n".join(lines)


@click.command()
@click.argument("old_checkout", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("photos", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--edits", default=EDITS, show_default=True, help="Presets, the first of which inverts.")
@click.option("--amount", default=0.5, show_default=True, type=click.FloatRange(0, 1))
@click.option("--no-bfloat16", "old_ways", is_flag=True, help="As on a processor without AVX-512 and bfloat16.")
@click.option("--sheets", type=click.Path(file_okay=False, path_type=Path), help="A sheet an edit goes there.")
@click.option("--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Every single figure.")
def main(
    old_checkout: Path,
    photos: tuple[Path, ...],
    edits: str,
    amount: float,
    old_ways: bool,
    sheets: Path | None,
    out: Path | None,
) -> None:
    controls, paths, rows = edits.split(","), list(photos) or [HERE / "data" / "astronaut.png", *street_photos()], []
    columns: dict[str, list[np.ndarray]] = {control: [] for control in controls}
    answers: dict[str, list[str]] = {control: [] for control in controls}
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        builds = [
            Build.of(name, checkout, folder, old_ways) for name, checkout in (("old", old_checkout), ("new", HERE))
        ]
        caches = {build.name: folder / f"cache-{build.name}" for build in builds}
        for cache in caches.values():
            lay_out(cache, "face", "st-lpips-vgg")
        costs = [float(builds[0].run(MEASURE, [], caches["old"])[0])]
        for number, path in enumerate(tqdm(paths, disable=None)):
            photo = read_photo(path).pixels
            if not (faces := detect(photo)):
                tqdm.write(f"{path.name}: no face was found")
                continue
            before = faces[0].landmarks
            crop = Alignment.from_landmarks(before, SIDE).crop
            for control in controls:
                done: dict[str, dict] = {}
                pictures: dict[str, np.ndarray] = {}
                try:
                    for build in builds if number % 2 else builds[::-1]:
                        picture = folder / "edited.png"
                        row = edited(build, path, control, amount, caches[build.name], picture)
                        pictures[build.name] = read_photo(picture).pixels
                        done[build.name] = looked_at(photo, before, pictures[build.name], row)
                except RuntimeError as error:
                    tqdm.write(f"{path.name} {control}: {error}")
                    if control == controls[0]:  # the next one would invert for one of the builds alone
                        break
                    continue
                first = control == controls[0]
                rows += [{"photo": path.name, "control": control, "first": first} | row for row in done.values()]
                order = chance.sample(("old", "new"), 2)
                answers[control].append(f"{path.name}: {order[0]} above {order[1]}")
                columns[control].append(np.concatenate([crop(x) for x in (photo, *(pictures[name] for name in order))]))
        costs.append(float(builds[0].run(MEASURE, [], caches["old"])[0]))
    if not rows:
        raise click.ClickException("No photo could be edited by both.")
    click.echo(table(rows, controls, statistics.mean(costs)))
    if sheets:
        sheets.mkdir(parents=True, exist_ok=True)
        for control, column in columns.items():
            if column:
                Image.fromarray(np.concatenate(column, 1)).save(sheets / f"{control}.png")
        (sheets / "answers.json").write_text(json.dumps(answers, indent=1))
    if out:
        out.write_text(json.dumps({"a": costs, "each": rows}, indent=1))


if __name__ == "__main__":
    main()

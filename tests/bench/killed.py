"""kill -9 at seeded moments of every command that writes: 50 kills by default.

python tests/bench/killed.py [--kills N] [--seed N] [--only NAME,…]

Each command (see COMMANDS) runs to its end once, in a cache, a folder and a temporary folder of its own, with `face` at
256 × 256 (tests/small_face.py). Then it is started anew, killed at a random moment of what it took, looked at, and run
again to its end. Whenever it was killed, every file that it writes must be as before or as it will be, every entry of
the cache, state to go on from and person must be whole, and nothing else may lie about but hidden files by whose names
they are swept. After the second run all files and codes must be those of the one that nobody killed, to the bit, and
nothing unfinished be kept. At the end the hidden files are made a day older, and one more run must leave none.

A row a command: kills, how many of them came before anything was written, how many left a state that the next run went
on from, hidden files left at once and in the end, and how many checks failed. Exit code 1 if one did."""

import hashlib
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
import safetensors.torch
from PIL import Image
from tqdm import tqdm

sys.path.append(str(Path(__file__).parents[1]))
from small_face import lay_small_face
from user_cache import lay_out

from photodrag.invert import cache, tensor_files, unfinished, upkeep
from photodrag.pipeline.people import person as people
from photodrag.weights.common.files import PART, cache_folder

ASTRONAUT = Path(__file__).parents[2] / "data" / "astronaut.png"
CHECKPOINT = Path(__file__).parents[1] / "golden" / "nvidia-ada-skip-32.pkl"
RUN = """
import sys
from photodrag.invert import unfinished
unfinished.EVERY, unfinished.RATE, unfinished.SHARE = 0.3, 1e9, 0.5  # or a run would be over before a state is kept
from photodrag.pipeline.cli import command
command()
"""
OLD = b"what lay there before"


@dataclass
class Command:
    """A command line, its outputs among the words that begin with OUT, and what must be there before it runs."""

    words: str
    needs: str = ""


COMMANDS = {
    "edit": Command("edit photo.jpg --smile 0.5 --steps 4 --out OUT.jpg --save-edit OUT.json --quiet"),
    "film": Command("edit photo.png --smile 0.5 --steps 4 --out OUT.png --gif OUT.gif --frames OUTFRAMES --quiet"),
    "tune": Command("invert photo.png --tune=20 --quiet"),
    "batch": Command("invert photo.png photo.jpg --quiet"),
    "learn": Command("person learn anna photo.jpg bright.png small.png --quiet --replace"),
    "export": Command("cache export photo.png OUT.safetensors", "invert photo.png --quiet"),
    "codes": Command("cache export photo.png OUT.npz", "invert photo.png --quiet"),
    "convert": Command(f"weights convert {CHECKPOINT} OUT.safetensors"),
    "add": Command(f"weights add {CHECKPOINT} --name tiny --quiet"),
}


@dataclass
class Place:
    """Where a command runs."""

    root: Path
    failures: list[str] = field(default_factory=list)

    @property
    def photos(self) -> Path:
        return self.root / "photos"

    @property
    def caches(self) -> Path:
        return self.root / "cache"

    def start(self, words: str) -> subprocess.Popen:
        """The command, begun."""
        environment = os.environ | {
            "PHOTODRAG_CACHE": str(self.caches),
            "TMPDIR": str(self.root / "tmp"),
            "OMP_NUM_THREADS": "1",
        }
        return subprocess.Popen(
            [sys.executable, "-c", RUN, *words.replace("OUT", "out").split()],
            cwd=self.photos,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, words: str) -> float:
        """To its end; seconds."""
        began = time.monotonic()
        process = self.start(words)
        complaint = process.communicate(timeout=3600)[1]
        self.check(process.returncode == 0, f"exit code {process.returncode}: {complaint.strip()[-300:]}")
        return time.monotonic() - began

    def check(self, right: bool, what: str) -> None:
        if not right:
            self.failures.append(what)

    def hidden(self) -> list[Path]:
        """What is left to be swept."""
        return [path for path in self.root.rglob(f".*{PART}") if path.parent.suffix != PART]

    def outputs(self) -> dict[str, str]:
        """The outputs, with what stands for their content."""
        found = [path for path in self.photos.rglob("out*") if path.is_file()]
        found += [path for path in self.photos.glob("outFRAMES/*")]
        return {str(path.relative_to(self.photos)): hashed(path) for path in found}

    def kept(self) -> dict[str, str]:
        """Codes, tuned weights, people, added checkpoints: what stands for each, when it was made apart."""
        with in_cache(self.caches):
            found = {
                entry.key: tensor_digest(tensor_files.read(cache.path_of(entry.key))[0]) for entry, _ in cache.entries()
            }
            for path in people.files():
                found[path.name] = tensor_digest(tensor_files.read(path)[0])
            found |= {path.name: hashed(path) for path in cache_folder("weights", "added").glob("*")}
        return found


@contextmanager
def in_cache(folder: Path) -> Iterator[None]:
    """PHOTODRAG_CACHE, for this process."""
    before = os.environ.get("PHOTODRAG_CACHE")
    os.environ["PHOTODRAG_CACHE"] = str(folder)
    try:
        yield
    finally:
        os.environ.pop("PHOTODRAG_CACHE")
        if before is not None:
            os.environ["PHOTODRAG_CACHE"] = before


def hashed(path: Path) -> str:
    """What stands for its content, but for what differs in two files of the same: order of facts, and dates."""
    data = path.read_bytes()
    if path.suffix == ".safetensors" and data != OLD:
        return tensor_digest(safetensors.torch.load(data))
    if path.suffix == ".npz" and data != OLD:
        with np.load(io.BytesIO(data)) as file:
            data = file["w"].tobytes()
    return hashlib.sha256(data).hexdigest()


def tensor_digest(tensors: dict) -> str:
    return hashlib.sha256(b"".join(tensors[name].numpy().tobytes() for name in sorted(tensors))).hexdigest()


def look(place: Place, before: dict[str, str], after: dict[str, str]) -> Counter:
    """What a killed run has left: checked, and counted."""
    found = Counter(hidden=len(place.hidden()))
    for name, content in place.outputs().items():
        place.check(content in (before.get(name), after.get(name)), f"{name} is neither the old one nor the new one")
    with in_cache(place.caches):
        place.check(upkeep.damaged() == [], "an entry of the cache is damaged")
        place.check(len(people.everybody()) == len(people.files()), "a person is damaged")
        states = unfinished.listing()
        for state in states:
            try:
                tensor_files.read(state.path)
            except tensor_files.UNREADABLE as error:
                place.check(False, f"a state to go on from is damaged: {error}")
        found["states"] += bool(states)
        found["nothing"] += not states and not place.kept() and place.outputs() == before
    known = {"inversions", "unfinished", "people", "weights", "spaces", "faces"}
    for path in place.caches.iterdir():
        place.check(path.name in known, f"{path.name} lies in the cache")
    for path in (place.root / "tmp").iterdir():
        place.check(path.name.endswith(PART), f"{path.name} lies in the temporary folder")
    return found


def laid_out(root: Path, ready: Path, command: Command) -> Place:
    """A place in which the command may run, with older files at the names of half of its outputs."""
    place = Place(root)
    for folder in (place.photos, root / "tmp"):
        folder.mkdir(parents=True)
    shutil.copytree(ready, place.caches, copy_function=os.link)
    with Image.open(ASTRONAUT) as image:
        face = image.convert("RGB").crop((96, 0, 352, 256))
    face.save(place.photos / "photo.png")
    face.save(place.photos / "photo.jpg", quality=95)
    face.point(lambda level: min(255, level + 12)).save(place.photos / "bright.png")
    face.resize((230, 230)).save(place.photos / "small.png")
    if command.needs:
        place.run(command.needs)
    outputs = [word.replace("OUT", "out") for word in command.words.split() if word.startswith("OUT.")]
    for name in outputs[::2]:
        (place.photos / name).write_bytes(OLD)
    return place


def killed(command: Command, root: Path, ready: Path, kills: int, draw: random.Random, told: Callable) -> tuple:
    """A row of the table, and the failures."""
    place = laid_out(root / "whole", ready, command)
    before = place.outputs()
    seconds = place.run(command.words)
    after, kept, failures, found = place.outputs(), place.kept(), place.failures, Counter()
    for number in range(kills):
        place = laid_out(root / str(number), ready, command)
        process = place.start(command.words)
        try:
            process.wait(draw.uniform(0.2, 1) * seconds)  # before, Python starts
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
        found += look(place, before, after) + Counter(kills=1, over=process.returncode == 0)
        place.run(command.words)
        place.check(place.outputs() == after, "the outputs are others than those of the run that nobody killed")
        place.check(place.kept() == kept, "what is kept is other than by the run that nobody killed")
        with in_cache(place.caches):
            place.check(unfinished.listing() == [], "something unfinished is still kept")
        left = place.hidden()
        for path in left:
            then = time.time() - 2 * 24 * 3600
            os.utime(path, (then, then))
        if left:
            for path in place.photos.glob("outFRAMES/*"):
                path.unlink()
            with in_cache(place.caches):
                cache.remove(), unfinished.remove()
            if command.needs:
                place.run(command.needs)
            if "weights add" in command.words:
                place.run("weights remove tiny")
            place.run(command.words)
        found["stay"] += len(place.hidden())
        place.check(not place.hidden(), f"{len(place.hidden())} hidden files stay")
        failures += place.failures
        shutil.rmtree(place.root)
        told()
    return (seconds, found), failures


@click.command()
@click.option("--kills", type=click.IntRange(1, 10_000), default=50)
@click.option("--seed", type=int, default=0)
@click.option("--only", default=",".join(COMMANDS), help="Commands, with commas between them.")
def main(kills: int, seed: int, only: str) -> None:
    draw, chosen, failed = random.Random(seed), only.split(","), False
    with tempfile.TemporaryDirectory() as folder, tqdm(total=kills, disable=None) as bar:
        ready = lay_out(Path(folder, "ready"), "st-lpips-vgg")
        lay_small_face(ready / "weights")
        # The costly commands, which write the most, have the larger part.
        shares = {name: 3 if name in ("edit", "film", "tune", "batch") else 1 for name in chosen}
        turns = Counter()
        while turns.total() < kills:
            turns[min(chosen, key=lambda name: turns[name] / shares[name])] += 1
        click.echo("command  seconds  kills  over before  nothing written  states  hidden files  stay  failures")
        for name in (name for name in chosen if turns[name]):
            root = Path(folder, name)
            (seconds, found), failures = killed(COMMANDS[name], root, ready, turns[name], draw, bar.update)
            click.echo(
                f"{name:8} {seconds:7.1f} {found['kills']:6} {found['over']:12} {found['nothing']:16} "
                f"{found['states']:7} {found['hidden']:13} {found['stay']:5} {len(failures):9}"
            )
            for failure in dict.fromkeys(failures):
                click.echo(f"  {name}: {failure}")
            failed |= bool(failures)
    sys.exit(failed)


if __name__ == "__main__":
    main()

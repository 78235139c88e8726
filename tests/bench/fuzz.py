"""Seeded bad inputs: 200 by default of photos, masks, edit files, checkpoints, codes, people and entries of the cache.

python tests/bench/fuzz.py [--inputs N] [--seed N] [--only KIND,…] [--keep FOLDER]

Each is a whole file that this program makes, changed at random: bytes set, cut out, put in, repeated; values of an
edit's file replaced by others. A command that reads it runs in a forked process of its own, with `face` at 256 × 256
(tests/small_face.py) and an inversion that is ready. It must end with exit code 0, 1 or 2, and say why unless it is 0,
in lines without a traceback; take less than 10 seconds of the processor, where it refuses; leave every file as it was
but the output, which must be a picture; and leave nothing unfinished.

A row a kind: inputs, how many were taken (exit code 0) or refused, the most seconds, how many failed. Exit code 1 if
one did; --keep keeps the inputs that did."""

import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

sys.path += [str(Path(__file__).parents[1] / "pipeline"), str(Path(__file__).parents[1])]
from command import everything_in
from kept_stand_ins import keep_stand_ins
from small_face import lay_small_face
from user_cache import lay_out

from photodrag import weights
from photodrag.invert import cache, tensor_files
from photodrag.pipeline.cli import main as photodrag
from photodrag.pipeline.editing.inversion import Models
from photodrag.pipeline.people import learning
from photodrag.pipeline.people import person as people
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights.common.files import PART

TESTS = Path(__file__).parents[1]
ASTRONAUT = TESTS.parent / "data" / "astronaut.png"
CHECKPOINTS = sorted(path for path in (TESTS / "golden").iterdir() if path.suffix in (".pkl", ".pt"))
LIMIT, WHOLE, WALL = 10.0, 60.0, 300.0
"""Seconds of the processor that refusing takes at most, and an edit that is made after all; and on a busy machine by
the clock, after which a command hangs."""
ODD = [None, True, -1, 0, 1.5, 1e308, 10**12, -(10**30), "", "no", "../..", [], {}, [[]], [[[1, 2]]], float("nan")]
"""Put into an edit's file. No number of steps is among them that may be asked for, and takes an hour."""


@dataclass(frozen=True)
class Case:
    """A file's name, its content, and the command line that reads it."""

    name: str
    content: bytes
    words: list[str]


def mutated(draw: random.Random, data: bytes) -> bytes:
    """A file with one to four changes, each anywhere, and half of them near the beginning, where its header is."""
    for _ in range(draw.choice((1, 1, 2, 4))):
        size = len(data)
        at = draw.randrange(max(1, size if draw.random() < 0.5 else min(size, 300)))
        data = changed(draw, data, at, draw.choice((1, 1, 2, 4, 16, 200)))
    return draw.choice((b"", draw.randbytes(1000), data[:8], bytes(1000))) if draw.random() < 0.03 else data


def changed(draw: random.Random, data: bytes, at: int, length: int) -> bytes:
    """A file with one change: bytes set, cut out, put in or repeated."""
    before, after, rest = data[:at], data[at:], data[at + length :]
    how = draw.randrange(7)
    if how == 0:
        return before + draw.randbytes(length) + rest
    if how == 1:
        return before + draw.choice((b"\0", b"\xff", b"\x7f", b"\x80")) * length + rest
    if how == 2:
        return before
    if how == 3:
        return before + rest
    if how == 4:
        return before + draw.randbytes(length) + after
    if how == 5:
        return before + before[-1000:] * draw.choice((1, 2, 50)) + after
    return data + draw.randbytes(length)


def of_photo(draw: random.Random, folder: Path) -> Case:
    """A picture in any format that is read."""
    kind, more = draw.choice(
        [
            ("PNG", {}),
            ("JPEG", {"quality": 90}),
            ("JPEG", {"quality": 90, "progressive": True}),
            ("WEBP", {"quality": 90}),
            ("TIFF", {}),
            ("TIFF", {"compression": "tiff_lzw"}),
            ("BMP", {}),
            ("GIF", {}),
        ]
    )
    with Image.open(folder / "photo.png") as image:
        exif = Image.Exif()
        exif[0x112], exif[0x10F], exif[0x8769] = 6, "maker", {0x927C: b"notes" * 20}
        buffer = io.BytesIO()
        image.save(buffer, kind, **more, **({"exif": exif} if kind in ("PNG", "JPEG", "WEBP") else {}))
    name = f"bad.{kind.lower()}"
    return Case(name, mutated(draw, buffer.getvalue()), ["faces", name, "--json"])


def of_mask(draw: random.Random, folder: Path) -> Case:
    """A mask; what is to be ignored is read by the same function."""
    with Image.open(folder / "photo.png") as image:
        mask = Image.new("L", image.size, 0)
        mask.paste(255, (60, 60, 200, 220))
    kind, buffer = draw.choice(("png", "bmp", "tiff", "jpeg")), io.BytesIO()
    mask.save(buffer, kind)
    name = f"bad.{kind}"
    words = ["edit", "photo.png", "--smile", "0.5", "--steps", "1", "--mask", name, "--out", "out.png", "--likeness"]
    return Case(name, mutated(draw, buffer.getvalue()), [*words, "quick"])


def of_edit_file(draw: random.Random, folder: Path) -> Case:
    """An edit's file, changed as bytes or as values."""
    content = {
        "photodrag": 1,
        "drags": [[[104, 138], [101, 135]], [[150, 140], [150, 140]]],
        "mask": "auto",
        "face": 1,
        "box": None,
        "align": "face",
        "generator": "face",
        "class": None,
        "tune": None,
        "steps": 1,
        "seed": 0,
        "likeness": "quick",
        "ignore": None,
        "person": None,
    }
    if draw.random() < 0.7:
        for name in draw.sample(sorted(content), draw.choice((1, 1, 2))):
            content[name] = draw.choice(ODD)
        if draw.random() < 0.3:
            content["drags"] = [[[draw.choice(ODD), 138], [101, draw.choice(ODD)]]]
        if content["tune"] == 0:
            content["tune"] = None  # which tunes
        data = json.dumps(content).encode()
    else:
        data = mutated(draw, json.dumps(content).encode())
    return Case("bad.json", data, ["edit", "photo.png", "--edit", "bad.json", "--out", "out.png"])


def of_checkpoint(draw: random.Random, folder: Path) -> Case:
    """A StyleGAN2 checkpoint of any layout."""
    path = draw.choice(CHECKPOINTS)
    name = f"bad{path.suffix}"
    words = draw.choice(
        (["info", name, "--json"], ["convert", name, "out.safetensors"], ["add", name, "--name", "bad"])
    )
    return Case(name, mutated(draw, path.read_bytes()), ["weights", *words])


def of_codes(draw: random.Random, folder: Path) -> Case:
    """Another program's codes, or an exported inversion."""
    kind, buffer, code = draw.choice(("npz", "npy", "pt", "safetensors")), io.BytesIO(), np.zeros((1, 18, 512), "f")
    if kind == "npz":
        np.savez(buffer, w=code)
    elif kind == "npy":
        np.save(buffer, code)
    elif kind == "pt":
        torch.save({"latent": torch.from_numpy(code)}, buffer)
    else:
        buffer.write(cache.files()[0].read_bytes())
    name = f"bad.{kind}"
    return Case(name, mutated(draw, buffer.getvalue()), ["cache", "import", name, "--photo", "photo.png", "--replace"])


def of_entry(draw: random.Random, folder: Path) -> Case:
    """An entry of the cache, in its place: changed as bytes, or in what it says, with the digest of that."""
    path = cache.files()[0]
    words = draw.choice(
        (["list", "--json"], ["list"], ["verify"], ["show", "photo.png"], ["prune", "--max-size", "1kB"])
    )
    return Case(os.path.relpath(path, folder), mutated_facts(draw, path), ["cache", *words])


def of_person(draw: random.Random, folder: Path) -> Case:
    """What is kept of a person, in its place."""
    path = people.path_of("anna")
    words = draw.choice((["list", "--json"], ["list"], ["show", "anna", "--out", "out.png"], ["remove", "anna"]))
    return Case(os.path.relpath(path, folder), mutated_facts(draw, path), ["person", *words])


def mutated_facts(draw: random.Random, path: Path) -> bytes:
    """A file of the cache, changed as bytes, or in one of its facts or tensors under a digest that fits."""
    if draw.random() < 0.4:
        return mutated(draw, path.read_bytes())
    tensors, facts = tensor_files.read(path)
    where = facts["quality"] if "quality" in facts and draw.random() < 0.4 else facts
    if draw.random() < 0.3:
        name = draw.choice(sorted(tensors))
        tensors[name] = draw.choice((tensors[name][:0], tensors[name].flatten(), torch.full((2, 3), torch.nan)))
    else:
        where[draw.choice([*sorted(where), "more"])] = draw.choice(ODD)
    other = path.parent.parent.parent / "other"
    tensor_files.write(other, tensors, facts)
    data = other.read_bytes()
    other.unlink()
    return data


KINDS = {
    "photo": of_photo,
    "mask": of_mask,
    "edit file": of_edit_file,
    "checkpoint": of_checkpoint,
    "codes": of_codes,
    "entry": of_entry,
    "person": of_person,
}


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    said: str
    seconds: float
    """Of the processor."""


def run(words: list[str], folder: Path) -> Ran:
    """The command, in a process forked from this one, in which nothing of it has run yet."""
    outputs, began = folder.parent.with_suffix(".outputs"), time.monotonic()
    outputs.mkdir(exist_ok=True)
    said = outputs / "said"
    child = os.fork()
    if child == 0:
        for number in (1, 2):
            file = os.open(outputs / ("out", "said")[number - 1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, number)
        os.chdir(folder)
        code = 70
        try:
            code = photodrag(words)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)
    while True:
        done, status, usage = os.wait4(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() - began > WALL:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.01)
    seconds = usage.ru_utime + usage.ru_stime
    return Ran(os.waitstatus_to_exitcode(status), said.read_text("utf-8", "replace"), seconds)


def faults(ran: Ran, folder: Path, before: dict[str, str], after: dict[str, str], case: Case) -> list[str]:
    """What is wrong with the way in which a command ended."""
    found = []
    if ran.code not in (0, 1, 2):
        found.append(f"exit code {ran.code}: {ran.said.strip()[-300:]}")
    elif ran.code and not ran.said.strip():
        found.append(f"exit code {ran.code}, and nothing is said")
    if "Traceback" in ran.said:
        found.append("a traceback")
    if ran.seconds > (LIMIT if ran.code else WHOLE):
        found.append(f"{ran.seconds:.1f} s")
    may_go = str(Path(folder, case.name).resolve())
    replaces = case.words[:2] in (["cache", "import"], ["cache", "prune"])
    for path, content in before.items():
        kept = after.get(path) == content or path == may_go or (replaces and "/inversions/" in path)
        if not kept:
            found.append(f"{path} is no more what it was")
    for path in after.keys() - before.keys():
        if path.endswith(PART):
            found.append(f"{path} is left")
        if Path(path).name == "out.png":
            with Image.open(path) as image:
                image.load()
    return found


def lay(root: Path) -> Path:
    """A photo with its inversion and a person kept, in PHOTODRAG_CACHE; gives the photo's folder."""
    folder = root / "photos"
    folder.mkdir()
    with Image.open(ASTRONAUT) as image:
        image.convert("RGB").crop((96, 0, 352, 256)).save(folder / "photo.png")
    ready = lay_out(root / "cache", "st-lpips-vgg")
    lay_small_face(ready / "weights")
    os.environ["PHOTODRAG_CACHE"] = str(ready)
    generator = weights.load("face")
    keep_stand_ins(Models("face", generator, weights.kept_space(generator)), folder / "photo.png")
    people.keep("anna", learning.portraits_in(read_photo(folder / "photo.png")))
    return folder


@click.command()
@click.option("--inputs", type=click.IntRange(1, 1_000_000), default=200)
@click.option("--seed", type=int, default=0)
@click.option("--only", default=",".join(KINDS), help="Kinds, with commas between them.")
@click.option("--keep", type=click.Path(path_type=Path), help="A folder for the inputs that fail.")
def main(inputs: int, seed: int, only: str, keep: Path | None) -> None:
    chosen, rows = only.split(","), {}
    with tempfile.TemporaryDirectory() as name:
        torch.set_num_threads(1)  # or there are threads, which a forked process lacks
        root = Path(name).resolve() / "root"
        root.mkdir()
        folder = lay(root)
        whole = {path: path.read_bytes() for path in (root / "cache").rglob("*") if path.parent.name in WRITTEN}
        for number in tqdm(range(inputs), disable=None):
            kind = chosen[number % len(chosen)]
            case = KINDS[kind](random.Random(f"{seed} {number}"), folder)
            (folder / case.name).write_bytes(case.content)
            before = everything_in(root)
            ran = run(case.words, folder)
            wrong = faults(ran, folder, before, everything_in(root), case)
            rows.setdefault(kind, []).append((ran, wrong))
            if wrong and keep:
                keep.mkdir(exist_ok=True, parents=True)
                (keep / f"{number}-{Path(case.name).name}").write_bytes(case.content)
            for fault in wrong:
                tqdm.write(f"{number} {kind}, photodrag {' '.join(case.words)}: {fault}", file=sys.stdout)
            restore(root, folder, whole)
    click.echo(f"{'kind':10}  inputs  taken  refused  most seconds  failed")
    for kind, ended in rows.items():
        taken = sum(ran.code == 0 for ran, _ in ended)
        most, failed = max(ran.seconds for ran, _ in ended), sum(bool(wrong) for _, wrong in ended)
        click.echo(f"{kind:10} {len(ended):7} {taken:6} {len(ended) - taken:8} {most:13.1f} {failed:7}")
    sys.exit(any(wrong for ended in rows.values() for _, wrong in ended))


WRITTEN = "inversions", "people"
"""Folders of the cache whose files are put back after each input; others that commands make there go."""


def restore(root: Path, folder: Path, whole: dict[Path, bytes]) -> None:
    """Everything as it was laid."""
    for path in folder.iterdir():
        if path.name != "photo.png":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in (*WRITTEN, "unfinished"):
        for path in (root / "cache" / name).glob("*"):
            if whole.get(path) is None:
                path.unlink()
    for path, data in whole.items():
        if not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)
    for part in ("added", "files"):
        shutil.rmtree(root / "cache" / "weights" / part, ignore_errors=True)


if __name__ == "__main__":
    main()

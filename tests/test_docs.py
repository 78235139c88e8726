"""The pages (README.md, CONTRIBUTING.md, CHANGELOG.md, docs/): every command that they show is run, on small stand-ins
under the names that they use, and every link leads somewhere.

What stands in for something, and why:
- a generator of 32 pixels for `face`, and published ones' golden cousins for theirs, which would have to be fetched:
  the pictures are nonsense, and the command is the same;
- class 2 for cifar10's class 6: what stands in for it has four classes;
- the same numbers for every person's likeness, which dlib takes a third of a second for;
- the mean code for what a projection finds in a minute, two steps for a drag's 120, one for a tuning's 54, three
  pictures for a film's 40, `compare` in a few steps: so all of it takes seconds."""

import importlib
import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import threading
import urllib.request
import webbrowser
from dataclasses import replace
from glob import glob
from importlib.metadata import metadata
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import click
import numpy as np
import pytest
import uvicorn
from documents import PAGES, ROOT, anchors, blocks, commands, links, spans
from PIL import Image

from photodrag import weights
from photodrag.drag import DragSettings
from photodrag.invert import cache, identity
from photodrag.invert.projection import ProjectSettings, Stage
from photodrag.invert.tuning import TuneSettings
from photodrag.pipeline.cli import main, photodrag
from photodrag.pipeline.compare import run as comparison
from photodrag.pipeline.compare.row import CompareSettings
from photodrag.pipeline.editing import inversion
from photodrag.pipeline.editing.edit_file import read_edit_file
from photodrag.pipeline.films import frames
from photodrag.pipeline.page.token import current_token
from photodrag.weights import catalogue
from photodrag.weights.common.files import cache_folder
from photodrag.weights.fetching.published import CHECKPOINTS
from photodrag.weights.formats.checkpoint import sha256_of

SHOWN = {line: page.name for page in PAGES for line in commands(page)}
"""Every command, and a page that shows it."""
FACE = "nvidia-sg3repo-stylegan2-32.pkl"
PUBLISHED = {
    "ffhq": "nvidia-ada-skip-32.pkl",
    "afhqcat": "nvidia-ada-skip-32.pkl",
    "car": "nvidia-sg3repo-stylegan2-32.pkl",
    "cifar10": "nvidia-ada-conditional-16.pkl",
}
WRITTEN = {"--out", "--video", "--gif", "--frames", "--save-edit"}
SQUARES = {"cat.jpg": (800, 720), "street.jpg": (1100, 620), "frog.png": (400, 400)}
PORTRAITS = "photo.jpg", "me.jpg", "profile.jpg", "singer.jpg", "holiday/beach.jpg", "holiday/wood.jpg"
MASKS = {"MASK.png": (380, 430, 520, 580), "HAND.png": (450, 540, 480, 580), "microphone.png": (450, 540, 480, 580)}
"""Their white boxes."""
EDITS = {
    "edit.json": [[412, 530], [412, 510]],
    "smile.json": [[412, 530], [408, 518]],
    "brow.json": [[410, 480], [410, 474]],
}
FEW = CompareSettings(
    ProjectSettings((Stage(2, 32), Stage(2, 32, 24))), TuneSettings(1, whole=32, face=24), DragSettings(steps=2)
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory, golden):
    """The folder in which the commands run, with the files that they name, and a cache of its own."""
    folder = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        lay_weights(folder / "cache", patch)
        lay_files(folder, golden)
        patch.chdir(folder)
        patch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nothing is fetched
        load = weights.load

        def load_small(name="face", *rest):
            generator = load(golden / FACE if str(name) == "face" else name, *rest)
            generator.subject = "face" if str(name) == "face" else generator.subject
            return generator

        def mean_code(generator, *_, **__):
            w_plus = generator.w_avg.expand(1, generator.num_ws, -1).contiguous()
            return SimpleNamespace(w_plus=w_plus, loss=1.0, steps=1, seconds=1.0)

        patch.setattr(weights, "load", load_small)
        patch.setattr(inversion, "project", mean_code)
        patch.setattr(identity, "descriptor", lambda *_: np.zeros(128))
        patch.setattr(frames, "FRAMES", 3)
        patch.setattr(comparison, "CompareSettings", lambda: FEW)
        patch.setattr(uvicorn, "Server", VisitedServer)
        lay_published(golden, patch)
        assert main(["invert", "photo.jpg"]) == 0
        shutil.copytree(cache.folder(), "kept")
        yield folder


def lay_weights(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """A cache that holds the default weights, as the user's own does."""
    for path in map(weights.get, ("face", "st-lpips-vgg", "st-lpips-alex")):
        kept = folder / path.parent.name / path.name
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, kept)
    patch.setenv("PHOTODRAG_CACHE", str(folder))


def lay_files(folder: Path, golden: Path) -> None:
    """Whatever the commands read. The astronaut's left corner of the mouth lies at 412,530 of a photo."""
    (folder / "holiday").mkdir()
    shutil.copytree(ROOT / "data", folder / "data")
    with Image.open(ROOT / "data" / "astronaut.png") as astronaut:
        face = astronaut.convert("RGB").crop((96, 0, 352, 256))
    portrait, group = Image.new("RGB", (600, 680), "gray"), Image.new("RGB", (480, 280), "gray")
    portrait.paste(face, (308, 391))
    group.paste(face, (0, 0))
    group.paste(face.resize((200, 200)), (270, 40))
    group.save(folder / "group.jpg")
    for name in PORTRAITS:
        portrait.save(folder / name)
    for name, size in SQUARES.items():
        face.resize(size).save(folder / name)
    for name, box in MASKS.items():
        mask = Image.new("L", portrait.size)
        mask.paste(255, box)
        mask.save(folder / name)
    for name, drag in EDITS.items():
        (folder / name).write_text(json.dumps({"photodrag": 1, "drags": [drag]}))
    shutil.copy(golden / "nvidia-ada-skip-32.pkl", folder / "network-snapshot-004000.pkl")


def lay_published(golden: Path, patch: pytest.MonkeyPatch) -> None:
    """Checkpoints where a person without a network lays them, under the published names, taken for the published."""
    by_name = {checkpoint.name: checkpoint for checkpoint in CHECKPOINTS}
    stand_ins = {}
    for name, file in PUBLISHED.items():
        shutil.copy(golden / file, cache_folder("weights") / by_name[name].file)
        stand_ins[name] = catalogue.published_entry(replace(by_name[name], sha256=sha256_of(golden / file)))
    patch.setattr(catalogue, "ENTRIES", tuple(stand_ins.get(entry.name, entry) for entry in catalogue.ENTRIES))


class VisitedServer(uvicorn.Server):
    """The page's server, which ends when somebody has seen the page."""

    visits = 0

    def run(self, sockets=None) -> None:
        port = sockets[0].getsockname()[1]
        threading.Thread(target=self._visit, args=(port,), daemon=True).start()
        super().run(sockets)

    def _visit(self, port: int) -> None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/?token={current_token()}", timeout=60) as answer:
                VisitedServer.visits += b"Photodrag" in answer.read()
        finally:
            self.should_exit = True


@pytest.mark.parametrize("line", SHOWN)
def test_every_command_runs(line, desk, monkeypatch):
    known = {"photodrag": run_photodrag, "make": run_make, "python": run_python, "pip": run_pip, "source": run_source}
    program, *words = shlex.split(line)
    program = Path(program).name
    assert program in known, f"{SHOWN[line]} shows a command that no test knows: {line}"
    words = [path for word in words for path in (sorted(glob(word)) if "*" in word else [word])]
    known[program](words, monkeypatch)


def run_photodrag(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """For real, in few steps; whatever it was to write is there, and new."""
    words = shortened(prepared(words))
    monkeypatch.setattr(webbrowser, "open", lambda address: True)
    written = [Path(name) for option, name in pairwise(words) if option in WRITTEN]
    for path in written:
        if words[0] == "edit":  # a comparison goes on with what is there
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    visits = VisitedServer.visits
    assert main(words) == 0
    for path in written:
        assert path.exists(), path
    assert VisitedServer.visits == visits + (words[0] == "serve")


def shortened(words: list[str]) -> list[str]:
    """In few steps; class 2 and any port, for class 6 and the one that may be taken."""
    words = ["--tune=1" if word.startswith("--tune") else word for word in words]
    other = {"--class": "2", "--port": "0"}
    words = [other.get(option, word) for option, word in pairwise(["", *words])]
    return [*words, "--steps", "2"] if words[0] == "edit" else words


def prepared(words: list[str]) -> list[str]:
    """The words, after what other commands would have left: an inversion, whose key stands instead of the one shown,
    files that were exported, a generator that was added."""
    before = []
    if words[0] == "cache":
        cache.remove()
        shutil.copy(next(Path().glob("kept/*")), cache.folder())
    if words[:2] == ["cache", "import"]:
        before += [["cache", "export", "photo.jpg", words[2]], ["cache", "clear", "--yes"]]
    if "grandma" in words:
        before.append(["weights", "add", "network-snapshot-004000.pkl", "--name", "grandma", "--subject", "face"])
    for command in before:
        assert main(command) == 0
    keys = [entry.key for entry, _ in cache.entries()]
    return [keys[0][:8] if re.fullmatch(r"[0-9a-f]{8}", word) else word for word in words]


def run_make(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The Makefile has that target; `photodrag` in its recipe is run as in the pages."""
    done = subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.replace("\\\n", " ").splitlines():
        if "bin/photodrag " in line:
            run_photodrag(shlex.split(line)[1:], monkeypatch)


def run_python(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark takes these options, and files that are there; other tools are run."""
    if words[:2] == ["-m", "pytest"]:
        _, _, folder, option, part = words
        tests = "".join(path.read_text("utf-8") for path in (ROOT / folder).rglob("test_*.py"))
        assert option == "-k" and part in tests
    elif words[0].startswith("tests/bench/"):
        command = bench(Path(words[0]).stem)
        command.make_context(words[0], words[1:])
    else:
        monkeypatch.setattr(sys, "argv", words)
        runpy.run_path(str(ROOT / words[0]), run_name="__main__")


def bench(name: str) -> click.Command:
    """The command of a file in tests/bench."""
    (command,) = (value for value in vars(importlib.import_module(name)).values() if isinstance(value, click.Command))
    return command


def run_pip(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It installs this folder, with extras that there are."""
    assert words[0] == "install" and words[1:-1] in ([], ["-e"])
    extras = re.fullmatch(r"\.(?:\[(\w+)\])?", words[-1])
    assert extras and (extras[1] is None or extras[1] in metadata("photodrag").get_all("Provides-Extra"))


def run_source(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is where the Makefile makes it."""
    assert words == [".venv/bin/activate"] and "VENV := .venv\n" in (ROOT / "Makefile").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_in_python_run(page, desk):
    for text in blocks(page, "python"):
        exec(compile(text, page.name, "exec"), {})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_edit_files_are_read(page, tmp_path):
    for text in blocks(page, "json"):
        (tmp_path / "edit.json").write_text(text)
        assert read_edit_file(tmp_path / "edit.json").drags


def options(command: click.Command) -> set[str]:
    """The long options of a command and of all below it."""
    own = {name for one in command.params for name in (*one.opts, *one.secondary_opts) if name.startswith("--")}
    return own.union(*map(options, command.commands.values())) if isinstance(command, click.Group) else own


def test_every_option_is_told_and_every_one_that_is_told_is_there():
    there = options(photodrag)
    files = (ROOT / "tests" / "bench").glob("*.py")
    benches = [bench(path.stem) for path in files if "@click.command" in path.read_text("utf-8")]
    text = "".join(page.read_text("utf-8") for page in PAGES)
    told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
    assert there - told - {"--version"} == set()
    assert told - there.union(*map(options, benches)) == {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_within_sentences_are_there(page):
    for span in spans(page):
        words = span.split()
        if words[0] == "photodrag" and len(words) > 1:
            command = photodrag
            for word in words[1:]:
                if not isinstance(command, click.Group):
                    break
                command = command.commands[word]
        if words[0] == "make" and len(words) > 1:
            run_make(words[1:2], None)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_within_sentences_are_there(page):
    for span in spans(page):
        if re.fullmatch(r"(weights|invert|drag|pipeline|tests|docs|data)/[\w./-]+", span):
            assert (ROOT / span).exists(), span


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 90
    assert len((ROOT / "CONTRIBUTING.md").read_text("utf-8").splitlines()) <= 120


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    found = list(links(page))
    for path, anchor in found:
        assert path.exists(), path
        assert not anchor or anchor in anchors(path), (path, anchor)
    assert page.name in ("CHANGELOG.md", "CONTRIBUTING.md", "design-notes.md") or found  # the pattern finds links


def test_every_page_is_linked_from_the_readme_or_a_page():
    linked = {path for page in PAGES for path, _ in links(page) if path != page}
    assert set(PAGES) - linked == {ROOT / "README.md"}


def test_notes_that_the_code_names_are_there():
    """In comments and docstrings: the page's name, and an anchor."""
    code = [path for room in ("weights", "invert", "drag", "pipeline", "tests") for path in (ROOT / room).rglob("*.*")]
    named = {
        anchor: path
        for path in code
        if path.suffix in (".py", ".js", ".css", ".html")
        for anchor in re.findall(r"docs/design-notes\.md#([\w-]+)", path.read_text("utf-8"))
    }
    notes = ROOT / "docs" / "design-notes.md"
    assert not named or notes.is_file(), f"{notes} is missing, and {len(named)} comments lead to it"
    assert {anchor: path for anchor, path in named.items() if anchor not in anchors(notes)} == {}

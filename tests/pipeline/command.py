"""The command `photodrag` as a process of its own, as a person or a script runs it."""

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
from dataclasses import dataclass
from pathlib import Path

import torch

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

    def __init__(self, *arguments: object, **more: str):
        self._terminal, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self._process = subprocess.Popen(
            [COMMAND, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=end,
            env=environment(**more),
            # Tests that run in the background inherit a switched-off Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        os.close(end)
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
        out = self._process.stdout.read().decode()
        code = self._process.wait(120)
        while self._read():
            pass
        os.close(self._terminal)
        return Ran(code, out, self.seen)

    def __enter__(self) -> "OnTerminal":
        return self

    def __exit__(self, *_) -> None:
        self._process.kill()
        self._process.wait()

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

"""A page's server as a person starts it, in a process and a cache folder of its own, and what it leaves there."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from websockets.sync.client import ClientConnection, connect

sys.path += [str(Path(__file__).parents[1] / "pipeline"), str(Path(__file__).parents[1])]
from serving import Page
from small_face import lay_small_face
from user_cache import lay_out

ADDRESS = re.compile(r"The page is at (http://127\.0\.0\.1:(\d+)/\?token=([\w-]+))")


@dataclass(frozen=True)
class Server:
    """A running server; its folder holds its cache, its temporary files and its log."""

    process: subprocess.Popen
    port: int
    token: str
    folder: Path

    @property
    def memory(self) -> float:
        """Resident, in MiB."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

    @property
    def threads(self) -> int:
        """Of the process."""
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    @property
    def descriptors(self) -> int:
        """Open files and sockets of the process."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def files(self, name: str) -> list[str]:
        """What lies in its "cache" or its "temporary" folder, links not followed, weights apart."""
        inside = self.folder / name
        files = (path.relative_to(inside) for path in inside.rglob("*") if path.is_symlink() or path.is_file())
        return sorted(str(path) for path in files if path.parts[0] not in ("weights", "spaces", "faces"))

    @property
    def log(self) -> str:
        """All that it has said on stderr."""
        return (self.folder / "log").read_text("utf-8", "replace")

    def connected(self) -> ClientConnection:
        """A WebSocket as the page has it."""
        address, origin = f"127.0.0.1:{self.port}/session?token={self.token}", f"http://127.0.0.1:{self.port}"
        return connect(f"ws://{address}", origin=origin, proxy=None, max_size=None, ping_interval=None, close_timeout=3)

    @contextmanager
    def page(self) -> Iterator[Page]:
        """A page that is no browser."""
        with self.connected() as socket:
            yield Page(socket)


@contextmanager
def started(small: bool = True) -> Iterator[Server]:
    """A server, until the end of the block; small: with `face` at 256 × 256, for the server is what is tried."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "temporary").mkdir()
        cache = lay_out(folder / "cache", "st-lpips-vgg", *(() if small else ("face",)))
        if small:
            lay_small_face(cache / "weights")
        given = os.environ | {"PHOTODRAG_CACHE": str(cache), "TMPDIR": str(folder / "temporary")}
        command = [sys.executable, "-m", "photodrag.pipeline.cli", "serve", "--no-browser", "--port", "0"]
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(command, env=given, stdout=subprocess.PIPE, stderr=log, encoding="utf-8")
        try:
            assert process.stdout
            address = ADDRESS.match(process.stdout.readline())
            if not address:
                raise SystemExit((folder / "log").read_text())
            yield Server(process, int(address[2]), address[3], folder)
        finally:
            process.kill()
            process.wait()

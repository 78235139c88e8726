"""A full disk: a sentence, the old film as it was, and nothing that is half."""

import json
import subprocess
import sys

import pytest
from command import everything_in

KINDS = {"video": "film.mp4", "webm": "film.webm", "gif": "film.gif", "frames": "frames"}
PROGRAM = """
import json, resource, signal, sys
import numpy as np
from pathlib import Path
from photodrag.pipeline.films.files import write_film
from photodrag.weights import Failure

where, limit = json.loads(sys.argv[1]), int(sys.argv[2])
noise = np.random.default_rng(0).integers(0, 256, (3, 256, 256, 3), np.uint8)

def pictures():
    yield from noise[:2]
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    yield noise[2]

try:
    write_film(pictures(), **{name: Path(path) for name, path in where.items()})
except Failure as error:
    sys.exit(f"{error.exit_code} {error}")
"""


@pytest.mark.parametrize("kind", KINDS)
def test_no_room(tmp_path, kind):
    """The system itself lets no file grow beyond a few bytes."""
    path = tmp_path / "here" / KINDS[kind]
    path.parent.mkdir()
    if kind == "frames":
        path.mkdir()
    else:
        path.write_bytes(b"an older one")
    before = everything_in(tmp_path)
    option = {"webm": "video"}.get(kind, kind)
    arguments = [json.dumps({option: str(path)}), "2000"]
    done = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, timeout=120)
    assert done.stderr == f"1 Could not write {path}: the disk is full; make room and try again.\n"
    assert everything_in(tmp_path) == before
    enough = subprocess.run(
        [sys.executable, "-c", PROGRAM, arguments[0], str(1 << 24)], capture_output=True, timeout=120
    )
    assert enough.returncode == 0 and everything_in(tmp_path) != before

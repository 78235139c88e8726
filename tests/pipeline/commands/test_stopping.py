"""Ctrl-C and kill, while a command computes: no partial output, a usable cache."""

import json
import signal
import socket
import subprocess

import pytest
from command import COMMAND, MOUTH, OnTerminal, environment, everything_in, run


@pytest.mark.parametrize(
    "number, code, said",
    [
        (signal.SIGINT, 130, "Stopped; nothing was written."),
        (signal.SIGTERM, 143, "Stopped; nothing was written."),
        (signal.SIGKILL, -9, ""),
    ],
)
@pytest.mark.parametrize("stage", ["inverting", "dragging"])
def test_stopped_edit(stage, number, code, said, portrait, ready, tmp_path):
    ready(portrait)
    out, old = portrait.with_name("out.png"), b"an older picture"
    out.write_bytes(old)
    before = everything_in(tmp_path)
    anew = ["--refresh"] if stage == "inverting" else []
    with OnTerminal("edit", portrait, *MOUTH, "--out", out, "--save-edit", portrait.with_name("e.json"), *anew) as ran:
        ran.wait_for(f"{stage} ")
        ran.send(number)
        ended = ran.finish()
    assert ended.code == code
    assert ended.out == ""
    assert "Traceback" not in ended.err
    assert ended.err.rstrip().endswith(said)
    left = everything_in(tmp_path)
    for path in list(left):
        if path.startswith(str(tmp_path / "cache" / "unfinished")):  # what it goes on from, if it came so far
            del left[path]
    assert left == before
    listing = json.loads(run("cache", "list", "--json").out)
    assert [entry["photo"] for entry in listing["inversions"]] == ["portrait.png"]


def test_stopped_while_pip_fetches(portrait, tmp_path):
    """pip waits for a server that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        cache = tmp_path / "cache"
        index = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with OnTerminal(
            "edit", portrait, *MOUTH, PHOTODRAG_CACHE=str(cache), PIP_NO_INDEX="0", PIP_INDEX_URL=index, PIP_RETRIES="0"
        ) as ran:
            ran.wait_for("Fetching random-face")
            connection, _ = server.accept()
            ran.send(signal.SIGINT)
            ended = ran.finish()
            connection.close()
    assert ended.code == 130
    assert ended.err.rstrip().endswith("Stopped; nothing was written.")
    assert [path.name for path in (cache / "weights").iterdir()] == ["random-face.lock"]
    assert [path.name for path in portrait.parent.iterdir()] == ["portrait.png"]


def test_ctrl_c_that_the_shell_has_switched_off(portrait):
    """As for a job that a script left in the background."""
    shell = f"trap '' INT; {COMMAND} faces {portrait} & sleep 0.3; kill -INT $!; wait $!"
    ran = subprocess.run(["bash", "-c", shell], capture_output=True, encoding="utf-8", env=environment())
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("face 1: box")

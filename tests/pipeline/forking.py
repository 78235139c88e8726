"""Processes of `photodrag` without the seconds in which Python imports PyTorch: forked from one that has all of it.

Each is a process like any other, with an environment, files, a folder and signals of its own, in which nothing of the
project has run yet. What it can't show is that a command itself imports what it needs: see command.py."""

import atexit
import gc
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import cache
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
STAGES = "weights", "invert", "drag", "pipeline"


class Forked:
    """A running command, as subprocess.Popen has it."""

    def __init__(self, arguments: list[str], files: list[int], environment: dict[str, str]):
        """files: its stdin, stdout and stderr."""
        self.returncode: int | None = None
        self.pid = ask("fork", files, arguments=arguments, environment=environment, folder=os.getcwd())

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = ask("poll", pid=self.pid)
        return self.returncode

    def wait(self, seconds: float) -> int:
        limit = time.monotonic() + seconds
        while self.poll() is None:
            assert time.monotonic() < limit, f"it has not ended after {seconds} s"
            time.sleep(0.005)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def ask(what: str, files: list[int] = (), **more: object):
    """What the process that has imported everything answers."""
    with connection() as asked:
        socket.send_fds(asked, [json.dumps({"what": what, **more}).encode() + b"\n"], list(files))
        return json.loads(asked.makefile("rb").readline())


def connection() -> socket.socket:
    ours, theirs = socket.socketpair()
    with theirs:
        socket.send_fds(parent(), [b"!"], [theirs.fileno()])
    return ours


@cache
def parent() -> socket.socket:
    """Started at the first question, and ended with this process."""
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, __file__, str(theirs.fileno())]
        # As main sets it, before PyTorch is there. In a session of its own, so that a Ctrl-C is not for it.
        environment = os.environ | {"TORCH_CPP_LOG_LEVEL": "ERROR", "OMP_NUM_THREADS": "1"}
        options = {"stdin": subprocess.DEVNULL, "start_new_session": True, "pass_fds": [theirs.fileno()]}
        process = subprocess.Popen(command, env=environment, **options)

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def answer_all(asked: socket.socket) -> tuple[dict, list[int]] | None:
    """Answer until there is nobody to ask; in each process forked on the way, return what it has to do."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    while True:
        byte, (*sockets,), *_ = socket.recv_fds(asked, 1, 1)
        if not byte:
            return None
        with socket.socket(fileno=sockets[0]) as by:
            request, files, *_ = socket.recv_fds(by, 1 << 20, 3)
            while not request.endswith(b"\n"):
                request += by.recv(1 << 20)
            request, answer = json.loads(request), None
            if request["what"] == "poll":
                pid, status = os.waitpid(request["pid"], os.WNOHANG)
                answer = os.waitstatus_to_exitcode(status) if pid else None
            elif (answer := os.fork()) == 0:
                asked.close()
                return request, files
            for file in files:
                os.close(file)
            by.sendall(json.dumps(answer).encode() + b"\n")


def become(request: dict, files: list[int]) -> None:
    """What a new process has from the one that started it."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = ["photodrag", *request["arguments"]]
    # As Python opens them: a terminal gets whole lines, stderr too, and everything else blocks.
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), "utf-8")
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(
            io.BufferedWriter(io.FileIO(number, "w", closefd=False)),
            "utf-8",
            errors,
            line_buffering=number == 2 or os.isatty(number),
        )
        for number, errors in ((1, "strict"), (2, "backslashreplace"))
    )


def prepare() -> None:
    """Everything is imported, and the models that every look for a face needs are read."""
    for stage in STAGES:
        for path in sorted((ROOT / stage).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            import_module(".".join(("photodrag", *(part for part in parts if part != "__init__"))))
    from photodrag.invert.dlib_models import face_detector
    from photodrag.pipeline.faces.landmark_model import landmark_model

    face_detector(), landmark_model()
    gc.freeze()  # pages that nobody writes to are not copied


def end(code: int) -> None:
    """As Python does, but for taking everything apart that was imported."""
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


if __name__ == "__main__":
    prepare()
    task = answer_all(socket.socket(fileno=int(sys.argv[1])))
    if task is not None:
        become(*task)
        import torch

        from photodrag.pipeline.cli import main

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        end(main())

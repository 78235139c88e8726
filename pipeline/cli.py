"""The command `photodrag`: what is around every command. The commands themselves are in commands/.

Exit codes: 0 done, 1 failed on our side, 2 something for the person to put right, 128 + the signal's
number when stopped (Ctrl-C: 130). Whatever went wrong is one sentence on stderr."""

import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

import click

from photodrag.pipeline.commands import COMMANDS, options
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.later import import_later

STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
PATIENCE = 2.0
"""Seconds that cleaning up may take before another signal counts."""
NO_MEMORY = "can't allocate memory", "out of memory", "insufficient memory"
"""As torch and OpenCV say it, whose errors are no MemoryError."""
FOR_TRACING = "torch._meta_registrations"
"""What `import torch` spends a quarter of its time on: shapes for the compiler, which no command calls."""


@click.group(commands=COMMANDS, no_args_is_help=True, context_settings={"max_content_width": 100})
@click.version_option(package_name="photodrag", message="photodrag %(version)s")
def photodrag() -> None:
    """Edit a person's own photo by dragging points on the face.

    \b
    Example: find the mouth, then pull its left corner up by 12 pixels
        photodrag faces photo.jpg
        photodrag edit photo.jpg --drag 412,530:412,518
    """


class Stopped(BaseException):
    """The person or the system asked the command to stop. No KeyboardInterrupt, to which click would answer."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command (of the process's own arguments by default) and return its exit code."""
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal may know no arrows
    with warnings.catch_warnings(), _stop_signals() as received:
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        try:
            return _run(arguments)
        except BaseException as error:
            if received:  # whatever a library has made of it
                return _complain(f"Stopped; {_left(error)}.", 128 + received[0])
            if isinstance(error, MemoryError) or any(words in str(error).lower() for words in NO_MEMORY):
                return _complain(
                    "There is not enough memory for this: close other programs, or take a smaller copy of the photo.", 1
                )
            raise


def command() -> None:
    """`main` as a process of its own, which ends with it: the interpreter would take a third of a second more to undo
    the import of torch."""
    import_later(FOR_TRACING)
    code = main()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever read it may be gone
            if stream is not None:  # closed before we began
                stream.flush()
    os._exit(code)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        return photodrag.main(arguments, "photodrag", standalone_mode=False) or 0
    except UserError as error:
        return _complain(str(error), error.exit_code)
    except click.UsageError as error:
        # NoArgsIsHelpError is of click 8.2; older ones print the help themselves.
        if error.ctx and type(error).__name__ == "NoArgsIsHelpError":
            click.echo(error.ctx.get_help())
            return 0
        command = error.ctx.command_path if error.ctx else "photodrag"
        return _complain(f"{error.format_message().rstrip('.')} (see `{command} --help`).", error.exit_code)
    except click.ClickException as error:
        return _complain(error.format_message(), error.exit_code)


def _complain(sentence: str, code: int) -> int:
    options.complain(sentence)
    return code


@contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Let Ctrl-C and the like raise Stopped, so that everything is cleaned up; the list tells what came.

    A second one right after it does nothing, for then the cleaning goes on. Signals that the caller of
    the process ignores (nohup, a shell's background) stay ignored."""
    received: list[int] = []
    last = -PATIENCE

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal last
        if time.monotonic() - last < PATIENCE:
            return
        last = time.monotonic()
        received.append(number)
        raise Stopped

    before = {}
    try:
        for number in STOP_SIGNALS:
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                before[number] = signal.signal(number, stop)
    except ValueError:  # not the main thread, where no signals arrive
        pass
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _left(error: BaseException) -> str:
    """What a stopped command leaves, which `commands.options.stopping_leaves` noted."""
    return getattr(error, "leaves", "nothing was written")


if __name__ == "__main__":
    command()

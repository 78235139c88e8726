"""Running the server, from a free port to Ctrl-C."""

import errno
import socket
import threading
import webbrowser
from collections.abc import Callable

import uvicorn

from photodrag.pipeline.page.app import application
from photodrag.pipeline.page.app_state import AppState
from photodrag.pipeline.page.limits import LOOPBACK
from photodrag.weights.common.errors import Failure, UserError

PORT = 8476
"""The same each time, so that an open page finds a restarted server."""
LAST_STEP = 10.0
"""Seconds that a step under way may take when the server ends."""


def bound(host: str, port: int | None) -> socket.socket:
    """A socket that listens there; without a port on PORT, or on any if that is taken.

    Raises UserError where it can't."""
    for wanted in [port] if port is not None else [PORT, 0]:
        try:
            family = socket.getaddrinfo(host, wanted, type=socket.SOCK_STREAM)[0][0]
            return socket.create_server((host, wanted), family=family, backlog=64)
        except socket.gaierror:
            raise UserError(f"There is no address {host!r} on this machine: leave --host out.") from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE and port is None and wanted:
                continue
            if error.errno == errno.EADDRINUSE:
                raise UserError(f"Port {wanted} is taken: give another --port, or none.") from None
            if error.errno in (errno.EACCES, errno.EADDRNOTAVAIL):
                raise UserError(f"{host}, port {wanted} can't be listened on: {error.strerror}.") from None
            raise Failure(f"The page can't be served: {error.strerror}.") from error
    raise AssertionError


def serve(app_state: AppState, listening: socket.socket, token: str, started: Callable[[str], None]) -> None:
    """Serve until the process is told to stop; `started` is told the address, at which the socket listens already."""
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    started(f"http://{shown}:{port}/?token={token}")
    try:
        uvicorn.Server(configuration(app_state, listening, token)).run([listening])
    finally:  # the tabs are closed by now, and their jobs cancelled
        app_state.queue.finish(LAST_STEP)


def configuration(app_state: AppState, listening: socket.socket, token: str) -> uvicorn.Config:
    """How uvicorn is to serve on a socket."""
    host, port = listening.getsockname()[:2]
    names = ("localhost",) if host in LOOPBACK else ("localhost", socket.gethostname().lower())
    return uvicorn.Config(
        application(app_state, token, port, names),
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        ws_max_size=app_state.limits.upload + (1 << 16),
        ws_per_message_deflate=False,  # pictures are compressed as they are
        # No page of this machine goes without a word; another machine may, and its photo is to go with it.
        ws_ping_interval=None if host in LOOPBACK else 30,
        ws_ping_timeout=120,  # on a busy machine an answer may take long
        timeout_graceful_shutdown=1,
    )


def open_browser(address: str) -> None:
    """Open the page, without waiting for the browser; where there is none the printed address serves."""
    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

"""The page's server in this process, with a real socket, and a page that is no browser."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from websockets.sync.client import connect

from photodrag.pipeline.page import serving
from photodrag.pipeline.page.app_state import AppState

NO_CONTROLS = {"presets": {}, "expression": None, "regions": []}
TOKEN = "a-token-of-the-tests-that-is-long-enough"


@dataclass(frozen=True)
class Served:
    app_state: AppState
    port: int

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/?token={TOKEN}"

    def ask(self, path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
        """A request whose headers, Host included, are only what is given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in ({"Host": f"127.0.0.1:{self.port}"} | headers).items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        answer.body = answer.read()
        connection.close()
        return answer

    @contextmanager
    def page(self) -> Iterator["Page"]:
        address = f"ws://127.0.0.1:{self.port}/session?token={TOKEN}"
        # A page that a test leaves unread must not block the server, nor be given up.
        patient = {"max_size": None, "max_queue": None, "ping_interval": None}
        with connect(address, origin=self.origin, proxy=None, **patient) as socket:
            yield Page(socket)


class Page:
    def __init__(self, socket):
        self.socket = socket

    def say(self, kind: str, data: bytes | None = None, **content) -> None:
        also = {"controls": NO_CONTROLS} if kind == "drag" else {}
        text = json.dumps({"type": kind, **also, **content})
        self.socket.send(text if data is None else len(text.encode()).to_bytes(4, "big") + text.encode() + data)

    def hear(self, seconds: float = 150) -> dict:
        """The next message; what comes behind it is its "data"."""
        message = self.socket.recv(timeout=seconds)
        if isinstance(message, str):
            return json.loads(message)
        end = 4 + int.from_bytes(message[:4], "big")
        return json.loads(message[4:end]) | {"data": message[end:]}

    def hear_until(self, kind: str, seconds: float = 150, allow_errors: bool = False) -> list[dict]:
        """All messages up to the first of a kind."""
        heard, limit = [], time.monotonic() + seconds
        while not heard or heard[-1]["type"] != kind:
            heard.append(self.hear(max(0.1, limit - time.monotonic())))
            assert allow_errors or kind == "error" or heard[-1]["type"] != "error", heard[-1]
        return heard

    def open(self, path, name: str | None = None) -> dict:
        self.say("photo", path.read_bytes(), id=1, name=name or path.name)
        return self.hear_until("faces")[-1]

    def learn(self, likeness: str = "auto") -> dict:
        self.say("face", id=2, number=1, box=None, likeness=likeness)
        return self.hear_until("inverted")[-1]


@contextmanager
def served(app_state: AppState) -> Iterator[Served]:
    listening = serving.bound("127.0.0.1", 0)
    server = uvicorn.Server(serving.configuration(app_state, listening, TOKEN))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        yield Served(app_state, listening.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
        app_state.queue.finish(30)


def wait_until(holds, seconds: float = 20) -> None:
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.02)

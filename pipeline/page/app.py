"""The addresses: the page, its files, and the WebSocket on which everything else happens."""

import asyncio
from contextlib import suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from photodrag.pipeline.page.guard import Guard
from photodrag.pipeline.page.messages import Nonsense, packed, unpacked
from photodrag.pipeline.page.outbox import Outbox
from photodrag.pipeline.page.studio import Studio
from photodrag.pipeline.page.tab import Tab

STATIC = Path(__file__).parent / "static"
NONSENSE, FULL = 4000, 4001
"""Why a WebSocket is closed, in WebSocket's numbers for applications; connection.js knows them."""


def application(studio: Studio, token: str, port: int, names: tuple[str, ...] = ("localhost",)) -> Guard:
    """The ASGI application; `names`: of this machine, that may stand in the address besides its numbers."""

    async def page(request) -> FileResponse:
        return FileResponse(STATIC / "index.html")

    async def session(socket: WebSocket) -> None:
        await socket.accept()
        if len(studio.tabs) >= studio.limits.tabs:
            await socket.send_text(packed({"type": "error", "about": "tab", "text": FULL_TEXT}))
            await socket.close(FULL)
            return
        await serve_tab(studio, socket)

    routes = [
        Route("/", page, methods=["GET"]),
        WebSocketRoute("/session", session),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return Guard(Starlette(routes=routes), token, port, names)


FULL_TEXT = "As many tabs as can be are open: close another one, and load this page anew."


async def serve_tab(studio: Studio, socket: WebSocket) -> None:
    """Talk with one page until it goes."""
    outbox = Outbox(asyncio.get_running_loop())
    tab = Tab(studio, outbox)
    studio.tabs.add(tab)

    async def send() -> None:
        while True:
            message = await outbox.get()
            await (socket.send_text(message) if isinstance(message, str) else socket.send_bytes(message))

    sending = asyncio.create_task(send())
    try:
        while True:
            event = await socket.receive()
            if event["type"] == "websocket.disconnect":
                break
            tab.hear(*unpacked(event["bytes"] if event.get("text") is None else event["text"]))
    except Nonsense:
        await socket.close(NONSENSE)
    except WebSocketDisconnect:
        pass
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await sending
        studio.tabs.discard(tab)
        tab.close()

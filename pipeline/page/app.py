"""The addresses: the page, its files, and the WebSocket on which everything else happens."""

import asyncio
from contextlib import suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from photodrag.pipeline.page.app_state import AppState
from photodrag.pipeline.page.guard import Guard
from photodrag.pipeline.page.messages import ProtocolError, packed, unpacked
from photodrag.pipeline.page.outbox import Outbox
from photodrag.pipeline.page.tab import Tab

STATIC = Path(__file__).parent / "static"
PROTOCOL_ERROR, FULL = 4000, 4001
"""Why a WebSocket is closed, in WebSocket's numbers for applications; connection.js knows them."""


def application(app_state: AppState, token: str, port: int, names: tuple[str, ...] = ("localhost",)) -> Guard:
    """The ASGI application; `names`: of this machine, that may stand in the address besides its numbers."""

    async def page(request: Request) -> FileResponse:
        return FileResponse(STATIC / "index.html")

    async def session(socket: WebSocket) -> None:
        await socket.accept()
        if len(app_state.tabs) >= app_state.limits.tabs:
            await socket.send_text(packed({"type": "error", "about": "tab", "text": FULL_TEXT}))
            await socket.close(FULL)
            return
        await serve_tab(app_state, socket)

    routes = [
        Route("/", page, methods=["GET"]),
        WebSocketRoute("/session", session),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return Guard(Starlette(routes=routes), token, port, names)


FULL_TEXT = "As many tabs as can be are open: close another one, and load this page anew."


async def serve_tab(app_state: AppState, socket: WebSocket) -> None:
    """Talk with one page until it goes."""
    outbox = Outbox(asyncio.get_running_loop())
    tab = Tab(app_state, outbox)
    app_state.tabs.add(tab)

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
            tab.receive(*unpacked(event["bytes"] if event.get("text") is None else event["text"]))
            if len(outbox) > app_state.limits.messages:
                raise ProtocolError("it asks, and doesn't listen")
    except ProtocolError:
        await socket.close(PROTOCOL_ERROR)
    except WebSocketDisconnect:
        pass
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await sending
        app_state.tabs.discard(tab)
        tab.close()

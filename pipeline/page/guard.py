"""Who may ask: this page alone, opened with the token, from the names that the server has itself."""

import ipaddress
import secrets
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """Before an application: refuses, with 403, what other sites could make a browser send.

    Host: must be one of the server's own names, since a foreign site can point its name here (DNS rebinding); an
    address in digits can't be pointed anywhere, and is right wherever it leads here. Origin: where it is sent, and
    for a WebSocket always, it must be this server. Token: in the query of everything but the static files, which
    hold nothing of anybody's."""

    def __init__(self, app: ASGIApp, token: str, port: int, names: tuple[str, ...] = ("localhost",)):
        self._app, self._token, self._port, self._names = app, token, port, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if scope["type"] == "websocket":
            if refusal:
                await send({"type": "websocket.close", "code": 1008, "reason": refusal})
            else:
                await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *((name, value) for name, value in message.get("headers", []) if name.decode() not in HEADERS),
                    *((name.encode(), value.encode()) for name, value in HEADERS.items()),
                ]
            await send(message)

        app = PlainTextResponse(refusal, 403) if refusal else self._app
        await app(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> str | None:
        """Why a request is refused, in a sentence."""
        headers: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name, []).append(value.decode("latin-1"))
        hosts, origins = headers.get(b"host", []), headers.get(b"origin", [])
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            return "This name is not the server's own: open the address that `photodrag serve` printed."
        if origins not in ([f"http://{hosts[0]}"], [] if scope["type"] == "http" else None):
            return "Another site asked for this: only Photodrag's own page may."
        if scope["path"].startswith("/static/"):
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if len(given) != 1 or not secrets.compare_digest(given[0].encode(), self._token.encode()):
            return "The token is missing or wrong: open the whole address that `photodrag serve` printed."
        return None

    def _is_own(self, host: str) -> bool:
        name, _, port = host.rpartition(":")
        if port != str(self._port):
            return False
        if name.lower() in self._names:
            return True
        try:
            ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
            return True
        except ValueError:
            return False

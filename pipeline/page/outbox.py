"""What waits to be sent to a page."""

import asyncio


class Outbox:
    """Messages from any thread, for the loop that sends them. Where a page is slow, old pictures are left out."""

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self._loop, self._some = loop, asyncio.Event()
        self._waiting: list[tuple[str | None, str | bytes]] = []

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return sum(len(message) for _, message in self._waiting)

    def __len__(self) -> int:
        """Messages that wait."""
        return len(self._waiting)

    def put(self, message: str | bytes, key: str | None = None) -> None:
        """Send a message after those that wait; with a key, instead of one that waits with that key."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, message, key)

    async def get(self) -> str | bytes:
        """The next message, when there is one."""
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
        return self._waiting.pop(0)[1]

    def _put(self, message: str | bytes, key: str | None) -> None:
        if key is not None:
            self._waiting = [waiting for waiting in self._waiting if waiting[0] != key]
        self._waiting.append((key, message))
        self._some.set()

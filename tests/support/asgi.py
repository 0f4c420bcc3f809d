"""One ASGI request by hand: what the client sends, what it gets, and when it leaves."""

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any

from isthmus.engine.admit import Gate
from isthmus.server.app import Application
from isthmus.server.metrics_page import WriteMetrics
from isthmus.server.pages import Recent
from support.line import Line


def application(line: Line, gate: Gate | None = None, metrics: WriteMetrics | None = None) -> Application:
    recent = Recent(line.losses.of, line.exchanges.of)
    return Application(line.live, line.ports, gate or Gate(), lambda: {"ready": True}, recent, metrics=metrics)


class Visit:
    """A client's request to an application, running. `leave` closes the connection from the client's side."""

    def __init__(
        self,
        app: Application,
        path: str,
        body: bytes = b"",
        *,
        method: str = "POST",
        headers: Any = (),
        query: bytes = b"",
        peer: str = "127.0.0.1",
    ) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self._grown = asyncio.Event()
        self._incoming: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._incoming.put_nowait({"type": "http.request", "body": body, "more_body": False})
        scope = {
            "type": "http", "path": path, "method": method, "headers": list(headers),
            "query_string": query, "client": (peer, 5),
        }  # fmt: skip
        self.task = asyncio.create_task(app(scope, self._incoming.get, self._take))

    def leave(self) -> None:
        self._incoming.put_nowait({"type": "http.disconnect"})

    async def until(self, seen: Callable[["Visit"], bool]) -> None:
        """Wait until `seen` holds of what has arrived."""
        async with asyncio.timeout(5):
            while not seen(self):
                self._grown.clear()
                await self._grown.wait()

    async def done(self) -> "Visit":
        async with asyncio.timeout(5):
            await self.task
        return self

    async def _take(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            assert not self.status, "an answer begins once"
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            assert self.status, "an answer begins with its head"
            self.body += message.get("body", b"")
        self._grown.set()

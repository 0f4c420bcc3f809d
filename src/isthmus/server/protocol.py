"""Uvicorn's HTTP protocol with two bounds that it lacks: on the size of a request's head, and on the wait for one."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 * 1024
"""Bytes of a request line and its headers."""
HEAD_COUNT = 200
"""Headers of one request."""
HEAD_SECONDS = 30.0
"""Seconds in which a request's head must be complete once it has begun."""


class HeadTooLarge(Exception):
    """A request's head passed its bound; the parser turns this into a 400 and the connection is closed."""


class BoundedProtocol(HttpToolsProtocol):
    """One client connection."""

    _head_bytes = 0
    _head_open = False
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_done()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head_open and self._head_timer is None:
            self._await_head()

    def on_message_begin(self) -> None:
        self._head_bytes, self._head_open = 0, True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)
        if len(self.headers) > HEAD_COUNT:
            raise HeadTooLarge

    def on_headers_complete(self) -> None:
        self._head_open = False
        self._head_done()
        super().on_headers_complete()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES:
            raise HeadTooLarge

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _head_done(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()


def protocol_options() -> dict[str, Any]:
    """What uvicorn is told about HTTP: this protocol, no websockets, nothing of its own in logs or headers."""
    return {
        "http": BoundedProtocol,
        "ws": "none",
        "lifespan": "off",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_keep_alive": 75,
        "backlog": 2048,
    }

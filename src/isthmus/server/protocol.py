"""Uvicorn's HTTP protocol with what it lacks: bounds on a request's head, and one write for an answer that is whole."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 * 1024
"""Bytes of a request line and its headers."""
HEAD_COUNT = 200
"""Headers of one request."""
BODY_AHEAD = 1024 * 1024
"""Bytes of a body that are taken in before somebody asks for them."""
HEAD_SECONDS = 30.0
"""Seconds in which a request's head must be complete once it has begun."""


class HeadTooLarge(Exception):
    """A request's head passed its bound; the parser turns this into a 400 and the connection is closed."""


class Corked:
    """A transport that keeps an answer's head until the bytes behind it come, so that both leave in one system call.

    Has just what uvicorn asks of a transport. A head that nothing follows leaves when the loop turns.
    """

    __slots__ = ("_flushing", "_head", "_inner", "_loop", "get_extra_info", "is_closing", "pause_reading",
                 "resume_reading")  # fmt: skip

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._inner = inner
        self._loop = loop
        self._head: bytes | None = None
        self._flushing: asyncio.Handle | None = None
        self.get_extra_info = inner.get_extra_info
        self.is_closing = inner.is_closing
        self.pause_reading = inner.pause_reading
        self.resume_reading = inner.resume_reading

    def write(self, data: bytes) -> None:
        if self._head is not None:
            head = self._release()
            self._inner.writelines((head, data))
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
            self._flushing = self._loop.call_soon(self._flush)
        else:
            self._inner.write(data)

    def close(self) -> None:
        self._flush()
        self._inner.close()

    def _flush(self) -> None:
        if self._head is not None:
            self._inner.write(self._release())

    def _release(self) -> bytes:
        assert self._head is not None  # noqa: S101  both callers have looked
        head, self._head = self._head, None
        if self._flushing is not None:
            self._flushing.cancel()
        return head


class BoundedProtocol(HttpToolsProtocol):
    """One client connection."""

    _head_bytes = 0
    _head_open = True
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(Corked(transport, self.loop))  # type: ignore[arg-type] # what uvicorn asks, it has
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_done()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head_open:
            self._bound(len(data))

    def on_message_begin(self) -> None:
        self._head_bytes, self._head_open = 0, True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_open = False
        self._head_done()
        if len(self.headers) > HEAD_COUNT:
            raise HeadTooLarge
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._head_bytes, self._head_open = 0, False
        super().on_message_complete()

    def on_body(self, body: bytes) -> None:
        """As uvicorn does, but with room for more than 64 KiB: a large body is taken in fewer, larger steps."""
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) > BODY_AHEAD:
            self.flow.pause_reading()
        cycle.message_event.set()

    def _bound(self, size: int) -> None:
        """A head has begun and is not complete."""
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES:
            self.send_400_response("The request's head is too large.")
        elif self._head_timer is None:
            self._await_head()

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
        "proxy_headers": False,
        "timeout_keep_alive": 75,
        "backlog": 2048,
    }

"""One request on a client's connection and the answer to it, as an ASGI application sees them.

Holds what of the request's body has arrived, and how the answer's bytes are framed. Does not
parse, and does not know what comes before or after it on the connection (see connection.py).
"""

import asyncio
import http
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Protocol

BODY_AHEAD = 1024 * 1024
"""Bytes of a body that are taken in before somebody asks for them."""
ONE_PIECE = 64 * 1024
"""Bytes of an answer's body that are copied behind its head; a longer one is handed over beside it."""

_STATUS_LINES: Mapping[int, bytes] = {
    code: b"HTTP/1.1 %d %b\r\n" % (code, next((one.phrase.encode() for one in http.HTTPStatus if one == code), b""))
    for code in range(200, 600)
}
_CONTROLS = bytes(code for code in range(32) if code != 9) + b"\x7f"
_BODILESS = (204, 304)
_CLOSE = b"connection: close"


class Wire(Protocol):
    """The connection, as a turn sees it."""

    stuffed: bool
    """The client does not read what was written."""

    @property
    def date(self) -> bytes:
        """The `date` header's line."""
        ...

    def write(self, data: bytes) -> None: ...

    def write_both(self, head: bytes, body: bytes) -> None: ...

    def flush_soon(self) -> None:
        """Call `flush` of the current turn when the loop turns."""
        ...

    async def writable(self) -> None: ...

    def pause(self) -> None:
        """Take in no more bytes until `go_on`."""
        ...

    def go_on(self) -> None: ...

    def abort(self) -> None: ...

    def answered(self, turn: "Turn") -> None:
        """The last byte of the turn's answer was handed over."""
        ...


class Turn:
    """`gone`: the client left. `over`: the answer is complete. `keep`: the connection may serve another request.

    `whole`: all of the request has arrived. `task` runs the application for it.
    """

    __slots__ = (
        "_bodiless",
        "_chunked",
        "_expects",
        "_head",
        "_left",
        "_loop",
        "_pieces",
        "_size",
        "_told",
        "_waiter",
        "_wire",
        "gone",
        "keep",
        "over",
        "scope",
        "started",
        "task",
        "whole",
    )

    def __init__(
        self,
        wire: Wire,
        scope: MutableMapping[str, Any],
        *,
        loop: asyncio.AbstractEventLoop,
        keep: bool,
        modern: bool,
    ) -> None:
        self.scope = scope
        self.task: asyncio.Task[None] | None = None
        self.keep = keep
        self.gone = self.over = self.started = self.whole = False
        self._wire = wire
        self._loop = loop
        self._expects = modern
        self._pieces: list[bytes] = []
        self._size = 0
        self._told = False
        self._waiter: asyncio.Future[None] | None = None
        self._head: bytes | None = None
        self._bodiless = self._chunked = False
        self._left: int | None = None

    # What the connection tells.

    def take(self, data: bytes) -> None:
        """A piece of the request's body has come."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size > BODY_AHEAD:
            self._wire.pause()
        if self._waiter is not None:
            self.wake()

    def complete(self) -> None:
        """All of the request has arrived."""
        self.whole = True
        if self._waiter is not None:
            self.wake()

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def flush(self) -> None:
        """Nothing followed the head at once: it leaves alone."""
        if self._head is not None:
            head, self._head = self._head, None
            self._wire.write(head)

    def abandon(self) -> None:
        """The application is done. An answer that it left out is a failure; one that it left unfinished is cut off."""
        if self.over or self.gone:
            return
        if self.started:
            self._wire.abort()
            return
        self._begin(500, ((b"content-type", b"text/plain"), (b"content-length", b"0"), (b"connection", b"close")))
        self._go_on(b"", more=False)

    # What the application asks.

    async def receive(self) -> dict[str, Any]:
        """More of the body, as much as there is; or the news that the client has gone, or has been answered."""
        while not (self.gone or self.over):
            self._wire.go_on()
            if not self._told and (self._pieces or self.whole):
                return self._body_so_far()
            if self._expects:
                self._invite()
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return {"type": "http.disconnect"}

    def whole_body(self) -> bytes | None:
        """All of the request's body, where all of it is here and nobody has asked for it; else `receive` gives it."""
        if not self.whole or self._told or self.gone or self.over:
            return None
        self._wire.go_on()
        return self._taken()

    def answer(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bool:
        """The whole answer at once, where that is plain and the client can take it now.

        Else nothing is done, and `send` sees to it. `headers` say nothing of the body's length or of the connection.
        """
        wire = self._wire
        if self.gone or self.started or wire.stuffed or status in _BODILESS or self.scope["method"] == "HEAD":
            return False
        lines = [wire.date, *map(b": ".join, headers), b"content-length: %d" % len(body)]
        if not self.keep:
            lines.append(_CLOSE)
        head = _STATUS_LINES[status] + _joined(lines)
        self.started = self.over = True
        if len(body) <= ONE_PIECE:
            wire.write(head + body)
        else:
            wire.write_both(head, body)
        if self._waiter is not None:
            self.wake()
        wire.answered(self)
        return True

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if self._wire.stuffed and not self.gone:
            await self._wire.writable()
        if self.gone:
            return
        if message["type"] == "http.response.start":
            self._begin(message["status"], message["headers"])
        else:
            self._go_on(message.get("body", b""), more=message.get("more_body", False))

    def _invite(self) -> None:
        """Nothing of the body has come yet: does the client wait to be told that it may?"""
        self._expects = False
        if any(name == b"expect" and value.lower() == b"100-continue" for name, value in self.scope["headers"]):
            self._wire.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _body_so_far(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self._taken(), "more_body": not self.whole}

    def _taken(self) -> bytes:
        """What has come since the last time."""
        pieces, self._pieces, self._size = self._pieces, [], 0
        self._told = self.whole
        self._expects = False
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _begin(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Make the head. It waits for the first bytes of the body, so that both leave in one piece."""
        if self.started:
            raise RuntimeError("an answer begins once")
        self._left, self._chunked, said_close = None, False, False
        for name, value in headers:
            if name == b"content-length":
                self._left = int(value)
            elif name == b"connection" and b"close" in value.lower():
                self.keep, said_close = False, True
        lines = [self._wire.date, *map(b": ".join, headers)]
        if not (self.keep or said_close):
            lines.append(_CLOSE)
        self._bodiless = status in _BODILESS or self.scope["method"] == "HEAD"
        if self._bodiless:
            self._left = 0
        elif self._left is None and self.scope["http_version"] == "1.1":
            self._chunked = True
            lines.append(b"transfer-encoding: chunked")
        self._head = _STATUS_LINES[status] + _joined(lines)
        self.started, self._expects = True, False
        if self._chunked:
            self._wire.flush_soon()

    def _go_on(self, body: bytes, *, more: bool) -> None:
        if not self.started or self.over:
            raise RuntimeError("an answer's body stands between its head and its end")
        if self._bodiless:
            body = b""
        if self._chunked:
            body = _chunk(body, last=not more)
        elif self._left is not None:
            self._left -= len(body)
            if self._left < 0:
                raise RuntimeError("an answer's body is longer than its head says")
        if self._head is not None:
            head, self._head = self._head, None
            if len(body) <= ONE_PIECE:
                self._wire.write(head + body)
            else:
                self._wire.write_both(head, body)
        elif body:
            self._wire.write(body)
        if not more:
            self._end()

    def _end(self) -> None:
        if self._left:
            raise RuntimeError("an answer's body is shorter than its head says")
        self.over = True
        if self._waiter is not None:
            self.wake()
        self._wire.answered(self)


def _joined(lines: list[bytes]) -> bytes:
    """The head behind its first line. Refuses what would end a line early or begin another answer."""
    head = b"\r\n".join(lines)
    if len(head) - len(head.translate(None, _CONTROLS)) != 2 * (len(lines) - 1):
        raise RuntimeError("a control character in an answer's head")
    return head + b"\r\n\r\n"


def _chunk(body: bytes, *, last: bool) -> bytes:
    if not last:
        return b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"

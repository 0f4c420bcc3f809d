"""One client's connection during one exchange: its body in, its answer out, and whether it is still there."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from isthmus.dialects.codec import Codec
from isthmus.engine.answer import Answer, Chunks
from isthmus.engine.exchange import Exchange
from isthmus.server.bodies import read_body, unpacked
from isthmus.server.pages import Page
from isthmus.server.patrol import Patrol
from isthmus.server.turn import Turn
from isthmus.wire.framings import ENDINGS
from isthmus.wire.headers import Headers

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

STALLED = 300.0
"""Seconds that a client may leave a written piece unread before it counts as gone."""
STREAM_HEADERS: Headers = ((b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"))


class Responder:
    """Used by one task, which is cancelled when the client leaves.

    Where nothing stands between it and the gateway's own server, what is whole goes from one to the other without
    messages. A ping commits the status, not the target: it may be sent before there is an answer, and an
    error that comes after it is told as an event. Pings stand between whole events only.
    """

    __slots__ = (
        "_at_boundary",
        "_body_read",
        "_ends",
        "_every",
        "_exchange",
        "_last",
        "_loop",
        "_over",
        "_patrol",
        "_pinging",
        "_receive",
        "_send",
        "_task",
        "_timer",
        "_turn",
        "_watcher",
        "_writing",
        "gone",
        "started",
    )

    def __init__(self, receive: Receive, send: Send, exchange: Exchange, *, ping_every: float, patrol: Patrol) -> None:
        self._receive = receive
        self._send = send
        turn = getattr(send, "__self__", None)  # anything between is none: it has every message
        self._turn = turn if type(turn) is Turn else None
        self._exchange = exchange
        self._every = ping_every
        self._loop = patrol.loop
        self._task = asyncio.current_task(patrol.loop) if self._turn is None else self._turn.task
        self._watcher: asyncio.Task[None] | None = None
        self._pinging: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._patrol = patrol
        self._last = self._loop.time()
        self._body_read = self._writing = self._over = False
        self._ends: tuple[bytes, ...] = ()
        self._at_boundary = True
        self.gone = False
        self.started = False
        patrol.begin(self)

    async def body(self, limit: int) -> bytes:
        """The request's body. Raises TOO_LARGE, INVALID for a coding we do not know, ClientLeft."""
        call, here = self._exchange.call, None if self._turn is None else self._turn.whole_body()
        if here is None:
            body = await read_body(self._receive, call.headers, limit)
        else:
            body = unpacked(here, call.said.get(b"content-encoding"), limit)
        self._body_read = True
        return body

    def deliver(self, answer: Answer) -> Awaitable[None]:
        """Send the whole answer. Done when its last byte was handed to the connection."""
        if answer.stream is not None:
            return self._pass_on(answer, answer.stream)
        return self._end_with_error() if self.started else self._send_whole(answer)

    def close(self) -> None:
        """The exchange is over, whichever way. Tasks that hold this are let go: nothing waits for the collector."""
        self._over = True
        self._patrol.end(self)
        if self._timer is not None:
            self._timer.cancel()
        for task in (self._watcher, self._pinging):
            if task is not None:
                task.cancel()
        self._watcher = self._pinging = self._task = self._timer = None

    async def _send_whole(self, answer: Answer) -> None:
        status, body, exchange = answer.status, answer.body, self._exchange
        if self._body_read and self._turn is not None and self._turn.answer(status, answer.headers, body):
            self.started = self._over = True
            exchange.status, exchange.bytes_out = status, len(body)
            return
        headers = (*answer.headers, (b"content-length", b"%d" % len(body)))
        if not self._body_read:
            headers = (*headers, (b"connection", b"close"))
        await self._send(self._head(status, headers))
        self._over = True
        exchange.bytes_out = len(body)
        await self._send({"type": "http.response.body", "body": body})

    async def _pass_on(self, answer: Answer, stream: Chunks) -> None:
        codec = self._exchange.call.codec
        self._ends = ENDINGS[codec.framing] if isinstance(codec, Codec) else ()
        if not self.started:
            await self._send(self._head(answer.status, answer.headers + STREAM_HEADERS))
        try:
            async for data in stream:
                if data:
                    await self._send(self._piece(data))
                    self._writing = False
        finally:
            await stream.aclose()
        self._over = True
        await self._send({"type": "http.response.body", "body": b""})

    def _piece(self, data: bytes) -> Message:
        """The message that sends `data`; from now on it is being written."""
        self._writing = True
        self._last = self._loop.time()
        self._at_boundary = data.endswith(self._ends)
        self._exchange.bytes_out += len(data)
        return {"type": "http.response.body", "body": data, "more_body": True}

    async def _end_with_error(self) -> None:
        """A ping has opened the stream, and there is no answer: the error goes out as an event."""
        error, codec = self._exchange.error, self._exchange.call.codec
        if error is not None and isinstance(codec, Codec):
            await self._send(self._piece(codec.write_error_event(error)))
        self._over = True
        await self._send({"type": "http.response.body", "body": b""})

    def _head(self, status: int, headers: Headers) -> Message:
        """The message that begins the answer; from now on it has begun."""
        self.started = True
        self._exchange.status = status
        return {"type": "http.response.start", "status": status, "headers": headers}

    def watch(self) -> bool:
        """The exchange takes a while: look out for the client's leaving and for silence. False: too early for that."""
        if not self._body_read:
            return False
        self._watcher = self._loop.create_task(self._watch())
        self._timer = self._loop.call_later(self._every, self._tick)
        return True

    async def _watch(self) -> None:
        """The body has been read, so all that can come is the news that the client has gone."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._leave()

    def _leave(self) -> None:
        if not self._over and self._task is not None:
            self.gone = True
            self._task.cancel()

    def _tick(self) -> None:
        """Ping a client whose stream was silent; give up one that does not read what was written."""
        silent = self._loop.time() - self._last
        wait = self._every
        if silent < self._every:
            wait = self._every - silent
        elif self._writing:
            if silent > STALLED:
                self._leave()
        elif self._at_boundary and (peek := self._exchange.peek) is not None and peek.stream:
            self._pinging = self._loop.create_task(self._ping())
        self._timer = self._loop.call_later(wait, self._tick)

    async def _ping(self) -> None:
        codec = self._exchange.call.codec
        if not isinstance(codec, Codec) or not codec.ping:
            return
        if not self.started and not self._over:
            head = ((b"content-type", codec.content_type), (b"x-isthmus-id", self._exchange.id.encode()))
            await self._send(self._head(200, head + STREAM_HEADERS))
        if not self._over:
            self._last = self._loop.time()
            await self._send({"type": "http.response.body", "body": codec.ping, "more_body": True})


async def send_page(page: Page, send: Send) -> None:
    """An answer that is held whole."""
    headers = ((b"content-type", page.content_type), (b"content-length", b"%d" % len(page.body)), *page.headers)
    await send({"type": "http.response.start", "status": page.status, "headers": headers})
    await send({"type": "http.response.body", "body": page.body})

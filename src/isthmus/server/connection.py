"""One client connection: bytes to llhttp, requests to the application, one answer at a time.

Everything here happens in callbacks of the event loop. Facing strangers, it bounds what they may
send: the size of a head, the number of its headers, the time it takes, the bytes of a body that wait.
What cannot be read is answered with 400, and the connection is closed.
"""

import asyncio
import math
from collections import deque
from functools import lru_cache
from typing import Any, Protocol, cast
from urllib.parse import unquote

from httptools import HttpParserError, HttpParserInvalidURLError, HttpParserUpgrade, HttpRequestParser, parse_url

from isthmus.server.turn import Turn
from isthmus.wire import json

HEAD_BYTES = 64 * 1024
"""Bytes of a request line and its headers, and of anything else that is not body."""
HEAD_COUNT = 200
"""Headers of one request. Trailers are not looked at; their bytes are bounded."""
HEAD_SECONDS = 30.0
"""Seconds in which a request's head must be complete once it has begun, or its connection was made."""
IDLE_SECONDS = 75.0
"""Seconds that a connection is kept for its next request."""
LINGER_SECONDS = 2.0
"""Seconds that a client has to read an answer that came before its request was complete."""
CLOSING_SECONDS = 300.0
"""Seconds that a client has to read its last answer."""
NEVER = math.inf
_TARGETS = 256
"""Request targets whose parts are remembered."""
_SHORT = 256
"""Bytes of such a target: they come from strangers."""


class Refused(Exception):
    """A request that is not served; the parser stops at it. The message is for the client."""


class House(Protocol):
    """All connections and what they share, as one of them sees it."""

    date: bytes
    loop: asyncio.AbstractEventLoop

    def joined(self, connection: "Connection") -> None: ...

    def left(self, connection: "Connection") -> None: ...

    def begin(self, turn: Turn) -> None:
        """Run the application for this turn."""
        ...


class Connection(asyncio.Protocol):
    """Implements the turns' Wire. `due` is when it ends if nothing happens before, in the loop's time."""

    __slots__ = (
        "_clear",
        "_deaf",
        "_fed",
        "_headers",
        "_house",
        "_in_head",
        "_newest",
        "_parser",
        "_paused",
        "_peer",
        "_plain_head",
        "_queue",
        "_transport",
        "_turn",
        "_url",
        "due",
        "stuffed",
    )

    def __init__(self, house: House) -> None:
        self.due = house.loop.time() + HEAD_SECONDS
        self.stuffed = False
        self._house = house
        self._parser = HttpRequestParser(self)
        # What follows a request that closes its connection is no reason to refuse that request.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._transport: asyncio.Transport | None = None
        self._peer: tuple[str, int] | None = None
        self._turn: Turn | None = None
        self._newest: Turn | None = None
        self._queue: deque[Turn] = deque()
        self._headers: list[tuple[bytes, bytes]] = []
        self._url = self._plain_head = b""
        self._fed = 0
        self._paused = self._deaf = False
        self._in_head = True
        self._clear: asyncio.Event | None = None

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._peer = peer[:2] if isinstance(peer, tuple) else None
        self._house.joined(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's word
        self._transport = None
        del self._parser  # it holds this connection as this connection holds it
        self._deaf = True
        if self._turn is not None:
            self._lose(self._turn)
        self._turn = self._newest = None
        self._queue.clear()
        self.resume_writing()
        self._house.left(self)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._fed += len(data)
        try:
            self._feed(data)
        except HttpParserError as error:
            cause = error.__context__
            self._refuse(str(cause) if isinstance(cause, Refused) else "this is not a valid HTTP request")
            return
        if self._fed > HEAD_BYTES:
            self._refuse(f"the request's head is too large: more than {HEAD_BYTES} bytes")

    def pause_writing(self) -> None:
        self.stuffed = True

    def resume_writing(self) -> None:
        self.stuffed = False
        if self._clear is not None:
            self._clear.set()

    # What the parser tells, in the middle of `data_received`.

    def on_message_begin(self) -> None:
        if self._newest is not None and not self._newest.keep:
            raise Refused("the connection is to be closed")
        self.due = self._house.loop.time() + HEAD_SECONDS
        self._in_head = True
        self._url, self._headers = b"", []

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        headers, parser = self._headers, self._parser
        if len(headers) > HEAD_COUNT:
            raise Refused(f"the request has more than {HEAD_COUNT} headers")
        if self._fed > HEAD_BYTES and sum(len(name) + len(value) for name, value in headers) > HEAD_BYTES:
            raise Refused(f"the request's head is too large: more than {HEAD_BYTES} bytes")
        if parser.should_upgrade():
            self._plain_head = _without_upgrade(parser.get_method(), self._url, headers)
            return
        path, query = _target(self._url)
        version = parser.get_http_version()
        scope: dict[str, Any] = {
            "type": "http",
            "http_version": version,
            "method": parser.get_method().decode(),
            "path": path,
            "query_string": query,
            "headers": tuple(headers),
            "client": self._peer,
        }
        modern = version == "1.1"
        keep = modern and parser.should_keep_alive()
        self._newest = turn = Turn(self, scope, loop=self._house.loop, keep=keep, modern=modern)
        self._in_head, self._fed, self._headers = False, 0, []
        self.due = NEVER
        if self._turn is None:
            self._turn = turn
            self._house.begin(turn)
        else:
            self._queue.append(turn)
            self.pause()

    def on_body(self, data: bytes) -> None:
        self._fed = 0
        if self._newest is not None and not self._newest.over:
            self._newest.take(data)

    def on_message_complete(self) -> None:
        self._fed = 0
        if self._newest is not None:
            self._newest.complete()

    # What turns ask.

    @property
    def date(self) -> bytes:
        return self._house.date

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def write_both(self, head: bytes, body: bytes) -> None:
        if self._transport is not None:
            self._transport.writelines((head, body))

    def flush_soon(self) -> None:
        self._house.loop.call_soon(self._flush)

    async def writable(self) -> None:
        if self._clear is None:
            self._clear = asyncio.Event()
        self._clear.clear()
        await self._clear.wait()

    def pause(self) -> None:
        if not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def go_on(self) -> None:
        if self._paused and not self._queue and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def answered(self, turn: Turn) -> None:
        self._turn = None
        if not (turn.keep and turn.whole):
            self._end(unread=not turn.whole)
        elif self._queue:
            self._turn = following = self._queue.popleft()
            self._house.begin(following)
        else:
            self._newest = None
            if not self._in_head:
                self.due = self._house.loop.time() + IDLE_SECONDS
            self.go_on()

    # What the house asks.

    def stop(self) -> None:
        """Close when what is under way has been answered; at once when nothing is."""
        if self._newest is None:
            self._end(unread=False)
        else:
            self._newest.keep = False

    def expire(self) -> None:
        """`due` has passed. An answer that is under way is not disturbed, but is the last one."""
        if self._newest is not None:
            self._newest.keep, self._deaf, self.due = False, True, NEVER
        elif self._deaf:
            self.abort()
        else:
            self._end(unread=False)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # What follows from it.

    def _feed(self, data: bytes | memoryview) -> None:
        while True:
            try:
                self._parser.feed_data(data)
            except HttpParserUpgrade as upgrade:
                # Nothing is switched to. The parser takes no body for one, so the request is read again without it.
                self._parser.feed_data(self._plain_head)
                data = memoryview(data)[upgrade.args[0] :]
                if data:
                    continue
            return

    def _flush(self) -> None:
        if self._turn is not None:
            self._turn.flush()

    def _refuse(self, words: str) -> None:
        """What came is no request. Answers that are owed before are given, and are the last ones."""
        self._deaf = True
        newest = self._newest
        if newest is not None and not newest.whole:
            if self._queue:
                self._queue.pop()
                newest = self._queue[-1] if self._queue else self._turn
            elif not newest.started:
                self._lose(newest)
                newest = None
        if newest is not None:
            newest.keep = False
            return
        body = json.encode({"error": {"message": words, "type": "invalid_request_error"}})
        head = b"HTTP/1.1 400 Bad Request\r\n%b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
        self.write(head % (self.date, len(body)) + b"connection: close\r\n\r\n" + body)
        self._end(unread=True)

    def _lose(self, turn: Turn) -> None:
        turn.gone = True
        turn.wake()

    def _end(self, *, unread: bool) -> None:
        """Close when what was written has left. A reset, for what nobody has `unread`, must not overtake it."""
        self._deaf, self._newest = True, None
        self._queue.clear()
        transport = self._transport
        if transport is None:
            return
        if unread and transport.can_write_eof():
            transport.write_eof()
            self.go_on()
            self.due = self._house.loop.time() + LINGER_SECONDS
        else:
            transport.close()
            self.due = self._house.loop.time() + CLOSING_SECONDS


def _without_upgrade(method: bytes, url: bytes, headers: list[tuple[bytes, bytes]]) -> bytes:
    """The head as of a client that asks for no other protocol. Java's client does, of every server in plain text."""
    if method == b"CONNECT":
        raise Refused("this is no proxy")
    close = any(name == b"connection" and b"close" in value.lower() for name, value in headers)
    kept = [pair for pair in headers if pair[0] not in (b"connection", b"upgrade", b"http2-settings")]
    lines = [b"%b %b HTTP/1.1" % (method, url), *map(b": ".join, kept), *([b"connection: close"] if close else [])]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _target(url: bytes) -> tuple[str, bytes]:
    return _known(url) if len(url) < _SHORT else _parts(url)


def _parts(url: bytes) -> tuple[str, bytes]:
    """The path, decoded, and the query."""
    try:
        parsed = parse_url(url)
    except HttpParserInvalidURLError:
        raise Refused("the request's target is not a URL") from None
    path = (parsed.path or b"/").decode("latin-1")
    return unquote(path) if "%" in path else path, parsed.query or b""


_known = lru_cache(_TARGETS)(_parts)

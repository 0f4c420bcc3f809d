"""One HTTP/1.1 connection to an upstream: bytes to llhttp, one answer at a time.

Everything here happens in callbacks of the event loop; no task runs per connection or
per request. A connection that said anything unexpected is never used again.
"""

import asyncio
from time import monotonic
from typing import Protocol, cast

from httptools import HttpParserError, HttpResponseParser

from isthmus.core.errors import Kind
from isthmus.providers.provider import Deadlines
from isthmus.transport.answer import Answer
from isthmus.transport.deadlines import NEVER, Alarm
from isthmus.transport.framing import HEAD_BYTES, Refusal, check_size, read_framing, without_coding

ONE_WRITE = 64 * 1024
"""Body bytes that leave together with the head."""
SLICE = 256 * 1024
"""Body bytes handed to the transport at a time after that, as the peer takes them."""
INTERIM = 20
"""Interim (1xx) answers before the real one."""
STALE_WITHIN = 2.0
"""Seconds in which a reused connection shows that it was already dead. Later, the upstream broke off at work."""

_NOTHING = memoryview(b"")


class Owner(Protocol):
    """The pool, as a connection sees it."""

    idle_seconds: float

    def joined(self, connection: "Connection") -> None: ...

    def keep(self, connection: "Connection") -> None: ...

    def forget(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """`served` counts the requests begun on it; `held`: reading is paused because nobody takes what came."""

    __slots__ = (
        "_alarm",
        "_answer",
        "_backlog",
        "_began",
        "_bodiless",
        "_complete",
        "_deadlines",
        "_delimited",
        "_fed",
        "_headers",
        "_heard",
        "_interims",
        "_keep",
        "_loop",
        "_owner",
        "_parser",
        "_peer",
        "_stuffed",
        "_transport",
        "_unsent",
        "held",
        "served",
    )

    def __init__(self, owner: Owner, peer: str, loop: asyncio.AbstractEventLoop) -> None:
        self.served = 0
        self.held = False
        self._owner = owner
        self._peer = peer
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._parser = HttpResponseParser(self)
        self._alarm = Alarm(loop, self._expired)
        self._answer: Answer | None = None
        self._deadlines = Deadlines()
        self._unsent = _NOTHING
        self._stuffed = False
        self._backlog = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._began = 0.0
        self._fed = self._interims = 0
        self._bodiless = self._complete = self._delimited = self._heard = self._keep = False

    @property
    def alive(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def begin(self, head: bytes, body: bytes, deadlines: Deadlines, *, until: float, bodiless: bool) -> Answer:
        """Send a request. `until` is when all of it must be over; `bodiless`: the answer to it has no body (HEAD)."""
        assert self._transport is not None  # noqa: S101  connected, or nobody could have it
        self.served += 1
        self._answer = answer = Answer(self, self._loop)
        self._deadlines = deadlines
        self._headers = []
        self._began = now = monotonic()
        self._fed = self._interims = 0
        self._bodiless = bodiless
        self._complete = self._heard = False
        self._alarm.set(now + deadlines.first_byte, until)
        if len(body) <= ONE_WRITE:
            self._transport.write(head + body)
        else:
            self._unsent = memoryview(body)[ONE_WRITE:]
            self._transport.write(head + body[:ONE_WRITE])
            self._send_on()
        return answer

    def drop(self, answer: Answer) -> None:
        """Whoever read `answer` wants no more of it."""
        if self._answer is answer:
            self._answer = None
            self.abort()

    def resume(self) -> None:
        if self.held and self._transport is not None:
            self.held = False
            self._transport.resume_reading()
            self._alarm.set(monotonic() + self._deadlines.between_bytes, self._alarm.limit)

    def stop(self) -> None:
        """The gateway shuts down: close, whatever goes on."""
        self._fail(Kind.STOPPING, "the gateway is stopping")

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._owner.joined(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is None:
            return  # told before, by the pool
        answer, self._answer = self._answer, None
        self._alarm.stop()
        del self._parser  # it holds this connection as this connection holds it
        self._transport = None
        self._unsent = _NOTHING
        self._owner.forget(self)
        if answer is not None:
            self._cut(answer, exc)

    def eof_received(self) -> None:
        self.abort()  # not merely close: what the peer will not read any more must not be waited for

    def pause_writing(self) -> None:
        self._stuffed = True

    def resume_writing(self) -> None:
        self._stuffed = False
        if self._unsent:
            self._send_on()

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None:
            self.abort()  # nothing was asked
            return
        self._heard = True
        self._fed += len(data)
        before = answer.size
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            if not self._complete:
                self._fail(
                    Kind.GARBLED, f"{self._peer} sent an answer that cannot be read: {error.__context__ or error}"
                )
                return
            self._keep = False  # the answer is whole; what follows it is not ours
        if self._complete:
            self._finish(answer)
        elif answer.status:
            self._body_came(answer, before)
        else:
            self._bound()

    # What the parser tells, in the middle of `data_received`.

    def on_message_begin(self) -> None:
        if self._complete:
            raise Refusal("a second answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        headers = tuple([(name.lower(), value.rstrip()) for name, value in self._headers])
        self._headers = []  # trailers, if any, go here and are not looked at
        check_size(headers, self._fed)
        if status < 200:
            self._interim(status)
            return
        assert self._answer is not None  # noqa: S101  without one nothing is fed to the parser
        framing = read_framing(headers)
        self._delimited = framing.delimited
        self._keep = not framing.chunked or self._parser.get_http_version() == "1.1"
        self._answer.begin(status, headers if framing.decoder is None else without_coding(headers), framing.decoder)
        self._fed = 0
        if self._unsent and status >= 400:
            self._unsent, self._keep = _NOTHING, False  # it wants no more of the request
        if self._bodiless:
            self._complete = True
            raise Refusal("an answer without a body")  # llhttp would wait for one

    def on_body(self, data: bytes) -> None:
        answer = self._answer
        assert answer is not None  # noqa: S101  as above
        answer.pieces.append(data)
        answer.size += len(data)

    def on_message_complete(self) -> None:
        assert self._answer is not None  # noqa: S101  as above
        if self._answer.status:
            self._complete = True
            self._keep = self._keep and self._parser.should_keep_alive()

    # What follows from it.

    def _interim(self, status: int) -> None:
        self._interims += 1
        if not 100 <= status < 200:
            raise Refusal(f"its status is {status}")
        if status == 101:
            raise Refusal("it switches to a protocol that was not asked for")
        if self._interims > INTERIM:
            raise Refusal(f"more than {INTERIM} interim answers came before it")

    def _body_came(self, answer: Answer, before: int) -> None:
        if answer.size == before:
            self._bound()
        else:
            self._fed = 0
        answer.wake()
        if self.held or self._transport is None:
            return
        if answer.size > answer.high:
            self.held = True
            self._transport.pause_reading()
            self._alarm.due = NEVER  # it is ours to wait, not the peer's to speak
        else:
            due = monotonic() + self._deadlines.between_bytes
            if due < self._alarm.due:
                self._alarm.set(due, self._alarm.limit)  # the first bytes: until now the first-byte deadline ran
            else:
                self._alarm.due = due

    def _bound(self) -> None:
        """Heads, trailers and chunk extensions are bounded, for the parser keeps an unfinished one in memory."""
        if self._fed > HEAD_BYTES:
            self._garbled(f"more than {HEAD_BYTES} bytes of it are not body")

    def _garbled(self, why: object) -> None:
        self._fail(Kind.GARBLED, f"{self._peer} sent an answer that cannot be read: {why}")

    def _finish(self, answer: Answer) -> None:
        assert self._transport is not None  # noqa: S101  bytes have just come from it
        self._answer = None
        if self.held:
            self.held = False
            self._transport.resume_reading()
        answer.end()
        if self._keep and not self._unsent and not self._transport.get_write_buffer_size():
            self._alarm.set(monotonic() + self._owner.idle_seconds)
            self._owner.keep(self)
        else:
            self.abort()

    def _fail(self, kind: Kind, words: str) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.fail(kind, words)
        self.abort()

    def _cut(self, answer: Answer, exc: Exception | None) -> None:
        """The connection ended before the answer did, unless its end is the answer's end."""
        if answer.status and not self._delimited and exc is None:
            answer.end()
            return
        where = "in the middle of its answer" if answer.status else "before it answered"
        stale = not self._heard and self.served > 1 and monotonic() - self._began < STALE_WITHIN
        answer.fail(Kind.CUT_SHORT, f"{self._peer} closed the connection {where}", unheard=stale)

    def _send_on(self) -> None:
        """Hand over more of the body, until the transport has enough for now."""
        assert self._transport is not None and self._answer is not None  # noqa: S101, PT018  a body is under way
        while self._unsent and not self._stuffed and not self._transport.is_closing():
            piece, self._unsent = self._unsent[:SLICE], self._unsent[SLICE:]
            self._transport.write(piece)
        self._backlog = self._transport.get_write_buffer_size()
        if not self.held:
            waiting = not self._unsent and not self._answer.status
            patience = self._deadlines.first_byte if waiting else self._deadlines.between_bytes
            self._alarm.set(monotonic() + patience, self._alarm.limit)

    def _expired(self) -> None:
        if self._answer is None:
            self.abort()  # idle for long enough
        elif not self._upload_moves():
            self._fail(Kind.TIMED_OUT, f"{self._peer} {self._late(self._answer)}")

    def _upload_moves(self) -> bool:
        """A slow upload is not a stalled one: has less to leave than when it was last looked at?"""
        if not self._unsent or self._transport is None or monotonic() >= self._alarm.limit:
            return False
        backlog = self._transport.get_write_buffer_size()
        moves = backlog < self._backlog
        self._backlog = backlog
        if moves:
            self._alarm.set(monotonic() + self._deadlines.between_bytes, self._alarm.limit)
        return moves

    def _late(self, answer: Answer) -> str:
        deadlines = self._deadlines
        if monotonic() >= self._alarm.limit:
            return f"took longer than {deadlines.total:g} s over the whole answer (total deadline)"
        if answer.status:
            return f"fell silent for {deadlines.between_bytes:g} s in the middle of its answer (between-bytes deadline)"
        if self._unsent:
            return f"took no more of the request for {deadlines.between_bytes:g} s (between-bytes deadline)"
        return f"did not answer within {deadlines.first_byte:g} s (first-byte deadline)"

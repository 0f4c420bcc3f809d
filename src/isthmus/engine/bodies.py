"""What was said in an exchange, kept where an operator asked for that: which exchanges, how much, and what is kept.

Only references are taken on the way of a request. What is kept is made of them when the exchange is over, by whoever
keeps it: an answer that was streamed as the one it comes to, and everything without secrets.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Protocol, TypeAlias

from msgspec.structs import replace

from isthmus.core.errors import GatewayError
from isthmus.core.fold import Folder
from isthmus.core.losses import Losses
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.dialects.codec import AnyCodec, Codec
from isthmus.engine.answer import Answer
from isthmus.engine.body_rule import BodyRule
from isthmus.engine.exchange import Exchange
from isthmus.engine.known_secrets import known_secrets
from isthmus.engine.live import Now
from isthmus.engine.ports import Ports
from isthmus.engine.snapshot import Snapshot
from isthmus.wire.frames import FrameTooLarge
from isthmus.wire.framings import SPLITTERS

Receive: TypeAlias = Callable[[int], Awaitable[bytes]]
Line: TypeAlias = Callable[[Exchange, Receive, Now, Ports], Awaitable[Answer]]

STREAMED = 16
"""A streamed answer is longer than the one it comes to: so many times what is kept of it is looked at."""


class Bodies(Value, frozen=True, kw_only=True):
    """The bodies of one exchange, as they are kept: None where one was not wanted, or never was.

    The sizes are those of the whole bodies as they travelled; what is kept may have been cut short.
    """

    id: str
    at: float
    client: str
    route: str
    request: str | None
    answer: str | None
    request_bytes: int
    answer_bytes: int


class BodyShelf(Protocol):
    """Where they are kept. Everything raises STORE_GONE when it cannot be reached in a few seconds."""

    async def keep_bodies(self, rows: Sequence[Bodies]) -> None: ...

    async def bodies(self, identity: str) -> Bodies | None:
        """Those of the exchange with this id."""
        ...


class Captured(Value, frozen=True, kw_only=True):
    """The bodies of one exchange, as they travelled, none longer than can be of use. `known` are secrets within.

    `most` is how many bytes of each are kept, `streamed` the codec that reads the answer where it was a stream.
    """

    id: str
    at: float
    client: str
    route: str
    request: bytes | None
    answer: bytes | None
    request_bytes: int
    answer_bytes: int
    streamed: AnyCodec | None
    known: tuple[Secret, ...]
    most: int


class BodyKeeper(Protocol):
    """Keeps what was captured, away from requests."""

    def put(self, captured: Captured) -> None:
        """Keep them, soon. Never blocks and never raises; beyond a bound they are dropped and counted."""
        ...


async def captured(line: Line, exchange: Exchange, receive: Receive, now: Now, ports: Ports) -> Answer:
    """What `line` answers, and on its way to the client, what of both bodies is to be kept."""
    if now.snapshot.bodies is None or ports.bodies is None:
        return await line(exchange, receive, now, ports)
    capture = _Capture(exchange, now.snapshot, now.snapshot.bodies, ports.bodies)
    try:
        return capture.answer(await line(exchange, partial(capture.receive, receive), now, ports))
    except BaseException:
        capture.end()
        raise


class _Capture:
    """The bodies of one exchange while it runs. What asks nothing of a model is not wanted."""

    __slots__ = ("_answer", "_answer_bytes", "_exchange", "_keeper", "_request", "_rule", "_snapshot", "_streamed")

    def __init__(self, exchange: Exchange, snapshot: Snapshot, rule: BodyRule, keeper: BodyKeeper) -> None:
        self._exchange = exchange
        self._snapshot = snapshot
        self._rule = rule
        self._keeper = keeper
        self._request: bytes | None = None
        self._answer: list[bytes] = []
        self._answer_bytes = 0
        self._streamed = False

    async def receive(self, receive: Receive, limit: int) -> bytes:
        """The request's body, which is remembered."""
        self._request = body = await receive(limit)
        return body

    def answer(self, answer: Answer) -> Answer:
        """The answer, which is remembered while it is sent."""
        plan = self._exchange.plan
        if plan is None or not self._rule.wants(self._exchange.client.name, plan.name):
            return answer
        if answer.stream is not None and self._rule.answers:
            self._streamed = True
            return replace(answer, stream=self._watched(answer.stream))
        if self._rule.answers:
            self._take(answer.body)
        self.end()
        return answer

    def end(self) -> None:
        """Nothing more is to come."""
        plan = self._exchange.plan
        if plan is not None and self._rule.wants(self._exchange.client.name, plan.name):
            self._keeper.put(self._captured(plan.name))

    def _captured(self, route: str) -> Captured:
        exchange, rule, request = self._exchange, self._rule, self._request
        return Captured(
            id=exchange.id,
            at=exchange.at,
            client=exchange.client.name,
            route=route,
            request=request[: _enough(rule)] if rule.requests and request is not None else None,
            answer=b"".join(self._answer) if rule.answers else None,
            request_bytes=0 if request is None else len(request),
            answer_bytes=self._answer_bytes,
            streamed=exchange.call.codec if self._streamed else None,
            known=known_secrets(exchange, self._snapshot),
            most=rule.most,
        )

    async def _watched(self, stream: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        try:
            async with aclosing(stream):
                async for data in stream:
                    self._take(data)
                    yield data
        finally:
            self.end()

    def _take(self, data: bytes) -> None:
        room = _enough(self._rule) * (STREAMED if self._streamed else 1) - self._answer_bytes
        if room > 0:
            self._answer.append(data[:room])
        self._answer_bytes += len(data)


def _enough(rule: BodyRule) -> int:
    """Bytes of a body that are looked at: a secret that stands where it is cut is then seen whole."""
    return rule.most + 4096


def whole_answer(streamed: bytes, codec: AnyCodec) -> bytes:
    """The answer that a stream comes to, as far as it came; the stream itself where nothing can be made of it.

    In a stream a secret may be in pieces, one in each event.
    """
    if not isinstance(codec, Codec):
        return streamed
    folder = Folder()
    try:
        split, reader = SPLITTERS[codec.framing](), codec.stream_reader()
        for frame in (*split.feed(streamed), *split.end()):
            for event in reader.read(frame):
                folder.add(event)
    except (GatewayError, FrameTooLarge):
        pass
    try:
        return codec.write_reply(folder.reply(), Losses())
    except GatewayError:
        return streamed

"""A streamed answer on its way to the client: passed on byte by byte, or translated event by event.

Both hold it back until the first thing that belongs to an answer, so that another target
can still take over; that is the commit point. What breaks after it is told in the
caller's own dialect, and never ends like a success. One write per network read.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from typing import TypeAlias

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import (
    BlockKind,
    BlockStart,
    BlockStop,
    Event,
    ForeignEvent,
    MessageStart,
    MessageStop,
    SignatureDelta,
    StreamError,
    TextDelta,
    UsageReport,
)
from isthmus.core.fold import fold, unfold
from isthmus.core.reply import ChatReply, Reason, says_nothing
from isthmus.core.usage import Usage
from isthmus.core.value import Extra
from isthmus.dialects.codec import Codec, ReplyHead
from isthmus.engine.exchange import Exchange
from isthmus.engine.ports import Incoming
from isthmus.engine.presentable import presentable
from isthmus.engine.reasoning_memory import Gatherer, parts_of
from isthmus.engine.renaming import Renaming
from isthmus.providers.provider import Emulator, Provider
from isthmus.wire.frames import FrameTooLarge, Framing
from isthmus.wire.framings import GATES, SPLITTERS

HELD = 256 * 1024
"""Bytes held back at most before the commit point; a longer preamble is passed on as it is."""
_SHAPES = frozenset({BlockStart, SignatureDelta})
"""Events by which an answer is known to hold reasoning; pieces before them are not kept."""
MOST_HELD = 1000
"""Events held back at most before the commit point."""
_PREAMBLE = frozenset({MessageStart, UsageReport, ForeignEvent, BlockStop})
"""Events that say nothing by themselves."""
Events: TypeAlias = AsyncGenerator[Sequence[Event], None]
"""A sequence for each network read."""
_CUT = "the provider's stream ended before the answer was complete"


def _begins(event: Event) -> bool:
    """Does the event say anything? A text without a word does not, nor does an end without a reason of its own."""
    match event:
        case BlockStart():
            return event.kind is not BlockKind.TEXT
        case TextDelta():
            return bool(event.text)
        case MessageStop():
            return event.finish is not None and event.finish.reason is not Reason.STOP
        case _:
            return type(event) not in _PREAMBLE


def _hollow(events: Iterable[Event], usage: Usage | None) -> bool:
    """Do the events of a whole stream say nothing? `usage` is what was told beside them."""
    try:
        reply = fold(events)
    except GatewayError:
        return False
    return says_nothing(replace(reply, usage=usage or reply.usage))


class Passage:
    """A stream between two ends of one dialect. A tap watches it for usage, errors and its end.

    Whole events go out, as they came: so a ping can stand between them, and a key in an error is never cut in two.
    `renaming` is there where they must name another model than the provider does.
    """

    def __init__(self, exchange: Exchange, incoming: Incoming, codec: Codec, *, provider: Provider) -> None:
        self._exchange = exchange
        self._incoming = incoming
        self._codec = codec
        self._provider = provider
        hide = exchange.peek is not None and not exchange.peek.usage_asked
        self._tap = codec.tap(hide)
        self._gate = GATES[codec.framing]()
        self._held: list[bytes] = []
        self._over = False
        self.renaming: Renaming | None = None

    async def commit(self) -> None:
        """Read until the answer has begun. Raises what the provider told or suffered instead."""
        size = 0
        while not self._tap.started and size <= HELD:
            data = await self._incoming.read()
            self._held.append(self._take(data) if data else self._rest())
            size += len(data)
            if self._tap.error is not None and not self._tap.started:
                raise self._tap.error
            if not data:
                if not self._tap.complete:
                    raise GatewayError(Kind.CUT_SHORT, _CUT)
                self._over = True
                break

    @property
    def empty(self) -> bool:
        """Is the whole answer here, and nothing in it?"""
        if not self._over or self._tap.started:
            return False
        split, reader = SPLITTERS[self._codec.framing](), self._codec.stream_reader()
        frames = (*split.feed(b"".join(self._held)), *split.end())
        return _hollow([event for frame in frames for event in reader.read(frame)], self._tap.usage)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        exchange, tap, read, take = self._exchange, self._tap, self._incoming.read, self._take
        exchange.first_byte_at = exchange.clock.now()
        try:
            if held := b"".join(self._held):
                yield held
            while not self._over and tap.error is None and (data := await read()):
                if out := take(data):
                    yield out
            if not self._over:
                yield self._last()
        except GatewayError as error:
            yield self._broken(error)
        finally:
            exchange.usage = tap.usage
            self._incoming.close()

    def _take(self, data: bytes) -> bytes:
        try:
            out = self._tap.feed(self._gate.feed(data))
        except FrameTooLarge as error:
            raise GatewayError(Kind.GARBLED, f"the provider sent {error}") from error
        return self._shown(out)

    def _rest(self) -> bytes:
        return self._shown(self._tap.feed(self._gate.end()) + self._tap.end())

    def _shown(self, out: bytes) -> bytes:
        if self.renaming is not None:
            out = self.renaming.events(out)
        return out if self._tap.error is None else self._provider.masked(out)

    def _last(self) -> bytes:
        """What follows the upstream's last byte: nothing, unless it stopped in the middle."""
        rest = self._rest()
        if self._tap.error is not None:
            self._exchange.fail(presentable(self._tap.error, self._provider))
            return rest
        return rest if self._tap.complete else rest + self._broken(GatewayError(Kind.CUT_SHORT, _CUT))

    def _broken(self, error: GatewayError) -> bytes:
        told = presentable(error, self._provider)
        self._exchange.fail(told)
        return self._codec.write_error_event(told)


class Translation:
    """A stream between two dialects: frames to events to bytes."""

    def __init__(
        self,
        exchange: Exchange,
        incoming: Incoming,
        theirs: Codec,
        ours: Codec,
        *,
        emulator: Emulator | None,
        provider: Provider,
        input_estimate: int,
    ) -> None:
        assert exchange.peek is not None  # noqa: S101  the line has peeked before it relays
        self.exchange = exchange
        self.incoming = incoming
        self.theirs = theirs
        self.ours = ours
        self.asked_stream = exchange.peek.stream
        self._peek = exchange.peek
        self._emulator = emulator
        self.provider = provider
        self._estimate = input_estimate
        self.gatherer: Gatherer | None = None
        self.echo: Extra | None = None
        self.marker = b""
        self.model = exchange.peek.model
        self.followed: Callable[[Events], Events] | None = None
        self._held: list[Event] = []
        self._over = False
        self._source: Events | None = None

    @property
    def emulated(self) -> bool:
        """Does somebody stand between the model and the caller?"""
        return self._emulator is not None

    def begin(self, reply: ChatReply) -> None:
        """The answer came whole. Its events are needed only for a stream, or for an emulator."""
        if self.asked_stream or self.emulated:
            self._held = list(self._helped(unfold(reply)))

    async def commit(self) -> None:
        """Read until the answer has begun. Raises the error of a stream that began with one."""
        self._source = self._batches() if self.followed is None else self.followed(self._batches())
        async for events in self._source:
            for number, event in enumerate(events):
                if isinstance(event, StreamError):
                    raise event.error
                self._held.append(event)
                if _begins(event) or len(self._held) > MOST_HELD:
                    self._held.extend(events[number + 1 :])
                    return
        self._source, self._over = None, True

    @property
    def empty(self) -> bool:
        """Did the whole stream come before it said anything, and is there nothing in it?"""
        return self._over and _hollow(self._held, None)

    async def batches(self) -> Events:
        """Every event, for somebody who makes something else of them."""
        try:
            yield self._held
            if self._source is not None:
                async for events in self._source:
                    yield events
        finally:
            await self._close()

    async def events(self) -> AsyncIterator[Event]:
        """Every event, for an answer that is wanted whole."""
        async with aclosing(self.batches()) as batches:
            async for events in batches:
                for event in events:
                    yield event

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The answer in the caller's dialect, one piece per network read."""
        exchange = self.exchange
        exchange.first_byte_at = exchange.clock.now()
        head = ReplyHead(
            model=self.model,
            created=int(exchange.clock.time()),
            input_estimate=self._estimate,
            show_usage=self._peek.usage_asked,
            echo=self.echo,
        )
        writer = self.ours.stream_writer(head, exchange.losses)
        write = writer.write
        try:
            if out := b"".join([write(event) for event in self._noted(self._held)]):
                yield out
            if self._source is not None:
                async for events in self._source:
                    if len(events) == 1 and type(events[0]) is TextDelta and self._forgets:
                        out = write(events[0])  # most of every stream
                    else:
                        out = b"".join([write(event) for event in self._noted(events)])
                    if out:
                        yield out
            if exchange.error is None:
                yield self._seams() + writer.end() + self.marker
                await self.remember()
        except GatewayError as error:
            told = presentable(error, self.provider)
            exchange.fail(told)
            yield self.ours.write_error_event(told)
        finally:
            await self._close()

    def shown(self, reply: ChatReply) -> ChatReply:
        """The reply under the name that is to be shown. One without an id of its own has the exchange's."""
        created = reply.created or int(self.exchange.clock.time())
        return replace(reply, id=reply.id or self.exchange.id, model=self.model, created=created, echo=self.echo)

    def _seams(self) -> bytes:
        """A comment for each time that another place went on with the answer, where the framing has comments."""
        if not self.exchange.seams or self.ours.framing is not Framing.SSE:
            return b""
        told = (seam.encode("ascii", "replace") for seam in self.exchange.seams)
        return b"".join(b": isthmus continued %b\n\n" % b" ".join(seam.split()) for seam in told)

    async def _batches(self) -> Events:
        """The provider's events, a list for each network read."""
        split, reader, read = SPLITTERS[self.theirs.framing](), self.theirs.stream_reader(), self.incoming.read
        helped = self._emulator is not None
        try:
            while data := await read():
                frames = split.feed(data)
                events: Sequence[Event]
                if len(frames) == 1:
                    events = reader.read(frames[0])
                else:
                    events = [event for frame in frames for event in reader.read(frame)]
                if events:
                    yield list(self._helped(events)) if helped else events
        except FrameTooLarge as error:
            raise GatewayError(Kind.GARBLED, f"the provider sent {error}") from error
        last = [event for frame in split.end() for event in reader.read(frame)]
        last.extend(reader.end())
        yield list(self._helped(last))

    async def remember(self, reply: ChatReply | None = None) -> None:
        """Keep the reasoning of an answer that is complete: of `reply`, or of the events that went by.

        What two models thought is nobody's to see again.
        """
        if self.gatherer is not None and not self.exchange.seams:
            await self.gatherer.keep(None if reply is None else parts_of(reply))

    async def _close(self) -> None:
        self.incoming.close()
        if self._source is not None:
            await self._source.aclose()

    def _helped(self, events: Iterable[Event]) -> Iterator[Event]:
        if self._emulator is None:
            yield from events
        else:
            for event in events:
                yield from self._emulator.read(event)

    @property
    def _forgets(self) -> bool:
        """Is nobody to keep what the next event says?"""
        return self.gatherer is None or not self.gatherer.memorable

    def _noted(self, events: Iterable[Event]) -> Iterator[Event]:
        """The same events; what the exchange must know of them is noted, and an error ends them."""
        gatherer = self.gatherer
        for event in events:
            kind = type(event)
            if gatherer is not None and (kind in _SHAPES or gatherer.memorable):
                gatherer.take(event)
            if kind is UsageReport:
                self.exchange.usage = event.usage  # type: ignore[union-attr] # `kind` says which member it is
            elif kind is MessageStart:
                self.exchange.usage = event.usage  # type: ignore[union-attr] # as above
                if not event.id:  # type: ignore[union-attr] # as above
                    yield replace(event, id=self.exchange.id)
                    continue
            elif kind is StreamError:
                told = presentable(event.error, self.provider)  # type: ignore[union-attr] # as above
                self.exchange.fail(told)
                yield StreamError(told)
                return
            yield event

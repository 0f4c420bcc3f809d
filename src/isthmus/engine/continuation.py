"""An answer that breaks off by its provider's fault goes on at another place, on routes that ask for it.

Follows the events of a stream. When they break off, the rest is asked of the next place whose model goes on with what
was said, and its events are told as if nothing had happened; the seam is kept for the log, and for a comment at the
stream's end. Where the answer cannot be gone on with, its error is told as it always is.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import TypeAlias

from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, OutputKind
from isthmus.core.errors import Blame, GatewayError
from isthmus.core.events import Event, MessageStart, StreamError, UsageReport
from isthmus.core.operations import Operation
from isthmus.core.seam import CHARACTERS, Seam, Told, resumed
from isthmus.core.usage import Usage
from isthmus.engine.deadlines import deadline
from isthmus.engine.exchange import AttemptRecord, Exchange, Note
from isthmus.engine.live import Now
from isthmus.engine.ports import Ports
from isthmus.engine.presentable import presentable
from isthmus.engine.relay import Events, Translation
from isthmus.engine.repeatable import lets_act
from isthmus.engine.spending import Ending, so_far, spending_at
from isthmus.engine.verdict import note_failure
from isthmus.engine.walk import in_order
from isthmus.providers.provider import Provider
from isthmus.routing.plan import Target, Tier, narrowed

Leg: TypeAlias = Callable[[Exchange, Target, Provider, ChatRequest], Awaitable[Translation]]
"""Asks one target for the rest of an answer, and gives what it says as soon as it has begun."""


def can_break_off(body: bytes, read: Callable[[], ChatRequest]) -> bool:
    """May the answer be gone on with, should it hold nothing but text? `read` gives what is asked by `body`."""
    if lets_act(body, read):
        return False
    request = read()
    several = request.sampling.n is not None and request.sampling.n > 1
    return not several and (request.output is None or request.output.kind is OutputKind.TEXT)


class Continuation:
    """Of one stream. `body` is the request as it came, `request` what it asks."""

    def __init__(
        self, exchange: Exchange, request: ChatRequest, leg: Leg, *, body: bytes, now: Now, ports: Ports
    ) -> None:
        self._exchange = exchange
        self._request = request
        self._leg = leg
        self._body = body
        self._now = now
        self._ports = ports
        self._told = Told()
        self._spent: Usage | None = None
        self._before = 0
        self._until = deadline(exchange)

    async def follow(self, first: Events, provider: Provider) -> Events:
        """The events of the first answer, which is `provider`'s, and of those that go on with it.

        A StreamError ends them where nobody does, or where nothing was told yet: then it is but a failed attempt.
        """
        self._provider = provider
        try:
            async with aclosing(self._legs(first)) as legs:
                async for told in legs:
                    yield told
        finally:
            self._note_last()

    async def _legs(self, first: Events) -> Events:
        """What `follow` gives."""
        events, seam = first, None
        while True:
            error: GatewayError | None = None
            async with aclosing(events):
                try:
                    async for batch in events:
                        told, error = self._take(batch, seam)
                        if told:
                            yield told
                        if error is not None:
                            break
                except GatewayError as broken:
                    error = broken.with_traceback(None)  # which holds this frame
            if error is None or self._told.over:
                return
            following = await self._go_on(error)
            if following is None:
                yield [StreamError(presentable(error, self._provider) if self._told.started else error)]
                return
            events, seam = following.batches(), Seam(self._told)

    def _take(self, batch: Sequence[Event], seam: Seam | None) -> tuple[list[Event], GatewayError | None]:
        """What is to be told of these events, and the error that ends them."""
        told: list[Event] = []
        for event in batch:
            if isinstance(event, StreamError):
                return told, event.error
            if isinstance(event, MessageStart | UsageReport):
                self._spent = event.usage or self._spent
            for one in (event,) if seam is None else seam.read(event):
                self._told.take(one)
                told.append(one)
        return told, None

    async def _go_on(self, error: GatewayError) -> Translation | None:
        """The answer of the next place, which has begun; None where there is none."""
        if not self._told.started:
            return None
        tiers, obstacle = self._targets(), self._obstacle(error)
        if obstacle is not None or not tiers:
            self._explain(error, obstacle or "no model of this name is known to go on with an answer")
            return None
        self._break(error)
        twin = self._exchange.fork()
        assert twin.plan is not None  # noqa: S101  the line has planned before it attempts
        twin.losses = self._exchange.losses
        twin.plan = replace(twin.plan, tiers=tiers)
        once = partial(self._once, twin, resumed(self._request, self._told))
        try:
            following = await in_order(twin, once, self._now, self._ports, body=self._body)
        except GatewayError as failed:
            failed.__traceback__ = None  # it holds frames that hold the error
            return None
        finally:
            self._exchange.take_over(twin)
        self._note_seam()
        return following

    async def _once(self, twin: Exchange, request: ChatRequest, target: Target, provider: Provider) -> Translation:
        answer = await self._leg(twin, target, provider, request)
        self._provider = provider
        return answer

    def _obstacle(self, error: GatewayError) -> str | None:
        """Why nobody is to be asked for the rest."""
        if error.rule.blame is Blame.CLIENT:
            return "the request itself is at fault"
        if self._until is not None and self._ports.clock.now() >= self._until:
            return "the time for it is over"
        return self._told.obstacle

    def _targets(self) -> tuple[Tier, ...]:
        """The plan's, as far as they go on with what was said."""
        assert self._exchange.plan is not None  # noqa: S101  as above
        return narrowed(self._exchange.plan.tiers, self._goes_on)

    def _goes_on(self, target: Target) -> bool:
        """Does the model go on with an answer? Where no word was told, any model may answer from the start."""
        provider = self._now.snapshot.providers.get(target.provider)
        if provider is None or provider.emulator is not None or Operation.CHAT not in provider.dialects:
            return False
        return not self._told.begun()[0] or provider.profile(target.model).continues

    def _explain(self, error: GatewayError, obstacle: str) -> None:
        """The log says why the answer was not gone on with."""
        record = self._exchange.answered
        if record is not None:
            record.reason = f"{self._words(error)}; nobody could go on with the answer: {obstacle}"

    def _break(self, error: GatewayError) -> None:
        """The place is told of its fault, and nothing runs there any more."""
        exchange, at = self._exchange, self._ports.clock.now()
        record, exchange.answered = exchange.answered, None
        if record is not None:
            record.error, record.reason, record.ending = error.kind, self._words(error), Ending.BROKEN
            note_failure(error, record, self._now, at, time=self._ports.clock.time(), until=self._until)
            self._note_usage(record)
            self._settle(record)
        exchange.close()

    def _note_last(self) -> None:
        """Where an answer is several places' work, each has spent what its own part of it came to."""
        if self._exchange.seams and self._exchange.answered is not None:
            self._note_usage(self._exchange.answered)

    def _settle(self, record: AttemptRecord) -> None:
        """Nothing runs at the place any more, so others may."""
        for held in self._exchange.held:
            if held.place == record.place:
                held.settle(spending_at(self._exchange, record, self._now.tariffs))

    def _note_usage(self, record: AttemptRecord) -> None:
        """What the place's part came to: as it was counted, where it is whole."""
        seen = (self._told.length - self._before) // CHARACTERS
        counted, over = self._spent, self._told.over
        record.usage = counted if over and counted is not None else so_far(self._exchange, counted, seen)
        self._spent, self._before = None, self._told.length

    def _words(self, error: GatewayError) -> str:
        return self._provider.masked(error.message)[:500]

    def _note_seam(self) -> None:
        record = self._exchange.attempts[-1]
        record.note = Note.CONTINUED
        self._exchange.guessed = None  # what both came to teaches nothing of what one was taken for
        target = record.target
        self._exchange.seams += (f"at {self._told.length} by {target.provider}/{target.model}",)

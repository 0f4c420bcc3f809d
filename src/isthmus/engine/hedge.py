"""A second place asked beside the first, when that is slower to its first token than it mostly is.

Holds the race of two attempts for one request: who commits first answers it, and the other is ended at once. A failure
of one leaves the other running. How long the first is waited for was measured, how often a second may be asked is
bounded by the route's purse; nothing is drawn, so the same clock and the same answers make the same race.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import partial
from typing import Generic, TypeAlias, TypeVar

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind, Then
from isthmus.engine.admission import Admission
from isthmus.engine.answer import Answer, Chunks
from isthmus.engine.exchange import AttemptRecord, Exchange, Note
from isthmus.engine.live import Now
from isthmus.engine.ports import Ports
from isthmus.engine.spending import Ending
from isthmus.engine.walk import attempt
from isthmus.providers.provider import Provider
from isthmus.routing.hedging import patience
from isthmus.routing.places import Ask
from isthmus.routing.plan import Hedge, Target
from isthmus.routing.walk import Walk

_T = TypeVar("_T")
Each: TypeAlias = Callable[[Exchange, Target, Provider], Awaitable[_T]]
"""One try at one target, noted on this exchange, with the provider as one of its keys has it."""


class _Runner(Generic[_T]):
    """One of the two: the exchange that its attempt is noted on, and what became of it."""

    __slots__ = ("_before", "answer", "ask", "error", "exchange", "task")

    def __init__(self, exchange: Exchange, ask: Ask) -> None:
        self.exchange = exchange
        self._before = len(exchange.attempts)
        self.ask = ask
        self.task: asyncio.Task[None] | None = None
        self.answer: _T | None = None
        self.error: GatewayError | None = None

    @property
    def attempts(self) -> Sequence[AttemptRecord]:
        """Its own: one, or none where it never began."""
        return self.exchange.attempts[self._before : self._before + 1]


class Race(Generic[_T]):
    """One request's, on a route that hedges."""

    def __init__(self, exchange: Exchange, each: Each[_T], now: Now, ports: Ports) -> None:
        plan = exchange.plan
        assert plan is not None  # noqa: S101  the line has planned before it attempts
        assert plan.rules.hedge is not None  # noqa: S101  who makes a race has looked
        self._exchange = exchange
        self._each = each
        self._now = now
        self._ports = ports
        self._hedge: Hedge = plan.rules.hedge
        self._route = plan.name
        self._until: float | None = None
        self._runners: list[_Runner[_T]] = []
        self._twin: Exchange | None = None

    async def run(self, first: Ask, walk: Walk, gate: Admission | None, *, until: float | None) -> _T:
        """An answer, whose attempt is the last that the exchange notes. `until` is when the caller wants it to be over.

        Only the first ask of a request is raced; those that follow a failure are in no such hurry. Raises as `attempt`,
        where both fail the error that ends the walk, if one does.
        """
        self._until = until
        delay = None if self._exchange.attempts else self._delay(first)
        if delay is None:
            return await self._attempt(self._exchange, first)
        try:
            await self._both(first, walk, gate, delay)
            return self._settle(gate)
        except asyncio.CancelledError:
            self._give_up()
            raise
        finally:
            for runner in self._runners:
                runner.task = runner.error = None  # which have traces, and those hold the runner

    def settled(self, answer: Answer) -> Answer:
        """The same answer; what its stream notes at its end is noted on the request's own exchange."""
        if self._twin is None or answer.stream is None:
            return answer
        return replace(answer, stream=_handed_over(answer.stream, self._twin, self._exchange))

    def _delay(self, ask: Ask) -> float | None:
        """Seconds that the first is waited for; None where no second is asked, also for want of time."""
        now, board = self._ports.clock.now(), self._now.board
        board.purses.earn(self._route, self._hedge.share, now)
        meter = board.meters.of(ask.place)
        delay = patience(self._hedge, None if meter is None else meter.quantile(self._hedge.quantile))
        if delay is None or (self._until is not None and now + 2 * delay >= self._until):
            return None
        return delay

    async def _both(self, first: Ask, walk: Walk, gate: Admission | None, delay: float) -> None:
        async with asyncio.TaskGroup() as group:
            alone = self._start(group, _Runner(self._exchange, first))
            await asyncio.wait((alone,), timeout=delay)
            if alone.done():
                return
            twin = self._exchange.fork()
            if (second := await self._second(walk, gate, twin)) is not None:
                self._start(group, _Runner(twin, second))

    async def _second(self, walk: Walk, gate: Admission | None, twin: Exchange) -> Ask | None:
        """Whom to ask beside the first, if anybody is well and has room, and the route may."""
        now, purses = self._ports.clock.now(), self._now.board.purses
        if purses.held(self._route, now) < 1.0 or len(self._exchange.attempts) >= self._now.snapshot.limits.attempts:
            return None
        second = walk.beside(now)
        while second is not None and gate is not None and not await gate.admits(second, walk, twin):
            second = walk.beside(now)
        if second is not None:
            purses.spend(self._route, now)
        return second

    def _start(self, group: asyncio.TaskGroup, runner: _Runner[_T]) -> asyncio.Task[None]:
        self._runners.append(runner)
        runner.task = group.create_task(self._go(runner))
        return runner.task

    async def _go(self, runner: _Runner[_T]) -> None:
        """Run one attempt. Who is done first ends the other before that can take another step."""
        if self._won() is not None:
            return
        try:
            runner.answer = await self._attempt(runner.exchange, runner.ask)
        except GatewayError as error:
            runner.error = error
            return
        for other in self._runners:
            if other is not runner and other.task is not None:
                other.task.cancel()

    async def _attempt(self, exchange: Exchange, ask: Ask) -> _T:
        once = partial(self._each, exchange)
        return await attempt(exchange, ask, once, now=self._now, ports=self._ports, until=self._until)

    def _won(self) -> _Runner[_T] | None:
        return next((runner for runner in self._runners if runner.answer is not None), None)

    def _settle(self, gate: Admission | None) -> _T:
        """Both are over: note what became of them, the winner's attempt last. Raises where nobody won."""
        won, exchange = self._won(), self._exchange
        for runner in self._runners:
            if runner is not won and not (won is None and runner is self._runners[0]):  # whose walk is told of it
                _note_lost(runner, won, gate)
        for runner in self._runners[1:]:
            if runner is won:
                self._twin = runner.exchange
                exchange.adopt(self._twin)
            else:
                place = len(exchange.attempts) - (won is not None)
                exchange.attempts[place:place] = runner.attempts
        if won is None or won.answer is None:
            raise self._failure()
        return won.answer

    def _failure(self) -> GatewayError:
        """An error that ends the walk outranks one after which another place may be asked; else the last one."""
        errors = [runner.error for runner in self._runners if runner.error is not None]
        return next((error for error in errors if error.rule.then is Then.STOP), errors[-1])

    def _give_up(self) -> None:
        """The request was given up, maybe just as its answer began: nobody will read that."""
        for runner in self._runners[1:]:
            self._exchange.take_over(runner.exchange)
        self._exchange.close()


def _note_lost(lost: _Runner[_T], won: _Runner[_T] | None, gate: Admission | None) -> None:
    """What was claimed for it is settled. Where it had not failed by itself, its record says that it was outrun."""
    error = lost.error
    if error is None:
        target = won.ask.target if won is not None else lost.ask.target
        error = GatewayError(Kind.CANCELLED, f"{target.provider}/{target.model} was asked as well and answered first")
        for record in lost.attempts:
            record.note, record.error, record.reason = Note.HEDGED, error.kind, error.message
            record.ending = Ending.OUTRUN
    if gate is not None:
        gate.failed(lost.ask, error, lost.attempts)


async def _handed_over(stream: Chunks, twin: Exchange, exchange: Exchange) -> AsyncGenerator[bytes, None]:
    try:
        async for piece in stream:
            yield piece
    finally:
        await stream.aclose()
        exchange.adopt(twin)

"""Requests that wait for a free place where all that may answer them are busy: bounded, fair, and never in vain.

Clients take turns at each place, however many requests one of them sends. Who could not be served before its deadline
is refused at once, with the time after which it might; so is who finds the queue full. Whoever is woken claims its
place anew, and comes first again should that fail. The queue knows nothing of what is counted: only of scopes, which
are released, and of who waits for them.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.engine.ports import Clock

MIB = 1024 * 1024
LEAST_RETRY = 1.0
"""Seconds after which a caller that was refused may come again, where nothing better is known."""
PACE = 0.2
"""Share of the newest interval between two releases in the mean of them."""


class QueueRule(Value, frozen=True):
    """`length` requests, and `size` bytes of their bodies, may wait for a free place, each for `wait` seconds."""

    length: int = 1000
    wait: float = 10.0
    size: int = 256 * MIB


class Waiter:
    """One request that waits for any of `scopes`. `size` is the length of its body in bytes."""

    __slots__ = ("client", "scopes", "size", "woken")

    def __init__(self, scopes: frozenset[str], client: str, size: int) -> None:
        self.scopes = scopes
        self.client = client
        self.size = size
        self.woken: asyncio.Future[None] | None = None


class _Line:
    """Who waits for one scope, by client. `interval` is the mean seconds between two releases, 0 while unknown."""

    __slots__ = ("clients", "interval", "length", "released_at")

    def __init__(self) -> None:
        self.clients: OrderedDict[str, deque[Waiter]] = OrderedDict()
        self.length = 0
        self.interval = 0.0
        self.released_at: float | None = None

    def add(self, waiter: Waiter, *, ahead: bool) -> None:
        mine = self.clients.setdefault(waiter.client, deque())
        if ahead:
            mine.appendleft(waiter)
            self.clients.move_to_end(waiter.client, last=False)
        else:
            mine.append(waiter)
        self.length += 1

    def remove(self, waiter: Waiter) -> None:
        mine = self.clients.get(waiter.client)
        if mine is not None and waiter in mine:
            mine.remove(waiter)
            self.length -= 1
            if not mine:
                del self.clients[waiter.client]

    def first(self) -> Waiter | None:
        """The first of the client whose turn it is; the client goes to the end of the others."""
        for client in self.clients:
            self.clients.move_to_end(client)
            return self.clients[client][0]
        return None

    def note(self, now: float) -> None:
        if self.released_at is not None:
            gap = now - self.released_at
            self.interval = gap if not self.interval else self.interval + PACE * (gap - self.interval)
        self.released_at = now


class Queue:
    """All that wait. `poll` is the seconds after which places are looked at again that others may have released.

    None where every release is told by `released`.
    """

    def __init__(self, clock: Clock, *, poll: float | None = None) -> None:
        self._clock = clock
        self._poll = poll
        self._lines: dict[str, _Line] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.length = 0
        self.size = 0
        self.refused = 0

    def busy(self, scope: str) -> bool:
        """Does anybody wait for `scope`? Who comes now comes after them."""
        line = self._lines.get(scope)
        return line is not None and line.length > 0

    async def wait(self, waiter: Waiter, rule: QueueRule, until: float, *, again: bool = False) -> None:
        """Until one of the waiter's scopes may be free. `until` is the request's deadline in the clock's seconds.

        `again`: it was woken before and found its place taken. Raises OVERLOADED, with the seconds after which
        to come again, when the queue is full or the time is over.
        """
        began = self._clock.now()
        until = min(until, began + rule.wait)
        self._check(waiter, rule, until - began)
        self._enter(waiter, ahead=again)
        try:
            async with asyncio.timeout(until - began):
                assert waiter.woken is not None  # noqa: S101  entering made it
                await waiter.woken
        except TimeoutError:
            self._pass_on(waiter)
            raise self._refusal(waiter, "no place became free in time") from None
        except asyncio.CancelledError:
            self._pass_on(waiter)
            raise

    def released(self, scope: str) -> None:
        """One more may use `scope`: who is first in its line is woken."""
        line = self._lines.get(scope)
        if line is not None:
            line.note(self._clock.now())
            self._wake(line)

    def expected(self, scopes: Iterable[str]) -> float | None:
        """Seconds until one that comes now would be served, by the pace of late; None where nothing is known."""
        waits = [
            (line.length + 1) * line.interval
            for scope in scopes
            if (line := self._lines.get(scope)) is not None and line.interval
        ]
        return min(waits, default=None)

    def _check(self, waiter: Waiter, rule: QueueRule, patience: float) -> None:
        if self.length >= rule.length or self.size + waiter.size > rule.size:
            raise self._refusal(waiter, "all places are busy, and the queue is full")
        expected = self.expected(waiter.scopes)
        if patience <= 0 or (expected is not None and expected > patience):
            raise self._refusal(waiter, "all places are busy, and none is free in time")

    def _refusal(self, waiter: Waiter, words: str) -> GatewayError:
        self.refused += 1
        retry = max(LEAST_RETRY, self.expected(waiter.scopes) or 0.0)
        return GatewayError(Kind.OVERLOADED, f"{words}; try again in {retry:.0f} s", retry_after=retry)

    def _wake(self, line: _Line) -> None:
        while (first := line.first()) is not None:
            self._leave(first)
            if first.woken is not None and not first.woken.done():
                first.woken.set_result(None)
                return

    def _pass_on(self, waiter: Waiter) -> None:
        """The waiter gives up. Where it was woken already, somebody else may have its place."""
        self._leave(waiter)
        if waiter.woken is not None and waiter.woken.done() and not waiter.woken.cancelled():
            for scope in waiter.scopes:
                self._wake(self._lines[scope])

    def _enter(self, waiter: Waiter, *, ahead: bool) -> None:
        waiter.woken = asyncio.get_running_loop().create_future()
        for scope in waiter.scopes:
            self._lines.setdefault(scope, _Line()).add(waiter, ahead=ahead)
        self.length += 1
        self.size += waiter.size
        self._look_again()

    def _leave(self, waiter: Waiter) -> None:
        """Out of every line; nothing, where it is out already."""
        held = False
        for scope in waiter.scopes:
            line = self._lines.get(scope)
            if line is not None:
                before = line.length
                line.remove(waiter)
                held = held or line.length < before
        if held:
            self.length -= 1
            self.size -= waiter.size

    def _look_again(self) -> None:
        if self._poll is not None and self._timer is None and self.length:
            self._timer = asyncio.get_running_loop().call_later(self._poll, self._knock)

    def _knock(self) -> None:
        """Others may have released what is waited for here: the first of each line looks."""
        self._timer = None
        for line in list(self._lines.values()):
            self._wake(line)
        self._look_again()

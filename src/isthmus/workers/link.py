"""A worker's end of the hub: limits, memory and the bundled model of all workers, as if they were this one's own.

No request waits for the hub longer than BUDGET, but for the model's start. A hub that is gone took the workers'
common life with it: this one is told, and stops in good order.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from msgspec.structs import astuple

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.ports import Clock
from isthmus.routing.limits import Claim, Grant, Ledger, Limit, Measure, Refusal, Remembered
from isthmus.state.memory import BoundedMemory
from isthmus.state.patience import in_time
from isthmus.state.seen import Seen
from isthmus.state.shared_rests import News, unpack
from isthmus.wire import json
from isthmus.workers.frames import Frames, frame

BUDGET = 0.020
"""Seconds that a request waits for an answer of the hub."""
MODEL_PATIENCE = 120.0
"""Seconds that it waits for the bundled model to be started."""


class Link(asyncio.Protocol):
    """The connection. `gone` is called once when it ends without `close`.

    `hears` are called with what other workers tell, by its subject.
    """

    def __init__(self, gone: Callable[[], None]) -> None:
        self.hears: dict[str, Callable[[Any], None]] = {}
        self.alive = False
        self._gone = gone
        self._frames = Frames()
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.alive = True

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002  as the protocol is
        was_alive, self.alive = self.alive, False
        for waiting in self._waiting.values():
            waiting.cancel()
        if was_alive:
            self._gone()

    def data_received(self, data: bytes) -> None:
        for message in self._frames.feed(data):
            if message[0] == 0:
                subject, about = message[2]
                if (hear := self.hears.get(subject)) is not None:
                    hear(about)
            elif (waiting := self._waiting.pop(message[0], None)) is not None and not waiting.done():
                waiting.set_result(message[1])

    def tell(self, what: str, *about: object) -> None:
        """Say something that needs no answer."""
        if self._transport is not None and self.alive:
            self._transport.write(frame([0, what, about]))

    def tell_others(self, subject: str, about: object) -> None:
        """Say something to all other workers."""
        self.tell("tell", [subject, about])

    async def ask(self, what: str, *about: object, budget: float = BUDGET) -> Any:
        """The answer; None when there is none within `budget` seconds."""
        if self._transport is None or not self.alive:
            return None
        number = next(self._numbers)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._transport.write(frame([number, what, about]))
        try:
            return waiting.result() if await in_time(waiting, budget) else None
        finally:
            self._waiting.pop(number, None)

    def close(self) -> None:
        self.alive = False
        if self._transport is not None:
            self._transport.close()


@asynccontextmanager
async def open_link(path: Path, gone: Callable[[], None]) -> AsyncIterator[Link]:
    """The connection to the hub at this socket. Raises OSError when there is none."""
    _, link = await asyncio.get_running_loop().create_unix_connection(lambda: Link(gone), str(path))
    try:
        yield link
    finally:
        link.close()


class HubLimiter:
    """Implements the engine's Limiter. While the hub is slow, a worker goes by what it was told last, and by its own.

    The hub hears of everything in the order in which it was told: what it granted too late for this worker, which had
    decided by itself by then, is settled there as well, and what this worker granted itself counts there too.
    """

    state = "shared by workers"

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._own = Ledger()
        self._seen = Seen()
        self.alone = 0
        self._leases = itertools.count(1)

    async def claim(self, claims: Sequence[Claim]) -> Grant | Refusal:
        """All of `claims` or nothing."""
        lease = str(next(self._leases))
        try:
            found = await self._link.ask("claim", lease, *map(_sent, claims))
        except asyncio.CancelledError:
            self._give_back(lease)
            raise
        if found is None:
            return self._decided_alone(claims, lease)
        which, number, *used = found
        self._seen.note(claims, used, self._clock.now())
        if which:
            return Refusal(claims[which - 1].limit, number)
        grant = Grant(tuple(claims), number, lease)
        self._own.note(grant)
        return grant

    def settle(self, grant: Grant, spent: Mapping[Measure, int]) -> None:
        """What was granted came to `spent`."""
        self._own.settle(grant, spent, self._clock.time())
        self._seen.settled(grant, spent)
        self._link.tell("settle", grant.lease, dict(spent))

    async def remember(self, found: Sequence[Remembered]) -> None:
        """At least so much is spent of budgets, here and there."""
        for limit, total, _, at in found:
            self._own.raise_to(limit, total, at)
            self._link.tell("remember", astuple(limit), total, at)

    def tab(self, limits: Sequence[Limit]) -> None:
        """None of them is counted here alone."""

    def share(self, limit: Limit) -> float:
        """How much of the limit is used: by this worker, or by all as it knew a moment ago."""
        return max(self._own.share(limit, self._clock.time()), self._seen.share(limit, self._clock.now()))

    def _decided_alone(self, claims: Sequence[Claim], lease: str) -> Grant | Refusal:
        found = self._seen.refusal(claims, self._clock.now()) or self._own.claim(claims, self._clock.time(), lease)
        if isinstance(found, Refusal):
            self._give_back(lease)
        else:
            self.alone += 1
            self._seen.claimed(claims)
            self._link.tell("took", lease, *map(_sent, claims))
        return found

    def _give_back(self, lease: str) -> None:
        """Whatever the hub grants under this name is used by nobody."""
        self._link.tell("settle", lease, dict.fromkeys(Measure, 0))


class HubMemory:
    """Implements the engine's Memory: the workers' common one, behind a memory of this worker's own."""

    state = "shared by workers"

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._own = BoundedMemory(clock.now, most_bytes=16 * 1024 * 1024)

    async def put(self, keys: Sequence[str], value: bytes) -> None:
        """Keep `value` under every key, here and there."""
        await self._own.put(keys, value)
        self._link.tell("put", keys, value)

    async def forget(self, keys: Sequence[str]) -> None:
        """Nothing is found under these keys any more, here and there."""
        await self._own.forget(keys)
        self._link.tell("forget", *keys)

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """What is kept under these keys, by key: what the hub has, which may be newer; else what is here."""
        found: Mapping[str, bytes] | None = await self._link.ask("get", *keys)
        return await self._own.get(keys) if found is None else found

    def may_hold(self, _: str) -> bool:
        """Always: other workers keep what they like."""
        return True


class HubPost:
    """Implements the rests' Post: what one worker tells is passed on to all others."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._heard: list[News] = []
        link.hears["rests"] = self._hear

    async def exchange(self, news: News) -> News:
        """Tell the others, and what they told since the last time."""
        if news:
            self._link.tell_others("rests", [[json.encode(row) for row in rows] for rows in (news.begun, news.over)])
        heard, self._heard = self._heard, []
        return News(tuple(row for one in heard for row in one.begun), tuple(row for one in heard for row in one.over))

    def _hear(self, message: Sequence[Sequence[bytes]]) -> None:
        begun, over = (tuple(row for value in values if (row := unpack(value)) is not None) for values in message)
        self._heard.append(News(begun, over))


class HubModel:
    """The bundled model that all workers use."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def enter(self) -> None:
        self._link.tell("use", 1)

    def leave(self) -> None:
        self._link.tell("use", -1)

    async def port(self) -> int:
        """Where it listens, once it does. Raises UNREACHABLE."""
        found = await self._link.ask("port", budget=MODEL_PATIENCE)
        if isinstance(found, int):
            return found
        kind, words = found or (Kind.UNREACHABLE, "the process that keeps the bundled model does not answer")
        raise GatewayError(Kind(kind), words)

    async def lost(self, port: int, within: float = 1.0) -> bool:
        """Has the process behind `port` ended?"""
        return bool(await self._link.ask("lost", port, budget=within + 1.0))


def _sent(claim: Claim) -> tuple[tuple[object, ...], int]:
    """A claim as the hub reads it: the limit's fields in order, and the amount."""
    return astuple(claim.limit), claim.amount

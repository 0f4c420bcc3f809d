"""What an instance grants while its server is late or gone: by what was told last, and counted for all afterwards."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from fakes.clock import FakeClock
from fakes.redis_server import RedisServer
from isthmus.routing.limits import Claim, Grant, Limit, Measure, Refusal
from isthmus.state import shared_limits
from isthmus.state.seen import FRESH
from isthmus.state.shared_limits import SharedLimiter, open_limiter
from isthmus.state.shared_server import FAILURES, REST, SharedServer, open_server

REQUESTS = Limit("key:one/a", Measure.REQUESTS, 5, 60, 12)
TOKENS = Limit("key:one/a", Measure.TOKENS, 1000, 60, 12)
RUNNING = Limit("provider:one", Measure.RUNNING, 3)
PATIENT = 10.0
"""Seconds that a busy machine may need."""


class Instance:
    """One that shares limits. `late` makes its server late, `gone` makes it leave its server alone."""

    def __init__(self, shared: SharedServer, limiter: SharedLimiter, clock: FakeClock) -> None:
        self.shared = shared
        self.limiter = limiter
        self.clock = clock

    def late(self) -> None:
        self.shared.budget = 0

    def gone(self) -> None:
        for _ in range(FAILURES):
            self.shared.breaker.failed()

    async def back(self, seconds: float = REST) -> None:
        """The server is there again, and knows all that it is told."""
        self.shared.budget = PATIENT
        self.clock.move(seconds)
        await self.limiter.claim([Claim(Limit("anything", Measure.REQUESTS, 1000, 60, 12), 1)])
        await self.heard()

    async def heard(self) -> None:
        """All answers have come, and the server was told what there is to tell because of them."""
        self.shared.budget = PATIENT
        await self.shared.settled()
        await asyncio.sleep(0)
        await self.limiter.told()

    async def granted(self, limit: Limit, amount: int = 1) -> Grant:
        found = await self.limiter.claim([Claim(limit, amount)])
        assert isinstance(found, Grant)
        return found

    async def count(self, limit: Limit, tries: int = 20) -> int:
        """How many are granted."""
        return sum([isinstance(await self.limiter.claim([Claim(limit, 1)]), Grant) for _ in range(tries)])


@asynccontextmanager
async def opened(server: RedisServer) -> AsyncIterator[Instance]:
    clock = FakeClock()
    async with (
        open_server(server.url, clock, budget=PATIENT) as shared,
        open_limiter(shared, clock, prefix="t") as limiter,
    ):
        yield Instance(shared, limiter, clock)


@pytest.fixture
async def one(server: RedisServer) -> AsyncIterator[Instance]:
    async with opened(server) as instance:
        yield instance


@pytest.fixture
async def other(server: RedisServer) -> AsyncIterator[Instance]:
    async with opened(server) as instance:
        yield instance


@pytest.mark.parametrize("limit", [REQUESTS, RUNNING])
async def test_what_all_had_used_when_it_was_last_told_is_not_granted_again(
    one: Instance, other: Instance, limit: Limit
) -> None:
    await other.count(limit)
    assert await one.count(limit) == 0
    one.late()
    assert await one.count(limit) == 0
    assert one.limiter.alone == 0


async def test_what_is_refused_alone_has_room_again_when_nothing_is_known_any_more(
    one: Instance, other: Instance
) -> None:
    await other.count(REQUESTS)
    await one.count(REQUESTS, tries=1)
    one.late()
    assert await one.limiter.claim([Claim(REQUESTS, 1)]) == Refusal(REQUESTS, FRESH)
    await one.heard()
    one.gone()
    one.clock.move(FRESH)
    assert one.shared.breaker.lets_through()
    assert await one.count(REQUESTS) == REQUESTS.most


async def test_what_is_granted_alone_is_added_to_what_was_told(one: Instance, other: Instance) -> None:
    await other.granted(TOKENS, 600)
    await one.granted(TOKENS, 100)
    one.gone()
    await one.granted(TOKENS, 200)
    assert isinstance(await one.limiter.claim([Claim(TOKENS, 101)]), Refusal)


async def test_what_is_granted_alone_is_added_before_the_server_has_answered(
    server: RedisServer, one: Instance, other: Instance
) -> None:
    await other.count(REQUESTS, tries=3)
    await one.granted(REQUESTS)
    server.send(signal.SIGSTOP)
    try:
        one.late()
        assert await one.count(REQUESTS) == 1
    finally:
        server.send(signal.SIGCONT)


async def test_what_the_server_refused_and_was_granted_alone_is_added_to_what_it_told(
    one: Instance, other: Instance
) -> None:
    await other.granted(TOKENS, 600)
    one.late()
    await one.granted(TOKENS, 500)
    await one.heard()
    one.gone()
    assert isinstance(await one.limiter.claim([Claim(TOKENS, 1)]), Refusal)


async def test_what_a_late_answer_tells_is_known_as_well(one: Instance, other: Instance) -> None:
    await other.count(REQUESTS)
    one.late()
    assert await one.count(REQUESTS, tries=1) == 1
    await one.heard()
    one.gone()
    assert await one.count(REQUESTS) == 0


async def test_what_was_granted_alone_and_refused_by_the_server_counts_there_as_well(
    one: Instance, other: Instance
) -> None:
    await other.count(REQUESTS)
    one.late()
    await one.granted(REQUESTS)
    await one.heard()
    assert await other.count(Limit(REQUESTS.scope, REQUESTS.measure, 10, 60, 12)) == 10 - REQUESTS.most - 1


async def test_what_was_granted_alone_and_by_the_server_counts_once(one: Instance, other: Instance) -> None:
    one.late()
    await one.granted(REQUESTS)
    await one.heard()
    assert await other.count(REQUESTS) == REQUESTS.most - 1


async def test_what_was_granted_while_the_server_was_gone_counts_when_it_is_back(
    one: Instance, other: Instance
) -> None:
    one.gone()
    assert await one.count(REQUESTS, tries=2) == 2
    await one.granted(RUNNING)
    await one.back()
    assert (await other.count(REQUESTS), await other.count(RUNNING)) == (REQUESTS.most - 2, RUNNING.most - 1)


async def test_what_came_and_went_while_the_server_was_gone_runs_nowhere(one: Instance, other: Instance) -> None:
    one.gone()
    for _ in range(RUNNING.most):
        one.limiter.settle(await one.granted(RUNNING), {})
    await one.back()
    assert await other.count(RUNNING) == RUNNING.most


async def test_what_was_granted_alone_is_settled_with_what_it_came_to(one: Instance, other: Instance) -> None:
    one.gone()
    one.limiter.settle(await one.granted(TOKENS, 1000), {Measure.TOKENS: 300})
    await one.back()
    await other.granted(TOKENS, 700)
    assert isinstance(await other.limiter.claim([Claim(TOKENS, 1)]), Refusal)


async def test_what_is_settled_while_the_server_is_gone_is_told_when_it_is_back(one: Instance, other: Instance) -> None:
    grant = await one.granted(TOKENS, 1000)
    one.gone()
    one.limiter.settle(grant, {Measure.TOKENS: 10})
    await one.back()
    await other.granted(TOKENS, 990)


async def test_what_waited_for_longer_than_its_window_is_not_told(one: Instance, other: Instance) -> None:
    one.gone()
    await one.count(REQUESTS)
    await one.back(REQUESTS.span)
    assert await other.count(REQUESTS) == REQUESTS.most


async def test_no_more_waits_to_be_told_than_is_allowed(one: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_limits, "MOST_PENDING", 2)
    one.gone()
    assert await one.count(REQUESTS) == REQUESTS.most
    assert len(one.limiter._pending) == 2


async def test_no_more_is_granted_than_there_is_but_for_what_is_granted_alone(server: RedisServer) -> None:
    async with opened(server) as a, opened(server) as b, opened(server) as c:
        granted = 0
        for late in range(20):
            for instance in (a, b, c):
                instance.shared.budget = 0 if late % 4 == 3 and instance is a else PATIENT
            granted += sum(await asyncio.gather(*(each.count(REQUESTS, tries=1) for each in (a, b, c))))
        assert granted <= REQUESTS.most + a.limiter.alone
        assert (b.limiter.alone, c.limiter.alone) == (0, 0)

"""Limits that instances hold together: what one uses the others lack; and a server that fails stops nobody."""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fakes.clock import FakeClock
from fakes.redis_server import RedisServer
from isthmus.core.secret import Secret
from isthmus.routing.limits import NEVER, Claim, Grant, Ledger, Limit, Measure, Refusal
from isthmus.state.shared_ledger import LEASE, Asked, SharedLedger, settled
from isthmus.state.shared_limits import SharedLimiter, open_limiter
from isthmus.state.shared_server import BUDGET, FAILURES, REST, SharedServer, open_server

MARGIN = 0.9
"""Seconds that a busy machine may add to a call; below what a call takes that waits for a frozen server."""
REQUESTS = Limit("key:one/a", Measure.REQUESTS, 5, 60, 12)
TOKENS = Limit("key:one/a", Measure.TOKENS, 1000, 60, 12)
DAY = Limit("key:one/a", Measure.MICRODOLLARS, 3000, 86_400)
RUNNING = Limit("provider:one", Measure.RUNNING, 3)
ALL = (REQUESTS, TOKENS, DAY, RUNNING)


def _amounts(limit: Limit) -> st.SearchStrategy[int]:
    return st.just(1) if limit in (REQUESTS, RUNNING) else st.integers(0, limit.most // 2) | st.just(limit.most + 1)


@asynccontextmanager
async def opened(
    server: RedisServer, clock: FakeClock, budget: float, prefix: str
) -> AsyncIterator[tuple[SharedLimiter, SharedServer]]:
    async with (
        open_server(server.url, clock, budget=budget) as shared,
        open_limiter(shared, clock, prefix=prefix) as one,
    ):
        yield one, shared


def instance(
    server: RedisServer, *, clock: FakeClock | None = None, budget: float = 10, prefix: str = "t"
) -> AbstractAsyncContextManager[tuple[SharedLimiter, SharedServer]]:
    """One that waits for its server as long as a busy machine needs."""
    return opened(server, clock or FakeClock(), budget, prefix)


async def granted(limiter: SharedLimiter, limit: Limit, amount: int = 1) -> Grant:
    found = await limiter.claim([Claim(limit, amount)])
    assert isinstance(found, Grant)
    return found


async def count(limiter: SharedLimiter, limit: Limit, *, tries: int = 20) -> int:
    """How many are granted."""
    return sum([isinstance(await limiter.claim([Claim(limit, 1)]), Grant) for _ in range(tries)])


async def test_what_one_instance_uses_another_lacks(server: RedisServer) -> None:
    async with instance(server) as (one, _), instance(server) as (other, _):
        assert await count(one, REQUESTS, tries=2) == 2
        assert await count(other, REQUESTS) == 3
        assert await count(one, REQUESTS) == 0


async def test_a_refusal_tells_which_limit_and_for_how_long(server: RedisServer) -> None:
    async with instance(server) as (one, _), instance(server) as (other, _):
        await granted(one, TOKENS, 900)
        found = await other.claim([Claim(REQUESTS, 1), Claim(TOKENS, 200)])
        assert isinstance(found, Refusal)
        assert found.limit == TOKENS
        assert 59 < found.wait <= 65
        assert await other.claim([Claim(TOKENS, 1001)]) == Refusal(TOKENS, NEVER)


async def test_many_at_once_are_granted_no_more_than_there_is(server: RedisServer) -> None:
    async with instance(server) as (one, _), instance(server) as (other, _):
        found = await asyncio.gather(*[limiter.claim([Claim(RUNNING, 1)]) for limiter in (one, other) * 20])
        assert sum(isinstance(each, Grant) for each in found) == RUNNING.most


async def test_a_place_that_one_instance_gives_back_another_takes(server: RedisServer) -> None:
    async with instance(server) as (one, _), instance(server) as (other, _):
        grants = [await granted(one, RUNNING) for _ in range(RUNNING.most)]
        assert await count(other, RUNNING) == 0
        one.settle(grants[0], {})
        await one.told()
        assert await count(other, RUNNING) == 1


async def test_what_a_request_came_to_is_known_to_all(server: RedisServer) -> None:
    async with instance(server) as (one, _), instance(server) as (other, _):
        grant = await granted(one, TOKENS, 1000)
        one.settle(grant, {Measure.TOKENS: 10})
        await one.told()
        await granted(other, TOKENS, 990)


async def test_an_instance_that_asked_knows_what_the_others_use(server: RedisServer) -> None:
    clock = FakeClock()
    async with instance(server) as (one, _), instance(server, clock=clock) as (other, _):
        await granted(one, TOKENS, 700)
        await granted(other, TOKENS, 100)
        assert other.share(TOKENS) == 0.8
        clock.move(10)
        assert other.share(TOKENS) == 0.1


async def test_prefixes_are_counted_apart(server: RedisServer) -> None:
    async with instance(server, prefix="t") as (one, _), instance(server, prefix="u") as (other, _):
        assert (await count(one, REQUESTS), await count(other, REQUESTS)) == (5, 5)


async def test_what_an_instance_held_that_is_gone_is_free_after_a_while(server: RedisServer) -> None:
    async with instance(server) as (one, shared):
        await granted(one, RUNNING)
        [name] = await shared.redis.keys("*running*")
        ends = (await shared.redis.zrange(name, 0, -1, withscores=True))[0][1]
        assert LEASE - 5 < ends - time.time() <= LEASE
        assert LEASE - 5 < await shared.redis.ttl(name) <= LEASE + 1


async def test_what_still_runs_is_renewed_even_if_the_server_forgot_it(server: RedisServer) -> None:
    async with instance(server) as (one, shared), instance(server) as (other, _):
        grants = [await granted(one, RUNNING) for _ in range(RUNNING.most)]
        await shared.redis.flushall()
        await one.renew()
        assert await count(other, RUNNING) == 0
        one.settle(grants[0], {})
        await one.told()
        await one.renew()
        assert await count(other, RUNNING) == 1


async def test_nothing_is_kept_for_longer_than_it_counts(server: RedisServer) -> None:
    async with instance(server) as (one, shared):
        await one.claim([Claim(limit, 1) for limit in ALL])
        left = {name: await shared.redis.ttl(name) for name in await shared.redis.keys()}
        assert len(left) == len(ALL)
        assert all(0 < seconds <= 86_401 for seconds in left.values())


async def test_a_server_that_forgot_the_scripts_is_told_them_again(server: RedisServer) -> None:
    async with instance(server) as (one, shared):
        await granted(one, REQUESTS)
        await shared.redis.script_flush()
        assert await count(one, REQUESTS) == 4


async def test_a_frozen_server_delays_no_request_and_each_instance_holds_the_limits_alone(server: RedisServer) -> None:
    clock = FakeClock(time=time.time())
    async with instance(server, clock=clock, budget=BUDGET) as (one, shared):
        async with asyncio.timeout(20):
            while await shared.ask(shared.redis.ping) is None:
                clock.move(REST)
                await shared.settled()
        server.send(signal.SIGSTOP)
        try:
            began = time.monotonic()
            assert await count(one, REQUESTS) == REQUESTS.most
            assert time.monotonic() - began < FAILURES * (BUDGET + MARGIN)
            assert one.state.startswith("shared, unreachable since ")
        finally:
            server.send(signal.SIGCONT)
        async with asyncio.timeout(20):
            while one.state != "shared":
                clock.move(REST)
                await one.claim([Claim(TOKENS, 1)])


async def test_what_is_granted_late_is_settled_like_the_rest(server: RedisServer) -> None:
    """The server answers after the caller was told that there is room here."""
    async with instance(server, budget=0) as (late, shared), instance(server) as (other, _):
        grant = await granted(late, RUNNING)
        await shared.settled()
        assert await count(other, RUNNING) == RUNNING.most - 1
        late.settle(grant, {})
        await late.told()
        await shared.settled()
        assert await count(other, RUNNING) == 1


async def test_a_request_that_is_given_up_while_it_claims_gives_back_what_it_is_granted(server: RedisServer) -> None:
    async with instance(server) as (one, shared), instance(server) as (other, _):
        claiming = [asyncio.create_task(one.claim([Claim(RUNNING, 1), Claim(REQUESTS, 1)])) for _ in range(3)]
        await asyncio.sleep(0)
        for task in claiming:
            task.cancel()
        await asyncio.gather(*claiming, return_exceptions=True)
        async with asyncio.timeout(20):
            while not await shared.redis.keys("*:requests:*"):
                await shared.settled()
        await shared.settled()
        await one.told()
        assert await count(other, RUNNING) == RUNNING.most
        assert await count(other, REQUESTS) == REQUESTS.most


async def test_what_is_claimed_at_the_same_moment_is_asked_for_in_one_call(server: RedisServer) -> None:
    async with instance(server) as (one, shared):
        await granted(one, TOKENS)
        called = int((await shared.redis.info("stats"))["total_reads_processed"])
        await asyncio.gather(*[granted(one, TOKENS) for _ in range(50)])
        assert int((await shared.redis.info("stats"))["total_reads_processed"]) - called < 10


async def test_the_first_claim_of_an_instance_waits_for_no_connection_and_no_script(server: RedisServer) -> None:
    async with instance(server) as (one, _), instance(server) as (_, shared):
        before = await shared.redis.info("stats")
        await granted(one, TOKENS)
        after = await shared.redis.info("stats")
        assert after["total_connections_received"] == before["total_connections_received"]
        assert after["total_reads_processed"] - before["total_reads_processed"] == 2


async def test_what_is_granted_late_and_was_refused_here_is_given_back(server: RedisServer) -> None:
    async with instance(server, budget=0) as (late, shared), instance(server) as (other, _):
        for _ in range(REQUESTS.most):
            late._own.claim([Claim(REQUESTS, 1)], late._time())
        assert isinstance(await late.claim([Claim(REQUESTS, 1)]), Refusal)
        await shared.settled()
        await late.told()
        await shared.settled()
        assert await count(other, REQUESTS) == REQUESTS.most


async def test_what_was_granted_alone_takes_nothing_from_what_others_have_used(server: RedisServer) -> None:
    clock = FakeClock(time=time.time())
    async with instance(server, clock=clock) as (one, shared), instance(server) as (other, _):
        await granted(other, TOKENS, 600)
        for _ in range(FAILURES):
            shared.breaker.failed()
        grant = await granted(one, TOKENS, 1000)
        clock.move(REST)
        await granted(one, REQUESTS)
        one.settle(grant, {Measure.TOKENS: 0})
        await one.told()
        assert await count(other, TOKENS, tries=500) == 400


async def test_what_was_granted_alone_and_still_runs_is_known_when_the_server_is_back(server: RedisServer) -> None:
    clock = FakeClock(time=time.time())
    async with instance(server, clock=clock) as (one, shared), instance(server) as (other, _):
        for _ in range(FAILURES):
            shared.breaker.failed()
        grants = [await granted(one, RUNNING) for _ in range(2)]
        clock.move(REST)
        await one.renew()
        assert one.state == "shared"
        assert await count(other, RUNNING) == 1
        one.settle(grants[0], {})
        await one.told()
        assert await count(other, RUNNING) == 1


async def test_without_its_server_an_instance_goes_on_alone() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        clock, url = FakeClock(), Secret(f"redis://127.0.0.1:{taken.getsockname()[1]}")
        async with open_server(url, clock) as shared, open_limiter(shared, clock, prefix="t") as alone:
            assert await count(alone, REQUESTS) == REQUESTS.most
            grants = [await granted(alone, RUNNING) for _ in range(RUNNING.most)]
            for grant in grants:
                alone.settle(grant, {})
            assert alone.share(RUNNING) == 0
            assert alone.share(REQUESTS) == 1


class Claimed(NamedTuple):
    gap: float
    claims: list[Claim]


class Settled(NamedTuple):
    gap: float
    which: int
    spent: int


class Renewed(NamedTuple):
    gap: float
    first: int


CLAIMS = st.lists(
    st.sampled_from(ALL).flatmap(lambda limit: st.builds(Claim, st.just(limit), _amounts(limit))),
    min_size=1,
    unique_by=lambda claim: claim.limit,
)
GAPS = st.sampled_from([0.0, 0.0, 0.0, 1.0, 5.0, 30.0, 60.0, LEASE]) | st.floats(0, 10)
STEPS = st.lists(
    st.one_of(
        st.builds(Claimed, GAPS, CLAIMS),
        st.builds(Settled, GAPS, st.integers(0, 5), st.integers(0, 2000)),
        st.builds(Renewed, GAPS, st.integers(0, 5)),
    ),
    max_size=40,
)


@pytest.mark.timeout(240)  # thousands of answers of a server that may have a sliver of a busy machine
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@example(steps=[Claimed(0, [Claim(RUNNING, 1)]), Claimed(LEASE, [Claim(RUNNING, 1)])])
@example(steps=[Claimed(0, [Claim(TOKENS, 10)]), Settled(90, 0, 500), Claimed(0, [Claim(TOKENS, 1)])])
@example(
    steps=[
        Claimed(0, [Claim(TOKENS, 0)]),
        Claimed(5, [Claim(REQUESTS, 1)]),
        Settled(0, 0, 500),
        Claimed(61, [Claim(TOKENS, 1001)]),
    ]
)
def test_step_by_step_the_server_decides_as_a_ledger_does(
    server: RedisServer, steps: list[Claimed | Settled | Renewed]
) -> None:
    asyncio.run(_play(server, steps))


async def _play(server: RedisServer, steps: list[Claimed | Settled | Renewed]) -> None:
    own, now, held = Ledger(lease=LEASE), 1_700_000_000.0, list[Grant]()
    async with open_server(server.url, FakeClock(), budget=10) as shared:
        there = SharedLedger(shared.redis, f"t{time.monotonic_ns()}")
        for step in steps:
            now += step.gap
            match step:
                case Claimed(_, claims):
                    found = own.claim(claims, now)
                    lease = found.lease if isinstance(found, Grant) else "none"
                    [told] = await there.claim([Asked(claims, lease)], now=now)
                    assert _numbers(told) == _decided(found, claims, own, now)
                    held += [found] if isinstance(found, Grant) else []
                case Settled(_, which, spent) if held:
                    grant = held.pop(which % len(held))
                    came_to = {Measure.TOKENS: spent, Measure.MICRODOLLARS: spent}
                    own.settle(grant, came_to, now)
                    await there.change(list(settled(grant, came_to)), now=now)
                case Renewed(_, first):
                    own.renew(held[first:], now)
                    await there.renew(held[first:], now=now)


def _numbers(answer: object) -> tuple[float, ...]:
    assert isinstance(answer, list)
    return tuple(float(number) for number in answer)


def _decided(found: Grant | Refusal, claims: Sequence[Claim], own: Ledger, now: float) -> tuple[float, ...]:
    """What a ledger decided, as the script tells it."""
    used = tuple(own.used(limit, now) for limit, _ in claims)
    if isinstance(found, Grant):
        return (0, now, *used)
    which = [limit for limit, _ in claims].index(found.limit) + 1
    return (which, -1 if found.wait == NEVER else found.wait, *used)

"""Budgets at a server of Redis or Valkey: windows of the calendar, decided there as the ledger decides them."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fakes.clock import FakeClock
from fakes.redis_server import RedisServer
from isthmus.core.periods import Period
from isthmus.core.secret import Secret
from isthmus.routing.limits import NEVER, Claim, Grant, Ledger, Limit, Measure, Refusal, Remembered
from isthmus.state.shared_ledger import LEASE, Asked, SharedLedger, settled
from isthmus.state.shared_limits import open_limiter
from isthmus.state.shared_server import open_server

BUDGETS = [Limit("client:a", Measure.MICRODOLLARS, 3000, period=period) for period in Period]
DAY = 86_400.0
NEW_YEARS_EVE = 1_767_225_599.0
"""The last second of 2025, a Wednesday."""


class Claimed(NamedTuple):
    gap: float
    claims: list[Claim]


class Settled(NamedTuple):
    gap: float
    which: int
    spent: int


class Raised(NamedTuple):
    gap: float
    amounts: list[Claim]


CLAIMS = st.lists(
    st.sampled_from(BUDGETS).flatmap(lambda limit: st.builds(Claim, st.just(limit), st.integers(0, 3100))),
    min_size=1,
    unique_by=lambda claim: claim.limit,
)
GAPS = st.sampled_from([0.0, 0.0, 1.0, 3600.0, DAY, 7 * DAY, 31 * DAY]) | st.floats(0, 100 * DAY)
STEPS = st.lists(
    st.one_of(
        st.builds(Claimed, GAPS, CLAIMS),
        st.builds(Settled, GAPS, st.integers(0, 5), st.integers(0, 4000)),
        st.builds(Raised, GAPS, CLAIMS),
    ),
    max_size=30,
)


@pytest.mark.timeout(240)  # thousands of answers of a server that may have a sliver of a busy machine
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, begin=st.floats(0, 4e9))
@example([Claimed(0, [Claim(one, 3000) for one in BUDGETS]), Claimed(1, [Claim(BUDGETS[2], 1)])], NEW_YEARS_EVE)
@example([Claimed(0, [Claim(BUDGETS[0], 10)]), Settled(DAY, 0, 500), Claimed(0, [Claim(BUDGETS[0], 1)])], NEW_YEARS_EVE)
def test_step_by_step_the_server_decides_of_budgets_as_a_ledger_does(
    server: RedisServer, steps: list[Claimed | Settled | Raised], begin: float
) -> None:
    asyncio.run(_play(server, steps, begin))


async def _play(server: RedisServer, steps: list[Claimed | Settled | Raised], now: float) -> None:
    own, held = Ledger(lease=LEASE), list[Grant]()
    async with open_server(server.url, FakeClock(), budget=10) as shared:
        there = SharedLedger(shared.redis, f"b{time.monotonic_ns()}")
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
                    own.settle(grant, {Measure.MICRODOLLARS: spent}, now)
                    await there.change(list(settled(grant, {Measure.MICRODOLLARS: spent})), now=now)
                case Raised(_, amounts):
                    for limit, amount in amounts:
                        own.raise_to(limit, amount, now)
                    await there.raise_to(amounts, now=now)


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


async def test_what_the_store_remembers_is_spent_at_every_instance(server: RedisServer) -> None:
    clock = FakeClock(time=time.time())
    budget, prefix = BUDGETS[3], f"r{time.monotonic_ns()}"
    async with (
        open_server(server.url, clock, budget=10) as shared,
        open_limiter(shared, clock, prefix=prefix) as one,
        open_limiter(shared, clock, prefix=prefix) as other,
    ):
        await one.remember([Remembered(budget, 2500, 0, clock.time())])
        assert isinstance(await other.claim([Claim(budget, 501)]), Refusal)
        assert isinstance(await other.claim([Claim(budget, 500)]), Grant)


async def test_what_is_known_to_all_already_is_not_spent_again(server: RedisServer) -> None:
    clock = FakeClock(time=time.time())
    budget, prefix = BUDGETS[3], f"s{time.monotonic_ns()}"
    async with (
        open_server(server.url, clock, budget=10) as shared,
        open_limiter(shared, clock, prefix=prefix) as one,
    ):
        grant = await one.claim([Claim(budget, 900)])
        assert isinstance(grant, Grant)
        one.settle(grant, {Measure.MICRODOLLARS: 700})
        await one.told()
        await one.remember([Remembered(budget, 600, 600, clock.time())])
        assert isinstance(await one.claim([Claim(budget, 2300)]), Grant)


async def test_while_the_server_is_gone_an_instance_goes_by_what_the_store_remembers() -> None:
    clock = FakeClock(time=time.time())
    async with (
        open_server(Secret("redis://127.0.0.1:1"), clock) as shared,
        open_limiter(shared, clock, prefix="t") as alone,
    ):
        await alone.remember([Remembered(BUDGETS[3], 2500, 0, clock.time())])
        assert isinstance(await alone.claim([Claim(BUDGETS[3], 501)]), Refusal)

"""Budgets hold under whatever happens: overspent by no more than estimates were short, and settled to the exact sum."""

import asyncio
from collections.abc import Mapping, Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.periods import Period
from isthmus.engine.answer import Answer
from isthmus.engine.exchange import Exchange
from isthmus.routing.limits import Claim, Grant, Limit, Measure, Refusal
from isthmus.state.limits import LocalLimiter
from support.accounts import CLIENTS, HELLO, OVERLOADED, Accounts, budget, ending

BUDGETS = (
    budget("client:alice", 120_000, Period.DAY),
    budget("client:bob", 200_000, Period.WEEK),
    budget("client:bob", 400_000, Period.ALL),
    budget("team:sales", 250_000, Period.MONTH),
    budget("global:", 300_000, Period.DAY),
)


class Watched(LocalLimiter):
    """Knows by how much the estimates of granted requests were short, by scope."""

    def __init__(self, accounts: Accounts) -> None:
        super().__init__(accounts.line.clock.time)
        self.granted: dict[str, Mapping[Limit, int]] = {}
        self.short: dict[Limit, int] = dict.fromkeys(BUDGETS, 0)

    async def claim(self, claims: Sequence[Claim]) -> Grant | Refusal:
        found = await super().claim(claims)
        if isinstance(found, Grant):
            self.granted[found.lease] = {one.limit: one.amount for one in claims}
        return found

    def settle(self, grant: Grant, spent: Mapping[Measure, int]) -> None:
        super().settle(grant, spent)
        for limit, amount in self.granted.pop(grant.lease).items():
            self.short[limit] += max(0, spent[limit.measure] - amount)


class Upstreams:
    """Answers as the dice fall: whole, cut, late, or not at all; in more tokens than anybody expects, or in fewer."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice

    async def send(self, outgoing: object, deadlines: object) -> Scripted:
        dice = self._dice
        await asyncio.sleep(0)
        what = dice.random()
        if what < 0.1:
            raise GatewayError(dice.choice([Kind.UNREACHABLE, Kind.TIMED_OUT]), "no answer")
        if what < 0.2:
            return Scripted(OVERLOADED, status=503)
        end = [] if what < 0.3 else [ending(dice.randint(1, 200), dice.randint(1, 900))]
        return Scripted(*[HELLO] * dice.randint(1, 5), *end, headers=SSE)


def accounts_of(seed: int) -> tuple[Accounts, Watched, Random]:
    dice = Random(seed)
    accounts = Accounts(*BUDGETS)
    accounts.limiter = accounts.line.ports.limiter = watched = Watched(accounts)
    accounts.line.ports.transport = Upstreams(dice)  # type: ignore[assignment]  # all of it that is used
    return accounts, watched, dice


@pytest.mark.parametrize("seed", range(3))
async def test_two_hundred_streams_overspend_by_no_more_than_their_estimates_were_short(seed: int) -> None:
    accounts, watched, dice = accounts_of(seed)
    statuses = []

    async def one(client: str) -> None:
        pieces = dice.choice([None, None, None, 1, 2])
        status, _ = await accounts.ask(client, pieces=pieces)
        statuses.append(status)

    async with asyncio.TaskGroup() as group:
        for _ in range(200):
            group.create_task(one(dice.choice(CLIENTS).name))
    assert 403 in statuses
    assert 200 in statuses
    for limit in BUDGETS:
        assert accounts.used(limit) <= limit.most + watched.short[limit]
    assert watched.granted == {}


@pytest.mark.parametrize("seed", range(3))
async def test_when_all_are_over_ledger_store_and_rows_say_the_same(seed: int) -> None:
    accounts, _, dice = accounts_of(seed)
    async with asyncio.TaskGroup() as group:
        for _ in range(200):
            group.create_task(accounts.ask(dice.choice(CLIENTS).name, pieces=dice.choice([None, 1])))
    accounts.store()
    await _agree(accounts)
    rows = accounts.fake.rows.values()
    assert sum(row.microdollars or 0 for row in rows) == await accounts.kept(budget("global:", 1, Period.ALL))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "read", "leave", "store", "refresh"]),
        st.integers(0, 9),
        st.sampled_from([0.0, 0.0, 1.0, 600.0, 43_200.0, 86_400.0 * 7]),
    ),
    min_size=5,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, seed=st.integers(0, 1000))
def test_whoever_leaves_whenever_the_sums_are_exact(steps: list[tuple[str, int, float]], seed: int) -> None:
    asyncio.run(_play(steps, seed))


async def _play(steps: list[tuple[str, int, float]], seed: int) -> None:
    accounts, _, _ = accounts_of(seed)
    running: list[tuple[Exchange, Answer]] = []
    for what, which, seconds in steps:
        accounts.line.clock.move(seconds)
        if what == "ask":
            running.append(await accounts.begin(CLIENTS[which % len(CLIENTS)].name))
        elif what == "store":
            accounts.store()
        elif what == "refresh":
            await accounts.budgets.refresh()
        elif running:
            pieces = which % 3 + 1 if what == "leave" else None
            await accounts.finish(*running.pop(which % len(running)), pieces=pieces)
    for exchange, answer in running:
        await accounts.finish(exchange, answer, pieces=1)
    accounts.store()
    await accounts.budgets.refresh()
    await _agree(accounts)


async def _agree(accounts: Accounts) -> None:
    for limit in BUDGETS:
        assert accounts.used(limit) == await accounts.kept(limit), limit

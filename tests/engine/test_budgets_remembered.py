"""What was spent of budgets outlives the process, and is known to others who share nothing but the store."""

import asyncio

import pytest
from msgspec.structs import replace

from fakes.records import FakeRecords
from isthmus.core.periods import Period
from isthmus.routing.limits import MOST_WINDOWS, Claim, Limit, Measure
from support.accounts import Accounts, budget, streamed

COST = 2500 + 300
"""Microdollars of one answer of those below."""
BUDGET = budget("client:alice", 10 * COST)
TEAM = budget("team:sales", 10 * COST, Period.ALL)
GLOBAL = budget("global:", 10 * COST, Period.DAY)


def started(records: FakeRecords, *budgets: Limit, answers: int = 9, name: str = "ex") -> Accounts:
    """A gateway that has this store."""
    return Accounts(*budgets, one=[streamed(1000, 30) for _ in range(answers)], records=records, name=name)


async def test_a_restart_forgets_nothing() -> None:
    records = FakeRecords()
    before = started(records, BUDGET, TEAM, GLOBAL)
    await before.ask("alice")
    await before.ask("bob")
    before.store()
    after = started(records, BUDGET, TEAM, GLOBAL)
    await after.budgets.refresh()
    assert [after.used(limit) for limit in (BUDGET, TEAM, GLOBAL)] == [COST, 2 * COST, 2 * COST]


async def test_what_this_process_spent_itself_is_counted_once_however_often_it_is_told() -> None:
    accounts = started(FakeRecords(), BUDGET)
    for _ in range(3):
        await accounts.ask()
        accounts.store()
        await accounts.budgets.refresh()
        await accounts.budgets.refresh()
    assert accounts.used(BUDGET) == 3 * COST


async def test_what_is_not_yet_stored_is_not_taken_for_something_that_others_spent() -> None:
    accounts = started(FakeRecords(), BUDGET)
    await accounts.ask()
    await accounts.budgets.refresh()
    accounts.store()
    await accounts.budgets.refresh()
    assert accounts.used(BUDGET) == COST


async def test_what_others_spend_is_known_when_the_store_is_asked_again() -> None:
    records = FakeRecords()
    one, other = started(records, GLOBAL, name="one"), started(records, GLOBAL, name="other")
    for accounts in (one, other, one):
        await accounts.ask()
        accounts.store()
    for accounts in (one, other, one, other):
        await accounts.budgets.refresh()
    assert [one.used(GLOBAL), other.used(GLOBAL)] == [3 * COST] * 2


async def test_a_request_under_way_is_not_forgotten_when_the_store_is_asked() -> None:
    records = FakeRecords()
    other, accounts = started(records, BUDGET, name="other"), started(records, BUDGET)
    await other.ask()
    other.store()
    await accounts.budgets.refresh()
    exchange, answer = await accounts.begin()
    reserved = accounts.used(BUDGET)
    assert reserved > COST
    await accounts.budgets.refresh()
    assert accounts.used(BUDGET) == reserved
    await accounts.finish(exchange, answer)
    assert accounts.used(BUDGET) == 2 * COST


async def test_a_budget_that_is_made_later_has_spent_what_was_spent_before() -> None:
    accounts = started(FakeRecords())
    await accounts.ask()
    accounts.store()
    accounts.line.live.swap(replace(accounts.line.live.take().snapshot, allowances={BUDGET.scope: (BUDGET,)}))
    await accounts.budgets.refresh()
    assert accounts.used(BUDGET) == COST


async def test_a_budget_that_the_ledger_forgot_among_very_many_is_known_again() -> None:
    accounts = started(FakeRecords(), BUDGET)
    await accounts.ask()
    accounts.store()
    await accounts.budgets.refresh()
    other = (Claim(Limit(f"client:{number}", Measure.REQUESTS, 1, 60, 12), 1) for number in range(MOST_WINDOWS))
    for claim in other:
        await accounts.limiter.claim([claim])
    assert accounts.used(BUDGET) == 0
    await accounts.budgets.refresh()
    assert accounts.used(BUDGET) == COST


async def test_what_was_spent_in_another_month_is_not_spent_in_this_one() -> None:
    accounts = started(FakeRecords(), BUDGET)
    await accounts.ask()
    accounts.store()
    accounts.line.clock.move(31 * 86_400)
    await accounts.budgets.refresh()
    assert accounts.used(BUDGET) == 0


async def test_while_nobody_knows_what_is_left_nothing_is_spent() -> None:
    records = FakeRecords()
    records.gone = True
    accounts = started(records, BUDGET)
    accounts.budgets.heard = False
    with pytest.raises(Exception, match="cannot be reached"):
        await accounts.budgets.refresh()
    status, body = await accounts.ask()
    assert (status, b"budget is not known" in body) == (503, True)
    assert (await accounts.ask("carol"))[0] == 200


@pytest.mark.parametrize("gone", [False, True])
async def test_whoever_starts_the_gateway_waits_for_one_answer_of_the_store(gone: bool) -> None:
    records = FakeRecords()
    records.gone = gone
    accounts = started(records, BUDGET)
    accounts.budgets.heard = False
    asking = asyncio.create_task(accounts.budgets.run())
    async with asyncio.timeout(5):
        await accounts.budgets.first.wait()
    asking.cancel()
    assert accounts.budgets.heard is not gone


async def test_a_store_that_goes_away_later_stops_nobody() -> None:
    records = FakeRecords()
    accounts = started(records, BUDGET)
    accounts.budgets.heard = False
    await accounts.budgets.refresh()
    records.gone = True
    assert (await accounts.ask())[0] == 200


async def test_a_spent_budget_says_whose_it_is_and_when_it_renews() -> None:
    accounts = started(FakeRecords(), budget("team:sales", COST + 10, Period.WEEK), answers=1)
    await accounts.ask("alice")
    status, body = await accounts.ask("bob")
    assert status == 403
    assert b"0.00 dollars a week for team sales; it renews at 2023-11-20T00:00:00Z" in body


async def test_a_budget_for_good_says_that_it_never_renews() -> None:
    accounts = started(FakeRecords(), budget("global:", COST, Period.ALL), answers=1)
    await accounts.ask("alice")
    status, body = await accounts.ask("carol")
    assert (status, b"in all for the whole gateway; it never renews" in body) == (403, True)

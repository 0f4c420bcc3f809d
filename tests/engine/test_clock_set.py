"""The clock on the wall is set while requests are under way: nobody is turned away, and nothing spent is forgotten."""

import pytest

from isthmus.core.periods import Period
from support.accounts import Accounts, budget, streamed

DAY = 86_400.0
BUDGETS = (
    budget("client:alice", 100_000, Period.DAY),
    budget("client:alice", 200_000, Period.MONTH),
    budget("global:", 300_000, Period.ALL),
)
STEPS = [-40 * DAY, -DAY, -60.0, -0.001, 60.0, DAY, 40 * DAY, 400 * DAY]


@pytest.mark.parametrize("seconds", STEPS)
async def test_a_request_under_way_is_settled_where_it_began(seconds: float) -> None:
    accounts = Accounts(*BUDGETS, one=[streamed(100, 200)])
    exchange, answer = await accounts.begin()
    accounts.line.clock.set_by(seconds)
    assert b"hello" in await accounts.finish(exchange, answer)
    accounts.store()
    (row,) = accounts.fake.rows.values()
    assert (row.at, row.microdollars) == (1_700_000_000.0, 2250)
    assert row.ms >= 0
    assert accounts.used(BUDGETS[2]) == await accounts.kept(BUDGETS[2]) == 2250


@pytest.mark.parametrize("seconds", STEPS)
async def test_requests_go_on_and_no_budget_forgets_what_was_spent(seconds: float) -> None:
    """Where the clock was wrong, what belongs to two periods may count in one until it renews, but never in none."""
    accounts = Accounts(*BUDGETS, one=[streamed(100, 200) for _ in range(3)])
    for step in (0.0, seconds, -seconds):
        accounts.line.clock.set_by(step)
        assert (await accounts.ask())[0] == 200
        accounts.store()
        await accounts.budgets.refresh()
        for limit in BUDGETS:
            assert accounts.used(limit) >= await accounts.kept(limit), limit
    assert accounts.used(BUDGETS[2]) == await accounts.kept(BUDGETS[2]) == 3 * 2250
    if abs(seconds) >= DAY:
        assert await accounts.kept(BUDGETS[0]) == 2 * 2250, "the store knows which of them were on that day"

"""What an administrator is told of budgets: what may be spent, what was, what is reserved, and when it renews."""

import math

from isthmus.core.periods import Period
from isthmus.server.admin.budgets import dollars
from support.accounts import ASKED, Accounts, budget, streamed
from support.administering import Managed, told

COST = 2800


def managed(accounts: Accounts) -> Managed:
    made = Managed(line=accounts.line)
    made.desk.records = accounts.records
    return made


async def test_a_budget_is_told_with_what_was_spent_and_when_it_renews() -> None:
    accounts = Accounts(budget("team:sales", 5_000_000), one=[streamed(1000, 30)])
    await accounts.ask()
    accounts.store()
    [one] = told(await managed(accounts).ask("GET", "/admin/budgets"))["budgets"]
    assert one == {
        "scope": "team:sales",
        "period": "month",
        "limit": "5.000000",
        "spent": "0.002800",
        "reserved": "0.000000",
        "left": "4.997200",
        "began": "2023-11-01T00:00:00Z",
        "renews": "2023-12-01T00:00:00Z",
    }


async def test_what_requests_under_way_may_come_to_is_reserved() -> None:
    accounts = Accounts(budget("client:alice", 5_000_000, Period.ALL), one=[streamed(1000, 30)])
    exchange, answer = await accounts.begin()
    [one] = told(await managed(accounts).ask("GET", "/admin/budgets"))["budgets"]
    expected = dollars(math.ceil(len(ASKED) // 4 * 2.5 + 500 * 10))
    assert (one["spent"], one["reserved"], one["renews"]) == ("0.000000", expected, None)
    await accounts.finish(exchange, answer)


async def test_without_its_store_a_budget_is_told_with_what_is_left_and_no_more() -> None:
    accounts = Accounts(budget("global:", 5_000_000), one=[streamed(1000, 30)])
    await accounts.ask()
    accounts.fake.gone = True
    [one] = told(await managed(accounts).ask("GET", "/admin/budgets"))["budgets"]
    assert (one["spent"], one["reserved"], one["left"]) == (None, None, "4.997200")


async def test_budgets_are_asked_for_by_the_beginning_of_their_scope_and_in_pieces() -> None:
    accounts = Accounts(*(budget(f"client:{name}", 1) for name in "abc"), budget("team:a", 1))
    made = managed(accounts)
    page = told(await made.ask("GET", "/admin/budgets", query=b"scope=client:&limit=2"))
    assert ([one["scope"] for one in page["budgets"]], page["more"]) == (["client:a", "client:b"], True)
    page = told(await made.ask("GET", "/admin/budgets", query=b"scope=client:&after=client:b"))
    assert ([one["scope"] for one in page["budgets"]], page["more"]) == (["client:c"], False)

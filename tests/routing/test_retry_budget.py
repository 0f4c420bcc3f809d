"""Retries are a share of a provider's traffic, and never multiply an outage."""

from hypothesis import given
from hypothesis import strategies as st

from isthmus.routing.retry_budget import WINDOW, RetryBudgetRule, RetryBudgets

RULE = RetryBudgetRule(share=0.2, least=10)


def spend(budgets: RetryBudgets, now: float, *, provider: str = "one") -> int:
    """How many repetitions in a row are allowed, each of them made."""
    made = 0
    while made < 10_000 and budgets.allows(provider, now):
        budgets.repeated(provider, now)
        made += 1
    return made


def test_a_quiet_provider_may_be_asked_again_a_few_times() -> None:
    assert spend(RetryBudgets(RULE), 0.0) == 10


def test_a_busy_one_a_share_of_its_traffic_more() -> None:
    budgets = RetryBudgets(RULE)
    for _ in range(100):
        budgets.asked("one", 0.0)
    assert spend(budgets, 1.0) == 10 + 20


def test_each_provider_has_its_own_budget() -> None:
    budgets = RetryBudgets(RULE)
    spend(budgets, 0.0)
    assert not budgets.allows("one", 0.0)
    assert budgets.allows("two", 0.0)


def test_what_was_spent_is_forgotten_little_by_little() -> None:
    budgets = RetryBudgets(RULE)
    spend(budgets, 0.0)
    assert spend(budgets, WINDOW * 1.5) == 5
    assert spend(budgets, WINDOW * 4) == 10


def test_no_share_and_no_least_is_no_retry() -> None:
    budgets = RetryBudgets(RetryBudgetRule(share=0.0, least=0))
    budgets.asked("one", 0.0)
    assert not budgets.allows("one", 0.0)


def test_a_provider_that_is_configured_no_more_is_forgotten() -> None:
    budgets = RetryBudgets(RULE)
    spend(budgets, 0.0)
    budgets.keep(frozenset({"two"}))
    assert budgets.allows("one", 0.0)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 3)), max_size=200))
def test_within_a_window_repetitions_never_exceed_their_share(steps: list[tuple[bool, float]]) -> None:
    """Asked whenever it is allowed, over a window that begins with the first ask."""
    budgets, now, first, again = RetryBudgets(RULE), 0.0, 0, 0
    for is_first, passed in steps:
        now += passed
        if now >= WINDOW:
            break
        if is_first:
            budgets.asked("one", now)
            first += 1
        elif budgets.allows("one", now):
            budgets.repeated("one", now)
            again += 1
        assert again <= RULE.least + RULE.share * first

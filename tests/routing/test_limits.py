"""What a limit lets through, when it has room again, and what is left of a claim once it is settled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.core.periods import Period
from isthmus.routing import limits
from isthmus.routing.limits import NEVER, Claim, Grant, Ledger, Limit, Measure, Refusal

MINUTE = Limit("key:a/b", Measure.REQUESTS, 3, 60, 12)
TOKENS = Limit("key:a/b", Measure.TOKENS, 1000, 60, 12)
DAY = Limit("key:a/b", Measure.MICRODOLLARS, 5_000_000, 86_400)
RUNNING = Limit("provider:a", Measure.RUNNING, 2)
NOON = 1_700_000_000 // 86_400 * 86_400 + 43_200.0


def claimed(ledger: Ledger, limit: Limit, amount: int, now: float) -> Grant:
    grant = ledger.claim([Claim(limit, amount)], now)
    assert isinstance(grant, Grant)
    return grant


def refused(ledger: Ledger, limit: Limit, amount: int, now: float) -> float:
    refusal = ledger.claim([Claim(limit, amount)], now)
    assert isinstance(refusal, Refusal)
    assert refusal.limit == limit
    return refusal.wait


def test_a_claim_is_refused_when_the_window_is_full_and_the_wait_is_told() -> None:
    ledger = Ledger()
    for second in (0, 1, 7):
        claimed(ledger, MINUTE, 1, NOON + second)
    assert refused(ledger, MINUTE, 1, NOON + 20) == 45.0


def test_after_the_wait_that_was_told_there_is_room() -> None:
    ledger = Ledger()
    for second in (0, 1, 7):
        claimed(ledger, MINUTE, 1, NOON + second)
    wait = refused(ledger, MINUTE, 1, NOON + 20)
    assert refused(ledger, MINUTE, 1, NOON + 20 + wait - 0.01) == pytest.approx(0.01)
    claimed(ledger, MINUTE, 1, NOON + 20 + wait)


def test_a_greater_amount_waits_until_enough_has_left() -> None:
    ledger = Ledger()
    claimed(ledger, TOKENS, 400, NOON)
    claimed(ledger, TOKENS, 400, NOON + 10)
    assert refused(ledger, TOKENS, 500, NOON + 12) == 65 - 12
    assert refused(ledger, TOKENS, 700, NOON + 12) == 75 - 12


def test_what_is_more_than_the_whole_limit_never_fits() -> None:
    assert refused(Ledger(), TOKENS, 1001, NOON) == NEVER


def test_a_day_begins_anew_at_midnight() -> None:
    ledger = Ledger()
    claimed(ledger, DAY, 5_000_000, NOON)
    assert refused(ledger, DAY, 1, NOON) == 43_200.0
    claimed(ledger, DAY, 1, NOON + 43_200)


def test_all_of_a_claim_is_granted_or_nothing() -> None:
    ledger = Ledger()
    claimed(ledger, TOKENS, 900, NOON)
    assert isinstance(ledger.claim([Claim(MINUTE, 1), Claim(TOKENS, 200)], NOON), Refusal)
    assert ledger.used(MINUTE, NOON) == 0


def test_the_limit_that_is_told_is_the_one_with_the_longest_wait() -> None:
    ledger = Ledger()
    claimed(ledger, TOKENS, 1000, NOON)
    claimed(ledger, DAY, 5_000_000, NOON)
    refusal = ledger.claim([Claim(TOKENS, 1), Claim(DAY, 1)], NOON)
    assert isinstance(refusal, Refusal)
    assert refusal.limit == DAY


def test_so_many_run_at_a_time_and_no_more() -> None:
    ledger = Ledger()
    first = claimed(ledger, RUNNING, 1, NOON)
    claimed(ledger, RUNNING, 1, NOON)
    assert refused(ledger, RUNNING, 1, NOON + 3600) == 0
    ledger.settle(first, {}, NOON + 3600)
    claimed(ledger, RUNNING, 1, NOON + 3600)


def test_a_place_among_the_running_is_given_back_once() -> None:
    ledger = Ledger()
    first = claimed(ledger, RUNNING, 1, NOON)
    claimed(ledger, RUNNING, 1, NOON)
    ledger.settle(first, {}, NOON)
    ledger.settle(first, {}, NOON)
    assert ledger.used(RUNNING, NOON) == 1


def test_a_lease_that_nobody_renews_ends() -> None:
    ledger = Ledger(lease=90)
    kept, lost = claimed(ledger, RUNNING, 1, NOON), claimed(ledger, RUNNING, 1, NOON)
    ledger.renew([kept], NOON + 60)
    assert ledger.used(RUNNING, NOON + 90) == 1
    ledger.renew([lost], NOON + 90)
    assert ledger.used(RUNNING, NOON + 90) == 2


def test_a_settled_claim_counts_what_it_came_to() -> None:
    ledger = Ledger()
    grant = claimed(ledger, TOKENS, 600, NOON)
    ledger.settle(grant, {Measure.TOKENS: 50}, NOON + 3)
    assert ledger.used(TOKENS, NOON + 3) == 50


def test_a_claim_that_came_to_more_can_exceed_the_limit_and_is_waited_for() -> None:
    ledger = Ledger()
    grant = claimed(ledger, TOKENS, 600, NOON)
    ledger.settle(grant, {Measure.TOKENS: 1600}, NOON + 3)
    assert ledger.share(TOKENS, NOON + 3) == 1.6
    assert refused(ledger, TOKENS, 1, NOON + 3) == 62.0


def test_what_is_not_measured_stays_as_it_was_claimed() -> None:
    ledger = Ledger()
    grant = claimed(ledger, TOKENS, 600, NOON)
    ledger.settle(grant, {}, NOON + 3)
    assert ledger.used(TOKENS, NOON + 3) == 600


def test_what_came_to_more_than_was_claimed_counts_from_now_on_when_the_claim_is_outlived() -> None:
    ledger = Ledger()
    grant = claimed(ledger, TOKENS, 600, NOON)
    ledger.settle(grant, {Measure.TOKENS: 700}, NOON + 200)
    assert ledger.used(TOKENS, NOON + 200) == 100


def test_what_came_to_less_changes_nothing_when_the_claim_is_outlived() -> None:
    ledger = Ledger()
    grant = claimed(ledger, TOKENS, 600, NOON)
    claimed(ledger, TOKENS, 500, NOON + 200)
    ledger.settle(grant, {Measure.TOKENS: 0}, NOON + 200)
    assert ledger.used(TOKENS, NOON + 200) == 500


def test_a_limit_that_was_changed_goes_on_with_what_is_counted() -> None:
    ledger = Ledger()
    claimed(ledger, TOKENS, 600, NOON)
    smaller = Limit(TOKENS.scope, TOKENS.measure, 500, TOKENS.span, TOKENS.parts)
    assert refused(ledger, smaller, 1, NOON) == 65.0


def test_what_was_granted_elsewhere_is_noted_even_without_room() -> None:
    ledger = Ledger()
    claimed(ledger, TOKENS, 1000, NOON)
    ledger.note(Grant((Claim(TOKENS, 500),), NOON, "theirs"))
    assert ledger.share(TOKENS, NOON) == 1.5


def test_a_limit_of_nothing_is_always_used_up() -> None:
    nothing = Limit("client:nobody", Measure.REQUESTS, 0, 60, 12)
    assert Ledger().share(nothing, NOON) == 1.0
    assert refused(Ledger(), nothing, 1, NOON) == NEVER


def test_a_clock_that_is_set_back_for_long_does_not_stop_anybody() -> None:
    ledger = Ledger()
    claimed(ledger, TOKENS, 1000, NOON)
    assert ledger.used(TOKENS, NOON - 3600) == 0


def test_a_clock_that_is_set_back_a_little_forgets_nothing() -> None:
    ledger = Ledger()
    claimed(ledger, TOKENS, 1000, NOON)
    assert ledger.used(TOKENS, NOON - 1) == 1000


def test_idle_windows_are_forgotten() -> None:
    ledger = Ledger()
    for number in range(1000):
        claimed(ledger, Limit(f"client:{number}", Measure.REQUESTS, 1, 60, 12), 1, NOON + 10 * number)
    assert len(ledger) <= 8


def test_there_are_never_more_windows_than_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_WINDOWS", 10)
    ledger = Ledger()
    for number in range(100):
        claimed(ledger, Limit(f"client:{number}", Measure.REQUESTS, 1, 60, 12), 1, NOON)
    assert len(ledger) == 10


STEPS = st.lists(
    st.tuples(st.floats(0, 20), st.integers(1, 400), st.sampled_from(["settle", "cancel", "keep"])), max_size=80
)


@given(STEPS)
def test_no_span_holds_more_than_the_limit_whatever_is_claimed_and_settled(
    steps: list[tuple[float, int, str]],
) -> None:
    """Claims that come to no more than was claimed: then nothing is ever exceeded, in any sixty seconds."""
    ledger, now, spent = Ledger(), NOON, []
    for gap, amount, ending in steps:
        now += gap
        grant = ledger.claim([Claim(TOKENS, amount), Claim(MINUTE, 1)], now)
        if not isinstance(grant, Grant):
            continue
        came_to = {"settle": amount // 2, "cancel": 0, "keep": amount}[ending]
        ledger.settle(grant, {Measure.TOKENS: came_to}, now)
        spent.append((now, came_to))
        last = [one for one in spent if one[0] > now - 60]
        assert sum(tokens for _, tokens in last) <= TOKENS.most
        assert len(last) <= MINUTE.most


@given(STEPS)
def test_a_refusal_tells_when_it_would_be_granted(steps: list[tuple[float, int, str]]) -> None:
    ledger, now = Ledger(), NOON
    for gap, amount, _ in steps:
        now += gap
        refusal = ledger.claim([Claim(TOKENS, amount)], now)
        if isinstance(refusal, Refusal):
            assert 0 < refusal.wait <= 65
            assert isinstance(ledger.claim([Claim(TOKENS, amount)], now + refusal.wait + 1e-6), Grant)
            now += refusal.wait + 1e-6


@given(st.lists(st.booleans(), max_size=60))
def test_running_never_exceeds_its_limit_and_comes_back_to_nothing(begins: list[bool]) -> None:
    ledger, running = Ledger(), []
    for begin in begins:
        if begin:
            grant = ledger.claim([Claim(RUNNING, 1)], NOON)
            assert isinstance(grant, Grant) == (len(running) < RUNNING.most)
            running += [grant] if isinstance(grant, Grant) else []
        elif running:
            ledger.settle(running.pop(), {}, NOON)
        assert ledger.used(RUNNING, NOON) == len(running)
    for grant in running:
        ledger.settle(grant, {}, NOON)
    assert ledger.used(RUNNING, NOON) == 0


BUDGET = Limit("client:a", Measure.MICRODOLLARS, 1000, period=Period.WEEK)
FOR_GOOD = Limit("client:a", Measure.MICRODOLLARS, 1000, period=Period.ALL)
SUNDAY_NOON = 1_700_395_200.0
"""2023-11-19, twelve hours before the week ends."""


def test_a_budget_renews_when_its_period_does() -> None:
    ledger = Ledger()
    claimed(ledger, BUDGET, 1000, SUNDAY_NOON)
    assert refused(ledger, BUDGET, 1, SUNDAY_NOON) == 43_200
    claimed(ledger, BUDGET, 1000, SUNDAY_NOON + 43_200)


def test_a_budget_for_good_never_renews() -> None:
    ledger = Ledger()
    claimed(ledger, FOR_GOOD, 1000, SUNDAY_NOON)
    assert refused(ledger, FOR_GOOD, 1, SUNDAY_NOON) == NEVER
    assert refused(ledger, FOR_GOOD, 1, SUNDAY_NOON * 2) == NEVER


def test_what_a_request_came_to_is_spent_of_the_period_that_it_began_in() -> None:
    ledger = Ledger()
    grant = claimed(ledger, BUDGET, 100, SUNDAY_NOON)
    ledger.settle(grant, {Measure.MICRODOLLARS: 900}, SUNDAY_NOON + 43_200)
    assert ledger.used(BUDGET, SUNDAY_NOON + 43_200) == 0


def test_a_clients_budgets_are_counted_apart() -> None:
    ledger = Ledger()
    grant = ledger.claim([Claim(BUDGET, 10), Claim(FOR_GOOD, 10)], SUNDAY_NOON)
    assert isinstance(grant, Grant)
    ledger.settle(grant, {Measure.MICRODOLLARS: 7}, SUNDAY_NOON)
    assert [ledger.used(limit, SUNDAY_NOON + 43_200) for limit in (BUDGET, FOR_GOOD)] == [0, 7]


def test_what_counts_is_raised_to_what_is_remembered_and_never_lowered() -> None:
    ledger = Ledger()
    claimed(ledger, BUDGET, 300, SUNDAY_NOON)
    ledger.raise_to(BUDGET, 700, SUNDAY_NOON)
    assert ledger.used(BUDGET, SUNDAY_NOON) == 700
    ledger.raise_to(BUDGET, 100, SUNDAY_NOON)
    assert ledger.used(BUDGET, SUNDAY_NOON) == 700


@given(st.lists(st.tuples(st.floats(-90, 90), st.integers(0, 1000)), max_size=40))
def test_what_counts_is_the_sum_of_its_parts_however_the_clock_goes(steps: list[tuple[float, int]]) -> None:
    ledger, parts, now = Ledger(), dict[int, int](), NOON
    for passed, amount in steps:
        now += passed
        ledger.note(Grant((Claim(TOKENS, amount),), now, ""))
        current = int(now // 5)
        parts[current] = parts.get(current, 0) + amount
        parts = {part: sums for part, sums in parts.items() if abs(part - current) <= 12}
        assert ledger.used(TOKENS, now) == sum(parts.values())


@given(st.lists(st.tuples(st.floats(0, 60), st.booleans()), max_size=40))
def test_as_many_run_as_were_begun_or_renewed_within_a_lease(steps: list[tuple[float, bool]]) -> None:
    ledger, grants, until, now = Ledger(lease=90), list[Grant](), dict[str, float](), NOON
    many = Limit("provider:a", Measure.RUNNING, 100)
    for passed, begins in steps:
        now += passed
        if begins:
            grants.append(claimed(ledger, many, 1, now))
        else:
            ledger.renew(grants[-1:], now)
        until |= {grant.lease: now + 90 for grant in grants[-1:]}
        assert ledger.used(many, now) == sum(1 for end in until.values() if end > now)

"""What rests together, what one failure counts for, and which word of a provider is believed."""

from collections.abc import Callable

import pytest

from isthmus.core.errors import RULES, Kind, Rest
from isthmus.routing.health import TRY_EVERY, Health, Patience, Place, State

HERE = Place("openai", "first", "gpt-5")
BESIDE = Place("openai", "first", "gpt-5-mini")
OTHER = Place("openai", "second", "gpt-5")
ELSEWHERE = Place("groq", "key", "llama")
PATIENCE = Patience(first=1.0, cap=8.0, hint_cap=7200.0)


def ledger() -> Health:
    return Health(PATIENCE)


def states(health: Health, now: float) -> list[State]:
    return [health.state(place, now) for place in (HERE, BESIDE, OTHER, ELSEWHERE)]


def fail(health: Health, kind: Kind, now: float, *, at: Place = HERE, hint: float | None = None) -> None:
    health.failed(at, kind, RULES[kind].rest, now, hint=hint)


RESTING, READY = State.RESTING, State.READY


@pytest.mark.parametrize(
    ("kind", "resting"),
    [
        (Kind.UPSTREAM_LIMITED, [RESTING, READY, READY, READY]),
        (Kind.OVERLOADED, [RESTING, READY, READY, READY]),
        (Kind.QUOTA_SPENT, [RESTING, RESTING, READY, READY]),
        (Kind.CREDENTIAL_REJECTED, [RESTING, RESTING, READY, READY]),
        (Kind.UNREACHABLE, [RESTING, RESTING, RESTING, READY]),
        (Kind.INVALID, [READY, READY, READY, READY]),
    ],
)
def test_the_kind_of_an_error_says_how_much_rests(kind: Kind, resting: list[State]) -> None:
    health = ledger()
    fail(health, kind, 0.0)
    assert states(health, 0.5) == resting


def test_an_answer_of_any_key_tells_that_the_provider_is_back() -> None:
    health = ledger()
    fail(health, Kind.UNREACHABLE, 0.0)
    health.answered(OTHER, 1.0)
    assert states(health, 1.0) == [READY] * 4


def test_an_answer_of_another_model_ends_an_accounts_rest_and_no_models() -> None:
    health = ledger()
    fail(health, Kind.UPSTREAM_LIMITED, 0.0, hint=60.0)
    fail(health, Kind.QUOTA_SPENT, 0.0, hint=60.0)
    health.answered(BESIDE, 1.0)
    assert states(health, 1.0) == [RESTING, READY, READY, READY]


def test_one_silent_place_rests_alone_and_two_in_a_row_rest_their_provider() -> None:
    health = ledger()
    fail(health, Kind.TIMED_OUT, 0.0)
    assert states(health, 0.5) == [RESTING, READY, READY, READY]
    fail(health, Kind.TIMED_OUT, 0.5, at=OTHER)
    assert states(health, 0.6) == [RESTING, RESTING, RESTING, READY]


def test_an_answer_between_two_silences_tells_that_the_provider_is_well() -> None:
    health = ledger()
    fail(health, Kind.TIMED_OUT, 0.0)
    health.answered(BESIDE, 0.2)
    fail(health, Kind.TIMED_OUT, 0.5, at=OTHER)
    assert states(health, 0.6) == [RESTING, READY, RESTING, READY]


def test_requests_that_fail_together_double_nothing() -> None:
    """Row 42: one bad moment is one failure, however many requests were under way in it."""
    health = ledger()
    for _ in range(50):
        health.failed(HERE, Kind.UPSTREAM_FAULT, Rest.TARGET, 1.0, since=0.5)
    assert health.rests_until(HERE, 1.0) == 2.0


def test_one_error_among_many_answers_costs_a_place_no_more_than_a_moment() -> None:
    """Row 42: who answers others meanwhile is well."""
    health = ledger()
    health.failed(HERE, Kind.UPSTREAM_FAULT, Rest.TARGET, 1.0, since=0.5)
    health.answered(HERE, 0.6)
    assert health.state(HERE, 1.0) is READY


def test_an_answer_asked_for_before_a_limit_does_not_end_it() -> None:
    health = ledger()
    health.failed(HERE, Kind.UPSTREAM_LIMITED, Rest.TARGET, 1.0, hint=30.0, since=0.9)
    health.answered(HERE, 0.5)
    health.succeeded(HERE, 0.5)
    assert health.rests_until(HERE, 1.0) == 31.0


def test_a_later_word_is_kept_when_a_failure_without_a_word_follows() -> None:
    """Row 41: always the latest deadline."""
    health = ledger()
    fail(health, Kind.UPSTREAM_LIMITED, 0.0, hint=100.0)
    fail(health, Kind.OVERLOADED, 1.0)
    assert health.rests_until(HERE, 1.0) == 100.0
    assert health.hinted(HERE)


def test_a_long_rest_is_tried_by_one_request_every_ten_minutes() -> None:
    """Row 40: a provider that named days by mistake is believed no longer than it fails."""
    health = ledger()
    fail(health, Kind.QUOTA_SPENT, 0.0, hint=6 * 86_400.0)
    assert health.state(HERE, TRY_EVERY - 1) is RESTING
    assert health.state(HERE, TRY_EVERY) is State.TRIAL
    health.begin(HERE, TRY_EVERY)
    assert health.state(BESIDE, TRY_EVERY + 1) is RESTING
    fail(health, Kind.QUOTA_SPENT, TRY_EVERY + 1)
    assert health.rests_until(HERE, TRY_EVERY + 1) == PATIENCE.hint_cap
    assert health.state(HERE, 2 * TRY_EVERY) is RESTING
    assert health.state(HERE, 2 * TRY_EVERY + 1) is State.TRIAL


def test_a_long_rest_ends_with_the_first_answer_to_such_a_request() -> None:
    health = ledger()
    fail(health, Kind.QUOTA_SPENT, 0.0, hint=86_400.0)
    health.begin(HERE, TRY_EVERY)
    health.answered(HERE, TRY_EVERY)
    assert health.state(BESIDE, TRY_EVERY + 1) is READY


def test_a_rest_that_is_not_long_is_not_tried_before_its_end() -> None:
    health = ledger()
    fail(health, Kind.UPSTREAM_LIMITED, 0.0, hint=TRY_EVERY)
    assert health.state(HERE, TRY_EVERY - 0.1) is RESTING


def test_a_revoked_key_rests_as_long_as_any_may() -> None:
    health = ledger()
    fail(health, Kind.CREDENTIAL_REVOKED, 0.0)
    assert health.rests_until(BESIDE, 0.0) == PATIENCE.hint_cap


def test_who_breaks_off_every_answer_rests_longer_each_time() -> None:
    """An answer's beginning is not the last word."""
    health, now, lengths = ledger(), 0.0, []
    for _ in range(5):
        health.begin(HERE, now)
        health.answered(HERE, now)
        assert health.state(HERE, now) is READY
        health.failed(HERE, Kind.CUT_SHORT, Rest.TARGET, now + 1, since=now)
        lengths.append(health.rests_until(HERE, now) - (now + 1))
        now = health.rests_until(HERE, now)
    assert lengths == [1.0, 2.0, 4.0, 8.0, 8.0]


def test_an_answer_that_ends_well_makes_all_forgotten() -> None:
    health = ledger()
    fail(health, Kind.OVERLOADED, 0.0)
    health.answered(HERE, 1.0)
    assert health.ailing
    health.succeeded(HERE, 1.0)
    assert not health.ailing


def test_the_worst_rest_of_a_place_is_told_with_its_scope() -> None:
    health = ledger()
    fail(health, Kind.UPSTREAM_LIMITED, 0.0, hint=5.0)
    fail(health, Kind.QUOTA_SPENT, 0.0, hint=50.0)
    worst = health.worst(HERE, 1.0)
    assert worst is not None
    assert (worst.place, worst.kind, worst.until) == (HERE.account, Kind.QUOTA_SPENT, 50.0)
    assert health.worst(OTHER, 1.0) is None


def test_rests_of_a_whole_provider_can_be_ended() -> None:
    health = ledger()
    fail(health, Kind.UNREACHABLE, 0.0)
    fail(health, Kind.OVERLOADED, 0.0, at=OTHER)
    fail(health, Kind.OVERLOADED, 0.0, at=ELSEWHERE)
    assert health.clear(Place("openai")) == 2
    assert states(health, 0.5) == [READY, READY, READY, RESTING]


def test_rests_known_from_elsewhere_are_taken_over_where_they_last_longer() -> None:
    here, there = ledger(), ledger()
    fail(there, Kind.QUOTA_SPENT, 0.0, hint=100.0)
    fail(here, Kind.QUOTA_SPENT, 0.0, hint=10.0)
    here.restore(there.resting(1.0), 1.0)
    assert here.rests_until(BESIDE, 1.0) == 100.0
    there.restore(here.resting(1.0), 1.0)
    assert [one.until for one in there.resting(1.0)] == [100.0]


def test_nothing_that_is_taken_over_outlasts_the_cap() -> None:
    far = ledger()
    far.failed(HERE, Kind.QUOTA_SPENT, Rest.TARGET, 1_000_000.0, hint=7200.0)
    health = ledger()
    health.restore(far.resting(1_000_000.0), 0.0)
    assert health.rests_until(HERE, 0.0) == PATIENCE.hint_cap


def test_every_rest_that_begins_or_ends_counts_as_a_change() -> None:
    health, seen = ledger(), []
    steps: tuple[Callable[[], object], ...] = (
        lambda: health.begin(HERE, 0.0),
        lambda: fail(health, Kind.OVERLOADED, 0.0),
        lambda: health.begin(HERE, 1.0),
        lambda: health.answered(HERE, 1.0),
        lambda: health.succeeded(HERE, 1.0),
    )
    for step in steps:
        before = health.changes
        step()
        seen.append(health.changes > before)
    assert seen == [False, True, False, True, False]

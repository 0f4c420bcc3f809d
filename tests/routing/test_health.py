"""Nothing rests longer than it must, and everything comes back by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.core.errors import Kind, Rest
from isthmus.routing import health
from isthmus.routing.health import Health, Patience, Place, State

HERE = Place("openai", "first", "gpt-5")
BESIDE = Place("openai", "first", "gpt-5-mini")
OTHER = Place("openai", "second", "gpt-5")
PATIENCE = Patience(first=1.0, cap=8.0, hint_cap=100.0)


def ledger() -> Health:
    return Health(PATIENCE)


def fail(health: Health, now: float, *, hint: float | None = None, rest: Rest = Rest.TARGET) -> None:
    health.begin(HERE, now)
    health.failed(HERE, Kind.OVERLOADED, rest, now, hint=hint)


def test_a_place_that_never_failed_is_ready() -> None:
    assert ledger().state(HERE, 0.0) is State.READY


def test_a_failure_rests_one_model_under_one_key() -> None:
    health = ledger()
    fail(health, 0.0)
    assert [health.state(place, 0.5) for place in (HERE, BESIDE, OTHER)] == [State.RESTING, State.READY, State.READY]


def test_a_failure_of_the_credential_rests_all_its_models() -> None:
    health = ledger()
    fail(health, 0.0, rest=Rest.CREDENTIAL)
    assert [health.state(place, 0.5) for place in (HERE, BESIDE, OTHER)] == [State.RESTING, State.RESTING, State.READY]


def test_a_fault_of_the_request_rests_nobody() -> None:
    health = ledger()
    fail(health, 0.0, rest=Rest.NOTHING)
    assert health.state(HERE, 0.0) is State.READY


def test_without_a_word_of_the_provider_rests_double_up_to_a_cap() -> None:
    health, now, lengths = ledger(), 0.0, []
    for _ in range(6):
        fail(health, now)
        lengths.append(health.rests_until(HERE, now) - now)
        now = health.rests_until(HERE, now)
    assert lengths == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


@pytest.mark.parametrize(("hint", "length"), [(0.0, 0.0), (7.5, 7.5), (86_400.0, 100.0)])
def test_the_providers_word_is_believed_up_to_a_cap(hint: float, length: float) -> None:
    health = ledger()
    fail(health, 10.0, hint=hint)
    assert health.rests_until(HERE, 10.0) == 10.0 + length


def test_a_later_and_longer_word_holds_and_a_shorter_one_does_not_undo_it() -> None:
    health = ledger()
    fail(health, 0.0, hint=5.0)
    fail(health, 1.0, hint=50.0)
    fail(health, 2.0, hint=1.0)
    assert health.rests_until(HERE, 2.0) == 51.0


def test_after_a_rest_one_request_at_a_time_finds_out() -> None:
    health = ledger()
    fail(health, 0.0)
    assert health.state(HERE, 1.0) is State.TRIAL
    health.begin(HERE, 1.0)
    assert health.state(HERE, 1.1) is State.RESTING


def test_the_first_answer_brings_it_back_for_all() -> None:
    health = ledger()
    fail(health, 0.0, rest=Rest.CREDENTIAL)
    health.begin(HERE, 1.0)
    health.succeeded(HERE)
    assert [health.state(place, 1.0) for place in (HERE, BESIDE)] == [State.READY, State.READY]
    fail(health, 2.0)
    assert health.rests_until(HERE, 2.0) == 3.0


def test_a_trial_whose_client_left_tells_nothing_and_the_next_one_may_try() -> None:
    health = ledger()
    fail(health, 0.0)
    health.begin(HERE, 1.0)
    health.left(HERE)
    assert health.state(HERE, 1.1) is State.TRIAL


def test_a_trial_without_end_does_not_keep_the_others_out_for_ever() -> None:
    health = ledger()
    fail(health, 0.0)
    health.begin(HERE, 1.0)
    assert health.state(HERE, 8.9) is State.RESTING
    assert health.state(HERE, 9.0) is State.TRIAL


def test_rests_are_listed_and_can_be_ended() -> None:
    health = ledger()
    fail(health, 0.0, hint=30.0)
    fail(health, 0.0, rest=Rest.CREDENTIAL)
    listed = list(health.resting(0.5))
    assert [(one.place, one.until, one.hinted) for one in listed] == [
        (HERE, 30.0, True),
        (HERE.account, 1.0, False),
    ]
    assert health.clear(HERE.account) == 2
    assert list(health.resting(0.5)) == []
    assert health.clear() == 0


def test_what_is_configured_no_more_is_forgotten() -> None:
    health = ledger()
    fail(health, 0.0)
    health.keep(frozenset({"anthropic"}))
    assert health.state(HERE, 0.0) is State.READY


def test_there_is_a_bound_to_what_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "MOST_PLACES", 3)
    kept = ledger()
    for number in range(5):
        kept.failed(Place("p", "k", f"m{number}"), Kind.OVERLOADED, Rest.TARGET, float(number))
    assert [one.place.model for one in kept.resting(0.0)] == ["m2", "m3", "m4"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["fail", "limit", "succeed", "leave"]),
            st.floats(0, 20),
            st.none() | st.floats(0, 1000),
        ),
        max_size=30,
    )
)
def test_whatever_happens_nobody_rests_past_its_caps_and_everybody_comes_back(
    steps: list[tuple[str, float, float | None]],
) -> None:
    health, now, latest = ledger(), 0.0, 0.0
    for what, passed, hint in steps:
        now += passed
        health.begin(HERE, now)
        match what:
            case "fail" | "limit":
                rest = Rest.TARGET if what == "fail" else Rest.CREDENTIAL
                health.failed(HERE, Kind.OVERLOADED, rest, now, hint=hint)
                latest = max(latest, now + (PATIENCE.cap if hint is None else min(hint, PATIENCE.hint_cap)))
            case "succeed":
                health.succeeded(HERE)
            case _:
                health.left(HERE)
        assert health.rests_until(HERE, now) <= max(now, latest)
    after = max(now, latest) + PATIENCE.cap
    assert health.state(HERE, after) is not State.RESTING
    health.begin(HERE, after)
    health.succeeded(HERE)
    assert health.state(HERE, after) is State.READY

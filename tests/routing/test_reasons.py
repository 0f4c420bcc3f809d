"""Reasons are told in plain words, for every strategy and every kind of failure."""

import pytest

from isthmus.core.errors import RULES, Blame, Kind
from isthmus.routing.health import Place, Resting, State
from isthmus.routing.plan import Strategy
from isthmus.routing.reasons import ORDERED, health_words, seconds


def rest(place: Place, kind: Kind = Kind.OVERLOADED, *, hinted: bool = False, failures: int = 1) -> Resting:
    return Resting(place=place, kind=kind, until=110.0, failures=failures, hinted=hinted, since=90.0)


def words(one: Resting) -> str:
    return health_words(State.RESTING, one, 100.0)


def test_every_strategy_says_how_it_orders() -> None:
    assert set(ORDERED) == set(Strategy)


@pytest.mark.parametrize("kind", [kind for kind, rule in RULES.items() if rule.blame is Blame.UPSTREAM])
def test_every_fault_of_a_provider_has_its_words(kind: Kind) -> None:
    assert not words(rest(Place("one", "a", "m"), kind)).endswith("it failed")


@pytest.mark.parametrize(
    ("place", "begins"),
    [
        (Place("one", "a", "m"), "it rests for another 10 s"),
        (Place("one", "a"), "all of the key a rests for another 10 s"),
        (Place("one"), "all of the provider rests for another 10 s"),
    ],
    ids=["a model", "a key", "a provider"],
)
def test_it_is_told_what_rests(place: Place, begins: str) -> None:
    assert words(rest(place)).startswith(begins)


def test_it_is_told_who_named_the_time_and_how_often_it_failed() -> None:
    told = words(rest(Place("one", "a", "m"), Kind.UPSTREAM_LIMITED, hinted=True, failures=3))
    assert told == "it rests for another 10 s, as the provider asked: its rate limit was reached 3 times in a row"


@pytest.mark.parametrize(("state", "told"), [(State.READY, "it is well"), (State.TRIAL, "finds out")])
def test_who_does_not_rest_is_well_or_about_to_be_tried(state: State, told: str) -> None:
    assert told in health_words(state, None, 100.0)


def test_a_trial_that_another_request_makes_is_told() -> None:
    assert "another request is just finding out" in health_words(State.RESTING, None, 100.0)


@pytest.mark.parametrize(("number", "told"), [(-1.0, "0.0 s"), (0.25, "0.2 s"), (9.9, "9.9 s"), (61.4, "61 s")])
def test_short_times_have_a_tenth(number: float, told: str) -> None:
    assert seconds(number) == told

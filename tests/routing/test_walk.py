"""Whom one request asks, in which order, and when it gives up."""

from hypothesis import given
from hypothesis import strategies as st

from isthmus.core.errors import GatewayError, Kind, Rest
from isthmus.routing.board import Board
from isthmus.routing.health import Health, Place
from isthmus.routing.order import Moment
from isthmus.routing.places import ONE_KEY, Credential, Places
from isthmus.routing.plan import Target, first_of
from isthmus.routing.walk import SHORT, Walk

ONE, TWO = Target("one", "m"), Target("two", "m")
PLACES = Places({"one": ONE_KEY, "two": ONE_KEY, "pool": tuple(map(Credential, "abc"))})
OVERLOADED = GatewayError(Kind.OVERLOADED, "later")


def walk(health: Health, *targets: Target, patience: float = 5.0, now: float = 0.0) -> Walk:
    return Walk(first_of(*targets), PLACES, board_of(health), patience=patience, moment=Moment(now))


def board_of(health: Health) -> Board:
    board = Board()
    board.health = health
    return board


def limited(seconds: float | None) -> GatewayError:
    return GatewayError(Kind.UPSTREAM_LIMITED, "slow down", retry_after=seconds)


def way(walk: Walk, *errors: GatewayError, now: float = 0.0) -> list[tuple[str, float]]:
    """Who is asked and after how long, when the asks fail with these errors one after the other."""
    asked = []
    for error in errors:
        ask = walk.next(now)
        if ask is None:
            return asked
        asked.append((f"{ask.target.provider}/{ask.credential}", ask.wait))
        if not walk.failed(ask, error, 1.0):
            return asked
    assert walk.next(now) is None
    return asked


def test_the_plans_order_holds_and_the_last_one_is_asked_once_more() -> None:
    assert way(walk(Health(), ONE, TWO), OVERLOADED, OVERLOADED, OVERLOADED) == [
        ("one/key", 0.0),
        ("two/key", 0.0),
        ("two/key", 0.25),
    ]


def test_a_fault_of_the_request_ends_it() -> None:
    assert way(walk(Health(), ONE, TWO), GatewayError(Kind.INVALID, "no")) == [("one/key", 0.0)]


def test_a_limit_is_not_asked_again_unless_it_is_short() -> None:
    assert way(walk(Health(), ONE, TWO), limited(60.0), limited(None)) == [("one/key", 0.0), ("two/key", 0.0)]
    assert way(walk(Health(), ONE, TWO), limited(SHORT), limited(60.0), limited(60.0)) == [
        ("one/key", 0.0),
        ("one/key", SHORT),
        ("two/key", 0.0),
    ]


def test_who_rests_comes_after_who_is_well() -> None:
    health = Health()
    health.failed(Place("one", "key", "m"), Kind.OVERLOADED, Rest.TARGET, 0.0)
    assert way(walk(health, ONE, TWO), OVERLOADED, OVERLOADED, OVERLOADED) == [
        ("two/key", 0.0),
        ("one/key", 0.0),
        ("one/key", 0.25),
    ]


def test_whose_rest_is_over_is_asked_in_its_old_place() -> None:
    health = Health()
    health.failed(Place("one", "key", "m"), Kind.OVERLOADED, Rest.TARGET, 0.0)
    first = walk(health, ONE, TWO, now=1.0).next(1.0)
    assert first is not None
    assert first.target == ONE


def test_who_named_a_time_is_waited_for_if_that_is_short_and_else_nobody_is_left() -> None:
    health = Health()
    health.failed(Place("one", "key", "m"), Kind.UPSTREAM_LIMITED, Rest.TARGET, 0.0, hint=4.0)
    patient, hasty = walk(health, ONE), walk(health, ONE, patience=3.0)
    ask = patient.next(1.0)
    assert ask is not None
    assert ask.wait == 3.0
    assert hasty.next(0.5) is None
    assert hasty.rests(0.5) == 3.5


def test_keys_take_turns() -> None:
    board, pool = Board(), first_of(Target("pool", "m"))
    first = [Walk(pool, PLACES, board, patience=0.0).next(0.0) for _ in range(4)]
    assert [ask.credential for ask in first if ask is not None] == ["a", "b", "c", "a"]


def test_every_key_is_asked_before_the_next_provider() -> None:
    errors = [limited(60.0)] * 4
    asked = way(walk(Health(), Target("pool", "m"), ONE), *errors)
    assert [name for name, _ in asked] == ["pool/a", "pool/b", "pool/c", "one/key"]


RESTS = st.tuples(st.sampled_from(["one", "two", "a", "b", "c"]), st.none() | st.floats(0, 30))


@given(st.lists(RESTS, max_size=6), st.floats(0, 20), st.floats(0, 10))
def test_nobody_who_is_well_is_left_out_whoever_rests(
    rests: list[tuple[str, float | None]], now: float, patience: float
) -> None:
    """Whatever can be asked is asked; nobody before a time that it named; waits keep to the bound."""
    health, targets = Health(), (ONE, Target("pool", "m"), TWO)
    places = {
        "one": Place("one", "key", "m"),
        "two": Place("two", "key", "m"),
        **{key: Place("pool", key, "m") for key in "abc"},
    }
    for name, hint in rests:
        health.failed(places[name], Kind.UPSTREAM_LIMITED, Rest.TARGET, 0.0, hint=hint)
    made, seen, waited = walk(health, *targets, patience=patience), set(), 0.0
    while (ask := made.next(now)) is not None:
        assert ask.place not in seen
        seen.add(ask.place)
        waited += ask.wait
        if health.hinted(ask.place):
            assert now + ask.wait >= health.rests_until(ask.place, now)
        made.failed(ask, limited(None), 0.5)
    assert waited <= patience
    for place in places.values():
        if health.rests_until(place, now) <= now or not health.hinted(place):
            assert place in seen

"""For whatever goes wrong, in whatever order, on a clock that is only moved by hand.

A small world: providers with keys, each place well or failing at times that are drawn; requests walk as the engine
lets them, and wait by moving the clock.
"""

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.core.errors import RULES, GatewayError, Kind
from isthmus.routing.board import Board
from isthmus.routing.health import TRY_EVERY, Health, Patience, Place, State
from isthmus.routing.places import Ask, Credential, Places
from isthmus.routing.plan import Target, Tier
from isthmus.routing.retry_budget import RetryBudgetRule
from isthmus.routing.walk import ONCE_MORE, Walk

TARGETS = (Target("one", "m"), Target("two", "m"), Target("three", "m"))
PLACES = Places({name: tuple(map(Credential, "ab")) for name in ("one", "two", "three")})
ALL = [ask.place for target in TARGETS for ask in PLACES.of(target)]
PATIENCE = Patience(first=1.0, cap=30.0, hint_cap=3600.0)
GENEROUS = RetryBudgetRule(share=1.0, least=1_000_000)
DEADLINE = 5.0
"""Seconds that a request may wait in all."""

KINDS = (
    Kind.UPSTREAM_LIMITED,
    Kind.QUOTA_SPENT,
    Kind.CREDENTIAL_REJECTED,
    Kind.OVERLOADED,
    Kind.UPSTREAM_FAULT,
    Kind.UNREACHABLE,
    Kind.TIMED_OUT,
    Kind.GARBLED,
    Kind.CUT_SHORT,
)
FAULTS = st.builds(
    lambda kind, hint: GatewayError(kind, "no", retry_after=hint),
    st.sampled_from(KINDS),
    st.none() | st.floats(0.0, 100_000.0),
)
WORLDS = st.fixed_dictionaries({place: st.none() | FAULTS for place in ALL})
"""What each place answers for a while: an answer, or this fault."""


class World:
    """Places that answer or fail, and what is known of them."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.board = Board()
        self.board.health = Health(PATIENCE)
        self.board.retries.rule = GENEROUS
        self.faults: Mapping[Place, GatewayError | None] = dict.fromkeys(ALL)
        self.asked: list[Place] = []

    def request(self) -> Place | None:
        """Who answers one request; None when nobody does."""
        walk = Walk((Tier(TARGETS),), PLACES, self.board, patience=DEADLINE)
        self.asked = []
        while (ask := walk.next(self.now)) is not None:
            self.now += ask.wait
            self.asked.append(ask.place)
            fault = self._ask(ask)
            if fault is None:
                return ask.place
            if not walk.failed(ask, fault, 0.5):
                return None
        return None

    def _ask(self, ask: Ask) -> GatewayError | None:
        health, fault, began = self.board.health, self.faults[ask.place], self.now
        health.begin(ask.place, began)
        if fault is None:
            health.answered(ask.place, began)
            health.succeeded(ask.place, began)
        else:
            rule = RULES[fault.kind]
            health.failed(ask.place, fault.kind, rule.rest, self.now, hint=fault.retry_after, since=began)
        return fault


def usable(world: World) -> list[Place]:
    """Places that would answer, and whose provider has not asked for a longer patience than a request has."""
    health = world.board.health
    return [
        place
        for place, fault in world.faults.items()
        if fault is None
        and (not health.hinted(place) or health.rests_until(place, world.now) <= world.now + DEADLINE)
        and not _unreachable(world, place)
    ]


def _unreachable(world: World, place: Place) -> bool:
    """A provider of which one key's host is gone is gone: hosts have no keys."""
    return any(
        fault is not None and fault.kind is Kind.UNREACHABLE and other.provider == place.provider
        for other, fault in world.faults.items()
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(WORLDS, st.floats(0.0, 120.0), st.integers(1, 4)), max_size=6), WORLDS)
def test_no_request_fails_while_somebody_could_answer_it_in_time(
    history: list[tuple[Mapping[Place, GatewayError | None], float, int]],
    present: Mapping[Place, GatewayError | None],
) -> None:
    """Whatever happened before."""
    world = World()
    for faults, passed, requests in history:
        world.faults = faults
        for _ in range(requests):
            world.request()
        world.now += passed
    world.faults = present
    could = usable(world)
    began = world.now
    answered = world.request()
    assert answered is not None or not could, f"{could} could have answered; asked were {world.asked}"
    assert world.now - began <= DEADLINE + 2.0 * ONCE_MORE


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(WORLDS, st.floats(0.0, 300.0)), min_size=1, max_size=12))
def test_each_request_asks_a_place_once_and_one_of_them_once_more(
    history: list[tuple[Mapping[Place, GatewayError | None], float]],
) -> None:
    """Row 42: the list of attempts is a set, but for one repetition."""
    world = World()
    for faults, passed in history:
        world.faults = faults
        world.request()
        assert len(world.asked) - len(set(world.asked)) <= ONCE_MORE
        world.now += passed


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(WORLDS, st.floats(0.0, 300.0), st.integers(1, 3)), min_size=1, max_size=10))
def test_nobody_rests_past_the_latest_word_or_the_cap_and_all_come_back(
    history: list[tuple[Mapping[Place, GatewayError | None], float, int]],
) -> None:
    world, latest = World(), 0.0
    for faults, passed, requests in history:
        world.faults = faults
        for _ in range(requests):
            world.request()
            for fault in filter(None, faults.values()):
                hint = fault.retry_after
                length = PATIENCE.cap if hint is None else max(PATIENCE.cap, min(hint, PATIENCE.hint_cap))
                latest = max(latest, world.now + length)
        assert all(world.board.health.rests_until(place, world.now) <= max(world.now, latest) for place in ALL)
        world.now += passed
    world.faults = dict.fromkeys(ALL)
    world.now = max(world.now, latest) + PATIENCE.cap
    assert all(world.board.health.state(place, world.now) is not State.RESTING for place in ALL)


@settings(max_examples=100, deadline=None)
@given(FAULTS, st.floats(0.1, 20.0))
def test_who_recovers_has_traffic_again_within_its_window(fault: GatewayError, every: float) -> None:
    """The first place of the plan fails once and is well again; requests come at an even pace."""
    world = World()
    first = ALL[0]
    while world.request() != first:
        pass
    world.faults = {**world.faults, first: fault}
    while first not in world.asked or world.faults[first] is None:
        world.request()
    world.faults = dict.fromkeys(ALL)
    failed_at = world.now
    rest = PATIENCE.first if fault.retry_after is None else min(fault.retry_after, PATIENCE.hint_cap)
    keys = 2
    window = min(rest, TRY_EVERY) + PATIENCE.cap + (keys + 1) * every
    while world.request() != first:
        world.now += every
        assert world.now - failed_at <= window

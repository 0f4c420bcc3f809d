"""What holds of every order, whatever is known of the places; and how traffic leaves one that fails, and returns."""

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.clock import FakeClock
from isthmus.core.errors import Kind, Rest
from isthmus.routing.board import Board
from isthmus.routing.health import Place, State
from isthmus.routing.order import Moment, Scales, Used, line_up
from isthmus.routing.places import Ask, Credential, Places
from isthmus.routing.plan import Strategy, Target, Tier

NAMES = ("one", "two", "three", "four")
PLACES = Places({
    "one": (Credential("key"),),
    "two": tuple(map(Credential, "ab")),
    "three": (),
    "four": tuple(map(Credential, "abcde")),
})  # fmt: skip
ALL = [ask.place for name in NAMES for ask in PLACES.of(Target(name, "m"))]


class Known(NamedTuple):
    """What is known of one place. `streamed` and `whole` are answer times, `used` shares of its limits."""

    running: int
    streamed: float | None
    whole: float | None
    failures: int
    rests: float | None
    used: tuple[float, float, float]
    price: float | None


SHARE = st.floats(0, 1.5)
TIMES = st.none() | st.floats(0, 100)
KNOWN = st.builds(
    Known,
    running=st.integers(0, 3),
    streamed=TIMES,
    whole=TIMES,
    failures=st.integers(0, 5),
    rests=st.none() | st.floats(0, 50),
    used=st.tuples(SHARE, SHARE, SHARE),
    price=st.none() | st.floats(0, 1e6),
)
STATES = st.fixed_dictionaries({place: KNOWN for place in ALL})
MOMENTS = st.builds(Moment, now=st.floats(0, 100), stream=st.booleans(), draw=st.floats(0, 1))
TIERS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.builds(
        Tier,
        st.just(tuple(Target(name, "m") for name in names)),
        st.sampled_from(list(Strategy)),
        st.just(()) | st.tuples(*[st.floats(0.01, 100)] * len(names)),
    )
)


def board_of(state: dict[Place, Known]) -> Board:
    board = Board()
    for place, known in state.items():
        for _ in range(known.running):
            board.meters.began(place, 0.0)
        meter = board.meters.began(place, 0.0)
        for seconds, stream in ((known.streamed, True), (known.whole, False)):
            if seconds is not None:
                meter.answered(seconds, 0.0, stream=stream)
        for _ in range(known.failures):
            meter.failed(0.0)
        meter.ended()
        if known.rests is not None:
            board.health.failed(place, Kind.UPSTREAM_LIMITED, Rest.TARGET, 0.0, hint=known.rests)
    return board


def scales_of(state: dict[Place, Known]) -> Scales:
    return Scales(share=lambda place: Used(*state[place].used), price=lambda ask: state[ask.place].price)


def lined_up(tier: Tier, board: Board, moment: Moment, prefer: Place | None = None) -> Sequence[Ask]:
    return line_up(tier, [PLACES.of(target) for target in tier.targets], board, moment, prefer=prefer)


@given(STATES, st.lists(st.tuples(TIERS, MOMENTS), min_size=1, max_size=5), st.none() | st.sampled_from(ALL))
def test_every_order_has_every_place_once(
    state: dict[Place, Known], asked: list[tuple[Tier, Moment]], prefer: Place | None
) -> None:
    board, scales = board_of(state), scales_of(state)
    for tier, moment in asked:
        for weighed in (moment, Moment(moment.now, moment.stream, moment.draw, scales)):
            order = lined_up(tier, board, weighed, prefer)
            expected = [ask for target in tier.targets for ask in PLACES.of(target)]
            assert sorted(ask.place for ask in order) == sorted(ask.place for ask in expected)


@given(STATES, TIERS, MOMENTS, st.none() | st.sampled_from(ALL))
def test_nobody_who_rests_stands_before_somebody_who_does_not(
    state: dict[Place, Known], tier: Tier, moment: Moment, prefer: Place | None
) -> None:
    """But for who is preferred and back in a moment, as its provider said, which is waited for."""
    board = board_of(state)
    order = [ask for ask in lined_up(tier, board, moment, prefer) if not (ask.place == prefer and ask.wait)]
    if len(order) > 1:
        resting = [board.health.state(ask.place, moment.now) is State.RESTING for ask in order]
        assert resting == sorted(resting)


@given(st.lists(st.integers(1, 20), min_size=2, max_size=3), st.integers(1, 3))
def test_weights_are_kept_exactly_over_each_round(weights: list[int], rounds: int) -> None:
    """And no target is ever a whole request and more ahead of what it is due."""
    targets = tuple(Target(name, "m") for name in ("one", "five", "six")[: len(weights)])
    places = Places({name: (Credential("key"),) for name in ("one", "five", "six")})
    tier, board, total = Tier(targets, Strategy.WEIGHTED, tuple(map(float, weights))), Board(), sum(weights)
    counts: Counter[Target] = Counter()
    for count in range(1, total * rounds + 1):
        counts[line_up(tier, [places.of(target) for target in targets], board, Moment())[0].target] += 1
        for target, weight in zip(targets, weights, strict=True):
            assert counts[target] < count * weight / total + 1
        if count % total == 0:
            assert [counts[target] for target in targets] == [weight * count // total for weight in weights]


@given(st.lists(st.integers(0, 5), min_size=len(ALL), max_size=len(ALL)), st.integers(1, 5))
def test_the_least_busy_is_never_busier_than_another(running: list[int], times: int) -> None:
    board, tier = Board(), Tier(tuple(Target(name, "m") for name in NAMES), Strategy.LEAST_BUSY)
    for place, count in zip(ALL, running, strict=True):
        for _ in range(count):
            board.meters.began(place, 0.0)
    busy = dict(zip(ALL, running, strict=True))
    for _ in range(times):
        order = [busy[ask.place] for ask in lined_up(tier, board, Moment())]
        assert order == sorted(order)


@given(STATES, st.floats(0, 100))
def test_the_cheapest_come_in_the_order_of_their_prices(state: dict[Place, Known], now: float) -> None:
    tier = Tier(tuple(Target(name, "m") for name in NAMES), Strategy.CHEAPEST)
    scales = Scales(price=lambda ask: state[ask.place].price)
    prices = [state[ask.place].price for ask in lined_up(tier, Board(), Moment(now, scales=scales))]
    known = [price for price in prices if price is not None]
    assert prices == [*sorted(known), *[None] * (len(prices) - len(known))]


@given(st.lists(st.none() | st.sampled_from(ALL), max_size=20))
def test_sticky_changes_its_place_only_when_that_fails(failures: list[Place | None]) -> None:
    board, tier = Board(), Tier(tuple(Target(name, "m") for name in NAMES), Strategy.STICKY)
    clock = FakeClock()
    held = lined_up(tier, board, Moment(clock.now()))[0].place
    for failed in failures:
        if failed is not None:
            board.health.failed(failed, Kind.OVERLOADED, Rest.TARGET, clock.now())
        front = lined_up(tier, board, Moment(clock.now()))[0].place
        if failed != held and board.health.state(held, clock.now()) is State.READY:
            assert front == held
        held = front
        clock.move(0.5)


def shares_of_a_place_that_fails(strategy: Strategy) -> list[float]:
    """The share of traffic of one place of two, a number for each 5 seconds; it fails from the 3rd to the 8th."""
    ailing, sound = Target("one", "m"), Target("two", "m")
    places = Places({"one": (Credential("key"),), "two": (Credential("key"),)})
    tier, board, clock, dice = Tier((ailing, sound), strategy), Board(), FakeClock(), Random(7)
    shares = []
    for window in range(30):
        asked = 0
        for _ in range(50):
            pools = [places.of(target) for target in tier.targets]
            ask = line_up(tier, pools, board, Moment(clock.now(), draw=dice.random()))[0]
            meter = board.meters.began(ask.place, clock.now())
            if ask.target == ailing and 2 <= window < 8:
                meter.failed(clock.now())
            else:
                meter.answered(1.0, clock.now(), stream=False)
            meter.ended()
            asked += ask.target == ailing
            clock.move(0.1)
        shares.append(asked / 50)
    return shares


@pytest.mark.parametrize("strategy", [Strategy.ROUND_ROBIN, Strategy.WEIGHTED])
def test_traffic_leaves_a_place_that_fails_and_grows_back_gradually(strategy: Strategy) -> None:
    shares = shares_of_a_place_that_fails(strategy)
    assert shares[:2] == [0.5, 0.5]
    assert shares[2] > shares[3]
    assert all(0.0 < share < 0.15 for share in shares[3:8])
    assert shares[7] < shares[8] < 0.5
    assert set(shares[9:]) == {0.5}


@pytest.mark.parametrize("strategy", [Strategy.LEAST_ERROR, Strategy.HYBRID])
def test_only_a_few_look_whether_a_place_that_fails_is_well_and_then_it_has_its_share_again(strategy: Strategy) -> None:
    shares = shares_of_a_place_that_fails(strategy)
    assert 0.4 < sum(shares[:2]) / 2 < 0.6
    assert sum(shares[3:8]) / 5 < 0.06
    assert sum(shares[-5:]) / 5 > 0.4

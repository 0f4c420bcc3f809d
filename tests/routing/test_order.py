"""Which place of a tier comes first, strategy by strategy."""

from collections import Counter
from collections.abc import Mapping

import pytest

from isthmus.core.errors import Kind, Rest
from isthmus.core.quota import Window
from isthmus.routing.board import Board
from isthmus.routing.health import Place
from isthmus.routing.order import EXPLORING, NEAR, HybridWeights, Moment, Scales, Used, line_up
from isthmus.routing.places import Ask, Credential, Places
from isthmus.routing.plan import Strategy, Target, Tier
from isthmus.routing.quotas import Quotas

ONE, TWO, THREE, POOL = (Target(name, "m") for name in ("one", "two", "three", "pool"))
PLACES = Places({
    "one": (Credential("key"),),
    "two": (Credential("key"),),
    "three": (Credential("key"),),
    "pool": tuple(map(Credential, "abc")),
})  # fmt: skip
A, B, C = (Place("pool", key, "m") for key in "abc")
FIRST, SECOND, THIRD = (Place(name, "key", "m") for name in ("one", "two", "three"))


def lined_up(tier: Tier, board: Board, moment: Moment = Moment(), prefer: Place | None = None) -> list[Place]:  # noqa: B008
    pools = [PLACES.of(target) for target in tier.targets]
    return [ask.place for ask in line_up(tier, pools, board, moment, prefer=prefer)]


def three(strategy: Strategy, *weights: float) -> Tier:
    return Tier((ONE, TWO, THREE), strategy, weights)


def fronts(tier: Tier, board: Board, count: int, moment: Moment = Moment()) -> list[Place]:  # noqa: B008
    return [lined_up(tier, board, moment)[0] for _ in range(count)]


def rest(board: Board, place: Place) -> None:
    board.health.failed(place, Kind.OVERLOADED, Rest.TARGET, 0.0)


def measured(board: Board, times: Mapping[Place, float]) -> None:
    for place, seconds in times.items():
        meter = board.meters.began(place, 0.0)
        meter.answered(seconds, 0.0, stream=False)
        meter.ended()


def failing(board: Board, place: Place, times: int) -> None:
    meter = board.meters.began(place, 0.0)
    for _ in range(times):
        meter.failed(0.0)
    meter.ended()


def using(shares: Mapping[Place, float]) -> Scales:
    return Scales(share=lambda place: Used(shares.get(place, 0.0), 0.0, shares.get(place, 0.0)))


def test_first_takes_targets_as_they_stand_and_keys_in_turn() -> None:
    board, tier = Board(), Tier((ONE, POOL))
    assert lined_up(tier, board) == [FIRST, A, B, C]
    assert lined_up(tier, board) == [FIRST, B, C, A]


def test_fill_first_takes_keys_as_they_stand() -> None:
    board, tier = Board(), Tier((POOL, ONE), Strategy.FILL_FIRST)
    assert lined_up(tier, board) == lined_up(tier, board) == [A, B, C, FIRST]


def test_fill_first_goes_on_when_the_first_is_nearly_full() -> None:
    tier = Tier((POOL, ONE), Strategy.FILL_FIRST)
    assert lined_up(tier, Board(), Moment(scales=using({A: NEAR}))) == [B, C, FIRST, A]


def test_round_robin_is_over_all_places_of_the_tier() -> None:
    board, tier = Board(), Tier((ONE, POOL), Strategy.ROUND_ROBIN)
    assert fronts(tier, board, 8) == [FIRST, A, B, C] * 2


def test_round_robin_passes_over_who_rests_and_is_fair_to_the_others() -> None:
    board, tier = Board(), Tier((ONE, POOL), Strategy.ROUND_ROBIN)
    rest(board, A)
    assert Counter(fronts(tier, board, 9)) == {FIRST: 3, B: 3, C: 3}


def test_equal_tiers_take_turns_together() -> None:
    board = Board()
    assert fronts(three(Strategy.ROUND_ROBIN), board, 1) == [FIRST]
    assert fronts(three(Strategy.ROUND_ROBIN), board, 1) == [SECOND]


def test_weights_are_shares_of_requests_spread_over_time() -> None:
    fronts_ = fronts(three(Strategy.WEIGHTED, 5, 1, 1), Board(), 7)
    assert fronts_ == [FIRST, FIRST, SECOND, FIRST, THIRD, FIRST, FIRST]


def test_a_targets_weight_is_shared_by_its_keys() -> None:
    tier = Tier((ONE, POOL), Strategy.WEIGHTED, (1, 3))
    assert Counter(fronts(tier, Board(), 40)) == {FIRST: 10, A: 10, B: 10, C: 10}


def test_without_weights_all_targets_weigh_the_same() -> None:
    tier = Tier((ONE, POOL), Strategy.WEIGHTED)
    assert Counter(fronts(tier, Board(), 60)) == {FIRST: 30, A: 10, B: 10, C: 10}


def test_the_least_busy_comes_first_and_equals_take_turns() -> None:
    board = Board()
    board.meters.began(FIRST, 0.0)
    assert fronts(three(Strategy.LEAST_BUSY), board, 4) == [SECOND, THIRD, SECOND, THIRD]
    for _ in range(2):
        board.meters.began(SECOND, 0.0)
        board.meters.began(THIRD, 0.0)
    assert lined_up(three(Strategy.LEAST_BUSY), board)[0] == FIRST


def test_the_fastest_comes_first() -> None:
    board = Board()
    measured(board, {FIRST: 2.0, SECOND: 0.5, THIRD: 1.0})
    assert lined_up(three(Strategy.FASTEST), board) == [SECOND, THIRD, FIRST]


def test_who_was_never_measured_is_tried_first_but_by_one_at_a_time() -> None:
    board = Board()
    measured(board, {FIRST: 2.0, SECOND: 0.5})
    assert lined_up(three(Strategy.FASTEST), board) == [THIRD, SECOND, FIRST]
    board.meters.began(THIRD, 0.0)
    assert lined_up(three(Strategy.FASTEST), board) == [SECOND, FIRST, THIRD]


def test_streams_are_compared_by_streams() -> None:
    board = Board()
    measured(board, {FIRST: 0.1, SECOND: 0.5, THIRD: 1.0})
    for place, seconds in ((FIRST, 3.0), (SECOND, 2.0), (THIRD, 1.0)):
        board.meters.began(place, 0.0).answered(seconds, 0.0, stream=True)
    assert lined_up(three(Strategy.FASTEST), board, Moment(stream=True)) == [THIRD, SECOND, FIRST]


def test_who_never_answers_is_not_tried_first_for_ever() -> None:
    board = Board()
    measured(board, {FIRST: 2.0, SECOND: 0.5})
    failing(board, THIRD, 1)
    assert lined_up(three(Strategy.FASTEST), board) == [SECOND, FIRST, THIRD]


def test_who_answers_fast_and_seldom_is_not_fast() -> None:
    board = Board()
    measured(board, {FIRST: 1.0, SECOND: 0.5, THIRD: 3.0})
    failing(board, SECOND, 5)
    assert lined_up(three(Strategy.FASTEST), board) == [FIRST, SECOND, THIRD]


def test_a_small_share_goes_to_the_place_asked_longest_ago() -> None:
    board = Board()
    measured(board, {FIRST: 2.0, SECOND: 0.5, THIRD: 1.0})
    for place in (SECOND, THIRD):
        board.meters.began(place, 5.0).ended()
    assert lined_up(three(Strategy.FASTEST), board, Moment(draw=EXPLORING / 2))[0] == FIRST
    assert lined_up(three(Strategy.FASTEST), board, Moment(draw=EXPLORING))[0] == SECOND


def test_the_least_errors_come_first_and_equals_take_turns() -> None:
    board = Board()
    failing(board, FIRST, 2)
    failing(board, THIRD, 1)
    assert lined_up(three(Strategy.LEAST_ERROR), board) == [SECOND, THIRD, FIRST]
    assert fronts(three(Strategy.LEAST_ERROR), board, 3, Moment(now=600.0)) == [FIRST, SECOND, THIRD]


def test_the_cheapest_comes_first_and_an_unknown_price_last() -> None:
    prices = {FIRST: 3000.0, THIRD: 0.0}
    scales = Scales(price=lambda ask: prices.get(ask.place))
    assert lined_up(three(Strategy.CHEAPEST), Board(), Moment(scales=scales)) == [THIRD, FIRST, SECOND]


def test_of_those_that_cost_the_same_the_fastest_comes_first() -> None:
    board = Board()
    measured(board, {FIRST: 2.0, SECOND: 0.5, THIRD: 1.0})
    assert lined_up(three(Strategy.CHEAPEST), board) == [SECOND, THIRD, FIRST]


@pytest.mark.parametrize(
    ("weights", "first"),
    [
        (HybridWeights(requests=1, tokens=0, errors=0, latency=0, cost=0), FIRST),
        (HybridWeights(requests=0, tokens=1, errors=0, latency=0, cost=0), SECOND),
        (HybridWeights(requests=0, tokens=0, errors=1, latency=0, cost=0), THIRD),
        (HybridWeights(requests=0, tokens=0, errors=0, latency=1, cost=0), SECOND),
        (HybridWeights(requests=0, tokens=0, errors=0, latency=0, cost=1), FIRST),
    ],
    ids=["requests", "tokens", "errors", "latency", "cost"],
)
def test_hybrid_weighs_each_part(weights: HybridWeights, first: Place) -> None:
    board = Board()
    used = {FIRST: Used(0.1, 0.6, 0.6), SECOND: Used(0.7, 0.1, 0.7), THIRD: Used(0.5, 0.5, 0.5)}
    prices = {FIRST: 10.0, SECOND: 20.0, THIRD: None}
    measured(board, {FIRST: 2.0, SECOND: 1.0, THIRD: 4.0})
    failing(board, FIRST, 1)
    failing(board, SECOND, 2)
    scales = Scales(share=used.__getitem__, price=lambda ask: prices[ask.place], weights=weights)
    assert lined_up(three(Strategy.HYBRID), board, Moment(scales=scales))[0] == first


def test_hybrid_adds_the_parts_up() -> None:
    """One is a little dearer, and by far less used: 0.2 * 0.1 + 0.2 * 1 against 0.2 * 0.7 + 0.2 * 0.5."""
    used = {FIRST: Used(0.1, 0, 0.1), SECOND: Used(0.7, 0, 0.7), THIRD: Used(0.7, 0.7, 0.7)}
    prices = {FIRST: 20.0, SECOND: 10.0, THIRD: 10.0}
    scales = Scales(share=used.__getitem__, price=lambda ask: prices[ask.place])
    assert lined_up(three(Strategy.HYBRID), Board(), Moment(scales=scales)) == [FIRST, SECOND, THIRD]


def test_sticky_stays_until_its_place_fails_and_does_not_come_back_by_itself() -> None:
    board, tier = Board(), three(Strategy.STICKY)
    assert fronts(tier, board, 3) == [FIRST] * 3
    rest(board, FIRST)
    assert fronts(tier, board, 3) == [SECOND] * 3
    board.health.succeeded(FIRST)
    assert fronts(tier, board, 3) == [SECOND] * 3


def test_sticky_leaves_a_place_whose_trial_is_still_to_come() -> None:
    board, tier = Board(), three(Strategy.STICKY)
    rest(board, FIRST)
    assert fronts(tier, board, 1, Moment(now=30.0)) == [SECOND]


def test_sticky_leaves_a_place_that_is_near_its_limit() -> None:
    board, tier = Board(), three(Strategy.STICKY)
    assert fronts(tier, board, 1) == [FIRST]
    assert fronts(tier, board, 2, Moment(scales=using({FIRST: 0.9}))) == [SECOND] * 2


@pytest.mark.parametrize("strategy", list(Strategy))
def test_who_is_near_a_limit_comes_behind_and_who_rests_comes_last(strategy: Strategy) -> None:
    board = Board()
    rest(board, FIRST)
    asked = lined_up(Tier((ONE, POOL), strategy), board, Moment(scales=using({A: 0.85, B: 0.81})))
    assert asked == [C, B, A, FIRST]


def test_who_was_told_to_have_little_left_comes_behind_until_its_window_is_over() -> None:
    board, tier = Board(), three(Strategy.FIRST)
    board.quotas = Quotas(lambda told, time: (Window("requests", remaining=4, limit=100, reset=30.0),))
    board.quotas.told(FIRST, (), now=0.0, time=0.0)
    assert lined_up(tier, board, Moment(now=29.0)) == [SECOND, THIRD, FIRST]
    assert lined_up(tier, board, Moment(now=31.0)) == [FIRST, SECOND, THIRD]


def test_where_all_are_near_their_limits_the_least_used_comes_first() -> None:
    scales = using({FIRST: 0.95, SECOND: 0.81, THIRD: 0.9})
    assert fronts(three(Strategy.ROUND_ROBIN), Board(), 3, Moment(scales=scales)) == [SECOND] * 3


def test_where_all_are_used_up_they_are_ordered_as_ever() -> None:
    board, scales = Board(), using({FIRST: 1.0, SECOND: 1.5, THIRD: 1.0})
    assert fronts(three(Strategy.ROUND_ROBIN), board, 3, Moment(scales=scales)) == [FIRST, SECOND, THIRD]


def test_a_preferred_place_comes_first_unless_it_is_worse_off() -> None:
    board, tier = Board(), three(Strategy.FIRST)
    assert lined_up(tier, board, prefer=THIRD) == [THIRD, FIRST, SECOND]
    assert lined_up(tier, board, Moment(scales=using({THIRD: 0.9})), prefer=THIRD) == [FIRST, SECOND, THIRD]
    rest(board, THIRD)
    assert lined_up(tier, board, prefer=THIRD) == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize("strategy", [Strategy.FIRST, Strategy.LEAST_BUSY, Strategy.LEAST_ERROR])
def test_who_comes_first_by_preference_takes_nobodys_turn(strategy: Strategy) -> None:
    """Or else, where every second request prefers a place, all others would come to one and the same."""
    board, tier, found = Board(), Tier((POOL,), strategy), []
    for _ in range(3):
        found.append(lined_up(tier, board)[0])
        assert lined_up(tier, board, prefer=C)[0] == C
    assert found == [A, B, C]


def test_what_is_asked_by_preference_is_a_part_of_what_is_due() -> None:
    board, tier = Board(), Tier((POOL,), Strategy.ROUND_ROBIN)
    preferred = [lined_up(tier, board, prefer=C)[0] for _ in range(4)]
    assert preferred == [C] * 4
    assert Counter(fronts(tier, board, 8)) == {A: 4, B: 4}


def test_a_look_aside_takes_nobodys_turn() -> None:
    board, tier = Board(), Tier((POOL, ONE), Strategy.ROUND_ROBIN)
    aside = Board()
    aside.turns = board.turns.aside()
    assert fronts(tier, aside, 2) == [A, B]
    assert fronts(tier, board, 2) == [A, B]


def test_one_place_is_lined_up_without_a_thought() -> None:
    asks = PLACES.of(ONE)
    assert line_up(Tier((ONE,), Strategy.HYBRID), [asks], Board(), Moment()) is asks


def test_no_place_is_no_order() -> None:
    ghost: tuple[Ask, ...] = ()
    for strategy in Strategy:
        assert list(line_up(Tier((ONE, TWO), strategy), [ghost, ghost], Board(), Moment(draw=0.0))) == []

"""Whom a pool of keys begins with, how long it stays, and what moves it on: one for all models of its provider."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from isthmus.core.errors import GatewayError, Kind, Rest
from isthmus.core.quota import Window
from isthmus.routing.board import Board
from isthmus.routing.health import Place
from isthmus.routing.order import Moment, Scales, Used
from isthmus.routing.places import CROWD, Ask, Credential, Places, Pool, PoolStrategy
from isthmus.routing.plan import Strategy, Target, Tier
from isthmus.routing.pools import LOOK_AGAIN, SHORT_REST
from isthmus.routing.quotas import Quotas
from isthmus.routing.walk import Walk

SOL, LUNA, PAID = Target("codex", "sol"), Target("codex", "luna"), Target("openai", "sol")
STICKY, FILL_FIRST, ROUND_ROBIN = PoolStrategy.STICKY, PoolStrategy.FILL_FIRST, PoolStrategy.ROUND_ROBIN
LONG = 600.0
ABC = tuple(map(Credential, "abc"))


def pool(strategy: PoolStrategy, keys: Sequence[Credential] = ABC) -> Places:
    return Places({"codex": keys, "openai": (Credential("key"),)}, pools={"codex": strategy})


def walk(
    places: Places,
    board: Board,
    *tiers: Tier,
    now: float = 0.0,
    prefer: Place | None = None,
    scales: Scales | None = None,
) -> Walk:
    moment = Moment(now) if scales is None else Moment(now, scales=scales)
    return Walk(tiers or (Tier((SOL,)),), places, board, patience=5.0, moment=moment, prefer=prefer)


def asked(places: Places, board: Board, target: Target = SOL, now: float = 0.0, prefer: Place | None = None) -> str:
    """Under which key one request for the target is asked first."""
    ask = walk(places, board, Tier((target,)), now=now, prefer=prefer).next(now)
    assert ask is not None
    return ask.credential


def order(one: Walk, now: float = 0.0) -> str:
    """All keys in the order in which a request would go on to them, the provider's that is paid as "$"."""
    found = []
    while (ask := one.next(now)) is not None:
        found.append("$" if ask.target == PAID else ask.credential)
    return "".join(found)


def limited(board: Board, key: str, seconds: float = LONG, rest: Rest = Rest.CREDENTIAL, model: str = "sol") -> None:
    board.health.failed(Place("codex", key, model), Kind.UPSTREAM_LIMITED, rest, 0.0, hint=seconds)


def used(shares: Mapping[str, float]) -> Scales:
    return Scales(share=lambda place: Used(most=shares.get(place.credential, 0.0)))


def test_a_sticky_pool_stays_with_the_first_key() -> None:
    places, board = pool(STICKY), Board()
    assert [asked(places, board) for _ in range(3)] == ["a", "a", "a"]


def test_it_goes_on_when_the_held_key_rests_for_long() -> None:
    places, board = pool(STICKY), Board()
    limited(board, "a")
    assert [asked(places, board) for _ in range(3)] == ["b", "b", "b"]


def test_it_stays_with_the_next_when_the_first_is_well_again() -> None:
    places, board = pool(STICKY), Board()
    limited(board, "a")
    asked(places, board)
    board.health.clear()
    assert asked(places, board) == "b"


def test_it_goes_round_to_who_is_well_again() -> None:
    places, board = pool(STICKY), Board()
    limited(board, "a")
    asked(places, board)
    limited(board, "b", 2 * LONG)
    assert asked(places, board) == "c"
    limited(board, "c", 2 * LONG)
    board.health.clear(Place("codex", "a"))
    assert asked(places, board) == "a"


def test_it_goes_on_to_the_one_behind_and_not_back_to_the_first() -> None:
    places, board = pool(STICKY), Board()
    limited(board, "a")
    asked(places, board)
    board.health.clear()
    limited(board, "b")
    assert asked(places, board) == "c"


def test_the_held_key_is_one_for_all_models() -> None:
    places, board = pool(STICKY), Board()
    limited(board, "a", model="sol")
    assert (asked(places, board, SOL), asked(places, board, LUNA)) == ("b", "b")


def test_the_limit_of_one_model_moves_only_that_model() -> None:
    places, board = pool(STICKY), Board()
    limited(board, "a", rest=Rest.TARGET)
    assert [asked(places, board, target) for target in (SOL, LUNA, SOL)] == ["b", "a", "b"]


def test_a_key_that_may_not_serve_a_model_moves_nothing() -> None:
    places, board = pool(STICKY, (Credential("a", ("luna",)), Credential("b"), Credential("c"))), Board()
    assert [asked(places, board, target) for target in (SOL, LUNA, SOL)] == ["b", "a", "b"]


def test_a_client_who_may_not_use_the_held_key_moves_nothing() -> None:
    places, board = pool(STICKY), Board()
    limited(board, "a")
    assert asked(places, board) == "b"
    assert asked(places.only(("codex/a", "codex/c")), board) == "c"
    assert asked(places, board) == "b"


def test_another_key_in_front_is_held_at_once() -> None:
    board = Board()
    limited(board, "c")
    assert asked(pool(STICKY), board) == "a"
    assert asked(pool(STICKY, tuple(map(Credential, "bac"))), board) == "b"


def test_a_pool_can_be_told_to_begin_again() -> None:
    places, board = pool(STICKY), Board()
    limited(board, "a")
    asked(places, board)
    board.health.clear()
    board.turns.begin_again("codex")
    assert asked(places, board) == "a"


def test_when_the_held_key_is_gone_the_next_one_that_is_well_is_held() -> None:
    board = Board()
    limited(board, "a")
    assert asked(pool(STICKY), board) == "b"
    left = pool(STICKY, (Credential("a"), Credential("c")))
    assert asked(left, board) == "c"
    board.health.clear()
    assert asked(left, board) == "c"


def test_who_only_looks_moves_nothing() -> None:
    places, board = pool(STICKY), Board()
    limited(board, "a")
    aside = board.aside()
    assert asked(places, aside) == "b"
    board.health.clear()
    assert asked(places, board) == "a"


def test_a_short_rest_of_the_held_key_is_waited_for() -> None:
    places, board = pool(STICKY), Board()
    limited(board, "a", SHORT_REST)
    ask = walk(places, board, now=1.0).next(1.0)
    assert ask is not None
    assert (ask.credential, ask.wait) == ("a", SHORT_REST - 1.0)


def test_a_short_rest_behind_another_is_not_waited_for_since_that_was_in_vain() -> None:
    places, board = pool(STICKY), Board()
    for at in (0.0, 4.0):
        place = Place("codex", "a", "sol")
        board.health.failed(place, Kind.UPSTREAM_LIMITED, Rest.CREDENTIAL, at, hint=4.0, since=at)
    assert asked(places, board, now=5.0) == "b"
    board.health.clear()
    assert asked(places, board, now=5.0) == "a"


def test_a_longer_one_is_not_waited_for() -> None:
    places, board = pool(STICKY), Board()
    limited(board, "a", SHORT_REST + 0.5)
    ask = walk(places, board).next(0.0)
    assert ask is not None
    assert (ask.credential, ask.wait) == ("b", 0.0)


def test_a_longer_one_is_not_waited_for_however_patient_the_request_is() -> None:
    places, board = pool(STICKY), Board()
    limited(board, "a", SHORT_REST + 0.5)
    ask = Walk((Tier((SOL,)),), places, board, patience=60.0, moment=Moment()).next(0.0)
    assert ask is not None
    assert ask.credential == "b"


def test_a_quota_that_is_spent_for_a_short_time_is_not_waited_for() -> None:
    places, board = pool(STICKY), Board()
    board.health.failed(Place("codex", "a", "sol"), Kind.QUOTA_SPENT, Rest.CREDENTIAL, 0.0, hint=3.0)
    assert asked(places, board) == "b"


def test_who_is_waited_for_is_lined_up_once() -> None:
    places, board = pool(STICKY), Board()
    limited(board, "a", 3.0)
    assert [ask.credential for ask in walk(places, board, Tier((SOL, PAID))).asks] == ["a", "b", "c", "key"]


def test_nor_is_a_short_one_longer_than_the_request_may_wait() -> None:
    places, board = pool(STICKY), Board()
    limited(board, "a", 3.0)
    one = Walk((Tier((SOL,)),), places, board, patience=2.0, moment=Moment())
    ask = one.next(0.0)
    assert ask is not None
    assert ask.credential == "b"
    assert asked(places, board, now=3.5) == "a"


def test_a_short_rest_that_the_provider_did_not_ask_for_is_not_waited_for() -> None:
    places, board = pool(STICKY), Board()
    board.health.failed(Place("codex", "a", "sol"), Kind.UPSTREAM_FAULT, Rest.TARGET, 0.0)
    assert asked(places, board) == "b"


@pytest.mark.parametrize("strategy", [FILL_FIRST, ROUND_ROBIN])
def test_other_pools_wait_for_no_rest_while_somebody_is_well(strategy: PoolStrategy) -> None:
    places, board = pool(strategy), Board()
    limited(board, "a", 1.0)
    assert asked(places, board) == "b"


@pytest.mark.parametrize(("seconds", "then"), [(SHORT_REST, "a"), (SHORT_REST + 0.5, "b")])
def test_the_held_key_that_asks_for_a_moment_is_asked_once_more(seconds: float, then: str) -> None:
    places, board = pool(STICKY), Board()
    one = walk(places, board)
    ask = one.next(0.0)
    assert ask is not None
    limited(board, "a", seconds)
    assert one.failed(ask, GatewayError(Kind.UPSTREAM_LIMITED, "slow down", retry_after=seconds), 0.0)
    again = one.next(0.0)
    assert again is not None
    assert (again.credential, again.wait) == (then, seconds if then == "a" else 0.0)


def test_a_short_rest_of_the_place_of_a_conversation_is_waited_for_too() -> None:
    places, board = Places({"codex": ABC}), Board()
    limited(board, "b", 4.0)
    ask = walk(places, board, prefer=Place("codex", "b", "sol")).next(0.0)
    assert ask is not None
    assert (ask.credential, ask.wait) == ("b", 4.0)


def test_a_longer_one_of_it_is_not_however_patient_the_request_is() -> None:
    places, board = Places({"codex": ABC}), Board()
    limited(board, "b", SHORT_REST + 0.5)
    tiers, prefer = (Tier((SOL,)),), Place("codex", "b", "sol")
    ask = Walk(tiers, places, board, patience=60.0, moment=Moment(), prefer=prefer).next(0.0)
    assert ask is not None
    assert ask.credential == "a"


def test_the_place_of_a_conversation_comes_before_the_held_key_and_moves_nothing() -> None:
    places, board = pool(STICKY), Board()
    prefer = Place("codex", "c", "sol")
    assert order(walk(places, board, prefer=prefer)) == "cab"
    assert asked(places, board) == "a"


def test_fill_first_begins_with_the_first_that_is_well() -> None:
    places, board = pool(FILL_FIRST), Board()
    limited(board, "a")
    assert [asked(places, board) for _ in range(2)] == ["b", "b"]
    board.health.clear()
    assert asked(places, board) == "a"


@pytest.mark.parametrize("strategy", [STICKY, FILL_FIRST])
def test_a_quota_that_runs_low_is_used_up_to_its_end(strategy: PoolStrategy) -> None:
    board = Board(Quotas(lambda told, time: (Window("tokens", 1, 100, 3600),)))
    board.quotas.told(Place("codex", "a", "sol"), ((b"a", b"b"),), 0.0, 0.0)
    places = pool(strategy)
    assert order(walk(places, board, Tier((SOL, PAID)))) == "abc$"


def test_a_key_without_room_gives_way_for_this_request_alone() -> None:
    places, board = pool(STICKY), Board()
    assert order(walk(places, board, scales=used({"a": 1.0}))) == "bca"
    assert asked(places, board) == "a"


@pytest.mark.parametrize("strategy", [STICKY, FILL_FIRST])
def test_all_of_a_pool_come_before_the_next_target(strategy: PoolStrategy) -> None:
    assert order(walk(pool(strategy), Board(), Tier((SOL, PAID)))) == "abc$"


def test_those_that_rest_come_behind_the_next_target() -> None:
    places, board = pool(STICKY), Board()
    limited(board, "a")
    asks = walk(places, board, Tier((SOL, PAID))).asks
    assert [ask.credential for ask in asks] == ["b", "c", "key", "a"]


def test_a_pool_is_one_place_to_the_tiers_strategy() -> None:
    places, board, tier = pool(STICKY), Board(), Tier((SOL, PAID), Strategy.ROUND_ROBIN)
    assert [order(walk(places, board, tier)) for _ in range(3)] == ["abc$", "$abc", "abc$"]


def test_a_tier_that_stays_with_a_pool_stays_when_that_goes_on_to_another_key() -> None:
    places, board, tier = pool(STICKY), Board(), Tier((PAID, SOL), Strategy.STICKY)
    board.health.failed(Place("openai", "key", "sol"), Kind.OVERLOADED, Rest.TARGET, 0.0)
    assert order(walk(places, board, tier))[0] == "a"
    board.health.clear()
    assert order(walk(places, board, tier))[0] == "a"
    limited(board, "a")
    assert order(walk(places, board, tier))[0] == "b"


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize("how", list(PoolStrategy))
def test_every_strategy_asks_every_place_once(strategy: Strategy, how: PoolStrategy) -> None:
    keys = tuple(Credential(str(number)) for number in range(CROWD + 4))
    places, board, tier = pool(how, keys), Board(), Tier((PAID, SOL), strategy)
    limited(board, "3")
    one = walk(places, board, tier, prefer=Place("codex", "7", "sol"))
    while one.next(0.0) is not None:
        pass
    assert sorted(ask.place for ask in one.asks) == sorted(
        ask.place for target in tier.targets for ask in places.of(target)
    )


def test_many_keys_take_turns() -> None:
    keys = tuple(Credential(str(number)) for number in range(CROWD + 2))
    places, board = pool(ROUND_ROBIN, keys), Board()
    assert Counter(asked(places, board) for _ in range(2 * len(keys))) == {key.name: 2 for key in keys}


def test_a_conversation_takes_nobodys_turn_of_many() -> None:
    keys = tuple(Credential(str(number)) for number in range(CROWD + 2))
    places, board = pool(ROUND_ROBIN, keys), Board()
    assert [asked(places, board, prefer=Place("codex", "9", "sol")) for _ in range(3)] == ["9", "9", "9"]
    assert [asked(places, board) for _ in range(2)] == ["0", "1"]


def test_keys_that_were_busy_are_asked_again_when_one_is_free() -> None:
    places, board = pool(STICKY), Board()
    limited(board, "c")
    one = walk(places, board)
    while (ask := one.next(0.0)) is not None:
        one.refused(ask, 0.0, 0.0, limit="one at a time")
    one.freed()
    again = one.next(0.0)
    assert again is not None
    assert again.credential == "a"


def test_who_stands_behind_many_that_rest_is_not_asked_in_their_place() -> None:
    keys = tuple(Credential(str(number)) for number in range(CROWD + 4))
    places, board = pool(ROUND_ROBIN, keys), Board()
    for number in range(CROWD):
        limited(board, str(number))
    assert Counter(asked(places, board) for _ in range(8)) == {str(number): 2 for number in range(CROWD, CROWD + 4)}


def test_many_that_rest_tell_who_is_back_first() -> None:
    keys = tuple(Credential(str(number)) for number in range(2 * CROWD))
    places, board = pool(STICKY, keys), Board()
    for number in range(2 * CROWD):
        limited(board, str(number), 1000.0 - number)
    one = walk(places, board)
    assert one.next(0.0) is None
    assert one.rests(0.0) == 1000.0 - (2 * CROWD - 1)


def test_many_that_all_rest_are_looked_through_again_when_anything_of_them_changes_and_soon_in_any_case() -> None:
    keys = tuple(Credential(str(number)) for number in range(2 * CROWD))
    places, board = pool(STICKY, keys), Board()
    for number in range(2 * CROWD):
        limited(board, str(number), 100.0)
    assert walk(places, board).next(0.0) is None
    board.health.clear(Place("codex", "7"))
    assert asked(places, board) == "7"
    limited(board, "7", 100.0)
    assert walk(places, board, now=99.9).next(99.9) is not None, "who is back in a moment is waited for"
    assert asked(places, board, now=99.9 + LOOK_AGAIN) != ""
    assert walk(places, board, now=99.9 + LOOK_AGAIN).asks[0].wait == 0


def test_nobody_is_looked_at_of_a_provider_that_rests_as_a_whole() -> None:
    keys = tuple(Credential(str(number)) for number in range(2 * CROWD))
    places, board = pool(STICKY, keys), Board()
    board.health.failed(Place("codex", "0", "sol"), Kind.UNREACHABLE, Rest.PROVIDER, 0.0)
    one = walk(places, board, Tier((SOL, PAID)))
    ask = one.next(0.5)
    assert ask is not None
    assert ask.target == PAID


def test_of_thousands_only_those_are_made_that_somebody_looks_at() -> None:
    keys = tuple(Credential(str(number)) for number in range(5000))
    places, board = pool(STICKY, keys), Board()
    assert len(walk(places, board).asks) < CROWD
    found = places.of(SOL)
    assert isinstance(found, Pool)
    assert isinstance(found[4999], Ask)
    assert found[4998:] == [found[4998], found[4999]]

"""What holds of pools whatever happens to their keys: nobody is left out, nobody who rests is asked in vain, and one
that stays with a key stays."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.core.errors import GatewayError, Kind, Rest
from isthmus.routing.board import Board
from isthmus.routing.health import Place, State
from isthmus.routing.order import Moment
from isthmus.routing.places import CROWD, Ask, Credential, Places, PoolStrategy
from isthmus.routing.plan import Strategy, Target, Tier
from isthmus.routing.pools import SHORT_REST
from isthmus.routing.walk import Walk

TARGETS = tuple(Target(provider, "m") for provider in ("codex", "paid", "other"))
SIZES = st.integers(1, 5) | st.just(CROWD + 3)
POOLS = st.dictionaries(st.sampled_from([one.provider for one in TARGETS]), st.sampled_from(list(PoolStrategy)))
RESTS = st.lists(
    st.tuples(
        st.sampled_from(TARGETS),
        st.integers(0, 2) | st.integers(0, CROWD + 2),
        st.sampled_from([Rest.TARGET, Rest.CREDENTIAL, Rest.CREDENTIAL, Rest.PROVIDER]),
        st.none() | st.floats(0.1, 20),
    ),
    max_size=8,
)
TIERS = st.lists(
    st.builds(Tier, st.permutations(TARGETS).map(lambda found: tuple(found[:2])), st.sampled_from(list(Strategy))),
    min_size=1,
    max_size=2,
)


def places_of(sizes: Sequence[int], pools: dict[str, PoolStrategy]) -> Places:
    keys = {
        one.provider: tuple(Credential(str(number)) for number in range(size))
        for one, size in zip(TARGETS, sizes, strict=True)
    }
    return Places(keys, pools=pools)


def made(places: Places, rests: Sequence[tuple[Target, int, Rest, float | None]]) -> Board:
    board = Board()
    for target, number, rest, hint in rests:
        place = Place(target.provider, str(number), target.model)
        board.health.failed(place, Kind.UPSTREAM_LIMITED, rest, 0.0, hint=hint)
    return board


def all_of(walk: Walk) -> list[Ask]:
    return list(walk._from(0))


@given(st.tuples(SIZES, SIZES, SIZES), POOLS, RESTS, TIERS, st.floats(0, 10), st.none() | st.integers(0, 4))
def test_every_place_that_is_well_is_lined_up_once_and_before_all_of_its_tier_that_rest(
    sizes: tuple[int, int, int],
    pools: dict[str, PoolStrategy],
    rests: list[tuple[Target, int, Rest, float | None]],
    tiers: list[Tier],
    now: float,
    preferred: int | None,
) -> None:
    places = places_of(sizes, pools)
    board = made(places, rests)
    prefer = None if preferred is None else Place("codex", str(preferred), "m")
    for _ in range(3):
        walk = Walk(tiers, places, board, patience=5.0, moment=Moment(now), prefer=prefer)
        lined = all_of(walk)
        for tier in tiers:
            expected = [ask.place for target in tier.targets for ask in places.of(target)]
            own, lined = lined[: _length(tier, lined)], lined[_length(tier, lined) :]
            assert len({ask.place for ask in own}) == len(own)
            assert {ask.place for ask in own} <= set(expected)
            well = {one for one in expected if board.health.state(one, now) is not State.RESTING}
            assert well <= {ask.place for ask in own}
            resting = [ask.place not in well for ask in own if not ask.wait]
            assert resting == sorted(resting) or len(expected) < 2
            if all(len(places.of(target)) <= CROWD for target in tier.targets):
                assert len(own) == len(expected)
        assert not lined


def _length(tier: Tier, lined: Sequence[Ask]) -> int:
    """How many of the first are the tier's own: each place of it once."""
    seen: set[Place] = set()
    for number, ask in enumerate(lined):
        if ask.target not in tier.targets or ask.place in seen:
            return number
        seen.add(ask.place)
    return len(lined)


class World:
    """Accounts with limits, and a gateway that knows what it is told. Time moves as the test says."""

    def __init__(self, size: int, strategy: PoolStrategy, seed: int) -> None:
        self.names = [str(number) for number in range(size)]
        self.places = Places({"codex": tuple(map(Credential, self.names))}, pools={"codex": strategy})
        self.board = Board()
        self.dice = Random(seed)
        self.until = dict.fromkeys(self.names, 0.0)
        self.now = 0.0

    def spend(self, name: str, seconds: float) -> None:
        """No room for so long, but never less long than somebody was told before."""
        self.until[name] = max(self.until[name], self.now + seconds)

    def ask(self, model: str = "m") -> list[str]:
        """Under whom one request was asked, the one that answered last; "" behind them where none did."""
        tier = Tier((Target("codex", model),))
        walk, asked = Walk((tier,), self.places, self.board, patience=5.0, moment=Moment(self.now)), list[str]()
        while (ask := walk.next(self.now)) is not None:
            self.now += ask.wait
            asked.append(ask.credential)
            self.board.health.begin(ask.place, self.now)
            left = self.until[ask.credential] - self.now
            if left <= 1e-9:
                self.board.health.succeeded(ask.place, self.now)
                return asked
            self.board.health.failed(ask.place, Kind.QUOTA_SPENT, Rest.CREDENTIAL, self.now, hint=left)
            walk.failed(ask, GatewayError(Kind.QUOTA_SPENT, "spent", retry_after=left), self.dice.random())
        return [*asked, ""]


@pytest.mark.parametrize("strategy", list(PoolStrategy))
@given(st.integers(2, 6), st.integers(0, 10_000))
def test_no_request_fails_while_any_account_has_room(strategy: PoolStrategy, size: int, seed: int) -> None:
    world = World(size, strategy, seed)
    for _ in range(60):
        spent = [name for name in world.names if world.until[name] > world.now]
        if len(spent) < size - 1 and world.dice.random() < 0.3:
            world.spend(world.dice.choice(world.names), world.dice.uniform(SHORT_REST + 1, 3000))
        elif world.dice.random() < 0.3:
            world.now += world.dice.uniform(0, 900)
        assert world.ask()[-1] != ""


@given(st.integers(2, 6), st.integers(0, 10_000))
def test_who_stays_with_one_changes_only_when_that_one_is_spent(size: int, seed: int) -> None:
    world = World(size, PoolStrategy.STICKY, seed)
    turns, health = world.board.turns, world.board.health
    for _ in range(60):
        if world.dice.random() < 0.2:
            world.spend(world.dice.choice(world.names), world.dice.uniform(SHORT_REST + 1, 3000))
        world.now += world.dice.uniform(0, 300)
        held = turns.held_key("codex", "0")
        well = world.until[held] <= world.now and health.state(_at(held), world.now) is State.READY
        asked = world.ask(world.dice.choice(["m", "n"]))
        if well:
            assert (asked, turns.held_key("codex", "0")) == ([held], held)


def test_who_answers_after_a_rest_is_held_where_all_others_are_spent() -> None:
    world = World(2, PoolStrategy.STICKY, 0)
    for name, until, now, asked in (("0", 200, 10, ["0", "1"]), ("1", 2000, 20, ["1", ""]), ("1", 2000, 300, ["0"])):
        world.until[name], world.now = until, now
        assert world.ask() == asked
    world.now = 2100
    assert world.ask() == ["0"], "the other's rest is over too, but nobody asks under it any more"


@given(st.integers(2, 6), st.integers(0, 10_000))
def test_who_fills_the_first_is_back_at_it_as_soon_as_it_is_well(size: int, seed: int) -> None:
    world = World(size, PoolStrategy.FILL_FIRST, seed)
    for _ in range(60):
        if world.dice.random() < 0.2:
            world.spend(world.dice.choice(world.names), world.dice.uniform(1, 3000))
        world.now += world.dice.uniform(0, 300)
        ready = [name for name in world.names if world.board.health.state(_at(name), world.now) is not State.RESTING]
        asked = world.ask()
        if ready:
            assert asked[0] == ready[0]


def _at(name: str) -> Place:
    return Place("codex", name, "m")

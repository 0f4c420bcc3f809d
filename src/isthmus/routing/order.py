"""The order in which a tier's places are asked when all of them are well, by the tier's strategy.

Places that rest, and those that have nearly used up what they may, stand behind the others whatever the strategy;
it orders those that are left. Every order has all places of the tier, each once. Errors that fade with time take a
part of a place's traffic away and give it back by and by: where requests are shared out, a place is due less for
them; where the best comes first, they make it worse.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import chain
from math import inf
from typing import NamedTuple

from isthmus.core.value import Value
from isthmus.routing.board import Board
from isthmus.routing.health import Place, State
from isthmus.routing.places import Ask, Pool
from isthmus.routing.plan import Strategy, Tier
from isthmus.routing.pools import waited_for

NEAR = 0.8
"""The share of any of its limits from which on a place stands behind others."""
LEAST_DUE = 0.05
"""The part of its share that a place is sent even where nothing but errors comes back, so that its recovery is seen."""
STEP = 0.05
"""Shares of errors that are no further apart than this are as good as the same."""
DOUBT = 0.1
"""The share of errors from which on a place that never answered is no longer the first to be tried."""
RESTS = 2.0
"""The rank of a place that rests."""
EXPLORING = 0.03
"""The share of a tier's requests that go to the place asked longest ago, where the best by measures comes first: they
would never show that they are better by now."""


class HybridWeights(Value, frozen=True, kw_only=True):
    """What each part weighs in the score of the hybrid strategy; each part is between 0 and 1, and the least wins.

    `requests` and `tokens` are the shares of the limits that are used, `errors` the share that fails, `latency` is
    measured against the slowest place of the tier, `cost` against the dearest.
    """

    requests: float = 0.2
    tokens: float = 0.3
    errors: float = 0.2
    latency: float = 0.1
    cost: float = 0.2


class Used(NamedTuple):
    """How much of its limits a place has used, each between 0 and 1: `most` is that of the limit nearest to its end."""

    requests: float = 0.0
    tokens: float = 0.0
    most: float = 0.0


UNUSED = Used()


class Scales(Value, frozen=True, kw_only=True):
    """How places are weighed, beside what the board knows. None where nothing is known of any.

    `price` is in micro-dollars for 1000 tokens of input and 1000 of output; None for a place without a known price.
    """

    share: Callable[[Place], Used] | None = None
    price: Callable[[Ask], float | None] | None = None
    weights: HybridWeights = HybridWeights()


NO_SCALES = Scales()


class Moment(Value, frozen=True):
    """The request that is lined up for: when (monotonic seconds), is its answer streamed, a `draw` between 0 and 1."""

    now: float = 0.0
    stream: bool = False
    draw: float = 1.0
    scales: Scales = NO_SCALES


Pools = Sequence[Sequence[Ask]]
"""The places of each target of a tier, in the targets' order."""


class Look(NamedTuple):
    """What an order is made by. `prefer` is one of the places to be ordered, or None; it takes nobody's turn."""

    board: Board
    moment: Moment
    prefer: Place | None

    def turn(self, pool: Hashable, size: int) -> int:
        """The next turn in the pool, of `size`."""
        return 0 if self.prefer is not None else self.board.turns.next(pool, size)

    def errors(self, place: Place) -> float:
        """The share of its requests that fail."""
        return self.board.meters.errors(place, self.moment.now)

    def pace(self, place: Place) -> float | None:
        """Seconds to an answer of the kind that is asked for; None where none is known."""
        meter = self.board.meters.of(place)
        return None if meter is None else meter.pace(stream=self.moment.stream)

    def price(self, ask: Ask) -> float | None:
        price = self.moment.scales.price
        return None if price is None else price(ask)


Order = Callable[[Tier, Pools, Look], Sequence[Ask]]


def line_up(tier: Tier, pools: Pools, board: Board, moment: Moment, *, prefer: Place | None = None) -> Sequence[Ask]:
    """All places of the tier, the one to ask first in front: `prefer`, if it is one of them and none is better off.

    Where that one rests for a short time that its provider named, it is in front all the same, and is waited for.
    """
    if len(pools) == 1 and len(pools[0]) < 2:
        return pools[0]
    if not board.health.ailing and moment.scales.share is None and not board.quotas:
        return ordered(tier, pools, Look(board, moment, prefer))
    ranks = ranks_of(pools, board, moment)
    front = min(ranks.values(), default=0)
    chosen = [tuple(ask for ask in pool if ranks[ask.place] == front) for pool in pools]
    left = [ask for ask in chain.from_iterable(pools) if ranks[ask.place] != front]
    left.sort(key=lambda ask: ranks[ask.place])
    found = [*ordered(tier, chosen, Look(board, moment, prefer)), *left]
    if prefer is not None and ranks.get(prefer) == RESTS and (one := preferred(pools, Look(board, moment, prefer))):
        return [one, *(ask for ask in found if ask.place != prefer)]
    return found


def ordered(tier: Tier, pools: Pools, look: Look) -> Sequence[Ask]:
    """By the tier's strategy, what is preferred in front."""
    if look.prefer is None:
        return ORDERS[tier.strategy](tier, pools, look)
    if all(ask.place != look.prefer for pool in pools for ask in pool):
        return ORDERS[tier.strategy](tier, pools, look._replace(prefer=None))
    return sorted(ORDERS[tier.strategy](tier, pools, look), key=lambda ask: ask.place != look.prefer)


def ranks_of(pools: Pools, board: Board, moment: Moment) -> Mapping[Place, float]:
    """0 for who is well and has room; between 0 and 2 for who is near a limit; 2 for who rests."""
    ranks: dict[Place, float] = {}
    share, ailing = moment.scales.share, board.health.ailing
    for ask in chain.from_iterable(pools):
        place = ask.place
        if ailing and board.health.state(place, moment.now) is State.RESTING:
            ranks[place] = RESTS
            continue
        used = 0.0 if share is None else share(place).most
        if used < NEAR and board.quotas.near(place, moment.now):
            used = NEAR
        ranks[place] = 0.0 if used < NEAR else min(used, 1.0)
    return ranks


def preferred(pools: Pools, look: Look) -> Ask | None:
    """What is preferred, where it is well or back in a moment."""
    ask = next(filter(None, (find(pool, look.prefer) for pool in pools)), None)
    if ask is None:
        return None
    rank = ranks_of([[ask]], look.board, look.moment)[ask.place]
    return ask if rank == 0 else waited_for(ask, look.board, look.moment.now) if rank == RESTS else None


def find(pool: Sequence[Ask], place: Place | None) -> Ask | None:
    if isinstance(pool, Pool):
        return None if place is None else pool.find(place)
    return next((ask for ask in pool if ask.place == place), None)


def _first(tier: Tier, pools: Pools, look: Look) -> Sequence[Ask]:  # noqa: ARG001  one of Order
    """The targets as they stand, the keys of each in turn."""
    found: list[Ask] = []
    for pool in pools:
        if len(pool) < 2:
            found += pool
        else:
            turn = look.turn(pool[0].target.provider, len(pool))
            found += (*pool[turn:], *pool[:turn])
    return found


def _fill_first(tier: Tier, pools: Pools, look: Look) -> Sequence[Ask]:  # noqa: ARG001  one of Order
    """As it stands: targets and keys."""
    return list(chain.from_iterable(pools))


def _round_robin(tier: Tier, pools: Pools, look: Look) -> Sequence[Ask]:
    """The same for every place."""
    return _shared_out(tier, ((ask, 1.0) for ask in chain.from_iterable(pools)), look)


def _weighted(tier: Tier, pools: Pools, look: Look) -> Sequence[Ask]:
    """Each target's weight, in equal parts for its keys."""
    weights = tier.weights or (1.0,) * len(pools)
    parts = ((ask, weight / len(pool)) for pool, weight in zip(pools, weights, strict=True) for ask in pool)
    return _shared_out(tier, parts, look)


def _shared_out(tier: Tier, parts: Iterable[tuple[Ask, float]], look: Look) -> Sequence[Ask]:
    """Who is due most comes first: each is due its part of every request, and pays with a whole one when it is asked.

    So after every round of requests each had exactly its part, and none had two in a row that others were due.
    """
    credit, total, asks = dict(look.board.turns.credit(tier)), 0.0, []
    for ask, part in parts:
        due = part * max(LEAST_DUE, 1.0 - look.errors(ask.place))
        credit[ask.place] = credit.get(ask.place, 0.0) + due
        total += due
        asks.append(ask)
    asks.sort(key=lambda ask: -credit[ask.place])
    if asks:
        credit[look.prefer or asks[0].place] -= total
        look.board.turns.keep_credit(tier, credit)
    return asks


def _sticky(tier: Tier, pools: Pools, look: Look) -> Sequence[Ask]:
    """The place that was first the last time, while it is well; else the next one behind it that is."""
    health, turns, now = look.board.health, look.board.turns, look.moment.now
    asks, held = list(chain.from_iterable(pools)), turns.held(tier)
    asks = _from(asks, _index_of(held, asks))
    well = (index for index, ask in enumerate(asks) if health.state(ask.place, now) is State.READY)
    asks = _from(asks, next(well, 0))
    if asks and asks[0].place != held:
        turns.hold(tier, asks[0].place)
    return asks


def _index_of(held: Place | None, asks: Sequence[Ask]) -> int:
    """Where the held place stands, else another of its target, which may be that of a pool that has gone on; else 0."""
    if held is None:
        return 0
    same = next((index for index, ask in enumerate(asks) if ask.place == held), None)
    if same is not None:
        return same
    target = held.provider, held.model
    return next((index for index, ask in enumerate(asks) if (ask.place.provider, ask.place.model) == target), 0)


def _least_busy(tier: Tier, pools: Pools, look: Look) -> Sequence[Ask]:
    def running(ask: Ask) -> float:
        meter = look.board.meters.of(ask.place)
        return 0 if meter is None else meter.running

    return _best(tier, pools, look, running)


def _least_error(tier: Tier, pools: Pools, look: Look) -> Sequence[Ask]:
    """In steps: what is left of an error after a while makes no difference."""
    return _explored(_best(tier, pools, look, lambda ask: round(look.errors(ask.place) / STEP)), look)


def _fastest(tier: Tier, pools: Pools, look: Look) -> Sequence[Ask]:
    """The least time to an answer. Who never answered is tried first, with one request at a time."""
    return _explored(_best(tier, pools, look, lambda ask: _expected(ask, look)), look)


def _cheapest(tier: Tier, pools: Pools, look: Look) -> Sequence[Ask]:
    """The least price, and the fastest of those that cost the same. Who has no known price comes last."""

    def dearness(ask: Ask) -> tuple[float, float]:
        price = look.price(ask)
        return inf if price is None else price, _expected(ask, look)

    return _best(tier, pools, look, dearness)


def _hybrid(tier: Tier, pools: Pools, look: Look) -> Sequence[Ask]:
    """The least weighted sum of what is used, what fails, how long it takes and what it costs."""
    asks = list(chain.from_iterable(pools))
    weights, share = look.moment.scales.weights, look.moment.scales.share
    times = _against_most({ask.place: look.pace(ask.place) for ask in asks}, unknown=0.0)
    costs = _against_most({ask.place: look.price(ask) for ask in asks}, unknown=1.0)

    def score(ask: Ask) -> float:
        used = UNUSED if share is None else share(ask.place)
        return round(
            weights.requests * used.requests
            + weights.tokens * used.tokens
            + weights.errors * look.errors(ask.place)
            + weights.latency * times[ask.place]
            + weights.cost * costs[ask.place],
            3,
        )

    return _explored(_best(tier, pools, look, score), look)


def _explored(asks: Sequence[Ask], look: Look) -> Sequence[Ask]:
    """The same order, or for a small share of requests one that begins with the place asked longest ago."""
    if look.moment.draw >= EXPLORING or not asks:
        return asks
    return _from(asks, asks.index(min(asks, key=lambda ask: _asked_at(ask, look))))


def _best(tier: Tier, pools: Pools, look: Look, badness: Callable[[Ask], float | tuple[float, float]]) -> Sequence[Ask]:
    """By badness, the least first; those that share the first rank take turns, the others stay as they stand."""
    asks = list(chain.from_iterable(pools))
    bad = {ask.place: badness(ask) for ask in asks}
    asks.sort(key=lambda ask: bad[ask.place])
    level = sum(1 for ask in asks if bad[ask.place] == bad[asks[0].place])
    if level < 2:
        return asks
    return _from(asks[:level], look.turn(tier, level)) + asks[level:]


def _from(asks: Sequence[Ask], index: int) -> list[Ask]:
    """The same circle, begun at `index`."""
    return [*asks[index:], *asks[:index]]


def _expected(ask: Ask, look: Look) -> float:
    """Seconds to an answer, to a millisecond, with the tries that fail before it; 0 for who is to be tried first."""
    meter = look.board.meters.of(ask.place)
    if meter is None:
        return 0.0
    seconds, errors = meter.pace(stream=look.moment.stream), meter.errors(look.moment.now)
    if seconds is None:
        return 0.0 if meter.running == 0 and errors < DOUBT else inf
    return round(seconds / max(LEAST_DUE, 1.0 - errors), 3)


def _asked_at(ask: Ask, look: Look) -> float:
    meter = look.board.meters.of(ask.place)
    return -inf if meter is None else meter.asked_at


def _against_most(numbers: Mapping[Place, float | None], *, unknown: float) -> Mapping[Place, float]:
    """Each as a part of the greatest; `unknown` for those that are not known where others are."""
    most = max((number for number in numbers.values() if number is not None), default=0.0)
    if most <= 0:
        return dict.fromkeys(numbers, 0.0)
    return {place: unknown if number is None else number / most for place, number in numbers.items()}


ORDERS: Mapping[Strategy, Order] = {
    Strategy.FIRST: _first,
    Strategy.ROUND_ROBIN: _round_robin,
    Strategy.WEIGHTED: _weighted,
    Strategy.LEAST_BUSY: _least_busy,
    Strategy.FASTEST: _fastest,
    Strategy.LEAST_ERROR: _least_error,
    Strategy.CHEAPEST: _cheapest,
    Strategy.HYBRID: _hybrid,
    Strategy.STICKY: _sticky,
    Strategy.FILL_FIRST: _fill_first,
}

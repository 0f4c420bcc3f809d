"""The order of a tier in which one pool or another has an order of its own, made as far as somebody looks.

Such a pool is to the tier's strategy what the place in its front is, and its others stand behind that one. Places
without room, and those that rest, come behind all others of the tier, as they do in every other.
"""

from collections.abc import Iterator, Sequence
from functools import partial

from isthmus.routing.board import Board
from isthmus.routing.health import Place
from isthmus.routing.order import NEAR, Look, Moment, Pools, find, ordered, preferred, ranks_of
from isthmus.routing.places import Ask, Pool, PoolStrategy
from isthmus.routing.plan import Strategy, Tier
from isthmus.routing.pools import in_order


def has_pool(pools: Pools) -> bool:
    """Is any of them looked at one by one?"""
    return any(isinstance(pool, Pool) for pool in pools)


def one_by_one(tier: Tier, pools: Pools, board: Board, moment: Moment, *, prefer: Place | None = None) -> Iterator[Ask]:
    """As `line_up`, for a tier of which one pool or another is in an order of its own.

    Such a pool is to the tier's strategy what the place in its front is, and its others stand behind that one.
    """
    look, left = Look(board, moment, prefer), list[Ask]()
    kept = None if prefer is None else preferred(pools, look)
    behind: dict[Place, Iterator[Ask]] = {}
    fronts: list[Sequence[Ask]] = []
    for pool in pools:
        own = kept if kept is not None and find(pool, kept.place) is not None else None
        if isinstance(pool, Pool) and _is_one(pool, tier):
            may = partial(_has_room, pool, look)
            others = in_order(pool, board, moment.now, may, left, bonded=own is not None)
            fronts.append(tuple(filter(None, [own or next(others, None)])))
            behind.update((front.place, others) for front in fronts[-1])
        else:
            fronts.append(_well(pool, look, left, own))
    seen = None if kept is None else kept.place
    for ask in ordered(tier, fronts, look):
        yield ask
        yield from (other for other in behind.get(ask.place, ()) if other.place != seen)
    ranks = ranks_of([left], board, moment)
    yield from (ask for ask in sorted(left, key=lambda ask: ranks[ask.place]) if ask.place != seen)


def _is_one(pool: Pool, tier: Tier) -> bool:
    """Is the pool one place to the tier? Where its keys take turns, strategies that share requests out see all."""
    return pool.strategy is not PoolStrategy.ROUND_ROBIN or tier.strategy is Strategy.FIRST


def _has_room(pool: Pool, look: Look, place: Place) -> bool:
    """May the place have its turn? One that a pool stays with is used up to its end."""
    share, now = look.moment.scales.share, look.moment.now
    if pool.strategy is PoolStrategy.ROUND_ROBIN:
        return not look.board.quotas.near(place, now) and (share is None or share(place).most < NEAR)
    return share is None or share(place).most < 1.0


def _well(pool: Sequence[Ask], look: Look, left: list[Ask], own: Ask | None) -> Sequence[Ask]:
    """Those that are well and have room, and `own`, at which a conversation is kept. The others are left."""
    ranks = ranks_of([pool], look.board, look.moment)
    left += [ask for ask in pool if ranks[ask.place]]
    found = [ask for ask in pool if not ranks[ask.place]]
    return found if own is None or not ranks[own.place] else [own, *found]

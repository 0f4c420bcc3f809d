"""The order in which a tier's places are asked when all of them are well, by the tier's strategy."""

from collections.abc import Callable, Mapping, Sequence

from isthmus.routing.places import Ask
from isthmus.routing.plan import Strategy, Tier

MOST_TURNS = 50_000
"""Pools whose turn is remembered; beyond that, all begin again."""


class Turns:
    """Whose turn it is in each pool."""

    def __init__(self) -> None:
        self._turns: dict[str, int] = {}

    def next(self, pool: str, size: int) -> int:
        """A number below `size`: one more than the last time, from 0 on."""
        turn = self._turns.get(pool, -1) + 1
        if turn >= size:
            turn = 0
        if len(self._turns) >= MOST_TURNS:
            self._turns.clear()
        self._turns[pool] = turn
        return turn


Pools = Sequence[tuple[Ask, ...]]
"""The places of each target of a tier, in the targets' order."""
Order = Callable[[Tier, Pools, Turns], list[Ask]]


def line_up(tier: Tier, pools: Pools, turns: Turns) -> Sequence[Ask]:
    """All places of the tier, the one to ask first in front."""
    if len(pools) == 1 and len(pools[0]) < 2:
        return pools[0]
    return ORDERS[tier.strategy](tier, pools, turns)


def _first(tier: Tier, pools: Pools, turns: Turns) -> list[Ask]:  # noqa: ARG001  one of Order
    """The targets as they stand, the keys of each in turn."""
    found: list[Ask] = []
    for pool in pools:
        if len(pool) < 2:
            found += pool
        else:
            turn = turns.next(pool[0].target.provider, len(pool))
            found += pool[turn:] + pool[:turn]
    return found


ORDERS: Mapping[Strategy, Order] = {Strategy.FIRST: _first}

"""What one request's order owes to those before it: whose turn it is, who is due most, and whom a tier, or a provider's
pool of keys, holds on to."""

from collections import ChainMap
from collections.abc import Hashable, Mapping, MutableMapping
from typing import TypeVar

from isthmus.routing.health import Place
from isthmus.routing.plan import Tier

MOST_TURNS = 50_000
"""Pools, or tiers, that are remembered; beyond that, all begin again."""

_K = TypeVar("_K")
_V = TypeVar("_V")


class Turns:
    """A cycle by the name of its pool, the credit and the held place by tier, so that equal tiers are one."""

    def __init__(self) -> None:
        self._turns: MutableMapping[Hashable, int] = {}
        self._credits: MutableMapping[Tier, Mapping[Place, float]] = {}
        self._held: MutableMapping[Tier, Place] = {}
        self._keys: MutableMapping[str, tuple[str, str]] = {}

    def next(self, pool: Hashable, size: int) -> int:
        """A number below `size`: one more than the last time, from 0 on."""
        turn = self.after(pool, size)
        _put(self._turns, pool, turn)
        return turn

    def after(self, pool: Hashable, size: int) -> int:
        """The same, and nobody's turn is taken."""
        turn = self._turns.get(pool, -1) + 1
        return 0 if turn >= size else turn

    def reach(self, pool: Hashable, turn: int) -> None:
        """The last time it was this one's turn."""
        _put(self._turns, pool, turn)

    def credit(self, tier: Tier) -> Mapping[Place, float]:
        """How much each place of the tier is due; nothing for one that was never lined up."""
        return self._credits.get(tier, {})

    def keep_credit(self, tier: Tier, credit: Mapping[Place, float]) -> None:
        """What they are due from now on. The caller does not change it any more."""
        _put(self._credits, tier, credit)

    def held(self, tier: Tier) -> Place | None:
        """The place that the tier stays with."""
        return self._held.get(tier)

    def hold(self, tier: Tier, place: Place) -> None:
        """From now on the tier stays with `place`."""
        _put(self._held, tier, place)

    def held_key(self, provider: str, first: str) -> str:
        """The key that the provider's pool stays with: its `first`, until another is held; and whenever the first is
        another one than it was then."""
        before, held = self._keys.get(provider, (first, first))
        return held if before == first else first

    def hold_key(self, provider: str, first: str, key: str) -> None:
        """From now on the provider's pool, in which `first` is in front, stays with `key`."""
        _put(self._keys, provider, (first, key))

    def begin_again(self, provider: str) -> None:
        """From now on the provider's pool stays with whichever of its keys is in front."""
        self._keys.pop(provider, None)

    def aside(self) -> "Turns":
        """The same turns, for somebody who only wants to know: what is taken there is not taken here."""
        other = Turns()
        other._turns = ChainMap({}, self._turns)
        other._credits = ChainMap({}, self._credits)
        other._held = ChainMap({}, self._held)
        other._keys = ChainMap({}, self._keys)
        return other


def _put(kept: MutableMapping[_K, _V], key: _K, value: _V) -> None:
    if len(kept) >= MOST_TURNS and key not in kept:
        kept.clear()
    kept[key] = value

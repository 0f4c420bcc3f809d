"""What every place costs at every time, made ready once for many requests."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from isthmus.catalog.tariff import Tariff
from isthmus.core.facts import Price
from isthmus.engine.snapshot import Snapshot, ToldFacts
from isthmus.routing.plan import Target

REMEMBERED = 4096
"""Places whose tariffs are kept; beyond that, they are made again."""


class _Dated(NamedTuple):
    """It holds until Unix time `until`; None where nobody knows a price."""

    until: float
    tariff: Tariff | None


class Tariffs:
    """Of one configuration, and of what providers told of their models."""

    def __init__(self, snapshot: Snapshot, told: ToldFacts) -> None:
        self._snapshot = snapshot
        self._told = told
        self._known: dict[tuple[str, str, str], Sequence[_Dated]] = {}

    def of(self, target: Target, credential: str, at: float) -> Tariff | None:
        """What the target costs under this key for a request that began at Unix time `at`."""
        found = self._known.get((target.provider, credential, target.model))
        if found is None:
            found = self._look_up(target, credential)
        for until, tariff in found:
            if at < until:
                return tariff
        return None

    def _look_up(self, target: Target, credential: str) -> Sequence[_Dated]:
        price = self._snapshot.price(target, credential, self._told)
        found = (_Dated(math.inf, None),) if price is None else _dated(price)
        if len(self._known) < REMEMBERED:
            self._known[target.provider, credential, target.model] = found
        return found


def _dated(price: Price) -> Sequence[_Dated]:
    earlier = (_Dated(one.until, Tariff(one.price)) for one in price.earlier)
    return (*earlier, _Dated(math.inf, Tariff(price)))

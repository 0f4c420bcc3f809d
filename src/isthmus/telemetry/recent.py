"""What became of the latest exchanges, and what they lost, by their ids: bounded rings in memory."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

from isthmus.core.losses import Losses
from isthmus.engine.exchange import Exchange
from isthmus.engine.past import Past, PastRing
from isthmus.telemetry.one_by_one import one_by_one

KEPT = 1000
"""Exchanges whose ledger is kept; those that lost nothing take no place."""
PAST = 1000
"""Exchanges that are kept with all that became of them, each in less than a kilobyte."""


class RecentLosses:
    """`flush` has what is over, and was not handed over yet, handed over."""

    def __init__(self, flush: Callable[[], None], kept: int = KEPT) -> None:
        self._flush = flush
        self._most = kept
        self._ledgers: OrderedDict[str, Losses] = OrderedDict()

    def take(self, exchanges: Sequence[Exchange]) -> None:
        """These are over."""
        for exchange in exchanges:
            if exchange.losses.found:
                self._ledgers[exchange.id] = exchange.losses
                if len(self._ledgers) > self._most:
                    self._ledgers.popitem(last=False)

    def of(self, exchange_id: str) -> Losses | None:
        """The ledger of an exchange, or None when it lost nothing or is no longer kept."""
        self._flush()
        return self._ledgers.get(exchange_id)


class RecentExchanges:
    """`flush` as of RecentLosses. Requests that could not be read take no place."""

    def __init__(self, flush: Callable[[], None], kept: int = PAST) -> None:
        self._flush = flush
        self._ring = PastRing(kept)

    def take(self, exchanges: Sequence[Exchange]) -> None:
        """These are over. Raises Spoiled."""
        one_by_one(exchanges, self._ring.keep)

    def of(self, exchange_id: str) -> Past | None:
        """What became of an exchange, or None when it is no longer kept."""
        self._flush()
        return self._ring.of(exchange_id)

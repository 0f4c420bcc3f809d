"""What became of the latest exchanges, and what they lost, by their ids: bounded rings in memory."""

from collections import OrderedDict, deque

from isthmus.core.losses import Losses
from isthmus.engine.exchange import Exchange
from isthmus.engine.past import Past
from isthmus.engine.ports import Recorder

KEPT = 1000
"""Exchanges whose ledger is kept; those that lost nothing take no place."""
PAST = 1000
"""Exchanges that are kept with all that became of them, each in less than a kilobyte."""


class RecentLosses:
    """Implements the engine's Recorder, in front of another one."""

    def __init__(self, behind: Recorder, kept: int = KEPT) -> None:
        self._behind = behind
        self._most = kept
        self._ledgers: OrderedDict[str, Losses] = OrderedDict()

    def record(self, exchange: Exchange) -> None:
        if exchange.losses.found:
            self._ledgers[exchange.id] = exchange.losses
            if len(self._ledgers) > self._most:
                self._ledgers.popitem(last=False)
        self._behind.record(exchange)

    def of(self, exchange_id: str) -> Losses | None:
        """The ledger of an exchange, or None when it lost nothing or is no longer kept."""
        return self._ledgers.get(exchange_id)


class RecentExchanges:
    """Implements the engine's Recorder, in front of another one. Requests that could not be read take no place."""

    def __init__(self, behind: Recorder, kept: int = PAST) -> None:
        self._behind = behind
        self._past: deque[Past] = deque(maxlen=kept)

    def record(self, exchange: Exchange) -> None:
        if exchange.peek is not None:
            self._past.append(Past(exchange))
        self._behind.record(exchange)

    def of(self, exchange_id: str) -> Past | None:
        """What became of an exchange, or None when it is no longer kept."""
        return next((past for past in reversed(self._past) if past.id == exchange_id), None)

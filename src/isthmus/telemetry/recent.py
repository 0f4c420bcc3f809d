"""What the latest exchanges lost, by their ids: a bounded ring in memory."""

from collections import OrderedDict

from isthmus.core.losses import Losses
from isthmus.engine.exchange import Exchange
from isthmus.engine.ports import Recorder

KEPT = 1000
"""Exchanges whose ledger is kept; those that lost nothing take no place."""


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

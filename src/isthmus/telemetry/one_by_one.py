"""Exchanges that are over, taken in one after the other: one that cannot be, by a fault of ours, costs no other.

Does not say so itself: the fault is raised once all are taken that can be, and whoever handed them over tells of it.
"""

from collections.abc import Callable, Iterable, Mapping

from isthmus.engine.exchange import Exchange


class Spoiled(Exception):
    """Some could not be taken in; all others were. `faults` are the reasons, by the ids of their exchanges."""

    def __init__(self, faults: Mapping[str, Exception]) -> None:
        super().__init__(f"{len(faults)} exchanges could not be taken in")
        self.faults = faults


def one_by_one(exchanges: Iterable[Exchange], take: Callable[[Exchange], object]) -> None:
    """Have each taken. Raises Spoiled."""
    faults: dict[str, Exception] = {}
    for exchange in exchanges:
        try:
            take(exchange)
        except Exception as fault:
            faults[exchange.id] = fault
    if faults:
        raise Spoiled(faults)

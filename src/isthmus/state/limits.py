"""Limits that hold within this process."""

from collections.abc import Callable, Mapping, Sequence

from isthmus.routing.limits import Claim, Grant, Ledger, Limit, Measure, Refusal, Remembered, Tab


class LocalLimiter:
    """Implements the engine's Limiter. `time` tells Unix seconds."""

    state = "local"
    """For people: where it is counted."""
    alone = 0
    """Nobody shares them."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._ledger = Ledger()

    def tab(self, limits: Sequence[Limit]) -> Tab:
        """They are counted here, so nobody need wait for what is granted of them."""
        return Tab(self._ledger, limits, self._time)

    async def claim(self, claims: Sequence[Claim]) -> Grant | Refusal:
        """All of `claims` or nothing."""
        return self._ledger.claim(claims, self._time())

    def settle(self, grant: Grant, spent: Mapping[Measure, int]) -> None:
        """What was granted came to `spent`."""
        self._ledger.settle(grant, spent, self._time())

    async def remember(self, found: Sequence[Remembered]) -> None:
        """What others spent of budgets, or this process before it was started, is spent here too.

        Where the ledger has forgotten a budget, among very many, it knows it again.
        """
        for limit, total, news, at in found:
            if news > 0:
                self._ledger.note(Grant((Claim(limit, news),), at, ""))
            self._ledger.raise_to(limit, total, at)

    def share(self, limit: Limit) -> float:
        """How much of the limit counts at present: 1 when it is used up."""
        return self._ledger.share(limit, self._time())

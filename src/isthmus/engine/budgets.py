"""What was spent of budgets before this process was started, or by others: told to the limiter by what the store keeps.

The limiter counts what is claimed and settled here; the store knows all that was ever spent, but a moment late. So of
the store's figure this process takes away what it handed over itself, and tells the limiter what is new of the rest.
What is still on its way to the store is then missing of what others spent, and nothing is ever counted twice.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.periods import Period, began
from isthmus.engine.live import Live
from isthmus.engine.ports import Clock, Limiter
from isthmus.engine.records import Records, Used
from isthmus.engine.scopes import GATEWAY, scopes_of, spent_by_day
from isthmus.routing.limits import Limit, Remembered

EVERY = 10.0
"""Seconds after which the store is asked again."""
LOOK = 1.0
"""Seconds after which new budgets are asked for, and after which a store that was gone is asked again."""
HURRY = 0.1
"""The same while it is opened."""
TOGETHER = 500
"""Scopes that the limiter is told of at once."""
_KINDS = ("client:", "team:", GATEWAY)
"""What the scopes begin with of which the store knows what they spent."""

Window: TypeAlias = tuple[str, Period, float]
"""A scope, a period, and when that began."""

log = logging.getLogger(__name__)


class Budgets:
    """`heard`: the store has told what was spent, or nothing needs it to."""

    def __init__(self, live: Live, records: Records, limiter: Limiter, clock: Clock) -> None:
        self._live = live
        self._records = records
        self._limiter = limiter
        self._clock = clock
        self._allowances: Mapping[str, tuple[Limit, ...]] | None = None
        self._limits: Mapping[str, Sequence[tuple[Limit, Period]]] = {}
        self._handed: dict[Window, int] = {}
        self._others: dict[Window, int] = {}
        self.heard = False
        self.first = asyncio.Event()
        """Set when the store was heard, or could not be."""

    def handed(self, rows: Sequence[Used]) -> None:
        """These were handed over to be stored, by this process."""
        limits = self._look()
        if not limits:
            return
        for (client, team, day), microdollars in spent_by_day(rows).items():
            for scope in scopes_of(client, team):
                for _, period in limits.get(scope, ()):
                    window = scope, period, began(period, day)
                    self._handed[window] = self._handed.get(window, 0) + microdollars

    def check(self, limits: Sequence[Limit]) -> None:
        """Raises STORE_GONE for a budget of which nobody has told yet what was spent."""
        if not self.heard and any(limit.period is not None for limit in limits):
            words = "what was spent of the budget is not known: the store cannot be reached; try again shortly"
            raise GatewayError(Kind.STORE_GONE, words, retry_after=LOOK)

    async def refresh(self) -> None:
        """Ask the store. Raises STORE_GONE."""
        limits = self._look()
        if limits:
            at = self._clock.time()
            spent = {(one.scope, one.period, one.since): one.microdollars for one in await self._records.spent(at)}
            scopes = tuple(limits)
            for start in range(0, len(scopes), TOGETHER):
                some = [(scope, *one) for scope in scopes[start : start + TOGETHER] for one in limits[scope]]
                await self._limiter.remember([self._news(*one, spent, at) for one in some])
                await asyncio.sleep(0)  # there may be many, and others come in between
            self._forget(at)
        self.heard = True

    async def run(self) -> None:
        """Ask again and again."""
        told = False
        while True:
            try:
                await self.refresh()
            except GatewayError as error:
                if not told:
                    log.warning("what was spent of budgets is not told: %s", error.message)
                told = True
                self.first.set()
                await asyncio.sleep(LOOK if self.heard else HURRY)
            else:
                told = False
                self.first.set()
                await self._pause()

    async def _pause(self) -> None:
        for _ in range(round(EVERY / LOOK)):
            await asyncio.sleep(LOOK)
            if self._live.take().snapshot.allowances is not self._allowances:
                return

    def _look(self) -> Mapping[str, Sequence[tuple[Limit, Period]]]:
        """The budgets that are in force, by scope."""
        allowances = self._live.take().snapshot.allowances
        if allowances is not self._allowances:
            self._allowances, self._limits = allowances, budgets_of(allowances)
        return self._limits

    def _news(self, scope: str, limit: Limit, period: Period, spent: Mapping[Window, int], at: float) -> Remembered:
        """What was spent of one budget in the present period."""
        window = scope, period, began(period, at)
        total, before = spent.get(window, 0), self._others.get(window, 0)
        others = self._others[window] = max(before, total - self._handed.get(window, 0))
        return Remembered(limit, total, others - before, at)

    def _forget(self, at: float) -> None:
        """What is known of periods that are over."""
        for known in (self._handed, self._others):
            for window in [window for window in known if window[2] != began(window[1], at)]:
                del known[window]


def budgets_of(allowances: Mapping[str, Sequence[Limit]]) -> Mapping[str, Sequence[tuple[Limit, Period]]]:
    """The budgets of clients, teams and the whole gateway among all limits, by scope; none of those without any."""
    asked = ((scope, limits) for scope, limits in allowances.items() if scope.startswith(_KINDS))
    found = {scope: tuple((one, one.period) for one in limits if one.period is not None) for scope, limits in asked}
    return {scope: some for scope, some in found.items() if some}

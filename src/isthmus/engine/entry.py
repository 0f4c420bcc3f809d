"""What the requests of one client by one route claim: the same for each but for how much, and put together once."""

from collections.abc import Mapping, Sequence

from isthmus.engine.clients import Client
from isthmus.engine.ports import Limiter
from isthmus.engine.scopes import GATEWAY
from isthmus.routing.limits import Limit, Measure

REMEMBERED = 4096
"""Clients, each with a route, whose entries are kept; beyond that, all are made again."""


class Entry:
    """What one client's requests by one route claim. `tab` is None where they are not counted in this process.

    `scopes` are those that bound how many run; `guessed`: tokens or money are counted, `priced`: money is.
    """

    __slots__ = ("budgeted", "guessed", "limits", "priced", "scopes", "tab")

    def __init__(self, limits: Sequence[Limit], limiter: Limiter) -> None:
        measures = {limit.measure for limit in limits}
        self.limits = limits
        self.tab = limiter.tab(limits)
        self.priced = Measure.MICRODOLLARS in measures
        self.guessed = self.priced or Measure.TOKENS in measures
        self.budgeted = any(limit.period is not None for limit in limits)
        self.scopes = tuple(limit.scope for limit in limits if limit.measure is Measure.RUNNING)


class Entries:
    """Those of one configuration, by client and route."""

    def __init__(self, allowances: Mapping[str, tuple[Limit, ...]]) -> None:
        self._allowances = allowances
        self._known: dict[tuple[str, str, str], Entry] = {}

    def of(self, client: Client, route: str, limiter: Limiter) -> Entry:
        """What the client's requests by this route claim."""
        found = self._known.get((client.name, client.team, route))
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            found = self._known[client.name, client.team, route] = Entry(self._limits(client, route), limiter)
        return found

    def _limits(self, client: Client, route: str) -> tuple[Limit, ...]:
        team = (f"team:{client.team}",) if client.team else ()
        scopes = (f"client:{client.name}", *team, GATEWAY, f"route:{route}")
        return tuple(limit for scope in scopes for limit in self._allowances.get(scope, ()))

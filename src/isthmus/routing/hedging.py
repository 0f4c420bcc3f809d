"""When a second place may be asked beside the first, and how often that may be.

Holds a purse for each route: every request puts a share of one second ask into it, and a second ask takes a whole one
out. So however slow all places are at once, no more than that share of the traffic is asked twice. What is not spent
fades, so that a quiet day does not pay for a storm. Time is told in monotonic seconds; nothing here waits or draws.
"""

import math

from isthmus.routing.plan import Hedge

RECENT = 600.0
"""Seconds in which what a purse holds fades to about a third."""
MOST = 10.0
"""Second asks that a purse may hold."""
ROUTES = 10_000
"""Routes whose purse is kept; beyond that, all begin again empty."""


class Purses:
    """By the route's name."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[float, float]] = {}

    def earn(self, route: str, share: float, now: float) -> None:
        """A request came that may be asked twice."""
        if len(self._held) >= ROUTES and route not in self._held:
            self._held.clear()
        self._held[route] = (min(MOST, self.held(route, now) + share), now)

    def spend(self, route: str, now: float) -> bool:
        """Take one second ask out, if there is a whole one."""
        held = self.held(route, now)
        if held < 1.0:
            return False
        self._held[route] = (held - 1.0, now)
        return True

    def held(self, route: str, now: float) -> float:
        """Second asks that the route may make now."""
        held, at = self._held.get(route, (0.0, now))
        return held * math.exp((at - now) / RECENT)


def patience(hedge: Hedge, usual: float | None) -> float | None:
    """Seconds after which a second place is asked; None for never, where nobody knows what is `usual` for the first.

    `usual` is that quantile of the first place's seconds to its first token which the route names.
    """
    return None if usual is None else max(hedge.least, usual)

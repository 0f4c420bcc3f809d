"""All that is known of places right now, as one value handed to whoever decides."""

from isthmus.routing.health import Health
from isthmus.routing.meters import Meters
from isthmus.routing.turns import Turns


class Board:
    """Outlives every swap of the configuration. Each part is bounded by itself."""

    __slots__ = ("health", "meters", "turns")

    def __init__(self) -> None:
        self.health = Health()
        self.turns = Turns()
        self.meters = Meters()

    def keep(self, providers: frozenset[str]) -> None:
        """Forget what no configuration names any more."""
        self.health.keep(providers)
        self.meters.keep(providers)

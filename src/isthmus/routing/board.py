"""All that is known of places right now, as one value handed to whoever decides."""

from isthmus.routing.adaptive import Bounds
from isthmus.routing.health import Health
from isthmus.routing.hedging import Purses
from isthmus.routing.meters import Meters
from isthmus.routing.quotas import Quotas
from isthmus.routing.retry_budget import RetryBudgets
from isthmus.routing.turns import Turns


class Board:
    """Outlives every swap of the configuration. Each part is bounded by itself."""

    __slots__ = ("bounds", "health", "meters", "purses", "quotas", "retries", "turns")

    def __init__(self, quotas: Quotas | None = None) -> None:
        self.health = Health()
        self.retries = RetryBudgets()
        self.turns = Turns()
        self.meters = Meters()
        self.bounds = Bounds()
        self.purses = Purses()
        self.quotas = Quotas() if quotas is None else quotas

    def aside(self) -> "Board":
        """The same, for somebody who only wants to know what a walk would do: no turn that is taken there counts."""
        other = Board()
        other.health, other.meters, other.retries = self.health, self.meters, self.retries
        other.bounds, other.quotas, other.turns = self.bounds, self.quotas, self.turns.aside()
        return other

    def keep(self, providers: frozenset[str]) -> None:
        """Forget what no configuration names any more."""
        self.health.keep(providers)
        self.retries.keep(providers)
        self.meters.keep(providers)
        self.bounds.keep(providers)
        self.quotas.keep(providers)

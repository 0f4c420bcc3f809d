"""What was granted to an exchange, and what it comes to when it is settled."""

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING
from typing import NamedTuple

from isthmus.catalog.prices import cost
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.facts import Price
from isthmus.core.usage import Usage
from isthmus.engine.expected import Expectation
from isthmus.engine.ports import Limiter
from isthmus.engine.queue import Queue
from isthmus.routing.health import Place
from isthmus.routing.limits import Claim, Grant, Limit, Measure
from isthmus.routing.plan import Target


class Bill(NamedTuple):
    """What a request is expected to come to at one model. `price` is None where nobody knows it."""

    target: Target
    expected: Expectation
    price: Price | None

    def amount(self, limit: Limit) -> int:
        """What is claimed of a limit: all of it where only the guess of the answer's length is more than that."""
        asked, measure = self.expected.input, limit.measure
        whole = self.spent(Usage(fresh_input=asked, output=self.expected.output)).get(measure, 1)
        if whole <= limit.most:
            return whole
        return max(limit.most, self.spent(Usage(fresh_input=asked)).get(measure, 1))

    def spent(self, usage: Usage) -> Mapping[Measure, int]:
        """What these tokens come to, by measure; cached ones count as any others."""
        return {
            Measure.TOKENS: usage.input + usage.total_output,
            Measure.MICRODOLLARS: 0 if self.price is None else microdollars(usage, self.price),
        }


class Held:
    """A grant until it is settled, which is once. `place` is where it is for; None for the caller's own limits."""

    __slots__ = ("_grant", "_limiter", "_queue", "bill", "place")

    def __init__(self, grant: Grant, bill: Bill | None, limiter: Limiter, queue: Queue | None = None) -> None:
        self._grant: Grant | None = grant
        self._limiter = limiter
        self._queue = queue
        self.bill = bill
        self.place: Place | None = None

    def settle(self, usage: Usage | None) -> None:
        """It came to `usage`; None where nobody knows, and then to what was claimed."""
        grant, self._grant = self._grant, None
        if grant is not None:
            self._limiter.settle(grant, {} if usage is None or self.bill is None else self.bill.spent(usage))
            if self._queue is not None:
                for scope in running_scopes(grant.claims):
                    self._queue.released(scope)

    def failed(self, error: GatewayError) -> None:
        """The place did not answer. Who refused or was never reached has spent nothing, anybody else the input."""
        nothing = error.upstream_status is not None or error.kind is Kind.UNREACHABLE
        self.settle(Usage() if nothing else self.begun())

    def begun(self) -> Usage | None:
        """What was spent at the least, once the request was sent."""
        return None if self.bill is None else Usage(fresh_input=self.bill.expected.input)


def running_scopes(claims: Iterable[Claim]) -> frozenset[str]:
    """The scopes whose requests at a time are counted among these."""
    return frozenset(claim.limit.scope for claim in claims if claim.limit.measure is Measure.RUNNING)


def microdollars(usage: Usage, price: Price) -> int:
    """What the tokens cost, rounded up."""
    return int((cost(usage, price).total * 1_000_000).to_integral_value(ROUND_CEILING))

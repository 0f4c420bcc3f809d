"""What is claimed for an exchange, and what was granted to it, until that is settled."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from isthmus.catalog.tariff import Tariff
from isthmus.core.usage import Usage
from isthmus.engine.expected import Expectation
from isthmus.engine.ports import Limiter
from isthmus.engine.queue import Queue
from isthmus.routing.health import Place
from isthmus.routing.limits import Claim, Grant, Limit, Measure, Tab, Taken

if TYPE_CHECKING:
    from isthmus.engine.spending import Spending

COUNTED = frozenset({Measure.TOKENS, Measure.MICRODOLLARS})
"""Measures for which it must be guessed what a request comes to."""
_TOKENS, _RUNNING = Measure.TOKENS, Measure.RUNNING


class Bill:
    """What a request is expected to come to at one model. `tariff` is None where no price is asked for or known."""

    __slots__ = ("_amounts", "expected", "tariff")

    def __init__(self, expected: Expectation, tariff: Tariff | None) -> None:
        self.expected = expected
        self.tariff = tariff
        self._amounts: dict[Measure, int] = {}

    def amount(self, limit: Limit) -> int:
        """What is claimed of a limit: all of it where only the guess of the answer's length is more than that."""
        measure, asked = limit.measure, self.expected.input
        if measure not in COUNTED:
            return 1
        whole = self._amounts.get(measure)
        if whole is None:
            whole = self._amounts[measure] = self._comes_to(Usage(asked, output=self.expected.output), measure)
        return whole if whole <= limit.most else max(limit.most, self._comes_to(Usage(asked), measure))

    def _comes_to(self, usage: Usage, measure: Measure) -> int:
        if measure is _TOKENS:
            return usage.input + usage.total_output
        return 0 if self.tariff is None else self.tariff.microdollars(usage)


class Held:
    """A grant until it is settled, which is once. `place` is where it is for; None for the caller's own limits."""

    __slots__ = ("_grant", "_limiter", "_queue", "place")

    def __init__(self, grant: Grant, limiter: Limiter, queue: Queue | None = None) -> None:
        self._grant: Grant | None = grant
        self._limiter = limiter
        self._queue = queue
        self.place: Place | None = None

    @property
    def open(self) -> bool:
        """Is it still to be settled?"""
        return self._grant is not None

    def settle(self, spent: "Spending | None") -> None:
        """It came to `spent`; to what was claimed, where nobody knows."""
        grant, self._grant = self._grant, None
        if grant is not None:
            self._limiter.settle(grant, {} if spent is None else spent.by_measure())
            if self._queue is not None:
                for scope in running_scopes(grant.claims):
                    self._queue.released(scope)


class Entered(Taken):
    """As Held, for what was taken of a tab: the limits of a client and a route, which are for no place."""

    __slots__ = ("_queue", "_scopes", "_tab", "open")
    place: Place | None = None

    def __init__(self, tab: Tab, queue: Queue | None, scopes: Sequence[str]) -> None:
        self._tab = tab
        self._queue = queue
        self._scopes = scopes
        self.open = True

    def settle(self, spent: "Spending | None") -> None:
        if not self.open:
            return
        self.open = False
        if spent is None:
            self._tab.settle(self, self.tokens, self.microdollars)
        else:
            self._tab.settle(self, spent.tokens, spent.microdollars or 0)
        if self._queue is not None:
            for scope in self._scopes:
                self._queue.released(scope)


def running_scopes(claims: Iterable[Claim]) -> frozenset[str]:
    """The scopes whose requests at a time are counted among these."""
    return frozenset([limit.scope for limit, _ in claims if limit.measure is _RUNNING])

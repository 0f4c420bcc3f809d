"""What counts of one limit at present: amounts by parts of a window, or who runs.

Knows no limit: how much may count is told by whoever asks. Times are Unix seconds. `fresh` is said of a window
that was taken of since its ledger looked.
"""

import math

from isthmus.core.periods import Period, begin_of, number_of

NEVER = math.inf
"""The wait of a claim that is greater than its limit."""


class Window:
    """Amounts by part, where a part is a number of `width` seconds since 1970.

    `total` is that of all parts that counted in the part `current`, which lasts from `begins` until `ends`; from one
    part on to the next, `turn` has to be told. Whoever claims very often reads and changes these four by itself: what
    is added to `total` is added to the current one of `amounts` too.
    """

    __slots__ = ("_ahead", "_behind", "_width", "amounts", "begins", "current", "ends", "fresh", "total")

    def __init__(self, span: int, parts: int) -> None:
        self.amounts: dict[int, int] = {}
        self.total = 0
        self.current = 0
        self.begins = self.ends = 0.0
        self.fresh = False
        self._width = span / parts
        self._behind = parts if parts > 1 else 0
        self._ahead = parts

    def _part(self, at: float) -> int:
        return math.floor(at / self._width)

    def _begin(self, part: int) -> float:
        return part * self._width

    def turn(self, now: float) -> None:
        """What is outlived by now counts no more. A clock that was set back for longer than a span outlives too."""
        self.current = current = self._part(now)
        self.begins, self.ends = self._begin(current), self._begin(current + 1)
        first, last = current - self._behind, current + self._ahead
        for part in [part for part in self.amounts if not first <= part <= last]:
            self.total -= self.amounts.pop(part)
        self.amounts.setdefault(current, 0)

    def wait(self, most: int, amount: int, now: float) -> float | None:
        """Seconds until there is room for `amount` within `most`; None where there is."""
        if amount > most:
            return NEVER
        excess = self.used(now) + amount - most
        if excess <= 0 or amount <= 0:
            return None
        for part in sorted(self.amounts):
            excess -= self.amounts[part]
            if excess <= 0:
                return self._begin(part + self._behind + 1) - now
        return NEVER

    def used(self, now: float) -> int:
        """The sum of the parts that count."""
        if not self.begins <= now < self.ends:
            self.turn(now)
        return self.total

    def add(self, lease: str, amount: int, now: float, until: float) -> None:  # noqa: ARG002  as a RunningWindow's
        self._change(self._part(now), amount)

    def settle(self, lease: str, at: float, difference: int, now: float) -> None:  # noqa: ARG002  likewise
        """What was taken at `at` came to so much more."""
        self.used(now)
        claimed = self._part(at)
        if claimed in self.amounts:
            self._change(claimed, difference)
        elif difference > 0:
            self._change(self.current, difference)

    def _change(self, part: int, more: int) -> None:
        """So much more of a part, which never has less than nothing."""
        before = self.amounts.get(part)
        if before is None:
            before = 0
            if part != self.current:
                self.ends = self.begins
        if before + more < 0:
            more = -before
        self.amounts[part] = before + more
        self.total += more


class BudgetWindow(Window):
    """Amounts by the number of a period, of which the present one counts."""

    __slots__ = ("_period",)

    def __init__(self, period: Period) -> None:
        super().__init__(1, 1)
        self._behind, self._ahead = 0, 1
        self._period = period

    def _part(self, at: float) -> int:
        return self.current if self.begins <= at < self.ends else number_of(self._period, at)

    def _begin(self, part: int) -> float:
        return begin_of(self._period, part)

    def settle(self, lease: str, at: float, difference: int, now: float) -> None:  # noqa: ARG002  as a RunningWindow's
        self.used(now)
        claimed = self._part(at)
        if claimed in self.amounts or (difference > 0 and claimed == self.current):
            self._change(claimed, difference)


class RunningWindow:
    """When each lease ends; none does before `ends`, until when `total` of them run."""

    __slots__ = ("_leases", "begins", "ends", "fresh", "total")

    def __init__(self) -> None:
        self._leases: dict[str, float] = {}
        self.total = 0
        self.begins, self.ends = -math.inf, math.inf
        self.fresh = False

    def turn(self, now: float) -> None:
        """Whose lease has ended by now runs no more."""
        self._leases = {lease: until for lease, until in self._leases.items() if until > now}
        self.ends = min(self._leases.values(), default=math.inf)
        self.total = len(self._leases)

    def wait(self, most: int, amount: int, now: float) -> float | None:
        """0 where there is no room for `amount`; None where there is."""
        if amount > most:
            return NEVER
        return 0.0 if self.used(now) + amount > most else None

    def used(self, now: float) -> int:
        if self.ends <= now:
            self.turn(now)
        return self.total

    def add(self, lease: str, amount: int, now: float, until: float) -> None:  # noqa: ARG002  as a Window's
        if until > now:
            self._leases[lease] = until
            self.ends = min(self.ends, until)
            self.total = len(self._leases)

    def settle(self, lease: str, at: float, difference: int, now: float) -> None:  # noqa: ARG002  as a Window's
        self._leases.pop(lease, None)
        self.total = len(self._leases)

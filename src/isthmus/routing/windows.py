"""What counts of one limit at present: amounts by parts of a window, or who runs.

Knows no limit: how much may count is told by whoever asks. Times are Unix seconds. `seen` is for a window's ledger:
what its `total` was when the ledger looked whether it is in use.
"""

import math

from isthmus.core.periods import Period, begin_of, number_of

NEVER = math.inf
"""The wait of a claim that is greater than its limit."""


class Window:
    """Amounts by part, where a part is a number of `width` seconds since 1970.

    `total` is that of all parts that counted in the part `current`, which lasts from `begins` until `ends`; from one
    part on to the next, `turn` has to be told. What is of the current part is `total` less `before`, the sum of the
    others; so whoever claims very often may add to `total` by itself.
    """

    __slots__ = ("_ahead", "_behind", "_others", "_width", "before", "begins", "current", "ends", "seen", "total")

    def __init__(self, span: int, parts: int) -> None:
        self._others: dict[int, int] = {}
        self.total = self.before = self.seen = 0
        self.current = 0
        self.begins = self.ends = 0.0
        self._width = span / parts
        self._behind = parts if parts > 1 else 0
        self._ahead = parts

    def _part(self, at: float) -> int:
        return math.floor(at / self._width)

    def _begin(self, part: int) -> float:
        return part * self._width

    def turn(self, now: float) -> None:
        """What is outlived by now counts no more. A clock that was set back for longer than a span outlives too."""
        amounts = self._amounts()
        self.current = current = self._part(now)
        self.begins, self.ends = self._begin(current), self._begin(current + 1)
        first, last = current - self._behind, current + self._ahead
        own = amounts.pop(current, 0)
        self._others = {part: amount for part, amount in amounts.items() if first <= part <= last}
        self.before = sum(self._others.values())
        self.total = self.before + own

    def wait(self, most: int, amount: int, now: float) -> float | None:
        """Seconds until there is room for `amount` within `most`; None where there is."""
        if amount > most:
            return NEVER
        excess = self.used(now) + amount - most
        if excess <= 0 or amount <= 0:
            return None
        for part, counted in sorted(self._amounts().items()):
            excess -= counted
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
        if self._counts(claimed):
            self._change(claimed, difference)
        elif difference > 0:
            self._change(self.current, difference)

    def _amounts(self) -> dict[int, int]:
        return {**self._others, self.current: self.total - self.before}

    def _counts(self, part: int) -> bool:
        return self.current - self._behind <= part <= self.current + self._ahead

    def _change(self, part: int, more: int) -> None:
        """So much more of a part, which never has less than nothing."""
        if part == self.current:
            self.total += max(more, self.before - self.total)
            return
        amount = self._others.get(part)
        if amount is None:
            amount, self.ends = 0, self.begins  # the next who asks has to find out whether it counts
        more = max(more, -amount)
        self._others[part] = amount + more
        self.before += more
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
        if self._counts(claimed):
            self._change(claimed, difference)


class RunningWindow:
    """When each lease ends; none does before `ends`, until when `total` run: the leases, and `unnamed` ones.

    Those are given back by whoever counts them, and never end by themselves.
    """

    __slots__ = ("_leases", "begins", "ends", "seen", "total", "unnamed")

    def __init__(self) -> None:
        self._leases: dict[str, float] = {}
        self.total = self.unnamed = self.seen = 0
        self.begins, self.ends = -math.inf, math.inf

    def turn(self, now: float) -> None:
        """Whose lease has ended by now runs no more."""
        self._leases = {lease: until for lease, until in self._leases.items() if until > now}
        self.ends = min(self._leases.values(), default=math.inf)
        self.total = len(self._leases) + self.unnamed

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
            self.total = len(self._leases) + self.unnamed

    def settle(self, lease: str, at: float, difference: int, now: float) -> None:  # noqa: ARG002  as a Window's
        self._leases.pop(lease, None)
        self.total = len(self._leases) + self.unnamed

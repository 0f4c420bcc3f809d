"""How much may be asked of one provider, key, client or route, and how much has been.

Holds limits and the ledger of what was claimed against them: a request claims before it is sent what it may come to,
and the claim is settled when it is known what it came to. Decides who may go on, not who goes on next, nor who waits.
Times are Unix seconds that the caller passes in, so that the windows of all who count together are the same.

A window of several parts slides: all that was claimed in any `span` seconds is within the limit, since a part counts
in full for as long as the last `span` seconds touch it. A window of one part begins anew at each multiple of `span`,
one of a period, which is a budget's, as the calendar says.
What can exceed a limit is only what a request comes to beyond its claim: requests and running ones never, tokens and
microdollars by as much as the estimates of the requests under way were short.
"""

import itertools
import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from isthmus.core.periods import Period, begin_of, number_of
from isthmus.core.value import Value

MOST_WINDOWS = 50_000
"""Windows that are remembered; beyond that, the one that was claimed of the longest time ago is forgotten."""
SWEPT = 2
"""Idle windows that are looked for whenever one is made."""
NEVER = math.inf
"""The wait of a claim that is greater than its limit."""


WindowName: TypeAlias = "tuple[str, Measure, int | Period]"


class Measure(StrEnum):
    """What is counted. RUNNING counts requests from their claim until it is settled, the others within a span."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    MICRODOLLARS = "microdollars"
    RUNNING = "running"


_RUNNING = Measure.RUNNING
"""Looked up once, as wherever requests come by: a member of an enumeration takes as long as three dictionaries."""


class Limit(Value, frozen=True):
    """At most `most` of `measure` in `span` seconds, for all that is asked of or by `scope`.

    `scope` is a kind and a name, such as "key:openai/key-1" or "client:alice". `parts` is into how many parts the
    window is cut; `span` and `parts` mean nothing for RUNNING, nor for a budget, which is what has a `period`.
    """

    scope: str
    measure: Measure
    most: int
    span: int = 0
    parts: int = 1
    period: Period | None = None

    @property
    def window(self) -> WindowName:
        """What is counted together, whatever is allowed of it."""
        return self.scope, self.measure, self.span if self.period is None else self.period


class Claim(NamedTuple):
    """`amount` of a limit's measure is wanted."""

    limit: Limit
    amount: int


class Grant(NamedTuple):
    """All of `claims` were granted, at Unix time `at`. `lease` is its name, which no other has."""

    claims: tuple[Claim, ...]
    at: float
    lease: str


class Refusal(NamedTuple):
    """`limit` has no room. `wait`: seconds until there is enough, if nothing else is claimed.

    NEVER for more than the whole limit; 0 for RUNNING, where nobody knows.
    """

    limit: Limit
    wait: float


class Remembered(NamedTuple):
    """`total` was spent of a budget until Unix time `at`, as is kept for good, by all who spend it.

    `news` of that were told to nobody here before: others spent it, or this one did before it was started.
    """

    limit: Limit
    total: int
    news: int
    at: float


class Ledger:
    """What was claimed and not yet outlived. One claim names each limit at most once.

    `name` distinguishes its leases from those of others. A lease that is not renewed ends after `lease` seconds.
    """

    def __init__(self, name: str = "", *, lease: float = math.inf) -> None:
        self._leases = (f"{name}{number}" for number in itertools.count(1))
        self._lease = lease
        self._windows: OrderedDict[WindowName, _Window | _Running] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def claim(self, claims: Sequence[Claim], now: float, lease: str = "") -> Grant | Refusal:
        """All of `claims` or nothing. Refused by the limit that has no room for the longest time.

        `lease` is the grant's name, where it has one already.
        """
        worst: Refusal | None = None
        names = [limit.window for limit, _ in claims]
        for name, (limit, amount) in zip(names, claims, strict=True):
            window = self._windows.get(name) or window_of(limit)
            wait = window.wait(limit, amount, now)
            if wait is not None and (worst is None or wait > worst.wait):
                worst = Refusal(limit, wait)
        if worst is not None:
            return worst
        grant = Grant(tuple(claims), now, lease or next(self._leases))
        self._note(grant, names)
        return grant

    def note(self, grant: Grant) -> None:
        """Count what was granted elsewhere, whether there is room for it or not."""
        self._note(grant, [limit.window for limit, _ in grant.claims])

    def raise_to(self, limit: Limit, amount: int, now: float) -> None:
        """At least so much counts at present, as somebody knows who remembers for longer."""
        missing = amount - self.used(limit, now)
        if missing > 0:
            self.note(Grant((Claim(limit, missing),), now, ""))

    def settle(self, grant: Grant, spent: Mapping[Measure, int], now: float) -> None:
        """What was granted came to `spent`; a measure that is not among it came to what was claimed.

        What is not outlived is corrected where it was claimed. Of what is, more than was claimed counts from now on,
        but of a budget: what was begun in one period is that period's.
        """
        for limit, amount in grant.claims:
            measure = limit.measure
            if measure is _RUNNING:
                if (running := self._windows.get(limit.window)) is not None:
                    running.settle(grant, 0, now)
            elif difference := spent.get(measure, amount) - amount:
                name = limit.window
                (self._windows.get(name) or self._window(name, limit, now)).settle(grant, difference, now)

    def renew(self, grants: Sequence[Grant], now: float) -> None:
        """These are still running, even where their leases have ended."""
        for grant in grants:
            for limit, amount in grant.claims:
                if limit.measure is _RUNNING:
                    self._window(limit.window, limit, now).add(grant.lease, amount, now, now + self._lease)

    def used(self, limit: Limit, now: float) -> int:
        """How much counts at present."""
        window = self._windows.get(limit.window)
        return 0 if window is None else window.used(now)

    def share(self, limit: Limit, now: float) -> float:
        """How much counts at present, as a part of the limit: 1 when it is used up."""
        return self.used(limit, now) / limit.most if limit.most > 0 else 1.0

    def _note(self, grant: Grant, names: Sequence[WindowName]) -> None:
        """Count it in the windows of these names, which are those of its claims."""
        claims, at, lease = grant
        until = at + self._lease
        for name, (limit, amount) in zip(names, claims, strict=True):
            self._window(name, limit, at).add(lease, amount, at, until)

    def _window(self, name: WindowName, limit: Limit, now: float) -> "_Window | _Running":
        window = self._windows.get(name)
        if window is None:
            self._sweep(now)
            window = self._windows[name] = window_of(limit)
        else:
            self._windows.move_to_end(name)
        return window

    def _sweep(self, now: float) -> None:
        """Make room by what is idle; where everything is in use, by what was for the longest time."""
        for name in list(itertools.islice(self._windows, SWEPT)):
            if self._windows[name].used(now) <= 0:
                del self._windows[name]
        if len(self._windows) >= MOST_WINDOWS:
            self._windows.popitem(last=False)


def window_of(limit: Limit) -> "_Window | _Running":
    """An empty one."""
    if limit.measure is _RUNNING:
        return _Running()
    return _Window(limit) if limit.period is None else _Budget(limit.period)


class _Window:
    """Amounts by part, where a part is a number of `width` seconds since 1970.

    `_sum` is that of all parts, of which none is outlived in the part `_swept`, where that is not None.
    """

    __slots__ = ("_ahead", "_amounts", "_behind", "_sum", "_swept", "_width")

    def __init__(self, limit: Limit) -> None:
        self._amounts: dict[int, int] = {}
        self._sum = 0
        self._swept: int | None = None
        self._width = limit.span / limit.parts
        self._behind = limit.parts if limit.parts > 1 else 0
        self._ahead = limit.parts

    def _part(self, at: float) -> int:
        return math.floor(at / self._width)

    def _begin(self, part: int) -> float:
        return part * self._width

    def wait(self, limit: Limit, amount: int, now: float) -> float | None:
        """Seconds until there is room for `amount`; None where there is."""
        if amount > limit.most:
            return NEVER
        excess = self.used(now) + amount - limit.most
        if excess <= 0 or amount <= 0:
            return None
        for part in sorted(self._amounts):
            excess -= self._amounts[part]
            if excess <= 0:
                return self._begin(part + self._behind + 1) - now
        return NEVER

    def used(self, now: float) -> int:
        """The sum of the parts that count. A clock that was set back for longer than a span has outlived them too."""
        current = self._part(now)
        if current != self._swept:
            first, last = current - self._behind, current + self._ahead
            for part in [part for part in self._amounts if not first <= part <= last]:
                self._sum -= self._amounts.pop(part)
            self._swept = current
        return self._sum

    def add(self, lease: str, amount: int, now: float, until: float) -> None:  # noqa: ARG002  as a _Running's
        self._change(self._part(now), amount)

    def _change(self, part: int, more: int) -> None:
        """So much more of a part, which never has less than nothing."""
        before = self._amounts.get(part)
        if before is None:
            before = 0
            if part != self._swept:
                self._swept = None
        if before + more < 0:
            more = -before
        self._amounts[part] = before + more
        self._sum += more

    def settle(self, grant: Grant, difference: int, now: float) -> None:
        current = self._part(now)
        if current != self._swept:
            self.used(now)
        claimed = self._part(grant.at)
        if claimed in self._amounts:
            self._change(claimed, difference)
        elif difference > 0:
            self._change(current, difference)


class _Budget(_Window):
    """Amounts by the number of a period, of which the present one counts."""

    __slots__ = ("_began", "_ends", "_number", "_period")

    def __init__(self, period: Period) -> None:
        self._amounts = {}
        self._sum, self._swept = 0, None
        self._behind, self._ahead = 0, 1
        self._period = period
        self._began = self._ends = 0.0
        self._number = 0

    def _part(self, at: float) -> int:
        if not self._began <= at < self._ends:
            self._number = number_of(self._period, at)
            self._began, self._ends = self._begin(self._number), self._begin(self._number + 1)
        return self._number

    def _begin(self, part: int) -> float:
        return begin_of(self._period, part)

    def settle(self, grant: Grant, difference: int, now: float) -> None:
        self.used(now)
        claimed = self._part(grant.at)
        if claimed in self._amounts or (difference > 0 and claimed == self._swept):
            self._change(claimed, difference)


class _Running:
    """When each lease ends; none does before `_first`."""

    __slots__ = ("_first", "_leases")

    def __init__(self) -> None:
        self._leases: dict[str, float] = {}
        self._first = math.inf

    def wait(self, limit: Limit, amount: int, now: float) -> float | None:
        """0 where there is no room for `amount`; None where there is."""
        if amount > limit.most:
            return NEVER
        return 0.0 if self.used(now) + amount > limit.most else None

    def used(self, now: float) -> int:
        if self._first <= now:
            self._leases = {lease: until for lease, until in self._leases.items() if until > now}
            self._first = min(self._leases.values(), default=math.inf)
        return len(self._leases)

    def add(self, lease: str, amount: int, now: float, until: float) -> None:  # noqa: ARG002  as a _Window's
        if until > now:
            self._leases[lease] = until
            self._first = min(self._first, until)

    def settle(self, grant: Grant, difference: int, now: float) -> None:  # noqa: ARG002  as a _Window's
        self._leases.pop(grant.lease, None)

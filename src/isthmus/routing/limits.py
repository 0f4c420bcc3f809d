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
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from isthmus.core.periods import Period
from isthmus.core.value import Value
from isthmus.routing.windows import NEVER, BudgetWindow, RunningWindow, Window

__all__ = ["NEVER", "Claim", "Grant", "Ledger", "Limit", "Measure", "Refusal", "Remembered", "Tab", "Taken"]

MOST_WINDOWS = 50_000
"""Windows that are remembered; beyond that, the one that was claimed of the longest time ago is forgotten."""
SWEPT = 2
"""Idle windows that are looked for whenever one is made."""

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
        self._windows: OrderedDict[WindowName, Window | RunningWindow] = OrderedDict()
        self.forgotten = 0
        """Windows that were made room of. Until one is, every window stays the same."""

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
            wait = window.wait(limit.most, amount, now)
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
                    running.settle(grant.lease, grant.at, 0, now)
            elif difference := spent.get(measure, amount) - amount:
                name = limit.window
                window = self._windows.get(name) or self._window(name, limit, now)
                window.settle(grant.lease, grant.at, difference, now)

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

    def windows(self, limits: Sequence[Limit], now: float) -> Sequence[Window | RunningWindow]:
        """The window of each, which is made where there is none: none is made room for by another of them."""
        names = [limit.window for limit in limits]
        for _ in set(names) - self._windows.keys():
            self._sweep(now)
        return [self._windows.setdefault(name, window_of(limit)) for name, limit in zip(names, limits, strict=True)]

    def _note(self, grant: Grant, names: Sequence[WindowName]) -> None:
        """Count it in the windows of these names, which are those of its claims."""
        claims, at, lease = grant
        until = at + self._lease
        for name, (limit, amount) in zip(names, claims, strict=True):
            self._window(name, limit, at).add(lease, amount, at, until)

    def _window(self, name: WindowName, limit: Limit, now: float) -> Window | RunningWindow:
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
            window = self._windows[name]
            if window.used(now) <= 0:
                self.forgotten += 1
                del self._windows[name]
            elif window.seen != window.total:
                window.seen = window.total
                self._windows.move_to_end(name)
        if len(self._windows) >= MOST_WINDOWS:
            self._windows.popitem(last=False)
            self.forgotten += 1


def window_of(limit: Limit) -> Window | RunningWindow:
    """An empty one."""
    if limit.measure is _RUNNING:
        return RunningWindow()
    return Window(limit.span, limit.parts) if limit.period is None else BudgetWindow(limit.period)


class Tab:
    """Limits that very many requests claim together, with their windows, which are found once. `time` is Unix time.

    Grants and settles what is plain, and nothing else: where anything has no room, nothing is taken, and whoever asked
    has the ledger say why. It reaches into the windows itself: a call for each would take longer than all else here.
    What it grants has no lease: it is for ledgers whose leases do not end.
    """

    __slots__ = ("_amounts", "_known", "_ledger", "_limits", "_running", "_time")

    def __init__(self, ledger: Ledger, limits: Sequence[Limit], time: Callable[[], float]) -> None:
        self._ledger = ledger
        self._limits = limits
        self._time = time
        self._known = -1
        self._amounts: Sequence[tuple[int, int, Window]] = ()
        self._running: Sequence[tuple[int, RunningWindow]] = ()

    def take(self, taken: "Taken", tokens: int, microdollars: int) -> bool:
        """One request that may come to so much, which is noted in `taken`. False where there is no room for that."""
        now = self._time()
        if self._known != self._ledger.forgotten:
            self._find(now)
        amounts = (1, tokens, microdollars)
        for most, measure, window in self._amounts:
            if not window.begins <= now < window.ends:
                window.turn(now)
            if window.total + amounts[measure] > most:
                return False
        for most, running in self._running:
            if running.ends <= now:
                running.turn(now)
            if running.total >= most:
                return False
        for _, measure, window in self._amounts:
            window.total += amounts[measure]
        for _, running in self._running:
            running.unnamed += 1
            running.total += 1
        taken.at, taken.tokens, taken.microdollars, taken.running = now, tokens, microdollars, self._running
        return True

    def settle(self, taken: "Taken", tokens: int, microdollars: int) -> None:
        """It came to so much, and no longer runs."""
        now, at = self._time(), taken.at
        if self._known != self._ledger.forgotten:
            self._find(now)
        differences = (0, tokens - taken.tokens, microdollars - taken.microdollars)
        for _, measure, window in self._amounts:
            if difference := differences[measure]:
                if window.begins <= at <= now < window.ends and window.total + difference >= window.before:
                    window.total += difference
                else:
                    window.settle("", at, difference, now)
        for _, running in taken.running:
            running.unnamed -= 1
            running.total -= 1

    def _find(self, now: float) -> None:
        """The windows, with each limit's bound, and with the place of its measure among the amounts."""
        found = list(zip(self._limits, self._ledger.windows(self._limits, now), strict=True))
        self._known = self._ledger.forgotten
        self._amounts = [
            (one.most, _PLACES[one.measure], window) for one, window in found if isinstance(window, Window)
        ]
        self._running = [(one.most, own) for one, own in found if isinstance(own, RunningWindow)]


class Taken:
    """What was granted of a tab at Unix time `at`: so much of each of its limits that count tokens or microdollars.

    `running` are the windows in which it counts as one that runs. All of it is noted by the tab.
    """

    __slots__ = ("at", "microdollars", "running", "tokens")
    at: float
    tokens: int
    microdollars: int
    running: Sequence[tuple[int, RunningWindow]]


_PLACES: Mapping[Measure, int] = {Measure.REQUESTS: 0, Measure.TOKENS: 1, Measure.MICRODOLLARS: 2}

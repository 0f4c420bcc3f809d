"""What was measured at each place: how many requests run there, how soon answers begin, and how many fail.

Measures fade: what was long ago counts less than what is now, and a place that is not asked is believed well
again by and by. Numbers only; who is asked because of them is decided in order.py. Times are monotonic seconds.
"""

from array import array
from collections.abc import Sequence

from isthmus.routing.health import Place

MOST_PLACES = 50_000
"""Places that are measured; beyond that the one that is known for the longest time is forgotten."""
HALF_LIFE = 60.0
"""Seconds in which an answer time loses half of its weight."""
ERROR_HALF_LIFE = 20.0
"""Seconds in which a share of errors loses half of what it was, where nobody asks."""
LEAST_WEIGHT = 1 / 16
"""What one answer time weighs at least against all before it, however soon it follows them."""
ERROR_WEIGHT = 0.2
"""What one outcome weighs against all before it in the share of errors."""
WINDOW = 64
"""Answer times that are kept one by one, for quantiles."""
ENOUGH = 8
"""Answer times below which nothing is said of quantiles."""


class Pace:
    """Answer times of one kind, in seconds. `mean` fades, `at` is when the last was measured."""

    __slots__ = ("_next", "_window", "at", "mean")

    def __init__(self, seconds: float, now: float) -> None:
        self.mean = seconds
        self.at = now
        self._window = array("d", (seconds,))
        self._next = 0

    def add(self, seconds: float, now: float) -> None:
        self.mean += max(LEAST_WEIGHT, 1.0 - _faded(now - self.at, HALF_LIFE)) * (seconds - self.mean)
        self.at = now
        if len(self._window) < WINDOW:
            self._window.append(seconds)
        else:
            self._window[self._next] = seconds
            self._next = (self._next + 1) % WINDOW

    def quantile(self, share: float) -> float | None:
        """The time that `share` of the last answers (between 0 and 1) did not exceed; None where too few are known."""
        return _quantile(self._window, share) if len(self._window) >= ENOUGH else None


class Meter:
    """One place. Whoever began a request there ends it once, whatever became of it."""

    __slots__ = ("_errors", "_errors_at", "_streamed", "_whole", "asked_at", "running")

    def __init__(self) -> None:
        self.running = 0
        self.asked_at = 0.0
        self._errors = 0.0
        self._errors_at = 0.0
        self._streamed: Pace | None = None
        self._whole: Pace | None = None

    def pace(self, *, stream: bool) -> float | None:
        """Seconds until a stream's first token, or until a whole answer: a mean that fades, None before the first."""
        found = self._streamed if stream else self._whole
        return None if found is None else found.mean

    def quantile(self, share: float, *, stream: bool = True) -> float | None:
        """The same as a quantile of the last answers; None where too few are known."""
        found = self._streamed if stream else self._whole
        return None if found is None else found.quantile(share)

    def errors(self, now: float) -> float:
        """The share of requests that failed by a fault of the place, between 0 and 1. It fades while nobody asks."""
        return self._errors and self._errors * _faded(now - self._errors_at, ERROR_HALF_LIFE)

    def answered(self, seconds: float, now: float, *, stream: bool) -> None:
        """An answer began after so many seconds: its first token where it streams, else all of it."""
        found = self._streamed if stream else self._whole
        if found is not None:
            found.add(seconds, now)
        elif stream:
            self._streamed = Pace(seconds, now)
        else:
            self._whole = Pace(seconds, now)
        if self._errors:
            self._outcome(0.0, now)

    def failed(self, now: float) -> None:
        """A request failed by a fault of the place."""
        self._outcome(1.0, now)

    def ended(self) -> None:
        """A request that began here is over."""
        self.running -= 1

    def _outcome(self, value: float, now: float) -> None:
        before = self.errors(now)
        self._errors = before + ERROR_WEIGHT * (value - before)
        self._errors_at = now


class Meters:
    """The meters of all places that were asked. A request keeps the one that it got, also when it is forgotten here."""

    __slots__ = ("_meters",)

    def __init__(self) -> None:
        self._meters: dict[Place, Meter] = {}

    def began(self, place: Place, now: float) -> Meter:
        """A request goes to `place`. Its meter is told what becomes of it."""
        meter = self._meters.get(place)
        if meter is None:
            if len(self._meters) >= MOST_PLACES:
                del self._meters[next(iter(self._meters))]
            meter = self._meters[place] = Meter()
        meter.running += 1
        meter.asked_at = now
        return meter

    def of(self, place: Place) -> Meter | None:
        """What is known of `place`; None for one that was never asked."""
        return self._meters.get(place)

    def places(self) -> tuple[Place, ...]:
        """Those that were asked."""
        return tuple(self._meters)

    def failed(self, place: Place, now: float) -> None:
        """A request failed by a fault of `place`, before its answer began or after."""
        meter = self._meters.get(place)
        if meter is not None:
            meter.failed(now)

    def errors(self, place: Place, now: float) -> float:
        """As its meter says; 0 for one that was never asked."""
        meter = self._meters.get(place)
        return 0.0 if meter is None else meter.errors(now)

    def keep(self, providers: frozenset[str]) -> None:
        """Forget what no configuration names any more."""
        self._meters = {place: meter for place, meter in self._meters.items() if place.provider in providers}


def _faded(seconds: float, half_life: float) -> float:
    """What is left after so many seconds of what was 1."""
    return float(2.0 ** (-seconds / half_life))


def _quantile(times: Sequence[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

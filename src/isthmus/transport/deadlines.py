"""When waiting ends: one timer per connection, moved often and armed rarely.

Knows times only. What a passed deadline means is said by whoever is called.
"""

import asyncio
import math
from collections.abc import Callable
from time import monotonic

NEVER = math.inf
_GRAIN = 0.001
"""Seconds added to every delay: uvloop counts in milliseconds and would fire just too early."""


class Alarm:
    """Calls `ring` once the earlier of `due` and `limit` has passed; both are `time.monotonic` seconds.

    `due` may be moved later by plain assignment, which is all that happens per network read:
    the timer then finds out when it fires, and sleeps again for the rest. Only a `due` earlier
    than the armed one, told by `set`, touches the loop.
    """

    __slots__ = ("_armed", "_handle", "_loop", "_ring", "due", "limit")

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self.due = NEVER
        self.limit = NEVER
        self._loop = loop
        self._ring = ring
        self._armed = NEVER
        self._handle: asyncio.TimerHandle | None = None

    def set(self, due: float, limit: float = NEVER) -> None:
        self.due = due
        self.limit = limit
        earliest = due if due < limit else limit
        if earliest < self._armed:
            self._arm(earliest)

    def stop(self) -> None:
        """For good: whoever is called holds this alarm, and is let go."""
        self._ring = _nobody
        self.due = self.limit = self._armed = NEVER
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self, due: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._armed = due
        self._handle = self._loop.call_later(max(0.0, due - monotonic()) + _GRAIN, self._fire)

    def _fire(self) -> None:
        self._handle, self._armed = None, NEVER
        due = min(self.due, self.limit)
        if due <= monotonic():
            self._ring()
        elif due < NEVER:
            self._arm(due)


def _nobody() -> None:
    """Who is called after the end."""

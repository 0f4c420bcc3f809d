"""What providers tell of their own limits with each answer: how much of them is left, and until when.

Holds the newest word of each place, unread until somebody asks; reading is handed in, so that nothing here knows a
header. Times are monotonic seconds of the caller, but for what was told in Unix time. Decides nothing: that a place
which is nearly used up comes behind others is the business of order.py, when its rest is over that of health.py.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from isthmus.core.quota import Quota, Told
from isthmus.routing.health import Place

UNSAID = 60.0
"""Seconds after which a window is over that was told without its end: most are a minute."""
MOST_PLACES = 50_000
"""Places whose word is kept; beyond that, the one that was told of first is forgotten."""


Read: TypeAlias = Callable[[Told, float], Quota]
"""What headers say of limits, when they came at this Unix time. Never raises."""


def silent(told: Told, time: float) -> Quota:  # noqa: ARG001  one of Read
    """Nobody says anything."""
    return ()


class _Word:
    """`quota` is None until it is read, `near_until` until somebody asks: when no window is nearly used up any more."""

    __slots__ = ("at", "near_until", "quota", "time", "told")

    def __init__(self, told: Told, at: float, time: float) -> None:
        self.told = told
        self.at = at
        self.time = time
        self.quota: Quota | None = None
        self.near_until: float | None = None


class Quotas:
    """The newest word of each place."""

    def __init__(self, read: Read = silent) -> None:
        self._read = read
        self._words: dict[Place, _Word] = {}

    def __bool__(self) -> bool:
        """Has any place said something?"""
        return bool(self._words)

    def told(self, place: Place, headers: Told, now: float, time: float) -> None:
        """An answer of `place` came with these headers, at Unix time `time`. They are not read here."""
        word = self._words.get(place)
        if word is None:
            if len(self._words) >= MOST_PLACES:
                del self._words[next(iter(self._words))]
            self._words[place] = _Word(headers, now, time)
            return
        word.told, word.at, word.time = headers, now, time
        word.quota = word.near_until = None

    def places(self) -> tuple[Place, ...]:
        """Those that said something."""
        return tuple(self._words)

    def told_since(self, at: float) -> Sequence[Place]:
        """Those that said something after `at`, the latest last."""
        found = [(word.at, place) for place, word in self._words.items() if word.at > at]
        return [place for _, place in sorted(found)]

    def of(self, place: Place, now: float) -> Quota:
        """What is known of its windows that are not over, their `reset` from now on."""
        word = self._words.get(place)
        if word is None:
            return ()
        if word.quota is None:
            word.quota, word.told = self._read(word.told, word.time), ()
        passed = now - word.at
        return tuple(
            window._replace(reset=left)
            for window in word.quota
            if (left := (UNSAID if window.reset is None else window.reset) - passed) > 0
        )

    def near(self, place: Place, now: float) -> bool:
        """Is less than a tenth left of any of its limits?"""
        word = self._words.get(place)
        if word is None:
            return False
        if word.near_until is None:
            ends = [now + (window.reset or 0.0) for window in self.of(place, now) if window.near]
            word.near_until = max(ends, default=now)
        return now < word.near_until

    def roomy(self, place: Place, now: float) -> bool:
        """Is it told of limits, and none of them nearly used up?"""
        windows = self.of(place, now)
        return bool(windows) and not any(window.near for window in windows)

    def keep(self, providers: frozenset[str]) -> None:
        """Forget what no configuration names any more."""
        self._words = {place: word for place, word in self._words.items() if place.provider in providers}

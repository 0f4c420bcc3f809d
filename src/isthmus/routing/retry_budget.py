"""How much of a provider's traffic may be repetition, so that retries never multiply an outage.

Counts, for each provider, the requests that ask it for the first time and the asks that the same requests send after
that: the same key again, another of its keys, a hedge. Going over to another provider is never counted as a
repetition of anything, nor is going over to another key from one that is spent or refused as a whole: that says nothing
of the provider. Time is told in monotonic seconds.
"""

from isthmus.core.value import Value

WINDOW = 10.0
"""Seconds over which is counted. The window before the current one counts as far as it overlaps the last WINDOW."""


class RetryBudgetRule(Value, frozen=True):
    """Of the asks in WINDOW seconds, repetitions may be `least`, and `share` of the first ones on top."""

    share: float = 0.2
    least: int = 10


DEFAULT_RULE = RetryBudgetRule()


class _Count:
    """`began` is when the current window did. Each pair holds first asks and repetitions."""

    __slots__ = ("again", "again_before", "began", "first", "first_before")

    def __init__(self, began: float) -> None:
        self.began = began
        self.first = self.again = 0
        self.first_before = self.again_before = 0

    def turn(self, now: float) -> None:
        """Begin a new window."""
        adjoining = now - self.began < 2 * WINDOW
        self.first_before, self.again_before = (self.first, self.again) if adjoining else (0, 0)
        self.first = self.again = 0
        self.began = self.began + WINDOW if adjoining else now


class RetryBudgets:
    """Of all providers. `rule` is the configuration's, put in when one comes into force."""

    __slots__ = ("_counts", "rule")

    def __init__(self, rule: RetryBudgetRule = DEFAULT_RULE) -> None:
        self.rule = rule
        self._counts: dict[str, _Count] = {}

    def asked(self, provider: str, now: float) -> None:
        """A request asks `provider` for the first time."""
        self._of(provider, now).first += 1

    def repeated(self, provider: str, now: float) -> None:
        """A request asks `provider` again."""
        self._of(provider, now).again += 1

    def allows(self, provider: str, now: float) -> bool:
        """May a request ask `provider` again?"""
        count = self._of(provider, now)
        left = max(0.0, 1.0 - (now - count.began) / WINDOW)
        again = count.again + left * count.again_before
        first = count.first + left * count.first_before
        return again + 1 <= self.rule.least + self.rule.share * first

    def keep(self, providers: frozenset[str]) -> None:
        """Forget what no configuration names any more."""
        self._counts = {name: count for name, count in self._counts.items() if name in providers}

    def _of(self, provider: str, now: float) -> _Count:
        count = self._counts.get(provider)
        if count is None:
            count = self._counts[provider] = _Count(now)
        elif now - count.began >= WINDOW:
            count.turn(now)
        return count

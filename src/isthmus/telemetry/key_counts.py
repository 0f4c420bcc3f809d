"""What each upstream key was asked since the start, and what came of it: a few numbers a key, for whoever looks."""

from collections.abc import Mapping, Sequence

from isthmus.engine.exchange import Exchange
from isthmus.engine.key_count import KeyCount
from isthmus.telemetry.one_by_one import one_by_one
from isthmus.telemetry.tally import NO_QUESTION

MOST_KEYS = 50_000
"""Keys that are counted; beyond that, one that is new is not."""


class _Numbers:
    __slots__ = ("failed", "input", "output", "requests")

    def __init__(self) -> None:
        self.requests = self.failed = self.input = self.output = 0


class KeyCounts:
    """Counts many exchanges at a time, away from the requests' way. Each process counts by itself."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], _Numbers] = {}

    def count(self, exchanges: Sequence[Exchange]) -> None:
        """Take in exchanges that are over, each once. Raises Spoiled."""
        one_by_one(exchanges, self._count)

    def told(self) -> Mapping[tuple[str, str], KeyCount]:
        """By provider and key."""
        return {key: KeyCount(one.requests, one.failed, one.input, one.output) for key, one in self._keys.items()}

    def _count(self, exchange: Exchange) -> None:
        if exchange.call.path.startswith(NO_QUESTION):
            return
        for attempt in exchange.attempts:
            numbers = self._numbers((attempt.target.provider, attempt.credential))
            numbers.requests += 1
            if attempt.error is not None:
                numbers.failed += 1
            usage = exchange.usage if attempt is exchange.answered else attempt.usage
            if usage is not None:
                numbers.input += usage.fresh_input + usage.cache_read + usage.cache_write
                numbers.output += usage.output + usage.reasoning

    def _numbers(self, key: tuple[str, str]) -> _Numbers:
        found = self._keys.get(key)
        if found is None:
            found = _Numbers()
            if len(self._keys) < MOST_KEYS:
                self._keys[key] = found
        return found

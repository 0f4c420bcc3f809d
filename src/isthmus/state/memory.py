"""A bounded memory in this process: the oldest goes when it is full, everything goes when it is old."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

MOST_BYTES = 64 * 1024 * 1024
"""Bytes kept, values and keys; a value counts once, however many keys lead to it."""
KEPT_FOR = 24 * 3600.0
"""Seconds since it was last asked for, after which a value is forgotten."""


class _Kept:
    __slots__ = ("at", "keys", "value")

    def __init__(self, keys: tuple[str, ...], value: bytes, at: float) -> None:
        self.keys = keys
        self.value = value
        self.at = at

    @property
    def size(self) -> int:
        return len(self.value) + sum(map(len, self.keys))


class BoundedMemory:
    """Implements the engine's Memory. `now` tells monotonic seconds."""

    state = "local"
    """For people: where it is."""

    def __init__(self, now: Callable[[], float], *, most_bytes: int = MOST_BYTES, kept_for: float = KEPT_FOR) -> None:
        self._now = now
        self._most = most_bytes
        self._kept_for = kept_for
        self._by_key: dict[str, _Kept] = {}
        self._order: OrderedDict[int, _Kept] = OrderedDict()
        self._sorts: set[str] = set()
        self.size = 0

    async def put(self, keys: Sequence[str], value: bytes) -> None:
        """Keep `value` under every key; what stood under a key before is no longer found there."""
        kept = _Kept(tuple(keys), value, self._now())
        if kept.size > self._most // 4:
            return
        self._by_key.update(dict.fromkeys(keys, kept))
        self._sorts.update(key.partition(":")[0] for key in keys)
        self._order[id(kept)] = kept
        self.size += kept.size
        self._trim()

    async def forget(self, keys: Sequence[str]) -> None:
        """Nothing is found under these keys any more."""
        for key in keys:
            if (kept := self._by_key.get(key)) is not None:
                self._forget(kept)

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """What is kept under these keys, by key; asking keeps it longer."""
        self._trim()
        found = {key: kept for key in keys if (kept := self._by_key.get(key)) is not None}
        for kept in found.values():
            kept.at = self._now()
            self._order.move_to_end(id(kept))
        return {key: kept.value for key, kept in found.items()}

    def may_hold(self, sort: str) -> bool:
        """Was anything ever kept under a key like `sort:...`?"""
        return sort in self._sorts

    def _trim(self) -> None:
        oldest_allowed = self._now() - self._kept_for
        while self._order:
            first = next(iter(self._order.values()))
            if self.size <= self._most and first.at >= oldest_allowed:
                return
            self._forget(first)

    def _forget(self, kept: _Kept) -> None:
        del self._order[id(kept)]
        self.size -= kept.size
        for key in kept.keys:
            if self._by_key.get(key) is kept:
                del self._by_key[key]

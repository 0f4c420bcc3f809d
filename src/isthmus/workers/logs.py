"""The log of all workers, in the ring of each: the hub numbers their lines, so that a number means the same everywhere.

Without the hub each worker numbers its own. What is changed at one, its level or that it is cleared, is so at all.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from isthmus.engine.logs import LogLine, LogQuery
from isthmus.telemetry.ring import EVERYTHING, SILENCE, Entry, Ring
from isthmus.workers.link import Link


class LogOfWorkers:
    """Implements the engine's Logs, with a ring whose lines go by the hub."""

    def __init__(self, link: Link, ring: Ring) -> None:
        self._link = link
        self._ring = ring
        self._joined = False
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        ring.hand_on = self._hand_on
        link.hears["log"] = self._hear
        link.hears["log-change"] = self._change

    @property
    def last(self) -> int:
        return self._ring.last

    def lines(self, query: LogQuery = EVERYTHING) -> Sequence[LogLine]:
        return self._ring.lines(query)

    def follow(
        self, query: LogQuery = EVERYTHING, *, silence: float = SILENCE
    ) -> AsyncGenerator[Sequence[LogLine], None]:
        return self._ring.follow(query, silence=silence)

    def clear(self) -> int:
        self._link.tell_others("log-change", None)
        return self._ring.clear()

    @property
    def level(self) -> str:
        return self._ring.level

    @level.setter
    def level(self, level: str) -> None:
        self._ring.level = level
        self._link.tell_others("log-change", level)

    def _hand_on(self, entries: Sequence[Entry]) -> bool:
        """False where nobody would number them."""
        if not self._link.alive or self._loop.is_closed():
            return False
        if threading.get_ident() == self._thread:
            self._link.tell("log", entries)
        else:
            self._loop.call_soon_threadsafe(self._link.tell, "log", entries)
        return True

    def _hear(self, told: Sequence[Any]) -> None:
        first, entries = told
        if not self._joined:
            self._joined = True
            self._ring.begin_at(first)
        self._ring.take(first, entries)

    def _change(self, level: str | None) -> None:
        if level is None:
            self._ring.clear()
        else:
            self._ring.level = level

"""The log of one worker among several: its own lines, at the level that was said to any of them."""

from collections.abc import AsyncGenerator, Sequence

from isthmus.engine.logs import LogLine, LogQuery, Logs
from isthmus.telemetry.ring import EVERYTHING, SILENCE
from isthmus.workers.link import Link

SUBJECT = "log level"


class LogOfWorkers:
    """Implements the engine's Logs."""

    def __init__(self, link: Link, own: Logs) -> None:
        self._link = link
        self._own = own
        link.hears[SUBJECT] = self._hear

    @property
    def last(self) -> int:
        return self._own.last

    def lines(self, query: LogQuery = EVERYTHING) -> Sequence[LogLine]:
        return self._own.lines(query)

    def clear(self) -> int:
        return self._own.clear()

    def follow(
        self, query: LogQuery = EVERYTHING, *, silence: float = SILENCE
    ) -> AsyncGenerator[Sequence[LogLine], None]:
        return self._own.follow(query, silence=silence)

    @property
    def level(self) -> str:
        return self._own.level

    @level.setter
    def level(self, level: str) -> None:
        """Raises INVALID for what is none, which nobody else is told."""
        self._own.level = level
        self._link.tell_others(SUBJECT, level)

    def _hear(self, level: str) -> None:
        self._own.level = level

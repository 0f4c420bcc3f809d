"""Finds the exchanges that take a while, for all of them with one timer.

Most of what a timer for each would cost is spent on exchanges that are over before it fires.
"""

import asyncio
from typing import Protocol

EVERY = 0.025
"""Seconds between two rounds. An exchange that has seen two begins to be watched."""


class Watched(Protocol):
    """Something that may take long."""

    def watch(self) -> bool:
        """Begin to watch over it. False: not yet possible, ask again."""
        ...


class Patrol:
    """Rounds are made only while there is something young to look at."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._young: set[Watched] = set()
        self._older: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, one: Watched) -> None:
        self._young.add(one)
        if self._timer is None:
            self._timer = self.loop.call_later(EVERY, self._round)

    def end(self, one: Watched) -> None:
        self._young.discard(one)
        self._older.discard(one)

    def _round(self) -> None:
        waiting = {one for one in self._older if not one.watch()}
        self._older, self._young = self._young | waiting, set()
        self._timer = self.loop.call_later(EVERY, self._round) if self._older else None

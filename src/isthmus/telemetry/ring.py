"""The latest lines of the log, in memory: bounded in number and in bytes, and followed while they are written.

Lines come as they were encoded for the file, and are looked into only when somebody asks. Nothing is kept for those
who follow but where each of them is: who falls behind finds that lines are gone.
"""

import asyncio
import logging
import re
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from itertools import takewhile
from typing import NamedTuple, TypeAlias
from weakref import WeakSet

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.logs import LEVELS, LogLine, LogQuery
from isthmus.wire import json

LINES = 10_000
BYTES = 8 * 1024 * 1024
FOLLOWERS = 32
"""Readers that may follow at the same time."""
AT_ONCE = 200
"""Lines that a follower is given at most at one time."""
SILENCE = 15.0
"""Seconds without a line after which a follower is told so."""

Entry: TypeAlias = tuple[float, str, bytes]
"""When, how much it matters, and the whole as JSON."""
Fits: TypeAlias = Callable[[Entry], bool]
EVERYTHING = LogQuery()
_GATEWAY = logging.getLogger("isthmus")


class Ring:
    """Implements the engine's Logs. Lines may be put from any thread; all else is for that of the event loop.

    `hand_on` takes lines to where they get their numbers, and they come back by `take`; False where it cannot.
    """

    def __init__(self, lines: int = LINES, size: int = BYTES, *, followers: int = FOLLOWERS) -> None:
        self.last = 0
        self.closed = False
        self.hand_on: Callable[[Sequence[Entry]], bool] | None = None
        self._most = lines
        self._most_bytes = size
        self._most_followers = followers
        self._kept: deque[tuple[int, Entry]] = deque()
        self._size = 0
        self._forgotten = 0
        self._lock = threading.Lock()
        self._followers: WeakSet[_Follower] = WeakSet()

    def put(self, entries: Sequence[Entry]) -> None:
        """Take in more lines. Never blocks for long, and never raises."""
        if self.hand_on is None or not self.hand_on(entries):
            self.take(self.last + 1, entries)

    def take(self, first: int, entries: Sequence[Entry]) -> None:
        """Keep lines that are numbered from `first` on. Those between, if there are any, went by here."""
        with self._lock:
            kept = self._kept
            kept.extend(enumerate(entries, first))
            self.last = first + len(entries) - 1
            size = self._size
            for entry in entries:
                size += len(entry[2])
            while len(kept) > self._most or size > self._most_bytes:
                size -= len(kept.popleft()[1][2])
            self._size = size
        self._wake_all()

    def begin_at(self, number: int) -> None:
        """Nobody missed a line here that is numbered lower."""
        self._forgotten = max(self._forgotten, number - 1)

    def lines(self, query: LogQuery = EVERYTHING) -> Sequence[LogLine]:
        fits = _fits(query)
        found: list[LogLine] = []
        for number, entry in reversed(self._look(query.after).lines):
            if entry[0] >= query.since and fits(entry):
                found.append(_line(number, entry))
                if len(found) == query.limit:
                    break
        return found[::-1]

    def clear(self) -> int:
        with self._lock:
            count = len(self._kept)
            self._kept.clear()
            self._size, self._forgotten = 0, self.last
        return count

    def follow(
        self, query: LogQuery = EVERYTHING, *, silence: float = SILENCE
    ) -> AsyncGenerator[Sequence[LogLine], None]:
        follower = _Follower()
        with self._lock:
            if len(self._followers) >= self._most_followers:
                words = f"{self._most_followers} readers follow the log already; close one of them"
                raise GatewayError(Kind.OVERLOADED, words, status=503)
            self._followers.add(follower)
        return self._follow(follower, query, silence)

    def close(self) -> None:
        """Whoever follows is given what is there, and is done."""
        self.closed = True
        self._wake_all()

    @property
    def level(self) -> str:
        return logging.getLevelName(_GATEWAY.getEffectiveLevel()).lower()

    @level.setter
    def level(self, level: str) -> None:
        if level not in LEVELS:
            raise GatewayError(Kind.INVALID, f"a level is one of {', '.join(LEVELS)}", param="level")
        _GATEWAY.setLevel(LEVELS[level])

    def writes(self, level: str) -> bool:
        """Are lines that matter so much written?"""
        return LEVELS[level] >= _GATEWAY.level

    def _look(self, after: int) -> "_Look":
        with self._lock:
            last, forgotten = self.last, self._forgotten
            after = after if after <= last else 0
            found = list(takewhile(lambda line: line[0] > after, reversed(self._kept)))
        found.reverse()
        return _Look(found, max(0, last - max(after, forgotten) - len(found)), last)

    async def _follow(
        self, follower: "_Follower", query: LogQuery, silence: float
    ) -> AsyncGenerator[Sequence[LogLine], None]:
        fits, at = _fits(query), query.after
        try:
            while True:
                look = self._look(at)
                fresh = look.lines[:AT_ONCE]
                told = [_gap(look)] if look.missed and at else []
                told += [_line(number, entry) for number, entry in fresh if fits(entry)]
                at = fresh[-1][0] if fresh else look.last
                if told:
                    yield told
                elif not fresh and self.closed:
                    return
                elif not fresh and not await follower.woken(silence):
                    yield ()
        finally:
            with self._lock:
                self._followers.discard(follower)

    def _wake_all(self) -> None:
        if self._followers:
            with self._lock:
                followers = tuple(self._followers)
            for follower in followers:
                follower.wake()


class _Look(NamedTuple):
    """The lines above a number, the oldest first; how many between are gone that nobody cleared; and the last one."""

    lines: list[tuple[int, Entry]]
    missed: int
    last: int


class _Follower:
    """One who waits for lines, in one event loop; woken from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._called = asyncio.Event()

    def wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._called.set)

    async def woken(self, silence: float) -> bool:
        """Wait for a call; False where none came in so many seconds."""
        try:
            async with asyncio.timeout(silence):
                await self._called.wait()
        except TimeoutError:
            return False
        self._called.clear()
        return True


_MARKS = (b'"client":"%b"', b'"target":"%b/', b'"(?:model":"|target":"[^"/]+/)%b"')
"""How a client, a provider and a model stand in the line of an exchange."""


def _line(number: int, entry: Entry) -> LogLine:
    return LogLine(number=number, at=entry[0], level=entry[1], fields=entry[2])


def _gap(look: _Look) -> LogLine:
    """Stands for lines that are gone."""
    words = f"{look.missed} lines were written faster than they were read"
    fields = json.encode({"level": "warning", "event": "missed", "message": words})
    last_missed = look.lines[0][0] - 1 if look.lines else look.last
    return LogLine(number=last_missed, at=look.lines[0][1][0] if look.lines else 0.0, level="warning", fields=fields)


def _fits(query: LogQuery) -> Fits:
    """Does a line fit? Lines of exchanges are told by their bytes: a quotation mark is escaped within their texts."""
    least = 0 if query.level is None else LEVELS.get(query.level, 0)
    named = ((mark, name) for mark, name in zip(_MARKS, (query.client, query.provider, query.model), strict=True))
    marks = [re.compile(mark % re.escape(json.encode(name)[1:-1])) for mark, name in named if name is not None]
    return lambda entry: LEVELS.get(entry[1], 50) >= least and all(mark.search(entry[2]) for mark in marks)

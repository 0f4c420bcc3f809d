"""Rows of use on their way to the database: a bounded queue, and one task that writes them in batches.

A batch stays at the head of the queue until it is written. While that fails, rows wait; when the queue is full, the
newest are dropped and counted. Knows nothing of SQL.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from math import isfinite
from typing import Any, TypeAlias

from msgspec.structs import asdict, replace

from isthmus.engine.ports import Clock
from isthmus.engine.records import Used
from isthmus.store.faults import OutOfReach, Unfit
from isthmus.store.rules import PACE, Pace

BATCH = 500
"""Rows in one transaction."""
LONGEST_TEXT = 64
"""Characters of a text, of a row that is not taken otherwise."""
MOST_INTEGER = 2**31 - 1

Write: TypeAlias = Callable[[Sequence[Used], bool], Awaitable[object]]
"""Writes rows, all or none; the flag says that some may have been written before. Raises OutOfReach or Unfit."""

log = logging.getLogger(__name__)


class Writer:
    """`most` rows wait; `dropped` were lost; `since` is the Unix time since when it fails, `why` the last reason."""

    def __init__(self, write: Write, clock: Clock, pace: Pace = PACE, *, most: int) -> None:
        self._write = write
        self._clock = clock
        self._most = most
        self._pace = pace
        self._rows: deque[Used] = deque()
        self._some, self._hurry = asyncio.Event(), asyncio.Event()
        self._doubtful = False
        self._pause = pace.retry
        self.dropped = 0
        self.since: float | None = None
        self.why = ""

    @property
    def waiting(self) -> int:
        """Rows that are not written yet."""
        return len(self._rows)

    def put(self, rows: Sequence[Used]) -> None:
        """Have these written, soon. Never blocks and never raises."""
        room = self._most - len(self._rows)
        if len(rows) > room:
            self._drop(len(rows) - max(room, 0))
            rows = rows[: max(room, 0)]
        self._rows.extend(rows)
        self._some.set()
        if len(self._rows) >= BATCH:
            self._hurry.set()

    async def run(self) -> None:
        """Write what comes, until cancelled."""
        while True:
            await self._some.wait()
            await _passed(self._hurry, self._pace.every)
            await self._write_some()

    async def drain(self, within: float) -> None:
        """Until every row is written, or `within` seconds are over. What is left is lost, and counted."""
        self._hurry.set()
        task = asyncio.create_task(self._write_all())
        await asyncio.wait((task,), timeout=within)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if self._rows:
            self._drop(len(self._rows))
            self._rows.clear()

    async def _write_all(self) -> None:
        while self._rows:
            await self._write_some()

    async def _write_some(self) -> None:
        """The rows at the head of the queue; after a failure, the pause as well."""
        batch = tuple(islice(self._rows, BATCH))
        doubtful, self._doubtful = self._doubtful, True
        try:
            await self._write_batch(batch, doubtful)
        except OutOfReach as error:
            await self._fail(str(error))
            return
        self._doubtful = False
        for _ in batch:
            self._rows.popleft()
        self._succeed()
        if not self._rows:
            self._some.clear()
        if len(self._rows) < BATCH:
            self._hurry.clear()

    async def _write_batch(self, rows: Sequence[Used], doubtful: bool) -> None:
        """All of them. What the database does not take is found by halves."""
        try:
            await self._hand_over(rows, doubtful)
        except Unfit:
            if not doubtful:
                await self._write_batch(rows, True)
            elif len(rows) > 1:
                await self._write_batch(rows[: len(rows) // 2], True)
                await self._write_batch(rows[len(rows) // 2 :], True)
            else:
                await self._write_fitted(rows[0])

    async def _hand_over(self, rows: Sequence[Used], doubtful: bool) -> None:
        """Raises OutOfReach or Unfit, and nothing else: a fault of ours costs the row that has it, not all to come."""
        try:
            await self._write(rows, doubtful)
        except (OutOfReach, Unfit):
            raise
        except Exception as fault:
            raise Unfit(f"a fault of the gateway, {type(fault).__name__}: {fault}") from fault

    async def _write_fitted(self, row: Used) -> None:
        """One row that is not taken as it is: what it used counts, whatever its names are."""
        try:
            await self._hand_over((fitted(row),), True)
        except Unfit as error:
            log.error("the store does not take the row of exchange %s: %s", row.id, error)
            self._drop(1)

    async def _fail(self, why: str) -> None:
        self.why = why
        if self.since is None:
            self.since = self._clock.time()
            self._pause = self._pace.retry
            log.warning("the store cannot be written to: %s; rows of use wait", why)
        await asyncio.sleep(self._pause)
        self._pause = min(self._pace.retry_most, self._pause * 2)

    def _succeed(self) -> None:
        if self.since is not None:
            log.info("the store can be written to again; %d rows of use wait", len(self._rows))
            self.since = None

    def _drop(self, many: int) -> None:
        if not self.dropped:
            log.error("rows of use are lost: the store cannot take them in time")
        self.dropped += many


def fitted(row: Used) -> Used:
    """The row as any database takes it: short texts of plain characters, and numbers that are not beyond measure."""
    return replace(
        row, **{name: _FIT[type(value)](value) for name, value in asdict(row).items() if type(value) in _FIT}
    )


def _fit_text(text: str) -> str:
    return text[:LONGEST_TEXT].encode("utf-8", "replace").decode().replace("\0", "?")


def _fit_float(number: float) -> float:
    return number if isfinite(number) else 0.0


_FIT: Mapping[type, Callable[[Any], object]] = {
    str: _fit_text,
    int: lambda number: max(-MOST_INTEGER, min(MOST_INTEGER, number)),
    float: _fit_float,
}


async def _passed(event: asyncio.Event, seconds: float) -> None:
    """Until the event, or for this long."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return

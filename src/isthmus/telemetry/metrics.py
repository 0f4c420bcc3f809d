"""What is counted here, or by all workers together, as one page.

Exchanges are counted in the batches in which they are logged. Between workers, counts go to whoever keeps the sums of
all, once a second and with every question for the page; so a worker that dies takes at most a second's counts with it,
and no sum ever becomes less. Current values are each worker's own, as it told them last.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from isthmus.core.errors import GatewayError, Kind
from isthmus.telemetry.current import Parts, grown, read_parts, read_process
from isthmus.telemetry.sums import Key, Rows, Series, add, pack, unpack
from isthmus.telemetry.table import METRICS, Sort
from isthmus.telemetry.tally import Tally

EVERY = 1.0
"""Seconds between two looks at the event loop's lateness, and between two words to the other workers."""
ALONE = "1"
"""The number of the only worker."""


class Known(NamedTuple):
    """What all workers counted, and the current values of each other one, as `pack` makes them."""

    counted: Rows
    current: Sequence[Rows]


class Others(Protocol):
    """The way to the sums of all workers, this one's too."""

    def tell(self, counted: Series, current: Series) -> None:
        """What was counted here since the last time, and what is so at present."""
        ...

    async def ask(self, counted: Series, current: Series) -> Known | None:
        """The same, and what is known then; None where nobody answers."""
        ...


class Metrics:
    """`flush` has what is over counted first; `worker` is this process's number."""

    def __init__(
        self, tally: Tally, parts: Parts, flush: Callable[[], None], others: Others | None = None, worker: str = ALONE
    ) -> None:
        self._tally = tally
        self._parts = parts
        self._flush = flush
        self._others = others
        self._worker = worker
        self._grown: dict[Key, int] = {}
        self._making = asyncio.Lock()

    async def page(self) -> bytes:
        """The page of this moment, made in a thread, one at a time. Raises OVERLOADED where sums cannot be had."""
        async with self._making:
            current = await self._current()
            self._flush()
            self._note_grown()
            if self._others is None:
                known: Known | None = Known(pack(self._tally.series), ())
            else:
                known = await self._others.ask(self._tally.take(), current)
            if known is None:
                words = "what the other workers counted cannot be had at present; ask again"
                raise GatewayError(Kind.OVERLOADED, words, status=503)
            return await asyncio.to_thread(_written, known, current)

    def leave(self) -> None:
        """The last word to the others."""
        if self._others is not None:
            self._note_grown()
            self._others.tell(self._tally.take(), {})

    async def run(self) -> None:
        """Look at the loop, and tell the others, until cancelled."""
        clock = self._parts.clock
        while True:
            due = clock.now() + EVERY
            await asyncio.sleep(EVERY)
            self._tally.observe("isthmus_event_loop_lag_seconds", max(0.0, clock.now() - due))
            if self._others is not None:
                current = await self._current()
                self._note_grown()
                self._others.tell(self._tally.take(), current)

    async def _current(self) -> Series:
        return {**read_parts(self._parts), **await asyncio.to_thread(read_process, self._worker)}

    def _note_grown(self) -> None:
        """Parts that count by themselves: what is more than the last time."""
        for (name, *labels), count in grown(self._parts).items():
            key = (name, *labels)
            self._tally.add(name, count - self._grown.get(key, 0), *labels)
            self._grown[key] = count


def _written(known: Known, current: Series) -> bytes:
    from isthmus.telemetry.page import write_page  # noqa: PLC0415  what writes it is slow to import

    whole = unpack(known.counted)
    for one in (current, *map(unpack, known.current)):
        _join(whole, one)
    return write_page(whole)


def _join(whole: Series, current: Series) -> None:
    """One more worker's current values."""
    for key, values in current.items():
        if key in whole and METRICS[key[0]].sort is Sort.COMMON:
            whole[key] = [max(whole[key][0], values[0])]
        else:
            add(whole, {key: values})

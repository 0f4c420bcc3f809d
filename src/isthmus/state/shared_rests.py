"""What providers asked of one instance is known to all: rests that begin, and rests that end.

Instances tell one another in the background, a little after it happened; no request waits for it. What one of them
found out only by failing stays its own: it may be the only one for whom a provider cannot be reached.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Protocol

from isthmus.core.value import Value
from isthmus.engine.ports import Clock
from isthmus.routing.health import Health
from isthmus.state.rest_rows import Fingerprints, RestRows, Row
from isthmus.wire import json
from isthmus.wire.json import DECODE_ERRORS

ROUND = 0.5
"""Seconds between two looks whether anything changed."""
SAME = 0.3
"""Seconds by which clocks and roundings may differ on one moment."""


class News(Value, frozen=True):
    """Rests that began or grew longer, and such that are over before their time."""

    begun: tuple[Row, ...] = ()
    over: tuple[Row, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.begun or self.over)


class Post(Protocol):
    """How instances tell one another."""

    async def exchange(self, news: News) -> News:
        """Tell the others, and what they told since the last time. Never raises; what could not be told is kept."""
        ...


class SharedRests:
    """Keeps the rests of `health` and those of others alike."""

    def __init__(self, post: Post, health: Health, clock: Clock, fingerprints: Fingerprints) -> None:
        self._post = post
        self._rows = RestRows(health, clock, fingerprints, cause="told by another instance")
        self._told: Mapping[tuple[str, ...], Row] = {}

    async def run(self) -> None:
        """Tell and hear, until cancelled."""
        while True:
            await self.round()
            await asyncio.sleep(ROUND)

    async def round(self) -> None:
        """Tell what changed here, and take over what changed elsewhere."""
        heard = await self._post.exchange(self._news())
        for row in heard.over:
            since = row.since + self._rows.clock.now() - self._rows.clock.time()
            self._rows.health.end(row.place, since + SAME)
        self._rows.restore(heard.begun)
        if heard:
            self._told = by_name(self._rows.rows())

    def _news(self) -> News:
        before, now = self._told, by_name(self._rows.rows())
        self._told = now
        time = self._rows.clock.time()
        return News(
            begun=tuple(
                row for name, row in now.items() if name not in before or row.until > before[name].until + SAME
            ),
            over=tuple(row for name, row in before.items() if name not in now and row.until > time),
        )


def by_name(rows: Iterable[Row]) -> dict[tuple[str, ...], Row]:
    """Each row under what names its place and key."""
    return {(row.provider, row.key, row.model, row.fingerprint): row for row in rows}


def pack(row: Row) -> tuple[str, bytes]:
    """A row as the field of a table, and its value."""
    return json.encode(next(iter(by_name([row])))).decode(), json.encode(row)


def unpack(value: bytes) -> Row | None:
    """The row of a value; None for one of another form, which an instance of another version may have written."""
    try:
        return _read(value)
    except DECODE_ERRORS:
        return None


_read = json.decoder(Row)

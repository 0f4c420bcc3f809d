"""The rests of all instances, in one table of the server that they share."""

from collections.abc import Awaitable
from typing import cast

from isthmus.engine.ports import Clock
from isthmus.state.rest_rows import Row
from isthmus.state.shared_rests import News, pack, unpack
from isthmus.state.shared_server import Answers, SharedServer

KEPT_FOR = 2 * 3600
"""Seconds after its last change that the server forgets the table: longer than any rest."""
FORM = 1
"""Of the rows: an instance that writes another form, after an upgrade, does not find these."""


class SharedPost:
    """Implements Post. While the server is gone, what is to be told waits, and the instance goes on alone."""

    def __init__(self, server: SharedServer, clock: Clock, *, prefix: str) -> None:
        self._server = server
        self._clock = clock
        self._table = f"{prefix}:rests:{FORM}"
        self._seen: dict[str, Row] = {}
        self._put: dict[str, bytes] = {}
        self._gone: set[str] = set()

    async def exchange(self, news: News) -> News:
        """What changed in the table since the last time, once what changed here is in it."""
        for row in news.over:
            name, _ = pack(row)
            self._put.pop(name, None)
            self._gone.add(name)
        for row in news.begun:
            name, value = pack(row)
            self._put[name] = value
            self._gone.discard(name)
        answers = await self._server.ask(self._call)
        return News() if answers is None else self._compare(cast("dict[bytes, bytes]", answers[-1]))

    def _call(self) -> Awaitable[Answers]:
        pipe = self._server.redis.pipeline(transaction=True)
        if self._gone:
            pipe.hdel(self._table, *self._gone)
        if self._put:
            pipe.hset(self._table, items=[each for pair in self._put.items() for each in pair])
            pipe.expire(self._table, KEPT_FOR)
        pipe.hgetall(self._table)
        return cast("Awaitable[Answers]", pipe.execute())

    def _compare(self, table: dict[bytes, bytes]) -> News:
        time = self._clock.time()
        rows = {
            name.decode("utf-8", "replace"): row for name, value in table.items() if (row := unpack(value)) is not None
        }
        begun = tuple(row for name, row in rows.items() if self._seen.get(name) != row and name not in self._put)
        over = tuple(row for name, row in self._seen.items() if name not in rows and name not in self._gone)
        self._seen, self._put = rows, {}
        self._gone = {name for name, row in rows.items() if row.until <= time}
        return News(begun, over)

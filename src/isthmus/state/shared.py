"""A memory that many instances share through Redis or Valkey, behind a bounded memory of this instance's own.

What is found here is not asked for there. No call waits for the server longer than BUDGET; a server that fails
several times in a row is left alone, but for one call after each rest, until one succeeds. Meanwhile this instance
goes on alone. Nothing is written later that could not be written at the time. Not for decisions that instances must
take together: another one may still know what was forgotten or replaced here.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from isthmus.core.secret import Secret
from isthmus.engine.ports import Clock
from isthmus.state.memory import BoundedMemory

BUDGET = 0.020
"""Seconds that one call waits for the server."""
LONGEST = 1.0
"""Seconds that the server may take behind the caller's back, as a new connection may need."""
MOST = 1024 * 1024
"""Bytes of a value that is shared; a longer one stays with this instance."""
KEPT_FOR = 24 * 3600
"""Seconds since it was last asked for at the server, after which it forgets a value."""
CONNECTIONS = 32
FORM = 1
"""Of the values: an instance that writes another form, after an upgrade, does not find these."""
FAILURES = 3
"""Failed calls in a row after which the server is left alone."""
REST = 1.0
"""Seconds until it is tried again."""

log = logging.getLogger(__name__)


class Breaker:
    """Whether the server may be asked. `since` is the Unix time since when it may not; None when it may."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failed = 0
        self._until = 0.0
        self.since: float | None = None

    def lets_through(self) -> bool:
        """May this call be made? Once for each rest while the server is gone."""
        if self.since is None:
            return True
        if self._clock.now() < self._until:
            return False
        self._until = self._clock.now() + REST
        return True

    def failed(self) -> bool:
        """Is the server given up with this failure?"""
        self._failed += 1
        if self._failed < FAILURES or self.since is not None:
            return False
        self._until = self._clock.now() + REST
        self.since = self._clock.time()
        return True

    def succeeded(self) -> bool:
        """Is the server back with this success?"""
        back = self.since is not None
        self._failed, self.since = 0, None
        return back


class SharedMemory:
    """Implements the engine's Memory. `where` is the server's host and port, for the log; `budget` is in seconds."""

    def __init__(self, server: Redis, clock: Clock, *, prefix: str, where: str, budget: float) -> None:
        self._server = server
        self._local = BoundedMemory(clock.now)
        self._breaker = Breaker(clock)
        self._prefix = prefix
        self._where = where
        self._budget = budget
        self._under_way: set[asyncio.Task[Sequence[object] | None]] = set()

    @property
    def state(self) -> str:
        """For people: "shared", or since when the server cannot be reached."""
        since = self._breaker.since
        if since is None:
            return "shared"
        return f"shared, unreachable since {datetime.fromtimestamp(since, UTC):%Y-%m-%dT%H:%M:%SZ}"

    async def put(self, keys: Sequence[str], value: bytes) -> None:
        """Keep `value` under every key, here and there. Never raises."""
        await self._local.put(keys, value)
        if not keys or len(value) > MOST:
            return
        pipe = self._server.pipeline(transaction=False)
        for key in keys:
            pipe.set(self._named(key), value, ex=KEPT_FOR)
        await self._ask(pipe.execute)

    async def forget(self, keys: Sequence[str]) -> None:
        """Nothing is found under these keys any more, here and there. Never raises."""
        await self._local.forget(keys)
        if keys:
            pipe = self._server.pipeline(transaction=False)
            pipe.delete(*map(self._named, keys))
            await self._ask(pipe.execute)

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """What is kept under these keys, here or there, by key. Never raises."""
        found = await self._local.get(keys)
        missing = [key for key in dict.fromkeys(keys) if key not in found]
        if not missing:
            return found
        pipe = self._server.pipeline(transaction=False)
        for key in missing:
            pipe.getex(self._named(key), ex=KEPT_FOR)
        values = await self._ask(pipe.execute) or ()
        fetched = {key: value for key, value in zip(missing, values, strict=False) if isinstance(value, bytes)}
        for key, value in fetched.items():
            await self._local.put((key,), value)
        return {**found, **fetched}

    async def close(self) -> None:
        """End what is still under way, and the connections."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._server.aclose()

    def _named(self, key: str) -> str:
        return f"{self._prefix}:{FORM}:{key}"

    async def _ask(self, execute: Callable[[], Awaitable[Sequence[object]]]) -> Sequence[object] | None:
        """The server's answers; None when there are none in time. The work goes on for a while when they are late."""
        if not self._breaker.lets_through():
            return None
        task = asyncio.ensure_future(_run(execute))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await asyncio.wait((task,), timeout=self._budget)
        answers = task.result() if task.done() else None
        self._note(answers is not None)
        return answers

    def _note(self, well: bool) -> None:
        if well and self._breaker.succeeded():
            log.info("the shared memory at %s is back", self._where)
        if not well and self._breaker.failed():
            log.warning("the shared memory at %s fails or is slow; going on with this instance's own", self._where)


async def _run(execute: Callable[[], Awaitable[Sequence[object]]]) -> Sequence[object] | None:
    try:
        async with asyncio.timeout(LONGEST):
            return await execute()
    except (RedisError, OSError, TimeoutError):
        return None


@asynccontextmanager
async def open_shared(url: Secret, prefix: str, clock: Clock, *, budget: float = BUDGET) -> AsyncIterator[SharedMemory]:
    """The memory at a redis:// or rediss:// URL. Connects when it is first asked."""
    parts = urlsplit(url.reveal())
    pool = BlockingConnectionPool.from_url(
        url.reveal(),
        max_connections=CONNECTIONS,
        timeout=LONGEST,
        socket_connect_timeout=LONGEST,
        socket_timeout=LONGEST,
        retry=Retry(NoBackoff(), 0),
    )
    where = f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
    memory = SharedMemory(Redis.from_pool(pool), clock, prefix=prefix, where=where, budget=budget)
    try:
        yield memory
    finally:
        await memory.close()

"""The server of Redis or Valkey that instances share, for all that is kept there: one pool of connections.

No call waits for the server longer than its budget; one that is late goes on for a while behind the caller's back. A
server that fails several times in a row is left alone, but for one call after each rest, until one succeeds. Nothing is
ever sent twice: a connection that ended while it was idle is noticed before anything is sent on it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from isthmus.core.secret import Secret
from isthmus.engine.ports import Clock
from isthmus.state.patience import in_time

BUDGET = 0.020
"""Seconds that one call waits for the server."""
LONGEST = 1.0
"""Seconds that the server may take behind the caller's back, as a new connection may need."""
CONNECTIONS = 32
WARM = 4
"""Connections that are made before anything is asked, so that no request waits for one."""
FAILURES = 3
"""Failed calls in a row after which the server is left alone. Those that were under way together count once."""
REST = 1.0
"""Seconds until it is tried again."""

NO_NOTICES = MaintNotificationsConfig(enabled=False)
"""Where the client library waits for notices of maintenance, it does not look whether an idle connection has ended."""

Answers: TypeAlias = Sequence[object]
Call: TypeAlias = Callable[[], Awaitable[Answers]]
_T = TypeVar("_T")

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


class SharedServer:
    """`redis` makes the calls that are run here. `where` is its host and port, for the log; `budget` is in seconds.

    `when_back` is called when the server was left alone and is used again.
    """

    def __init__(self, redis: Redis, clock: Clock, *, where: str, budget: float) -> None:
        self.redis = redis
        self.breaker = Breaker(clock)
        self._where = where
        self._bad_moments = 0
        self.budget = budget
        self.when_back: list[Callable[[], None]] = []
        self._under_way: set[asyncio.Task[Answers | None]] = set()

    @property
    def state(self) -> str:
        """For people: "shared", or since when the server cannot be reached."""
        since = self.breaker.since
        if since is None:
            return "shared"
        return f"shared, unreachable since {datetime.fromtimestamp(since, UTC):%Y-%m-%dT%H:%M:%SZ}"

    @property
    def in_use(self) -> bool:
        """Is the server not left alone?"""
        return self.breaker.since is None

    async def greet(self, call: Callable[[], Awaitable[object]], *, times: int = 1) -> None:
        """Make a call so many times at once, before anything depends on the server, with the patience that a new
        connection needs. A server that is gone is found out by those who need it."""
        await asyncio.gather(*(_run(call) for _ in range(times)))

    async def ask(self, call: Call) -> Answers | None:
        """The server's answers; None when there are none in time."""
        task = self.start(call)
        return None if task is None else await self.wait(task)

    def start(self, call: Call) -> asyncio.Task[Answers | None] | None:
        """A call under way, whose result is None if it fails; None while the server is left alone."""
        if not self.breaker.lets_through():
            return None
        task = asyncio.ensure_future(_run(call))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def wait(self, task: asyncio.Task[Answers | None]) -> Answers | None:
        """The result of a call, if it comes in time. The call goes on for a while when it is late."""
        moment = self._bad_moments
        answers = task.result() if await in_time(task, self.budget) else None
        if answers is not None:
            self._note_well()
        elif moment == self._bad_moments:
            self._note_failed()
        return answers

    async def settled(self) -> None:
        """Until nothing is under way any more."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def close(self) -> None:
        """End what is still under way, and the connections."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self.redis.aclose()

    def _note_well(self) -> None:
        if self.breaker.succeeded():
            log.info("the shared state at %s is back", self._where)
            for call in self.when_back:
                call()

    def _note_failed(self) -> None:
        self._bad_moments += 1
        if self.breaker.failed():
            log.warning("the shared state at %s fails or is slow; going on with this instance's own", self._where)


async def _run(call: Callable[[], Awaitable[_T]]) -> _T | None:
    try:
        async with asyncio.timeout(LONGEST):
            return await call()
    except (RedisError, OSError, TimeoutError):
        return None


@asynccontextmanager
async def open_server(url: Secret, clock: Clock, *, budget: float = BUDGET) -> AsyncIterator[SharedServer]:
    """The server at a redis:// or rediss:// URL, to which connections have been made, if it is there."""
    parts = urlsplit(url.reveal())
    pool = BlockingConnectionPool.from_url(
        url.reveal(),
        max_connections=CONNECTIONS,
        timeout=LONGEST,
        socket_connect_timeout=LONGEST,
        socket_timeout=LONGEST,
        retry=Retry(NoBackoff(), 0),
        maint_notifications_config=NO_NOTICES,
    )
    where = f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
    server = SharedServer(Redis.from_pool(pool), clock, where=where, budget=budget)
    try:
        await server.greet(server.redis.ping, times=WARM)
        yield server
    finally:
        await server.close()

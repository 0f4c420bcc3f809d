"""The connections to one origin: the newest idle one first, never more than so many, none left behind."""

import asyncio
import ssl
from collections import deque
from collections.abc import Mapping
from time import monotonic

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.providers.provider import Deadlines, Origin
from isthmus.transport.connection import Connection
from isthmus.transport.dial import dial, reason
from isthmus.transport.head import HeadWriter, host_of
from isthmus.transport.resolve import Resolver
from isthmus.transport.tls import Contexts, explain


class PoolLimits(Value, frozen=True):
    """`connections`: to one origin at a time; `idle`: seconds that an unused one is kept."""

    connections: int = 1000
    idle: float = 60.0


class Pool:
    """Implements the connection's Owner. `heads` writes the heads of requests to this origin."""

    def __init__(self, origin: Origin, limits: PoolLimits, resolver: Resolver, contexts: Contexts) -> None:
        self.heads = HeadWriter(origin)
        self.idle_seconds = limits.idle
        self._origin = origin
        self._host = host_of(origin)
        self._peer = f"[{self._host}]:{origin.port}" if ":" in self._host else f"{self._host}:{origin.port}"
        self._most = limits.connections
        self._resolver = resolver
        self._contexts = contexts
        self._loop = asyncio.get_running_loop()
        self._places = 0
        """Connections that exist or are being made."""
        self._joined: set[Connection] = set()
        self._idle: dict[Connection, None] = {}
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._patience: set[asyncio.Timeout] = set()
        self._closed = False
        self._empty = asyncio.Event()

    @property
    def unused(self) -> bool:
        return not self._places and not self._patience

    def take(self) -> Connection | None:
        """The connection that was used last and is free now, if there is one."""
        while self._idle:
            connection, _ = self._idle.popitem()
            if connection.alive:
                return connection
        return None

    async def acquire(self, deadlines: Deadlines, until: float, *, fresh: bool = False) -> Connection:
        """A connection to send on at once: a new one, or, unless it must be `fresh`, one that has become free.

        Raises UNREACHABLE, TIMED_OUT, or STOPPING.
        """
        seconds = max(0.0, min(deadlines.connect, until - monotonic()))
        connecting = False
        try:
            async with asyncio.timeout(seconds) as patience:
                self._patience.add(patience)
                try:
                    free = await self._place(fresh=fresh)
                    connecting = True
                    return free or await self._connect()
                finally:
                    self._patience.discard(patience)
        except TimeoutError:
            raise self._late(deadlines, seconds, connecting=connecting) from None

    async def aclose(self) -> None:
        """Close everything, and wait until it is closed."""
        self._closed = True
        for patience in self._patience:
            if not patience.expired():
                patience.reschedule(self._loop.time())
        for connection in tuple(self._joined):
            connection.stop()
        while self._places:
            self._empty.clear()
            await self._empty.wait()

    def stats(self) -> Mapping[str, int]:
        idle = len(self._idle)
        return {"open": self._places, "idle": idle, "in_use": self._places - idle, "waiting": len(self._waiters)}

    # What connections tell.

    def joined(self, connection: Connection) -> None:
        self._joined.add(connection)

    def keep(self, connection: Connection) -> None:
        if self._closed:
            connection.abort()
        elif (waiter := self._next_waiter()) is not None:
            waiter.set_result(connection)
        else:
            self._idle[connection] = None

    def forget(self, connection: Connection) -> None:
        self._idle.pop(connection, None)
        self._joined.discard(connection)
        self._leave_place()

    async def _place(self, *, fresh: bool) -> Connection | None:
        """A free connection, or None: the right to make one, which whoever gets it must use or leave."""
        while True:
            if self._closed:
                raise GatewayError(Kind.STOPPING, "the gateway is stopping")
            if self._places < self._most:
                self._places += 1
                return None
            free = self.take() or await self._wait()
            if free is None:
                return None
            if not fresh and free.alive:
                return free
            if free.alive:
                free.abort()
                self._places += 1  # one too many, for the moment that closing takes
                return None

    async def _wait(self) -> Connection | None:
        waiter: asyncio.Future[Connection | None] = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():
                self._give_back(waiter.result())
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            raise

    def _give_back(self, given: Connection | None) -> None:
        if given is None:
            self._leave_place()
        elif given.alive:
            self.keep(given)

    def _next_waiter(self) -> "asyncio.Future[Connection | None] | None":
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None

    def _leave_place(self) -> None:
        """Pass a place on to who waits for one."""
        waiter = None if self._closed or self._places > self._most else self._next_waiter()
        if waiter is not None:
            waiter.set_result(None)
            return
        self._places -= 1
        if not self._places:
            self._empty.set()

    async def _connect(self) -> Connection:
        connection = Connection(self, self._peer, self._loop)
        try:
            await self._open(connection)
        except BaseException:
            if connection in self._joined:
                connection.abort()
                connection.connection_lost(None)  # uvloop tells nobody, where the making itself was cancelled
            else:
                self._leave_place()
            raise
        if not connection.alive:
            raise GatewayError(Kind.UNREACHABLE, f"{self._peer} closed the connection as soon as it was made")
        return connection

    async def _open(self, connection: Connection) -> None:
        tls = await self._contexts.get(self._origin.ca_file) if self._origin.scheme == "https" else None
        try:
            sock = await dial(await self._resolver.addresses(self._host, self._origin.port))
        except (OSError, UnicodeError) as error:
            raise GatewayError(Kind.UNREACHABLE, f"no connection to {self._peer}: {reason(error)}") from error
        try:
            await self._loop.create_connection(
                lambda: connection, sock=sock, ssl=tls, server_hostname=self._host if tls is not None else None
            )
        except ssl.SSLError as error:
            raise explain(error, self._peer) from error
        except OSError as error:
            what = f"{self._peer} closed the connection during the TLS handshake"
            raise GatewayError(Kind.UNREACHABLE, what) from error

    def _late(self, deadlines: Deadlines, seconds: float, *, connecting: bool) -> GatewayError:
        if self._closed:
            return GatewayError(Kind.STOPPING, "the gateway is stopping")
        which = "connect" if seconds == deadlines.connect else "total"
        if connecting:
            what = f"no connection to {self._peer} within {seconds:g} s ({which} deadline)"
        else:
            what = f"all {self._most} connections to {self._peer} stayed busy for {seconds:g} s ({which} deadline)"
        return GatewayError(Kind.TIMED_OUT, what)

"""The load generator: closed loop, planned send times, and streams, over keep-alive connections.

closed   each of so many connections sends its next request when it has its answer
planned  a fixed rate, whatever the answers do; a latency counts from the planned time,
         so that a server that stalls is not flattered
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import httptools

from bench.measure import cpu_seconds

PLANNED_CONNECTIONS = 64
"""Connections over which planned requests are spread; a request that finds none free waits, and its time runs."""
STAGGER = 0.01
"""Seconds over which the first requests of a closed loop are spread."""


@dataclass(frozen=True)
class Target:
    """Where requests go, and the bytes of one. `streamed`: its answer is a stream, whose events are counted."""

    port: int
    request: bytes
    streamed: bool = False


@dataclass
class Tally:
    """What was seen in one phase. Times in seconds; `first` is until the first event of a stream."""

    seconds: float = 0.0
    cpu: float = 0.0
    requests: int = 0
    errors: int = 0
    events: int = 0
    latency: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)


def request_to(port: int, path: str, body: bytes, headers: tuple[str, ...]) -> bytes:
    """One whole request."""
    lines = (
        f"POST {path} HTTP/1.1",
        f"host: 127.0.0.1:{port}",
        "accept: application/json",
        "user-agent: isthmus-bench/1",
        "content-type: application/json",
        f"content-length: {len(body)}",
        *headers,
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of them do not exceed; not a number when there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


class Connection(asyncio.Protocol):
    """One keep-alive connection, one request at a time."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._request = load.target.request
        self._streamed = load.target.streamed
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._began = 0.0
        self._busy = self._broken = False
        self._unheard = self._half = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # uvloop's class is not a subclass

    def connection_lost(self, _: Exception | None) -> None:
        self._transport = None
        self._load.lost(self, busy=self._busy)

    def ask(self, began: float) -> None:
        """Send the request. Its time counts from `began`."""
        assert self._transport is not None
        self._began, self._busy, self._unheard = began, True, True
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.abort()

    def on_body(self, body: bytes) -> None:
        if not self._streamed:
            return
        tally = self._load.tally
        if self._unheard:
            self._unheard = False
            tally.first.append(time.perf_counter() - self._began)
        tally.events += body.count(b"\n\n") + (self._half and body.startswith(b"\n"))
        self._half = body.endswith(b"\n") and not body.endswith(b"\n\n")

    def on_message_complete(self) -> None:
        self._busy = False
        tally = self._load.tally
        tally.requests += 1
        tally.latency.append(time.perf_counter() - self._began)
        if self._parser.get_status_code() != 200:
            tally.errors += 1
        if self._parser.should_keep_alive():
            self._load.free(self)
        else:
            self.abort()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class Load:
    """One phase of load on one target. Every round makes a new one."""

    def __init__(self, target: Target, pid: int | None) -> None:
        self.target = target
        self.tally = Tally()
        self._pid = pid
        self._loop = asyncio.get_running_loop()
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        self._waiting: deque[float] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed_loop = False
        self._over = False

    async def closed(self, connections: int, warmup: float, seconds: float) -> Tally:
        """As many requests as `connections` can carry one after the other."""
        self._closed_loop = True
        for _ in range(connections):
            (await self._connect()).ask(time.perf_counter())
            await asyncio.sleep(STAGGER / connections)
        return await self._measured(asyncio.sleep, warmup, seconds)

    async def planned(self, rate: float, warmup: float, seconds: float) -> Tally:
        """`rate` requests a second, at their planned times."""
        self._idle = [await self._connect() for _ in range(PLANNED_CONNECTIONS)]
        return await self._measured(lambda span: asyncio.to_thread(self._tick, rate, span), warmup, seconds)

    async def hold(self, connections: int, until: Callable[[Tally], bool], patience: float) -> None:
        """Open so many streams and keep them open until `until` says so, or for `patience` seconds."""
        self._closed_loop = True
        for _ in range(connections):
            (await self._connect()).ask(time.perf_counter())
        give_up = time.perf_counter() + patience
        while not until(self.tally) and time.perf_counter() < give_up:  # noqa: ASYNC110  a tally tells nobody
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        """Leave, in the middle of whatever is running."""
        self._over = True
        for connection in tuple(self._connections):
            connection.abort()
        while self._connections:  # noqa: ASYNC110  they end within the loop's next turns
            await asyncio.sleep(0.01)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def free(self, connection: Connection) -> None:
        """A connection has its answer."""
        if self._closed_loop and not self._over:
            connection.ask(time.perf_counter())
        elif self._waiting:
            connection.ask(self._waiting.popleft())
        else:
            self._idle.append(connection)

    def lost(self, connection: Connection, *, busy: bool) -> None:
        """A connection has ended; while a phase runs, another takes its place."""
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if self._over:
            return
        self.tally.errors += busy
        task = self._loop.create_task(self._replace())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _measured(self, phase: Callable[[float], Awaitable[None]], warmup: float, seconds: float) -> Tally:
        try:
            await phase(warmup)
            self.tally = tally = Tally()
            cpu, began = self._cpu(), time.perf_counter()
            await phase(seconds)
            tally.cpu, tally.seconds = self._cpu() - cpu, time.perf_counter() - began
            self.tally = Tally()
            return tally
        finally:
            await self.close()

    def _tick(self, rate: float, seconds: float) -> None:
        """Runs in a thread, because the timers of an event loop count in milliseconds."""
        start = time.perf_counter()
        for number in range(int(rate * seconds)):
            planned = start + number / rate
            time.sleep(max(0.0, planned - time.perf_counter()))
            self._loop.call_soon_threadsafe(self._send_planned, planned)

    def _send_planned(self, planned: float) -> None:
        if self._idle:
            self._idle.pop().ask(planned)
        else:
            self._waiting.append(planned)

    def _cpu(self) -> float:
        return cpu_seconds(self._pid) if self._pid is not None else 0.0

    async def _connect(self) -> Connection:
        _, connection = await self._loop.create_connection(lambda: Connection(self), "127.0.0.1", self.target.port)
        self._connections.add(connection)
        return connection

    async def _replace(self) -> None:
        with suppress(ConnectionError):  # whoever was killed takes no more
            self.free(await self._connect())

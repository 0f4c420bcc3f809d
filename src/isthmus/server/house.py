"""All client connections of the gateway: the application they call, the deadlines they keep, and their end."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from email.utils import formatdate

from isthmus.server.connection import Connection
from isthmus.server.respond import Message, Receive, Send
from isthmus.server.turn import Turn

ROUND = 1.0
"""Seconds between two looks at the deadlines of all connections."""
AT_REST = 256
"""Tasks that wait for another turn at most: waking one takes less than making one, by 4 % of a request's time."""

log = logging.getLogger(__name__)

Application = Callable[[Message, Receive, Send], Awaitable[None]]


class House:
    """Implements the connections' House. One timer serves them all, while there are any."""

    def __init__(self, application: Application) -> None:
        self.loop = asyncio.get_running_loop()
        self.date = b""
        self._application = application
        self._connections: set[Connection] = set()
        self._running: set[Turn] = set()
        self._at_rest: list[tuple[asyncio.Task[None], asyncio.Future[Turn]]] = []
        self._servers: list[asyncio.Server] = []
        self._timer: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()

    async def open(self, sockets: Sequence[socket.socket]) -> None:
        """Listen on `sockets`, which are closed by `close`."""
        for one in sockets:
            self._servers.append(await self.loop.create_server(lambda: Connection(self), sock=one, backlog=2048))

    async def close(self, patience: float) -> None:
        """Listen no more, and end every connection once it is answered, or after so many seconds."""
        for server in self._servers:
            server.close()
        for connection in tuple(self._connections):
            connection.stop()
        try:
            async with asyncio.timeout(patience):
                await self._empty()
        except TimeoutError:
            log.warning("stopping: %d connections are cut off", len(self._connections))
            for connection in tuple(self._connections):
                connection.abort()
            tasks = [turn.task for turn in self._running if turn.task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._running.clear()  # one that was cancelled before its first step has not seen to that
            await self._empty()
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.gather(*self._dismiss(len(self._at_rest)), return_exceptions=True)

    # What connections tell.

    def joined(self, connection: Connection) -> None:
        self._connections.add(connection)
        if self._timer is None:
            self._round()

    def left(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._changed.set()

    def begin(self, turn: Turn) -> None:
        if self._at_rest:
            turn.task, waiting = self._at_rest.pop()
            waiting.set_result(turn)
        else:
            turn.task = self.loop.create_task(self._work(turn))
        self._running.add(turn)

    async def _work(self, turn: Turn) -> None:
        """Run this turn and others after it. A task that was cancelled serves no other.

        The application answers whatever goes wrong; if it does not, the client learns that much.
        """
        task = turn.task
        assert task is not None  # noqa: S101  this one
        while True:
            try:
                await self._application(turn.scope, turn.receive, turn.send)
            except Exception:
                log.exception("a request failed outside of its exchange")
            finally:
                if not turn.over:
                    turn.abandon()
                self._running.discard(turn)
                if not self._running:
                    self._changed.set()
            if task.cancelling() or len(self._at_rest) >= AT_REST:
                return
            waiting: asyncio.Future[Turn] = self.loop.create_future()
            self._at_rest.append((task, waiting))
            turn = await waiting

    async def _empty(self) -> None:
        while self._connections or self._running:
            self._changed.clear()
            await self._changed.wait()

    def _round(self) -> None:
        self.date = b"date: " + formatdate(usegmt=True).encode()
        now = self.loop.time()
        for connection in [one for one in self._connections if one.due <= now]:
            connection.expire()
        self._dismiss((len(self._at_rest) + 1) // 2)
        self._timer = self.loop.call_later(ROUND, self._round) if self._connections or self._at_rest else None

    def _dismiss(self, count: int) -> list[asyncio.Task[None]]:
        """End so many of the tasks at rest, those that were not needed for the longest."""
        tasks = [task for task, _ in self._at_rest[:count]]
        del self._at_rest[:count]
        for task in tasks:
            task.cancel()
        return tasks

"""Sockets that listen, the connections that come of them, and how both end.

On the first SIGINT or SIGTERM new exchanges are refused and running ones may finish, within a bound;
on the second everything ends at once. SIGHUP is for whoever asked to be told.
"""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence

from isthmus.engine.admit import Gate
from isthmus.engine.compat import Compat
from isthmus.server.admin.apart import ManagementAlone
from isthmus.server.app import Application
from isthmus.server.house import House
from isthmus.server.manners import application_for

LAST_WORDS = 1.0
"""Seconds in which connections may end by themselves, after the gate has emptied or given up."""

log = logging.getLogger(__name__)


class ListenFailed(Exception):
    """An address cannot be listened on. The message says which, why and what to do."""


def listen(wanted: Sequence[tuple[str, int]], *, shared: bool = False) -> list[socket.socket]:
    """A listening socket for each address and port. Raises ListenFailed, and then none is left open.

    `shared`: others may listen on the same one, and the system gives each new connection to one of them.
    """
    sockets: list[socket.socket] = []
    try:
        for host, port in wanted:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            sockets.append(socket.create_server((host, port), family=family, backlog=2048, reuse_port=shared))
    except OSError as error:
        for opened in sockets:
            opened.close()
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ListenFailed(f"cannot listen on {host}:{port}: {reason}; choose another with --port") from error
    return sockets


def addresses(sockets: Sequence[socket.socket]) -> list[str]:
    """The URL of each, without a path."""
    found = []
    for one in sockets:
        host, port = one.getsockname()[:2]
        found.append(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
    return found


class Serving:
    """The application on its sockets, until a signal ends it."""

    def __init__(self, application: Application, gate: Gate, drain: Callable[[], float]) -> None:
        self._gate = gate
        self._drain = drain
        self._hangup: Callable[[], object] | None = None
        self._stopping: list[Callable[[], object]] = []
        self._ending: asyncio.Task[None] | None = None
        self._complete = True
        self._application = application
        self._patience = LAST_WORDS
        self._over = asyncio.Event()

    def on_hangup(self, call: Callable[[], object]) -> None:
        """What SIGHUP does."""
        self._hangup = call

    def on_stop(self, call: Callable[[], object]) -> None:
        """What is done as soon as it begins to end: answers that would go on for ever are brought to an end."""
        self._stopping.append(call)

    async def run(
        self, sockets: Sequence[socket.socket], apart: Sequence[socket.socket] = (), compat: Sequence[Compat] = ()
    ) -> bool:
        """Serve until told to stop, on those `apart` management alone. True when all that ran could finish.

        `compat` says whose clients connect at each socket, in their order; without it nobody's in particular.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        if self._hangup is not None and hasattr(signal, "SIGHUP"):
            loop.add_signal_handler(signal.SIGHUP, self._hangup)
        houses = []
        for whose, group in _by_manners(sockets, compat).items():
            houses.append(House(application_for(self._application, whose)))
            await houses[-1].open(group)
        if apart:
            houses.append(House(ManagementAlone(self._application.office)))
            await houses[-1].open(apart)
        await self._over.wait()
        await asyncio.gather(*(house.close(self._patience) for house in houses))
        return self._complete

    def stop(self) -> None:
        """Begin to end; said again, end at once."""
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._end())
        else:
            self._complete = self._gate.running == 0
            self._patience = 0.0
            self._over.set()

    async def _end(self) -> None:
        for call in self._stopping:
            call()
        seconds = self._drain()
        log.info("stopping: %d exchanges may take %g s to finish", self._gate.running, seconds)
        self._complete = await self._gate.close(seconds)
        if not self._complete:
            log.warning("stopping: %d exchanges did not finish in time", self._gate.running)
        self._over.set()


def _by_manners(sockets: Sequence[socket.socket], compat: Sequence[Compat]) -> dict[Compat, list[socket.socket]]:
    """Those that one application serves, together."""
    found: dict[Compat, list[socket.socket]] = {}
    for index, one in enumerate(sockets):
        found.setdefault(compat[index] if index < len(compat) else Compat.UNIFIED, []).append(one)
    return found

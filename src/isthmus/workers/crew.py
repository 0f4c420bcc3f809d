"""Starts the workers, watches them, starts again who dies, and ends them all in good order.

Each worker listens on sockets of its own, which are opened here and outlive it: what waits to be accepted when a
worker dies is accepted by the one that takes its seat.
"""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from isthmus.core.value import Value

BACKOFF = 0.1
"""Seconds before the first restart; doubled for each further death in a row, up to CEILING."""
CEILING = 5.0
STABLE = 10.0
"""Seconds after which a worker's death counts as the first."""
HOPELESS = 5
"""Deaths in a row, of workers that never served, after which the start has failed."""

log = logging.getLogger(__name__)


class Seat(Value, frozen=True):
    """What a worker is told by whoever starts it: its number from 1 on, where the hub is, its sockets' descriptors."""

    number: int
    hub: Path
    sockets: tuple[int, ...]

    @property
    def text(self) -> str:
        """As one word of a command line."""
        return ":".join([str(self.number), ",".join(map(str, self.sockets)), str(self.hub)])


def seat_of(text: str) -> Seat:
    """The seat that was written as this text. Raises ValueError."""
    number, sockets, hub = text.split(":", 2)
    return Seat(int(number), Path(hub), tuple(int(one) for one in sockets.split(",")))


class Crew:
    """All workers. `command` is what starts the one of a seat; `sockets` has those of each, in the order of numbers."""

    def __init__(
        self, command: Callable[[Seat], Sequence[str]], sockets: Sequence[Sequence[socket.socket]], hub: Path
    ) -> None:
        self._command = command
        self._seats = [Seat(number, hub, tuple(one.fileno() for one in mine)) for number, mine in enumerate(sockets, 1)]
        self._running: dict[int, asyncio.subprocess.Process] = {}
        self._stopping = asyncio.Event()
        self._served = False

    async def run(self) -> bool:
        """Keep every seat taken until told to stop. True when every worker could finish what it did."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        if hasattr(signal, "SIGHUP"):
            loop.add_signal_handler(signal.SIGHUP, self._send, signal.SIGHUP)
        return all(await asyncio.gather(*map(self._keep, self._seats)))

    def served(self) -> None:
        """A worker has begun to serve, so the start did not fail."""
        self._served = True

    def stop(self) -> None:
        """Begin to end; said again, end at once."""
        self._stopping.set()
        self._send(signal.SIGTERM)

    def _send(self, number: int) -> None:
        for process in self._running.values():
            with suppress(ProcessLookupError):
                process.send_signal(number)

    async def _keep(self, seat: Seat) -> bool:
        """One seat. A worker has a session of its own, so that what a terminal sends comes from here, once."""
        loop, deaths = asyncio.get_running_loop(), 0
        while not self._stopping.is_set():
            began = loop.time()
            process = await asyncio.create_subprocess_exec(
                *self._command(seat), pass_fds=seat.sockets, start_new_session=True, stdin=asyncio.subprocess.DEVNULL
            )
            self._running[seat.number] = process
            if self._stopping.is_set():
                process.terminate()
            code = await process.wait()
            del self._running[seat.number]
            if self._stopping.is_set():
                return code == 0
            deaths = 1 if loop.time() - began > STABLE else deaths + 1
            if deaths >= HOPELESS and not self._served:
                self.stop()
                return False
            log.warning("worker %d ended with %d; another one takes its seat", seat.number, code)
            await asyncio.sleep(min(CEILING, BACKOFF * 2.0 ** (deaths - 1)))
        return True

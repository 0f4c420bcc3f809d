"""Keeps the bundled model's process: started when somebody asks, watched, restarted when it dies, stopped when idle.

Nothing the process does reaches further than an error for the requests it was answering.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from isthmus.core.errors import GatewayError, Kind
from isthmus.wire import json

READY_WITHIN = 60.0
"""Seconds a start may take. It takes one, unless the machine is very busy."""
STABLE = 10.0
"""Seconds after which a process counts as sound, and its death as the first."""
BACKOFF = 0.25
"""Seconds before the first restart; doubled for each further death in a row, up to CEILING."""
CEILING = 5.0
RESTARTS = 5
"""Deaths in a row after which nothing is started until somebody asks again."""
GRACE = 5.0
"""Seconds between being told to end, being terminated, and being killed."""
KEPT = 16 * 1024
"""Bytes of the process's last words that are kept."""


def server_command(model: Path, name: str) -> tuple[str, ...]:
    """Starts the server. -P: nothing is imported from the directory the gateway was started in."""
    return (sys.executable, "-P", "-m", "isthmus.local.server", "--model", str(model), "--name", name)


class _Child:
    """One process that has said it is ready."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, words: bytearray) -> None:
        self.process = process
        self.port = port
        self.words = words
        self.gone = asyncio.Event()
        self.dismissed = False


class Supervisor:
    """At most one process at a time. `idle`: seconds without a request after which it is stopped; 0 means never.

    `command` is asked at each start, and may raise GatewayError with words for the caller. Must be
    closed, which ends the process.
    """

    def __init__(
        self, command: Callable[[], Sequence[str]], *, idle: float = 0.0, ready_within: float = READY_WITHIN
    ) -> None:
        self._command = command
        self._idle = idle
        self._ready_within = ready_within
        self._child: _Child | None = None
        self._start: asyncio.Task[int] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._deaths = 0
        self._users = 0
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self.starts = 0

    async def __aenter__(self) -> "Supervisor":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def pid(self) -> int | None:
        """The process that serves now, if one does."""
        return self._child.process.pid if self._child is not None else None

    async def port(self) -> int:
        """Where the model listens, once it does. However many ask, it is started once. Raises UNREACHABLE."""
        if self._child is not None:
            return self._child.port
        if self._closing:
            raise GatewayError(Kind.STOPPING, "the gateway is stopping")
        if self._start is None or self._start.done():
            self._start = self._begin()
        return await asyncio.shield(self._start)

    async def lost(self, port: int, within: float = 1.0) -> bool:
        """Has the process behind `port` ended? Waits a moment: the news may come after a refused connection."""
        child = self._child
        if child is None or child.port != port:
            return True
        with suppress(TimeoutError):
            await asyncio.wait_for(child.gone.wait(), within)
        return child.gone.is_set()

    def enter(self) -> None:
        """A request begins; the process is not idle until it and all others have left."""
        self._users += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def leave(self) -> None:
        self._users -= 1
        self._rest()

    async def close(self) -> None:
        """End the process and everything that watches it."""
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
        if self._start is not None:
            self._start.cancel()
            await asyncio.gather(self._start, return_exceptions=True)
        self._dismiss()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _rest(self) -> None:
        """Nobody uses the process: let it go after `idle` seconds."""
        if self._users == 0 and self._idle > 0 and not self._closing and self._child is not None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(self._idle, self._dismiss)

    def _dismiss(self) -> None:
        """Stop the process, which nobody is given any more from now on."""
        child, self._child = self._child, None
        if child is not None:
            child.dismissed = True
            self._own(_end(child.process))

    def _begin(self) -> "asyncio.Task[int]":
        task = asyncio.create_task(self._launch())
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, also when nobody waits
        return task

    async def _launch(self) -> int:
        if self._deaths:
            await asyncio.sleep(min(CEILING, BACKOFF * 2.0 ** (self._deaths - 1)))
        words = bytearray()
        process = await self._spawn()
        listening = asyncio.create_task(_gather(process.stderr, words))
        try:
            async with asyncio.timeout(self._ready_within):
                port = await _read_port(process.stdout)
        except BaseException as error:
            await asyncio.shield(_end(process))
            await listening
            self._deaths += 1
            if isinstance(error, (TimeoutError, EOFError)):
                raise GatewayError(Kind.UNREACHABLE, _unready(error, words, self._ready_within)) from error
            raise
        child = self._child = _Child(process, port, words)
        self._own(self._watch(child, listening))
        self._rest()
        return port

    async def _spawn(self) -> asyncio.subprocess.Process:
        command, pipe = self._command(), asyncio.subprocess.PIPE
        self.starts += 1
        try:
            return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
        except OSError as error:
            raise GatewayError(Kind.UNREACHABLE, f"the bundled model's process cannot be started: {error}") from error

    async def _watch(self, child: _Child, listening: asyncio.Task[None]) -> None:
        """Until the process has ended; if nobody wanted that, it is started again."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(listening, _gather(child.process.stdout, child.words), child.process.wait())
        if self._child is child:
            self._child = None
        child.gone.set()
        if child.dismissed:
            self._deaths = 0
            return
        self._deaths = 1 if loop.time() - began > STABLE else self._deaths + 1
        if self._deaths <= RESTARTS and not self._closing:
            self._start = self._begin()

    def _own(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _read_port(stdout: asyncio.StreamReader | None) -> int:
    """The port in the first line that says the server is ready. Raises EOFError when the process ends before."""
    assert stdout is not None  # noqa: S101  it is a pipe
    while True:
        try:
            line = await stdout.readline()
        except ValueError:  # a line longer than the reader's bound: not ours
            continue
        if not line:
            raise EOFError
        with suppress(json.Malformed, KeyError, TypeError, AttributeError):
            return int(json.decode(line)["port"])


async def _gather(stream: asyncio.StreamReader | None, words: bytearray) -> None:
    """Read to the end, so that the process never waits for us; keep the last words only."""
    assert stream is not None  # noqa: S101  it is a pipe
    while data := await stream.read(4096):
        words += data
        del words[:-KEPT]


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask, then insist: a closed standard input, SIGTERM, SIGKILL."""
    if process.stdin is not None:
        process.stdin.close()
    for insist in (process.terminate, process.kill):
        try:
            async with asyncio.timeout(GRACE):
                await process.wait()
                return
        except TimeoutError:
            with suppress(ProcessLookupError):
                insist()
    await process.wait()


def _unready(error: BaseException, words: bytearray, seconds: float) -> str:
    lines = words.decode(errors="replace").strip().splitlines()
    last = f": {lines[-1][:200]}" if lines else ""
    if isinstance(error, TimeoutError):
        return f"the bundled model was not ready within {seconds:.0f} s{last}"
    return f"the bundled model's process ended before it was ready{last}"

"""The composition root: the only place that wires the parts together. It contains no logic of theirs.

What is opened here is closed here, in reverse order.
"""

import asyncio
import gc
import logging
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from isthmus.cloud.authority import CloudAuthority, open_authority
from isthmus.cloud.probe import AwsProbe
from isthmus.config.compile import compile_loaded
from isthmus.config.environment import ollama_answers
from isthmus.config.load import Loaded
from isthmus.config.places import data_dir
from isthmus.config.reload import Reloader
from isthmus.config.schema import Config, LogFormat, StateEntry
from isthmus.config.secrets import Environment
from isthmus.config.watch import Watch
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.admit import Gate
from isthmus.engine.counting import Counting, Learning
from isthmus.engine.discovery import keep_discovering
from isthmus.engine.live import Live
from isthmus.engine.ports import Ports
from isthmus.local import fetch
from isthmus.local.supervisor import Supervisor, server_command
from isthmus.local.transport import OnDemand
from isthmus.providers.table import LOCAL_MODEL
from isthmus.server.app import Application
from isthmus.server.banner import banner
from isthmus.server.listeners import ListenFailed, Serving, addresses, listen
from isthmus.state.memory import BoundedMemory
from isthmus.telemetry.lines import LineWriter
from isthmus.telemetry.log import ExchangeLog, set_up_logging
from isthmus.telemetry.recent import RecentLosses
from isthmus.transport.client import Client, open_transport
from isthmus.transport.fetch import Fetcher, open_fetcher

if TYPE_CHECKING:
    from isthmus.state.shared import SharedMemory

DISCOVERY_PATIENCE = 1.0
"""Seconds that the start waits for providers to name their models, before it prints what is known."""

GC_THRESHOLD = 20_000
"""Container objects made, over those freed, before the youngest are searched for cycles."""

log = logging.getLogger(__name__)


class SystemClock:
    """Implements the engine's Clock."""

    now = staticmethod(time.monotonic)
    time = staticmethod(time.time)  # noqa: TID251  the one clock, which others are handed


class Outside(NamedTuple):
    """What was opened, and is closed by whoever opened it."""

    client: Client
    fetcher: Fetcher
    authority: CloudAuthority
    supervisor: Supervisor
    memory: "BoundedMemory | SharedMemory"


class Gateway:
    """Everything that runs, for whoever serves it."""

    def __init__(
        self,
        loaded: Loaded,
        live: Live,
        outside: Outside,
        lines: LineWriter,
    ) -> None:
        self.live = live
        self.gate = Gate()
        self.models_known = asyncio.Event()
        self.reloader = Reloader(loaded, live, ollama="ollama" in live.take().snapshot.providers)
        self.transport = OnDemand(outside.client, outside.supervisor)
        self.recorder = ExchangeLog(lines, as_json=_as_json(loaded.config))
        self.aws = AwsProbe(live, outside.authority)
        self._outside = outside
        self._lines = lines
        losses, counting = RecentLosses(self.recorder), Counting()
        ports = Ports(
            self.transport,
            SystemClock(),
            Learning(losses, counting),
            authority=outside.authority,
            memory=outside.memory,
            fetcher=outside.fetcher,
            counting=counting,
        )
        self.application = Application(live, ports, self.gate, self.health, losses.of)

    def health(self) -> Mapping[str, object]:
        """What the parts say of themselves. `running` counts exchanges."""
        now = self.live.take()
        return {
            "ready": not self.gate.closing,
            "running": self.gate.running,
            "providers": list(now.snapshot.providers),
            "configuration": {"source": now.snapshot.source, "version": now.version},
            "connections": self._outside.client.stats(),
            "tasks": len(asyncio.all_tasks()),
            "memory": self._outside.memory.state,
            "log_lines_dropped": self._lines.dropped,
            **({} if self.aws.state is None else {"aws": self.aws.state}),
        }


@asynccontextmanager
async def open_gateway(loaded: Loaded, lines: LineWriter) -> AsyncIterator[Gateway]:
    """The whole gateway, except for what listens."""
    ollama = loaded.automatic and await ollama_answers()
    live = Live(compile_loaded(loaded, ollama=ollama))
    async with AsyncExitStack() as opened:
        client = await opened.enter_async_context(open_transport())
        fetcher = await opened.enter_async_context(open_fetcher())
        authority = await opened.enter_async_context(open_authority(SystemClock(), loaded.environment.get))
        supervisor = Supervisor(partial(_model_command, loaded.environment), idle=loaded.config.local.idle_seconds)
        await opened.enter_async_context(supervisor)
        memory = await opened.enter_async_context(_open_memory(loaded.config.state))
        gateway = Gateway(loaded, live, Outside(client, fetcher, authority, supervisor, memory), lines)
        opened.callback(gateway.recorder.flush)
        asking = keep_discovering(live, gateway.transport, gateway.models_known)
        for work in (asking, gateway.aws.run(), _watch(loaded.path, gateway.reloader)):
            task = asyncio.create_task(work)
            opened.push_async_callback(_end, task)
        yield gateway


@asynccontextmanager
async def _open_memory(entry: StateEntry) -> "AsyncIterator[BoundedMemory | SharedMemory]":
    if entry.url is None:
        yield BoundedMemory(SystemClock.now)
        return
    from isthmus.state.shared import open_shared  # noqa: PLC0415  an extra, and slow to import

    async with open_shared(entry.url, entry.prefix, SystemClock()) as memory:
        yield memory


def run(loaded: Loaded) -> int:
    """Serve until SIGINT or SIGTERM. 0 when all that ran could finish; 1 when not, or when nothing could start."""
    try:
        lines = LineWriter(Path(loaded.config.log.file) if loaded.config.log.file else None)
    except OSError as error:
        print(f"the log file {loaded.config.log.file} cannot be opened: {error.strerror}", file=sys.stderr)
        return 1
    set_up_logging(lines, as_json=_as_json(loaded.config), level=loaded.config.log.level)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return 0 if runner.run(_serve(loaded, lines)) else 1
    except ListenFailed as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        lines.close()


async def _serve(loaded: Loaded, lines: LineWriter) -> bool:
    sockets = listen([(entry.host, entry.port) for entry in loaded.config.listeners])
    async with open_gateway(loaded, lines) as gateway:
        serving = Serving(gateway.application, gateway.gate, lambda: gateway.live.take().snapshot.limits.drain)
        serving.on_hangup(gateway.reloader.reload)
        await _first_look(gateway)
        _settle_memory()
        print(banner(addresses(sockets), gateway.live.take()), flush=True)
        return await serving.run(sockets)


async def _first_look(gateway: Gateway) -> None:
    """Give providers a moment to name their models. Those that take longer are known later."""
    try:
        async with asyncio.timeout(DISCOVERY_PATIENCE):
            await gateway.models_known.wait()
    except TimeoutError:
        log.info("not every provider has named its models yet")


def _settle_memory() -> None:
    """What is there now stays for good, so the collector need not look at it; and requests make few cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 50)


async def _watch(path: Path | None, reloader: Reloader) -> None:
    if path is not None:
        await Watch(path, reloader.reload).run()


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _model_command(environment: Environment) -> tuple[str, ...]:
    model = fetch.installed(data_dir(environment))
    if model is None:
        raise GatewayError(Kind.UNREACHABLE, "the bundled model is not installed; run: isthmus local install")
    return server_command(model, LOCAL_MODEL)


def _as_json(config: Config) -> bool:
    """JSON unless a person is reading along."""
    if config.log.format is None:
        return config.log.file is not None or not sys.stderr.isatty()
    return config.log.format is LogFormat.JSON


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    """uvloop where the platform has it."""
    try:
        import uvloop  # noqa: PLC0415  not on every platform
    except ImportError:
        return None
    return uvloop.Loop

"""The composition root: the only place that wires the parts together. It contains no logic of theirs.

What is opened here is closed here, in reverse order.
"""

import asyncio
import gc
import logging
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from isthmus.cloud.authority import NO_OTHERS, open_authority
from isthmus.config.compile import compile_loaded
from isthmus.config.environment import ollama_answers
from isthmus.config.load import Loaded
from isthmus.config.places import data_dir
from isthmus.config.reload import Reloader
from isthmus.config.secrets import Environment
from isthmus.config.watch import Watch
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.discovery import keep_discovering
from isthmus.engine.live import Live
from isthmus.gateway import Gateway, Outside
from isthmus.local import fetch
from isthmus.local.supervisor import Supervisor, server_command
from isthmus.opened_accounting import first_spent
from isthmus.opened_accounts import OpenedAccounts, first_accounts, opened_accounts
from isthmus.opened_keys import first_keys, has_no_keys, keyring_of
from isthmus.opened_log import LogUnopened, OpenedLog, open_log, opened_dumps, opened_scribe, tell_notes
from isthmus.opened_otel import opened_otel
from isthmus.opened_state import kept_answers, opened_state
from isthmus.opened_store import opened_store
from isthmus.providers.table import LOCAL_MODEL
from isthmus.server.banner import banner
from isthmus.server.listeners import ListenFailed, Serving, addresses, listen
from isthmus.state.kept_rests import FILE, KeptRests
from isthmus.state.memory import BoundedMemory
from isthmus.state.shared_rests import SharedRests
from isthmus.system_clock import SystemClock
from isthmus.transport.client import open_transport
from isthmus.transport.fetch import open_fetcher
from isthmus.workers.crew import Crew, Seat
from isthmus.workers.hub import Hub
from isthmus.workers.link import HubModel, Link, open_link
from isthmus.workers.logs import LogOfWorkers
from isthmus.workers.metrics import HubSums

DISCOVERY_PATIENCE = 1.0
"""Seconds that the start waits for providers to name their models, before it prints what is known."""

GC_THRESHOLD = 20_000
"""Container objects made, over those freed, before the youngest are searched for cycles."""

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_gateway(
    loaded: Loaded, log: OpenedLog, link: Link | None = None, *, worker: int = 1
) -> AsyncIterator[Gateway]:
    """The whole gateway, except for what listens. `link` leads to what is shared with other workers."""
    ollama = loaded.automatic and await ollama_answers()
    live, clock = Live(compile_loaded(loaded, ollama=ollama)), SystemClock()
    async with AsyncExitStack() as opened:
        client = await opened.enter_async_context(open_transport())
        fetcher = await opened.enter_async_context(open_fetcher())
        model = HubModel(link) if link else await opened.enter_async_context(_supervisor(loaded))
        memory, limiter, post = await opened.enter_async_context(opened_state(loaded.config.state, link, clock))
        empty = has_no_keys(loaded)
        store = await opened.enter_async_context(opened_store(loaded, clock))
        keyring = keyring_of(loaded, live, store, clock, empty=empty)
        accounts = await opened.enter_async_context(opened_accounts(loaded, live, store, client, clock, link))
        signers = NO_OTHERS if accounts is None else accounts.signers
        authority = await opened.enter_async_context(open_authority(clock, loaded.environment.get, signers))
        answers = kept_answers(loaded.config, memory, clock)
        dumps = opened.enter_context(opened_dumps(loaded, live))
        scribe = await opened.enter_async_context(opened_scribe(loaded, store))
        otel = await opened.enter_async_context(opened_otel(loaded.config.otel, live, clock))
        outside = Outside(
            client, fetcher, authority, model, memory, answers, limiter, store, keyring, accounts, dumps, scribe, otel
        )
        gateway = Gateway(loaded, live, outside, log, HubSums(link) if link else None, worker=worker)
        if link is not None:
            gateway.desk.logs = LogOfWorkers(link, log.ring)
        opened.callback(gateway.metrics.leave)
        opened.callback(gateway.recorder.flush)
        opened.push_async_callback(gateway.shadows.close)
        rests = KeptRests(data_dir(loaded.environment) / FILE, live.take().board.health, SystemClock(), live.keys)
        rests.load()
        opened.callback(rests.save)
        works = [
            keep_discovering(live, gateway.transport, gateway.models_known, authority),
            gateway.aws.run(),
            _keep_rests(rests, accounts),
            gateway.metrics.run(),
        ]
        keeper = None if accounts is None else accounts.keeper
        works += [one.run() for one in (keyring, keeper, gateway.budgets) if one is not None]
        if post is not None:
            works.append(_share_rests(SharedRests(post, live.take().board.health, SystemClock(), live.keys), accounts))
        for work in (*works, _watch(loaded.path, gateway.reloader)):
            task = asyncio.create_task(work)
            opened.push_async_callback(_end, task)
        yield gateway


def run(loaded: Loaded, *, workers: int = 1, seat: Seat | None = None) -> int:
    """Serve until SIGINT or SIGTERM. 0 when all that ran could finish; 1 when not, or when nothing could start.

    With several `workers` this process only keeps them; in a `seat` it is one of them.
    """
    try:
        with open_log(loaded) as opened, asyncio.Runner(loop_factory=_loop_factory()) as runner:
            if seat is None:
                tell_notes(loaded)
            work = _keep_crew(loaded, workers) if workers > 1 else _serve(loaded, opened, seat)
            return 0 if runner.run(work) else 1
    except (ListenFailed, LogUnopened) as error:
        print(error, file=sys.stderr)
        return 1


async def _serve(loaded: Loaded, log: OpenedLog, seat: Seat | None) -> bool:
    async with AsyncExitStack() as opened:
        if seat is None:
            sockets, link = listen(_wanted(loaded)), None
        else:
            sockets = [socket.socket(fileno=one) for one in seat.sockets]
            over = asyncio.Event()
            link = await opened.enter_async_context(open_link(seat.hub, over.set))
        gateway = await opened.enter_async_context(open_gateway(loaded, log, link, worker=seat.number if seat else 1))
        serving = Serving(gateway.application, gateway.gate, lambda: gateway.live.take().snapshot.limits.drain)
        serving.on_hangup(gateway.reloader.reload)
        serving.on_stop(log.ring.close)
        await _first_look(gateway)
        _settle_memory()
        sockets, apart = sockets[: len(loaded.config.listeners)], sockets[len(loaded.config.listeners) :]
        compat = [one.compat for one in loaded.config.listeners]
        words = banner(addresses(sockets), gateway.live.take(), addresses(apart), compat)
        if link is None:
            print(words, flush=True)
            return await serving.run(sockets, apart, compat)
        leaving = asyncio.create_task(_leave_with(over, serving))
        opened.push_async_callback(_end, leaving)
        link.tell("greet", words)
        return await serving.run(sockets, apart, compat)


async def _leave_with(over: asyncio.Event, serving: Serving) -> None:
    """Without whoever started the workers, none of them stays."""
    await over.wait()
    serving.stop()


async def _keep_crew(loaded: Loaded, workers: int) -> bool:
    """Start the workers, and answer what they must agree on."""
    with tempfile.TemporaryDirectory(prefix="isthmus-") as folder, ExitStack() as opened:
        sockets = _sockets_of(loaded, workers, opened)
        path = Path(folder) / "hub"
        crew = Crew(partial(_worker_command, loaded), sockets, path)
        async with _supervisor(loaded) as supervisor:
            hub = Hub(BoundedMemory(SystemClock.now), supervisor, SystemClock())
            async with hub.open(path):
                greeting = asyncio.create_task(_greet(hub, crew, workers))
                try:
                    return await crew.run()
                finally:
                    await _end(greeting)


async def _greet(hub: Hub, crew: Crew, workers: int) -> None:
    await hub.greeted.wait()
    crew.served()
    print(f"{hub.words}\n\n{workers} workers", flush=True)


def _sockets_of(loaded: Loaded, workers: int, opened: ExitStack) -> list[list[socket.socket]]:
    """Each worker's sockets. Those of the first say which ports are meant, where any free one will do."""
    wanted, found = _wanted(loaded), []
    for _ in range(workers):
        mine = listen(wanted, shared=True)
        for one in mine:
            opened.callback(one.close)
        found.append(mine)
        wanted = [(host, one.getsockname()[1]) for (host, _), one in zip(wanted, mine, strict=True)]
    return found


def _wanted(loaded: Loaded) -> list[tuple[str, int]]:
    """Where clients connect; behind these, where management is alone."""
    apart = loaded.config.admin.listener
    return [(one.host, one.port) for one in (*loaded.config.listeners, *(() if apart is None else (apart,)))]


def _worker_command(loaded: Loaded, seat: Seat) -> tuple[str, ...]:
    """Starts one worker. -P: nothing is imported from the directory the gateway was started in."""
    file = () if loaded.path is None else ("--config", str(loaded.path))
    return (sys.executable, "-P", "-m", "isthmus", "serve", *file, *loaded.listen.words(), "--seat", seat.text)


def _supervisor(loaded: Loaded) -> Supervisor:
    return Supervisor(partial(_model_command, loaded.environment), idle=loaded.config.local.idle_seconds)


async def _first_look(gateway: Gateway) -> None:
    """Give providers a moment to name their models, and the store to tell client keys, accounts and what was spent.

    What takes longer is known later.
    """
    try:
        async with asyncio.timeout(DISCOVERY_PATIENCE):
            await gateway.models_known.wait()
    except TimeoutError:
        log.info("not every provider has named its models yet")
    await asyncio.gather(first_keys(gateway.keyring), first_accounts(gateway.accounts), first_spent(gateway.budgets))


def _settle_memory() -> None:
    """What is there now stays for good, so the collector need not look at it; and requests make few cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 50)


async def _keep_rests(rests: KeptRests, accounts: OpenedAccounts | None) -> None:
    """Those of accounts are taken up once these are known, before anything is written."""
    if accounts is not None and accounts.expected:
        await accounts.keeper.first.wait()
        rests.load()
    await rests.run()


async def _share_rests(rests: SharedRests, accounts: OpenedAccounts | None) -> None:
    """What others tell of accounts is heard once these are known."""
    if accounts is not None and accounts.expected:
        await accounts.keeper.first.wait()
    await rests.run()


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


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    """uvloop where the platform has it."""
    try:
        import uvloop  # noqa: PLC0415  not on every platform
    except ImportError:
        return None
    return uvloop.Loop

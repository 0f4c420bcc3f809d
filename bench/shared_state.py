"""`python -m bench.shared_state`: what a decision about limits costs, alone, among workers, and among instances.

Each is a claim of three limits and its settlement. The hub is a process of its own, as it is for workers; Redis or
Valkey is measured where one is found. Latency is of one decision after the other, the rate of 32 at a time.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bench.measure import free_port
from isthmus.core.secret import Secret
from isthmus.engine.ports import Limiter
from isthmus.routing.limits import Claim, Grant, Limit, Measure
from isthmus.state.limits import LocalLimiter
from isthmus.state.memory import BoundedMemory
from isthmus.system_clock import SystemClock
from isthmus.workers.hub import Hub
from isthmus.workers.link import HubLimiter, open_link

DECISIONS, AT_A_TIME = 4000, 32
MUCH = 10**9
PATIENT = 1.0
"""Seconds that an answer of the server is waited for, so that it decides on a busy machine too."""
CLAIMS = (
    Claim(Limit("key:one/a", Measure.REQUESTS, MUCH, 60, 12), 1),
    Claim(Limit("key:one/a", Measure.TOKENS, MUCH, 60, 12), 500),
    Claim(Limit("provider:one", Measure.RUNNING, MUCH), 1),
)


class NoModel:
    """The hub's model, which nobody asks for."""

    def enter(self) -> None: ...

    def leave(self) -> None: ...

    async def port(self) -> int:
        return 0

    async def lost(self, port: int, within: float = 1.0) -> bool:  # noqa: ARG002  as a Model's
        return True


async def decide(limiter: Limiter, many: int) -> None:
    for _ in range(many):
        grant = await limiter.claim(CLAIMS)
        assert isinstance(grant, Grant)
        limiter.settle(grant, {Measure.TOKENS: 300})


async def measured(name: str, limiter: Limiter) -> str:
    await decide(limiter, 200)
    began = time.perf_counter()
    await decide(limiter, DECISIONS)
    alone = time.perf_counter() - began
    began, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(decide(limiter, DECISIONS // AT_A_TIME) for _ in range(AT_A_TIME)))
    together, used = time.perf_counter() - began, time.process_time() - used
    return (
        f"| {name} | {alone / DECISIONS * 1e6:.0f} us | {used / DECISIONS * 1e6:.0f} us "
        f"| {DECISIONS / together:,.0f} a second |"
    )


@asynccontextmanager
async def process(*command: str) -> AsyncIterator[None]:
    running = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    try:
        yield
    finally:
        running.terminate()
        await running.wait()


Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def listening(connect: Callable[[], Awaitable[Opened]]) -> None:
    """Until somebody does."""
    while True:
        try:
            _, writer = await connect()
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


async def hub(path: Path) -> None:
    """The hub's own process, until it is ended."""
    clock = SystemClock()
    async with Hub(BoundedMemory(clock.now), NoModel(), clock).open(path):
        await asyncio.Event().wait()


async def compare(folder: Path) -> None:
    print("| limits are kept | latency | CPU here | 32 at a time |\n| --- | --- | --- | --- |")
    print(await measured("by this process", LocalLimiter(SystemClock.time)))
    async with AsyncExitStack() as opened:
        path = folder / "hub"
        await opened.enter_async_context(process(sys.executable, "-m", "bench.shared_state", "--hub", str(path)))
        await listening(lambda: asyncio.open_unix_connection(path))
        link = await opened.enter_async_context(open_link(path, lambda: None))
        print(await measured("by the workers' hub", HubLimiter(link, SystemClock())))
    server = shutil.which("redis-server") or shutil.which("valkey-server")
    if server is None:
        return
    from isthmus.state.shared import open_shared  # noqa: PLC0415  an extra

    async with AsyncExitStack() as opened:
        port = free_port()
        await opened.enter_async_context(process(server, "--port", str(port), "--save", "", "--bind", "127.0.0.1"))
        await listening(lambda: asyncio.open_connection("127.0.0.1", port))
        url = Secret(f"redis://127.0.0.1:{port}")
        shared = open_shared(url, SystemClock(), prefix="bench", budget=PATIENT)
        _, limiter, *_ = await opened.enter_async_context(shared)
        print(await measured(f"by {Path(server).name}", limiter))


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.shared_state", description=__doc__)
    options.add_argument("--hub", type=Path, help=argparse.SUPPRESS)
    path = options.parse_args().hub
    if path is not None:
        asyncio.run(hub(path))
        return
    with tempfile.TemporaryDirectory(prefix="isthmus-bench-") as folder:
        asyncio.run(compare(Path(folder)))


if __name__ == "__main__":
    main()

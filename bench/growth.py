"""`python -m bench.growth`: what a request costs with 1, 2 and 4 workers, without limits and with a client key's.

An instance that shares its limits by Redis or Valkey is measured where one is found. Workers, generator and mock
provider share the machine's cores, so that the rate says little on a small one. CPU is of all processes of the
gateway, the hub among them.
"""

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.bodies import PATHS, Dialect, Size, request
from bench.load import Load, Tally, Target, request_to
from bench.measure import free_port, memory
from isthmus.wire import json

WORKERS = (1, 2, 4)
CONNECTIONS, WARM_UP, START_PATIENCE = 32, 2.0, 30.0
KEY = "sk-bench"
MUCH = 10**9
LIMITED = {"requests-per-minute": MUCH, "tokens-per-minute": MUCH, "concurrency": 10**6, "budgets": {"month": 10**6}}
REDIS = shutil.which("valkey-server") or shutil.which("redis-server")


@contextmanager
def provider() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-m", "bench.upstream"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


@contextmanager
def redis(folder: Path) -> Iterator[Mapping[str, object]]:
    """The section that leads to it."""
    assert REDIS is not None
    port = free_port()
    command = [REDIS, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield {"state": {"url": f"redis://127.0.0.1:{port}"}}
        finally:
            process.terminate()


@contextmanager
def gateway(
    upstream: int, folder: Path, workers: int, limits: Mapping[str, object], more: Mapping[str, object]
) -> Iterator[tuple[int, int]]:
    """Its port and its process. `more` is further sections."""
    port, file, log = free_port(), folder / "isthmus.yaml", folder / "log"
    there = {
        "type": "compatible",
        "base-url": f"http://127.0.0.1:{upstream}/v1",
        "models": ["mock"],
        "api-key": "sk-up",
    }
    said = {
        "listeners": [{"port": port}],
        "providers": {"there": there},
        "client-keys": [{"name": "bench", "key": KEY, **limits}],
        "store": {"url": f"sqlite:///{folder}/isthmus.db"},
        "log": {"format": "json"},
        **more,
    }
    file.write_bytes(json.encode(said))
    command = [sys.executable, "-m", "isthmus", "serve", "--config", str(file), "--workers", str(workers)]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            _wait_for(log)
            yield port, process.pid
        finally:
            process.terminate()


def _wait_for(log: Path) -> None:
    until = time.monotonic() + START_PATIENCE
    while b"Try it" not in log.read_bytes():
        if time.monotonic() > until:
            sys.exit(f"the gateway does not start: {log.read_text(errors='replace')[-800:]}")
        time.sleep(0.05)


async def load(port: int, pid: int, seconds: float) -> Tally:
    body = request(Dialect.OPENAI, Size.SMALL, "mock", stream=False)
    asked = request_to(port, PATHS[Dialect.OPENAI], body, (f"authorization: Bearer {KEY}",))
    one = Load(Target(port, asked), pid)
    try:
        return await one.closed(CONNECTIONS, WARM_UP, seconds)
    finally:
        await one.close()


def measured(upstream: int, workers: int, limits: Mapping[str, object], seconds: float, *, shared: bool = False) -> str:
    """What a request takes, as the end of a line."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        more = opened.enter_context(redis(folder)) if shared else {}
        port, pid = opened.enter_context(gateway(upstream, folder, workers, limits, more))
        tally = asyncio.run(load(port, pid, seconds))
        used = memory(pid)
    if tally.errors or not tally.requests:
        sys.exit(f"{tally.errors} of {tally.requests} requests were not answered")
    cpu, rate = tally.cpu / tally.requests, tally.requests / tally.seconds
    return f"{cpu * 1e6:.0f} us | {1 / cpu:,.0f} | {rate:,.0f} | {used:.0f} MiB |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="for each line")
    seconds: float = parser.parse_args().seconds
    print("| workers | limits | CPU a request | requests a second that a core pays for | seen here | memory |")
    print("| --- | --- | --- | --- | --- | --- |")
    with provider() as upstream:
        for name, limits in (("none", {}), ("four of a client key", LIMITED)):
            for workers in WORKERS:
                print(f"| {workers} | {name} | {measured(upstream, workers, limits, seconds)}", flush=True)
        if REDIS is not None:
            print(f"| 1 | the same, by Redis | {measured(upstream, 1, LIMITED, seconds, shared=True)}", flush=True)


if __name__ == "__main__":
    main()

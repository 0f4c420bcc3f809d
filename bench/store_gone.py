"""`python -m bench.store_gone`: what clients feel, and what is lost, when the gateway's database is stopped under load.

A gateway with a PostgreSQL server of its own gets a steady rate of requests; the server is stopped at once, as by a
crash, and started again after a while. At the end every exchange must stand in the database once, in rows and in sums.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.bodies import PATHS, Dialect, Size, request
from bench.load import Load, Tally, Target, percentile, request_to
from bench.measure import free_port, memory
from bench.postgres_server import PROGRAM, PostgresServer

BEFORE, AFTER = 20.0, 20.0
"""Seconds of load before the server is stopped, and after it is back."""
PATIENCE = 120.0
"""Seconds in which the rows that waited must be written."""


CONFIGURATION = """
listeners: [{{port: {port}}}]
local: {{enabled: false}}
log: {{level: warning, file: "{lines}"}}
providers: {{mock: {{type: compatible, base-url: "http://127.0.0.1:{provider}/v1", api-key: sk-bench, models: [m]}}}}
routes: {{bench: [mock/m]}}
store: {{url: "{store}"}}
"""


class Gateway:
    """One that runs; `port` is where."""

    def __init__(self, pid: int, port: int) -> None:
        self._pid = pid
        self.port = port

    @property
    def memory(self) -> float:
        """MiB."""
        return memory(self._pid)

    def numbers(self, *names: str) -> list[int]:
        """What `/metrics` has under each of these names, over all labels."""
        lines = self._page("/metrics").splitlines()
        return [sum(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith(name)) for name in names]

    def is_ready(self) -> bool:
        try:
            return self.store in ("postgresql", "sqlite")
        except OSError:
            return False

    @property
    def store(self) -> str:
        """What `/health` says of the database."""
        return str(json.loads(self._page("/health"))["store"])

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)

    def _page(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return str(answer.read(), "utf-8")


@contextmanager
def gateway(folder: Path, store: str) -> Iterator[Gateway]:
    """A gateway and its provider, until the end of the context."""
    port, provider, file = free_port(), free_port(), folder / "isthmus.yaml"
    file.write_text(CONFIGURATION.format(port=port, provider=provider, store=store, lines=folder / "lines.log"))
    commands = (("bench.upstream", "--port", str(provider)), ("isthmus", "serve", "--config", str(file)))
    environment = {**os.environ, "HOME": str(folder)}
    processes = []
    try:
        for command in commands:
            started = [sys.executable, "-m", *command]
            processes.append(subprocess.Popen(started, env=environment, stdout=subprocess.DEVNULL))
        running = Gateway(processes[-1].pid, port)
        wait_until(running.is_ready)
        yield running
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def wait_until(holds: Callable[[], bool]) -> float:
    """How many seconds it took."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > PATIENCE:
            raise SystemExit(f"not within {PATIENCE:.0f} s")
        time.sleep(0.05)
    return time.monotonic() - began


def load(one: Gateway, rate: float, seconds: float) -> str:
    """A phase of load, as a row of the table."""
    body = request(Dialect.OPENAI, Size.SMALL, "bench", stream=False)
    target = Target(one.port, request_to(one.port, PATHS[Dialect.OPENAI], body, ()))

    async def phase() -> Tally:
        return await Load(target, None).planned(rate, 0.0, seconds)

    tally = asyncio.run(phase())
    median, slow = (percentile(tally.latency, share) * 1e3 for share in (0.5, 0.99))
    (waiting,) = one.numbers("isthmus_store_rows_waiting ")
    return f"{tally.requests} | {tally.errors} | {median:.1f} ms | {slow:.1f} ms | {waiting} | {one.memory:.0f} MiB |"


def measure(server: PostgresServer, folder: Path, rate: float, gone: float) -> bool:
    """Print what happened; was every exchange kept once?"""
    url = server.new_database().reveal()
    database = url.rpartition("/")[2]
    with gateway(folder, url) as one:
        print("| the database | requests | failed | median | p99 | rows that wait | memory |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        print("| is there |", load(one, rate, BEFORE), flush=True)
        server.stop()
        print("| is gone |", load(one, rate, gone), flush=True)
        server.start()
        back = wait_until(lambda: one.numbers("isthmus_store_rows_waiting ") == [0])
        print("| is back |", load(one, rate, AFTER), flush=True)
        time.sleep(1)
        exchanges, lost = one.numbers("isthmus_exchanges_total{", "isthmus_store_rows_lost_total ")
    rows = int(server.ask("SELECT count(*) FROM used", database))
    summed = int(server.ask("SELECT sum(requests) FROM used_hours", database))
    print(f"\nAll rows were written {back:.1f} s after the server was back. {exchanges} exchanges, {lost} rows lost:")
    print(f"{rows} rows in the database, and sums of {summed}.")
    return exchanges - lost == rows == summed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.store_gone", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="for which the server is gone")
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second")
    options = parser.parse_args()
    if PROGRAM is None:
        raise SystemExit("postgres is not on the PATH")
    with tempfile.TemporaryDirectory(prefix="isthmus-") as files, tempfile.TemporaryDirectory() as home:
        server = PostgresServer(Path(files))
        server.make()
        server.start()
        try:
            well = measure(server, Path(home), options.rate, options.minutes * 60)
        finally:
            server.stop()
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()

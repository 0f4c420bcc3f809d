"""Those that are measured: a direct connection, nginx as a plain proxy, and the gateway.

Each can be told to send a dialect's requests to any of the mock provider's behaviours. Servers
run on one core, the mock providers and the generator on another.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from pathlib import Path
from typing import IO

from bench.bodies import PATHS, Dialect
from bench.measure import free_port

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]
START_PATIENCE = 15.0
"""Seconds in which a server must answer after it was started."""
HEADERS: Mapping[Dialect, tuple[str, ...]] = {
    Dialect.OPENAI: ("authorization: Bearer sk-bench",),
    Dialect.ANTHROPIC: ("x-api-key: sk-bench", "anthropic-version: 2023-06-01"),
}


class Manner(StrEnum):
    """How a mock provider behaves."""

    BURST = "burst"
    PACED = "paced"
    SHORT = "short"
    SLOW = "slow"


FLAGS: Mapping[Manner, tuple[str, ...]] = {
    Manner.BURST: ("--pieces=200",),
    Manner.PACED: ("--pieces=200", "--pause=0.01"),
    Manner.SHORT: ("--pieces=5", "--pause=0.01"),
    Manner.SLOW: ("--pieces=60", "--pause=0.5"),
}


class Failed(Exception):
    """A server did not start. The message says which, and the end of what it wrote."""


@dataclass(frozen=True)
class Place:
    """Where a request goes, and the model to ask for."""

    port: int
    path: str
    model: str


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """What is started here inherits `core`; the caller gets back what it had."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Server:
    """A process of ours. What it writes goes to a file in `folder`."""

    def __init__(self, command: Sequence[str], core: int, folder: Path, *, stdout: int | None = None) -> None:
        self.name = Path(command[0]).name
        self._log = folder / f"{self.name}-{time.monotonic_ns()}.log"
        with pinned(core), self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log if stdout is None else stdout, stderr=log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stdout(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def answers(self, port: int, request: bytes) -> None:
        """Ask again and again until a 200 comes. Raises Failed."""
        until = time.monotonic() + START_PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            if _is_answered(port, request):
                return
            time.sleep(0.002)
        self.stop()
        raise Failed(f"{self.name} does not answer: {self._log.read_text(errors='replace')[-800:]}")

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class Direct:
    """No server between: the generator speaks to the mock providers."""

    pid = None

    def __init__(self, providers: Mapping[Manner, int]) -> None:
        self._providers = providers

    def place(self, client: Dialect, upstream: Dialect, manner: Manner) -> Place:
        assert client is upstream
        return Place(self._providers[manner], PATHS[client], "mock")


class Nginx:
    """A plain proxy without any look into what it carries: what a hop costs at the least."""

    def __init__(self, providers: Mapping[Manner, int], folder: Path) -> None:
        self._port = free_port()
        config = folder / "nginx.conf"
        config.write_text(_nginx_config(providers, self._port, folder))
        self._server = Server(_nginx_command(config), SERVER_CORE, folder)
        self._server.answers(self._port, b"GET /burst/v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n")

    @property
    def pid(self) -> int:
        return self._server.pid

    def place(self, client: Dialect, upstream: Dialect, manner: Manner) -> Place:
        assert client is upstream
        return Place(self._port, f"/{manner}{PATHS[client]}", "mock")

    def stop(self) -> None:
        self._server.stop()


class Scope(Enum):
    """What a gateway does beside passing on: nothing, what it does unless it is told otherwise, or all that it can."""

    DATA_PATH = auto()
    USUAL = auto()
    TEAM = auto()


class Gateway:
    """Isthmus, with a provider and a route for each dialect and behaviour."""

    def __init__(self, providers: Mapping[Manner, int], folder: Path, scope: Scope = Scope.DATA_PATH) -> None:
        self._port = free_port()
        config = folder / f"isthmus-{scope.name.lower()}.yaml"
        said = {**_gateway_config(providers, self._port), **_of_scope(scope, folder)}
        config.write_text(json.dumps(said))
        self._server = Server([*_python_command("isthmus"), "serve", "--config", str(config)], SERVER_CORE, folder)

    @property
    def pid(self) -> int:
        return self._server.pid

    @property
    def port(self) -> int:
        return self._port

    def place(self, client: Dialect, upstream: Dialect, manner: Manner) -> Place:
        return Place(self._port, PATHS[client], f"{upstream}-{manner}")

    def first_answer(self, request: bytes) -> None:
        self._server.answers(self._port, request)

    def settle(self) -> None:
        """Until its store is open, which it is after its first answers: what it takes is in memory then."""
        until = time.monotonic() + START_PATIENCE
        while time.monotonic() < until:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/health", timeout=5) as answer:
                if json.load(answer).get("store") in (None, "sqlite"):
                    return
            time.sleep(0.05)
        raise Failed("the gateway's store does not open")

    def stop(self) -> None:
        self._server.stop()


def has_nginx() -> bool:
    return shutil.which("nginx") is not None


@contextmanager
def mock_providers(folder: Path) -> Iterator[Mapping[Manner, int]]:
    """One mock provider for each behaviour, by its port."""
    servers: list[Server] = []
    ports: dict[Manner, int] = {}
    try:
        for manner, flags in FLAGS.items():
            command = (sys.executable, "-m", "bench.upstream", *flags)
            servers.append(Server(command, CLIENT_CORE, folder, stdout=subprocess.PIPE))
            ports[manner] = int(servers[-1].stdout.readline())
        yield ports
    finally:
        for server in servers:
            server.stop()


def _python_command(name: str) -> tuple[str, ...]:
    return (str(Path(sys.executable).with_name(name)),)


def _is_answered(port: int, request: bytes) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as probe:
        probe.sendall(request)
        return probe.recv(64).startswith(b"HTTP/1.1 200")
    return False


def _gateway_config(providers: Mapping[Manner, int], port: int) -> Mapping[str, object]:
    """JSON is YAML. The model is renamed on the way, as a route usually does."""
    upstreams = {
        f"{dialect}-{manner}": {
            "type": "compatible",
            "dialect": str(dialect),
            "base-url": f"http://127.0.0.1:{at}/v1",
            "api-key": "sk-upstream",
            "models": ["*"],
        }
        for dialect in Dialect
        for manner, at in providers.items()
    }
    return {
        "listeners": [{"host": "127.0.0.1", "port": port}],
        "providers": upstreams,
        "routes": {name: [f"{name}/mock"] for name in upstreams},
        "log": {"format": "json"},
    }


def _of_scope(scope: Scope, folder: Path) -> Mapping[str, object]:
    """No limit is ever reached, but each is counted."""
    if scope is Scope.DATA_PATH:
        return {"store": {"enabled": False}}
    store = {"store": {"url": f"sqlite:///{folder}/{scope.name.lower()}.db"}}
    if scope is Scope.USUAL:
        return store
    return {
        **store,
        "client-keys": [
            {
                "key": "sk-bench",
                "name": "bench",
                "team": "bench",
                "requests-per-minute": 10**9,
                "tokens-per-minute": 10**12,
                "concurrency": 10**6,
                "budgets": {"day": 10**6, "month": 10**6},
            }
        ],
        "teams": {"bench": {"budgets": {"month": 10**6}}},
        "models": {"mock": {"price": {"input": 1.25, "output": 10, "cache-read": 0.125}}},
        "admin": {"keys": [{"name": "bench", "key": "bench-management-0123456789", "role": "viewer"}]},
    }


def _nginx_command(config: Path) -> tuple[str, ...]:
    return (shutil.which("nginx") or "nginx", "-c", str(config), "-p", str(config.parent))


def _nginx_config(providers: Mapping[Manner, int], port: int, folder: Path) -> str:
    pools = "".join(
        f"upstream {manner} {{ server 127.0.0.1:{at}; keepalive 600; keepalive_requests 100000000; }}\n"
        for manner, at in providers.items()
    )
    locations = "".join(f"location /{manner}/ {{ proxy_pass http://{manner}/; }}\n" for manner in providers)
    folders = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
daemon off;
user {_user()};
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.error.log error;
events {{ worker_connections 8192; }}
http {{
{folders}{pools}
access_log off;
keepalive_requests 100000000;
client_max_body_size 16m;
client_body_buffer_size 4m;
proxy_buffering off;
proxy_http_version 1.1;
proxy_set_header Connection "";
server {{
listen 127.0.0.1:{port};
{locations}}}
}}
"""


def _user() -> str:
    return os.environ.get("USER") or "root"

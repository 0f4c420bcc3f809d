"""The processes: instances of the gateway, nginx in front of them, Redis behind them. Each can be ended and begun."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.chaos.provider import MODEL, Provider
from bench.measure import free_port

START_PATIENCE = 60.0
ASKED = "GET {} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
HELLO = ASKED.format("/health").encode()
"""What is asked to see whether somebody answers."""
LIMIT = 60
"""Requests a minute that the configuration allows each key of the limited providers."""


class Process:
    """One process of ours, begun anew with the same command. What it says is appended to one file."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, port: int, *, hello: bytes = HELLO) -> None:
        self._hello = hello
        self.name = name
        self.port = port
        self._command = command
        self._log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {**os.environ, "HOME": str(folder)}

    async def begin(self) -> None:
        """Start it, and wait until it listens."""
        self._spawn()
        loop = asyncio.get_running_loop()
        until = loop.time() + START_PATIENCE
        while loop.time() < until:
            if await _answers(self.port, self._hello):
                return
            await asyncio.sleep(0.02)
        raise RuntimeError(f"{self.name} does not listen: {self._log.read_text(errors='replace')[-800:]}")

    def _spawn(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=self._environment)

    def send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Tell it to end, and wait until it has."""
        self.send(number)
        if self._process is not None:
            await asyncio.to_thread(self._process.wait)


async def _answers(port: int, hello: bytes) -> bool:
    """Does somebody answer there? A connection may also reach itself, where nobody listens."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    try:
        async with asyncio.timeout(2):
            writer.write(hello)
            return await reader.read(4) not in (b"", hello[:4])
    except (ConnectionError, TimeoutError):
        return False
    finally:
        writer.close()


async def page(port: int, path: str) -> bytes:
    """What is answered there, with its head; nothing where nobody answers."""
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(ASKED.format(path).encode())
                return await reader.read(-1)
            finally:
                writer.close()
    except (ConnectionError, TimeoutError):
        return b""


def redis(folder: Path) -> Process:
    port = free_port()
    server = shutil.which("redis-server") or shutil.which("valkey-server") or "redis-server"
    command = [server, "--port", str(port), "--save", "", "--bind", "127.0.0.1", "--dir", str(folder)]
    return Process("redis", command, folder, port, hello=b"PING\r\n")


def instance(number: int, folder: Path, providers: Sequence[Provider], store: int) -> Process:
    """One gateway, with a configuration file of its own."""
    port, home = free_port(), folder / f"instance-{number}"
    home.mkdir()
    file = home / "isthmus.yaml"
    file.write_text(configuration(port, providers, store))
    command = [sys.executable, "-m", "isthmus", "serve", "--config", str(file)]
    return Process(f"instance-{number}", command, home, port)


def configuration(port: int, providers: Sequence[Provider], store: int) -> str:
    """Two keys a provider; the last provider has no limit, and is asked when the others cannot answer."""
    entries = []
    for one in providers:
        limit = "" if one is providers[-1] else f", requests-per-minute: {LIMIT}"
        keys = ", ".join(f"{{name: k{key}, key: {one.name}-key-{key}{limit}}}" for key in (1, 2))
        entries.append(
            f"  {one.name}: {{type: compatible, dialect: anthropic, base-url: 'http://127.0.0.1:{one.port}/v1', "
            f"models: [{MODEL}], api-keys: [{keys}], deadlines: {{connect: 1, first-byte: 2, between-bytes: 2}}}}"
        )
    first = ", ".join(f"{one.name}/{MODEL}" for one in providers[:-1])
    return f"""
listeners: [{{port: {port}}}]
providers:
{chr(10).join(entries)}
routes:
  best:
    tiers: [{{strategy: round_robin, targets: [{first}]}}, [{providers[-1].name}/{MODEL}]]
    continue: true
limits: {{drain: 10}}
state: {{url: 'redis://127.0.0.1:{store}', prefix: chaos}}
"""


def balancer(folder: Path, instances: Sequence[Process]) -> Process:
    """nginx, which tries the next instance when one is gone before it answered."""
    port, servers = (
        free_port(),
        "".join(f"server 127.0.0.1:{one.port} max_fails=1 fail_timeout=1s;" for one in instances),
    )
    config = folder / "nginx.conf"
    config.write_text(f"""
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream gateways {{ {servers} }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://gateways; proxy_http_version 1.1; proxy_buffering off; proxy_read_timeout 60s;
      proxy_next_upstream error timeout http_503 non_idempotent; proxy_set_header connection close;
    }}
  }}
}}
""")
    return Process("nginx", [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(config)], folder, port)


def touch(one: Process, folder: Path, round_: int) -> None:
    """Write the instance's configuration again, so that it is read and put in force under load."""
    file = folder / one.name / "isthmus.yaml"
    text = file.read_text().split("# round")[0]
    fresh = file.with_suffix(".new")
    fresh.write_text(f"{text}# round {round_}\n")
    fresh.replace(file)
    one.send(signal.SIGHUP)

"""A real gateway for tests: a process of its own on a free port, with the configuration that a test writes.

Its standard output and error are kept together in one file, so that a test can ask what was logged.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fakes.scripts import KEY, SCRIPTS
from fakes.upstream import Upstream

CLIENT_KEY = "sk-client-0123456789abcdef"
"""A key that the gateway of `between` knows."""
NOTHING: Mapping[str, str] = {}
RUNNING: "list[RunningGateway]" = []
"""Those that run now. Tests that share one begin with nobody resting."""
STARTS_WITHIN = 20.0
STOPS_WITHIN = 15.0
SAYS_WITHIN = 10.0


@dataclass(frozen=True)
class RunningGateway:
    """Where it listens, and what it has said so far."""

    root: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def wake_all(self) -> None:
        """Nobody rests any more because of what failed before."""
        asking = urllib.request.Request(f"{self.root}/admin/rests", method="DELETE")
        urllib.request.urlopen(asking, timeout=5).close()

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def said_soon(self, words: str) -> str:
        """All that it has said once that holds these words. Its lines are written behind its answers."""
        deadline = time.monotonic() + SAYS_WITHIN
        while words not in self.said():
            assert time.monotonic() < deadline, f"within {SAYS_WITHIN:.0f} s it did not say {words!r}: {self.said()}"
            time.sleep(0.02)
        return self.said()


def between(upstream: Upstream, *, providers: str = "", more: str = "") -> str:
    """A configuration with the scripted provider as `openai`, `anthropic` and `deepseek`. Names need their prefix.

    `providers` are further entries of that name, indented by two; `more` is further sections.
    """
    models = ", ".join(SCRIPTS)
    return f"""
providers:
  openai:
    type: compatible
    dialect: openai
    base-url: {upstream.root}/v1
    api-key: {KEY}
    models: [{models}]
  anthropic:
    type: compatible
    dialect: anthropic
    base-url: {upstream.root}/v1
    api-key: {KEY}
    models: [{models}]
  deepseek:
    type: deepseek
    base-url: {upstream.root}/deepseek
    api-key: {KEY}
    models: [{models}]
{providers}
client-keys:
  - name: tester
    key: {CLIENT_KEY}
{more}
"""


FURTHER = ("responses", "gemini", "ollama", "bedrock")
"""Providers of `every_dialect` beside those of `between`."""
NATIVE = {
    "responses": "gpt-5.5+",
    "gemini": "gemini-3-pro+",
    "bedrock": "amazon.nova-pro-v1:0+",
}
"""What stands in front of a script's name at a provider whose models are known by theirs."""


def every_dialect(upstream: Upstream) -> str:
    """The scripted provider in each further dialect, for `providers` of `between`."""
    root = upstream.root
    entries = {
        "responses": f"type: openai, base-url: '{root}/v1'",
        "gemini": f"base-url: '{root}/gemini'",
        "ollama": f"base-url: '{root}/ollama'",
        "bedrock": f"base-url: '{root}/bedrock', region: us-east-1",
    }
    models = {
        name: ", ".join(f"'{NATIVE.get(name, '')}{script}'" for script in (*SCRIPTS, "agent")) for name in entries
    }
    return "".join(
        f"  {name}: {{{entry}, api-key: {KEY}, models: [{models[name]}]}}\n" for name, entry in entries.items()
    )


@contextmanager
def open_gateway(config: str, folder: Path, *, home: Path | None = None, workers: int = 1) -> Iterator[RunningGateway]:
    """Start a gateway that listens, and stop it as an operator would. Fails with its log when it does not start.

    `home` is an empty one unless it is given; the bundled model is kept below the real one.
    """
    port = free_port()
    file = folder / "isthmus.yaml"
    file.write_text(f"listeners:\n  - host: 127.0.0.1\n    port: {port}\n{config}")
    with _serving(
        ["--config", str(file), "--workers", str(workers)], port, folder, _environment(home or folder)
    ) as one:
        yield one


@contextmanager
def open_gateway_on(file: Path, *options: str, variables: Mapping[str, str] = NOTHING) -> Iterator[RunningGateway]:
    """Start a gateway with a file as it stands, but for the port; it writes beside it."""
    port = free_port()
    words = ["--config", str(file), "--port", str(port), *options]
    with _serving(words, port, file.parent, {**_environment(file.parent), **variables}) as one:
        yield one


@contextmanager
def _serving(words: Sequence[str], port: int, folder: Path, variables: Mapping[str, str]) -> Iterator[RunningGateway]:
    log = folder / "gateway.log"
    command = [sys.executable, "-m", "isthmus", "serve", *words]
    with (
        log.open("wb") as out,
        subprocess.Popen(command, stdout=out, stderr=out, env=dict(variables)) as process,
    ):
        gateway = RunningGateway(f"http://127.0.0.1:{port}", process, log)
        try:
            _wait_until_ready(gateway)
            RUNNING.append(gateway)
            yield gateway
        finally:
            if gateway in RUNNING:
                RUNNING.remove(gateway)
            _stop(process)


def _environment(home: Path) -> dict[str, str]:
    """The caller's environment without its provider keys, and with a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_PROXY", "_proxy"))}
    return {**kept, "HOME": str(home), "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def _wait_until_ready(gateway: RunningGateway) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        if gateway.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{gateway.root}/ready", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.03)
    raise AssertionError(f"the gateway did not become ready; it said:\n{gateway.said()}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"the gateway did not stop within {STOPS_WITHIN} s") from None

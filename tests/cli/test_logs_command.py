"""`isthmus logs`: what the gateway that runs has written of late, and what it goes on to write."""

import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.gateway import CLIENT_KEY, RunningGateway, between, open_gateway
from fakes.upstream import open_upstream
from isthmus.wire import json
from support.shell import Shell


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    folder = tmp_path_factory.mktemp("gateway")
    with open_upstream() as upstream, open_gateway(between(upstream), folder) as running:
        for model in ("openai/says-hello", "deepseek/says-hello", "openai/nobody"):
            ask(running, model)
        running.said_soon("openai/nobody")
        yield running


def ask(gateway: RunningGateway, model: str) -> None:
    body = json.encode({"model": model, "messages": [{"role": "user", "content": "hi"}]})
    headers = {"authorization": f"Bearer {CLIENT_KEY}", "content-type": "application/json"}
    asking = urllib.request.Request(f"{gateway.root}/v1/chat/completions", body, headers)
    try:
        urllib.request.urlopen(asking, timeout=10).close()
    except urllib.error.HTTPError as refused:
        refused.close()


@pytest.fixture
def said(gateway: RunningGateway, shell: Shell) -> "Said":
    shell.write("listeners: [{port: 9}]\n")
    return Said(shell, gateway.root)


class Said:
    def __init__(self, shell: Shell, root: str) -> None:
        self._shell, self._root = shell, root

    def __call__(self, *options: str) -> list[str]:
        result = self._shell.run("logs", "--url", self._root, *options)
        assert result.exit_code == 0, result.stderr
        return result.stdout.splitlines()


def test_the_latest_lines_are_told_the_last_one_at_the_end(said: Said) -> None:
    lines = said("-n", "2")
    assert len(lines) == 2
    assert " 404 /v1/chat/completions openai/nobody -> " in lines[1]


def test_lines_are_told_as_json(said: Said) -> None:
    assert [json.decode(line.encode())["model"] for line in said("--json", "-n", "1")] == ["openai/nobody"]


@pytest.mark.parametrize(
    ("options", "models"),
    [
        (("--provider", "deepseek"), ["deepseek/says-hello"]),
        (("--model", "openai/says-hello"), ["openai/says-hello"]),
        (("--client", "nobody"), []),
        (("--client", "tester", "--level", "warning"), ["openai/nobody"]),
    ],
)
def test_some_of_them_are_asked_for(said: Said, options: tuple[str, ...], models: list[str]) -> None:
    assert [json.decode(line.encode())["model"] for line in said("--json", *options)] == models


def _can_be_interrupted() -> None:
    """Tests that run in the background of a shell have its SIGINT ignored, and so would what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_what_is_written_next_is_told_until_interrupted(gateway: RunningGateway, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "isthmus", "logs", "-f", "-n", "1", "--json", "--url", gateway.root]
    (tmp_path / "isthmus.yaml").write_text("listeners: [{port: 9}]\n")
    open_ended = {"stdout": subprocess.PIPE, "cwd": tmp_path, "preexec_fn": _can_be_interrupted}
    with subprocess.Popen(command, **open_ended) as process:
        assert process.stdout is not None
        try:
            assert json.decode(process.stdout.readline())["model"] == "openai/nobody"
            ask(gateway, "anthropic/says-hello")
            line = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        finally:
            process.kill()
    assert json.decode(line)["model"] == "anthropic/says-hello"


def test_who_follows_holds_up_no_gateway_that_stops(tmp_path: Path) -> None:
    with (
        open_gateway("providers: {one: {type: ollama}}\n", tmp_path) as gateway,
        urllib.request.urlopen(f"{gateway.root}/admin/logs/stream?level=info", timeout=10) as stream,
    ):
        gateway.process.send_signal(signal.SIGTERM)
        assert b"stopping: 0 exchanges may take" in stream.read()
        assert gateway.process.wait(10) == 0
    assert "cut off" not in gateway.said()


def test_no_gateway_is_told(shell: Shell) -> None:
    shell.write("listeners: [{port: 9}]\n")
    result = shell.run("logs")
    assert result.exit_code == 1
    assert "no gateway answers at http://127.0.0.1:9" in result.stderr

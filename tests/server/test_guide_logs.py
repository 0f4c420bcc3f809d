"""The guide on logs is true: its commands run and answer, its configurations are good, its line is one."""

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.gateway import RunningGateway, open_gateway
from fakes.scripts import KEY
from fakes.upstream import Upstream
from isthmus.engine.facts import Facts
from isthmus.wire import json as wire
from support.configured import config_of

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "logs.md").read_text()
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL) for line in block.strip().splitlines()
]
CONFIGURATIONS = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
[LINE] = re.findall(r"```json\n(.*?)```", GUIDE, flags=re.DOTALL)
EXCHANGE = re.compile(r"ex_[0-9a-f]{4,}")
DUMP = re.compile(r"\d{8}T\d{6}\.\d{3}-ex_[0-9a-f]+\.json")


@pytest.fixture
def gateway(upstream: Upstream, tmp_path: Path) -> Iterator[RunningGateway]:
    config = f"""
providers:
  there: {{type: compatible, base-url: "{upstream.root}/v1", api-key: {KEY}, models: [says-hello, fails-500]}}
log: {{dumps: true, bodies: {{requests: true, answers: true}}}}
limits: {{wait: 0}}
"""
    with open_gateway(config, tmp_path) as running:
        yield running


def ask(gateway: RunningGateway, model: str) -> str:
    """The exchange's id."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hi"}]}).encode()
    try:
        with urllib.request.urlopen(f"{gateway.root}/v1/chat/completions", body, timeout=20) as answer:
            return str(answer.headers["x-isthmus-id"])
    except urllib.error.HTTPError as refused:
        refused.close()
        return str(refused.headers["x-isthmus-id"])


def run(command: str, gateway: RunningGateway, folder: Path) -> str:
    command = command.replace("http://127.0.0.1:8317", gateway.root)
    command = command.replace("isthmus logs", f"{sys.executable} -m isthmus logs --url {gateway.root}")
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True, timeout=30, cwd=folder)
    return done.stdout.decode()


def once_kept(command: str, gateway: RunningGateway, folder: Path) -> str:
    """What the command says when it says no more that there is nothing yet."""
    deadline = time.monotonic() + 20
    while re.match(r'\{"error"|\{"exchanges":\[\]', told := run(command, gateway, folder)):
        assert time.monotonic() < deadline, told
    return told


def test_its_commands_answer(gateway: RunningGateway, tmp_path: Path) -> None:
    good, bad = ask(gateway, "says-hello"), ask(gateway, "fails-500")
    gateway.said_soon(bad)
    latest, warnings, named, lines, text, stream, forget, failed, bodies, dumps, dump = COMMANDS
    assert " there/fails-500 " in run(latest, gateway, tmp_path)
    assert bad in [json.loads(line).get("id") for line in run(warnings, gateway, tmp_path).splitlines()]
    assert run(named, gateway, tmp_path) == ""
    assert good in [line["fields"].get("id") for line in json.loads(run(lines, gateway, tmp_path))["lines"]]
    assert "says-hello -> there/says-hello" in run(text, gateway, tmp_path)
    assert f'"id":"{bad}"' in run(stream, gateway, tmp_path)
    kept = json.loads(once_kept(EXCHANGE.sub(good, bodies), gateway, tmp_path))
    assert json.loads(kept["request"])["messages"][0]["content"] == "Hi"
    assert [one["id"] for one in json.loads(once_kept(failed, gateway, tmp_path))["exchanges"]] == [bad]
    [named_dump] = [one["name"] for one in json.loads(run(dumps, gateway, tmp_path))["dumps"]]
    assert json.loads(run(DUMP.sub(named_dump, dump), gateway, tmp_path))["exchange"]["id"] == bad
    assert json.loads(run(forget, gateway, tmp_path))["cleared"] >= 2


def test_its_line_has_the_fields_of_a_line() -> None:
    told = wire.decoder(Facts)(LINE.encode())
    assert set(json.loads(LINE)) <= set(Facts.__struct_fields__)
    assert told.outcome == "answered"


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_its_configurations_are_good(text: str) -> None:
    assert config_of(text).log is not None

"""The guide on what was used is true: its commands answer, and their sums are those of the requests that were made."""

import csv
import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

from fakes.gateway import RunningGateway, open_gateway
from fakes.scripts import KEY
from fakes.upstream import Upstream

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "usage.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL)
COMMANDS, REQUESTS = (block.strip().splitlines() for block in BLOCKS)
REQUESTS_MADE = 3


def config(upstream: Upstream) -> str:
    return f"""
providers:
  there: {{type: compatible, base-url: "{upstream.root}/v1", api-key: {KEY}, models: [says-hello]}}
models: {{says-hello: {{price: {{input: 500000, output: 1000000}}}}}}
"""


def asked(gateway: RunningGateway) -> float:
    """Ask, and the dollars that it came to, by the usage of the answer."""
    body = json.dumps({"model": "says-hello", "messages": [{"role": "user", "content": "Hi"}]}).encode()
    with urllib.request.urlopen(f"{gateway.root}/v1/chat/completions", body, timeout=20) as answer:
        usage = json.load(answer)["usage"]
    assert usage["prompt_tokens"] > 0
    return (usage["prompt_tokens"] + 2 * usage["completion_tokens"]) / 2


def run(command: str, gateway: RunningGateway, folder: Path) -> str:
    command = command.replace("http://127.0.0.1:8317", gateway.root)
    command = command.replace("isthmus ", f"{sys.executable} -m isthmus ").replace(
        "usage ", f"usage --url {gateway.root} "
    )
    command = command.replace("2026-02-01", "2126-02-01").replace("curl", "curl -sS")
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, check=True, timeout=30, text=True, cwd=folder
    ).stdout


def test_its_commands_tell_what_was_asked(upstream: Upstream, tmp_path: Path) -> None:
    with open_gateway(config(upstream), tmp_path) as gateway:
        dollars = sum(asked(gateway) for _ in range(REQUESTS_MADE))
        kept = 0
        while kept < REQUESTS_MADE:
            kept = json.loads(run(f"curl '{gateway.root}/admin/usage'", gateway, tmp_path))["total"]["requests"]
        drawn = [run(command, gateway, tmp_path) for command in COMMANDS]
        sums, table = (run(command, gateway, tmp_path) for command in REQUESTS)
    told = json.loads(sums)
    assert told["total"]["requests"] == REQUESTS_MADE
    assert float(told["total"]["dollars"]) == dollars
    assert [group["group"] for group in told["groups"]] == [{"client": "anyone", "model": "says-hello"}]
    assert json.loads(drawn[1])["groups"][0]["group"] == {"model": "says-hello", "provider": "there"}
    assert "anyone" in drawn[0]
    assert "█" in drawn[2]
    [row] = csv.DictReader(table.splitlines())
    assert row["requests"] == str(REQUESTS_MADE)

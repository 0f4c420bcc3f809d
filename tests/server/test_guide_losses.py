"""The guide on losses is true: its commands run, and answer what it says."""

import json
import re
import subprocess
import urllib.request
from pathlib import Path

from fakes.gateway import open_gateway
from fakes.scripts import KEY
from fakes.upstream import Upstream

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "losses.md").read_text()
COMMANDS = re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL)
MODEL = "anthropic/claude-sonnet-4-5"


def config(upstream: Upstream) -> str:
    return f"""
providers:
  there: {{type: compatible, dialect: anthropic, base-url: "{upstream.root}/v1", api-key: {KEY}, models: [says-hello]}}
aliases: {{{MODEL}: there/says-hello}}
"""


def run(command: str, root: str) -> dict[str, object]:
    told = subprocess.run(
        ["bash", "-c", command.replace("http://127.0.0.1:8317", root)], capture_output=True, check=True, timeout=20
    )
    return dict(json.loads(told.stdout))


def test_its_commands_answer_what_it_says(upstream: Upstream, tmp_path: Path) -> None:
    look, refuse = COMMANDS
    with open_gateway(config(upstream), tmp_path) as gateway:
        refused = run(refuse, gateway.root)
        assert "sampling.seed would be dropped" in str(refused["error"])
        body = json.dumps({"model": MODEL, "seed": 7, "messages": [{"role": "user", "content": "Hi"}]}).encode()
        with urllib.request.urlopen(f"{gateway.root}/v1/chat/completions", body, timeout=20) as answer:
            assert "sampling.seed;dropped" in answer.headers["x-isthmus-losses"]
            name = answer.headers["x-isthmus-id"]
        told = run(re.sub(r"ex_[0-9a-f]+", name, look), gateway.root)
    assert told["id"] == name
    assert {"path": "sampling.seed", "deed": "dropped"}.items() <= dict(told["losses"][0]).items()  # type: ignore[index]

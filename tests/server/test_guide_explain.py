"""The guide on explanations is true: its commands run, and answer what it says; its table is the gateway's."""

import json
import re
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from fakes.gateway import open_gateway
from fakes.scripts import KEY
from fakes.upstream import Upstream
from isthmus.server.explain_page import SHAPES

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "explain.md").read_text()
BEFORE, AFTER = [one for one in re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL) if one.startswith("curl")]
MODEL = "anthropic/claude-sonnet-4-5"


def config(upstream: Upstream) -> str:
    return f"""
providers:
  there: {{type: compatible, dialect: anthropic, base-url: "{upstream.root}/v1", api-key: {KEY}, models: [says-hello]}}
aliases: {{{MODEL}: there/says-hello}}
"""


def run(command: str, root: str) -> Any:
    told = subprocess.run(
        ["bash", "-c", command.replace("http://127.0.0.1:8317", root)], capture_output=True, check=True, timeout=20
    )
    return json.loads(told.stdout)


def test_its_commands_answer_what_it_says(upstream: Upstream, tmp_path: Path) -> None:
    with open_gateway(config(upstream), tmp_path) as gateway:
        told = run(BEFORE, gateway.root)
        assert [one["verdict"] for one in told["candidates"]] == ["asked first"]
        assert told["candidates"][0]["losses"][0]["path"] == "sampling.seed"
        assert told["candidates"][0]["upstream"]["headers"]["x-api-key"] == "[hidden key]"
        body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}).encode()
        with urllib.request.urlopen(f"{gateway.root}/v1/chat/completions", body, timeout=20) as answer:
            assert answer.headers["x-isthmus-route"].startswith("there/says-hello")
            name = answer.headers["x-isthmus-id"]
        past = run(re.sub(r"ex_[0-9a-f]+", name, AFTER), gateway.root)
    assert (past["id"], past["outcome"], len(past["attempts"])) == (name, "answered", 1)


def test_its_table_of_bodies_is_the_gateways() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) ?\| `(/\S+)` \|$", GUIDE, flags=re.MULTILINE)
    told = [(path, has, set(re.findall(r"`(\w+)`", marks))) for has, marks, path in rows]
    assert told == [(shape.path, shape.has, set(shape.marks)) for shape in SHAPES]

"""The official SDKs for JavaScript, each in one small conversation through the gateway to either dialect."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fakes.clients import Door, through
from fakes.gateway import RunningGateway
from fakes.scripts import HELLO, TOKENS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]


@pytest.fixture(params=["deepseek", "anthropic"])
def door(request: pytest.FixtureRequest, gateway: RunningGateway) -> Door:
    return through(gateway, request.param)


def run(script: str, clients: Path, door: Door) -> Any:
    """What the script printed. Fails with what it said when it broke."""
    command = ["node", str(Path(__file__).parent / script), str(clients), door.root, door.key, door.prefix]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_openai_sdk_streams_calls_tools_and_reads_errors(clients: Path, door: Door) -> None:
    assert run("openai_sdk.mjs", clients, door) == {
        "streamed": HELLO,
        "tokens": TOKENS.visible + TOKENS.thought,
        "told": "Paris: fine in Paris; Oslo: fine in Oslo",
        "error": ["RateLimitError", 429, "7"],
        "models": True,
    }


def test_the_anthropic_sdk_streams_thinks_and_reads_errors(clients: Path, door: Door) -> None:
    assert run("anthropic_sdk.mjs", clients, door) == {
        "streamed": HELLO,
        "tokens": TOKENS.visible + TOKENS.thought,
        "blocks": ["thinking", "tool_use"],
        "told": f"{HELLO} (thoughts returned: 1)",
        "error": ["RateLimitError", 429, "7"],
        "models": True,
    }

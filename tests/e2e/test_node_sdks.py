"""The official SDKs for JavaScript and the Vercel AI SDK, each in every scenario to every provider.

A script of `node/` is run once; it tells what its clients found.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from e2e.expected import check
from fakes.gateway import CLIENT_KEY, RunningGateway

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]


@pytest.mark.parametrize("script", ["openai", "anthropic", "google", "ollama", "ai_sdk"])
def test_every_scenario_at_every_provider(
    script: str, gateway: RunningGateway, clients: Path, providers: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    file = Path(__file__).parent / "node" / f"{script}.mjs"
    command = ["node", "--no-warnings", str(file), str(clients), gateway.root, CLIENT_KEY, *providers]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    check(found, request.node)

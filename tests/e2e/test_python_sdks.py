"""The official SDKs for Python, LangChain, LlamaIndex and pydantic-ai, each in every scenario to every provider.

A script of `python/` is run once, in the environment that `make e2e` made for it; it tells what its clients found.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from e2e.expected import check
from fakes.gateway import CLIENT_KEY, RunningGateway

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]
SCRIPTS = {
    "openai_sdk": "sdks",
    "anthropic_sdk": "sdks",
    "genai_sdk": "sdks",
    "ollama_sdk": "sdks",
    "pydantic_ai_agents": "sdks",
    "langchain_models": "frameworks",
}
"""Each script, and the environment that holds its libraries."""


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_scenario_at_every_provider(
    script: str, gateway: RunningGateway, clients: Path, providers: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    python = clients / SCRIPTS[script] / "bin" / "python"
    file = Path(__file__).parent / "python" / f"{script}.py"
    command = [str(python), "-W", "ignore", str(file), gateway.root, CLIENT_KEY, *providers]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    check(found, request.node)

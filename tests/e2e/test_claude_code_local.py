"""Claude Code talking to the bundled model through the gateway: nothing scripted, nothing outside this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.claude_code import NO_AGENT, ClaudeCode
from fakes.gateway import RunningGateway, open_gateway

pytestmark = [pytest.mark.e2e, pytest.mark.local_model, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    config = "local:\n  enabled: true\naliases:\n  haiku: local/smollm2-135m\n"
    with open_gateway(config, tmp_path_factory.mktemp("gateway"), home=Path.home()) as running:
        yield running


def test_a_question_is_answered(gateway: RunningGateway, clients: Path, tmp_path: Path) -> None:
    claude = ClaudeCode(clients / "node_modules" / ".bin" / "claude", gateway.root, "none", tmp_path)
    result = claude.ask(
        "What is the capital of France?",
        *NO_AGENT,
        model="local/smollm2-135m",
        folder=tmp_path,
        header="ANTHROPIC_API_KEY",
    )
    assert result["is_error"] is False, result
    assert result["result"].strip(), "no text came"
    assert result["usage"]["output_tokens"] > 0
    assert result["usage"]["input_tokens"] > 0

"""Codex, Gemini CLI and opencode from npm, unmodified, doing real work through the gateway against each provider."""

from pathlib import Path

import pytest

from fakes.agents import AGENTS, Place, two_files
from fakes.gateway import CLIENT_KEY, RunningGateway
from fakes.scripts import Failure
from fakes.upstream import Upstream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
PROVIDERS = ("openai", "anthropic", "deepseek", "responses", "gemini", "ollama", "bedrock")
PAIRS = (
    *(("codex", provider) for provider in PROVIDERS),
    *(("gemini", provider) for provider in PROVIDERS),
    ("opencode (openai-compatible)", "gemini"),
    ("opencode (openai-compatible)", "bedrock"),
    ("opencode (openai)", "anthropic"),
    ("opencode (openai)", "responses"),
    ("opencode (anthropic)", "gemini"),
    ("opencode (anthropic)", "ollama"),
    ("opencode (google)", "openai"),
    ("opencode (google)", "anthropic"),
)
"""opencode takes seconds to start, so each of its libraries meets two providers."""
ROUNDS = 3


@pytest.fixture
def binaries(clients: Path) -> Path:
    return clients / "node_modules" / ".bin"


@pytest.fixture
def place(gateway: RunningGateway, provider: str, tmp_path: Path) -> Place:
    home, folder = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    folder.mkdir()
    return Place(gateway.root, CLIENT_KEY, home, folder, f"agent-on-{provider}")


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_tool_loop(client: str, place: Place, upstream: Upstream, binaries: Path) -> None:
    """Two calls at once, then one; files are made, and what was read is told, in three requests that all are good."""
    agent = AGENTS[client]
    upstream.play("agent", two_files(agent, place.folder))
    before = len(upstream.requests)
    told = agent.ask("Make two files.", place, binaries=binaries)
    asked = [seen for seen in upstream.requests[before:] if seen.model.endswith("agent")]
    assert [seen.verdict for seen in asked] == [None] * ROUNDS, told.said
    assert not told.failed, told.said
    assert (place.folder / "one.txt").read_text() == "one é\n"
    assert (place.folder / "two.txt").read_text() == 'two "quoted" \\ 🙂\n'
    assert 'two "quoted" \\ 🙂' in told.text, told.said


@pytest.mark.parametrize("provider", ["openai"])
@pytest.mark.parametrize("client", ["codex", "gemini", "opencode (openai-compatible)"])
def test_refusal(client: str, place: Place, upstream: Upstream, binaries: Path) -> None:
    """A refusal is shown in the provider's words, and asked for once."""
    words = "The scripted provider does not want to."
    upstream.play("agent", lambda talk: Failure(400, words, ("invalid_request_error", "invalid_request_error")))
    told = AGENTS[client].ask("Hello?", place, binaries=binaries)
    assert told.failed
    assert words in told.said

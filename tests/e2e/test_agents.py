"""Codex, Gemini CLI and opencode from npm, unmodified, doing real work through the gateway against each provider."""

from pathlib import Path

import pytest

from fakes.agents import AGENTS, Agent, Place, two_files
from fakes.gateway import CLIENT_KEY, RunningGateway
from fakes.scripts import Failure
from fakes.upstream import Upstream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
PROVIDERS = ("openai", "anthropic")
ROUNDS = 3


@pytest.fixture
def binaries(clients: Path) -> Path:
    return clients / "node_modules" / ".bin"


@pytest.fixture(params=list(AGENTS))
def client(request: pytest.FixtureRequest) -> Agent:
    return AGENTS[request.param]


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(gateway: RunningGateway, provider: str, tmp_path: Path) -> Place:
    home, folder = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    folder.mkdir()
    return Place(gateway.root, CLIENT_KEY, home, folder, f"agent-on-{provider}")


def test_tool_loop(client: Agent, place: Place, upstream: Upstream, binaries: Path) -> None:
    """Two calls at once, then one; files are made, and what was read is told, in three requests that all are good."""
    upstream.play("agent", two_files(client, place.folder))
    before = len(upstream.asked("agent"))
    told = client.ask("Make two files.", place, binaries=binaries)
    asked = upstream.asked("agent")[before:]
    assert [seen.verdict for seen in asked] == [None] * ROUNDS, told.said
    assert not told.failed, told.said
    assert (place.folder / "one.txt").read_text() == "one é\n"
    assert (place.folder / "two.txt").read_text() == 'two "quoted" \\ 🙂\n'
    assert 'two "quoted" \\ 🙂' in told.text, told.said


@pytest.mark.parametrize("provider", ["openai"], indirect=True)
def test_a_refusal(client: Agent, place: Place, upstream: Upstream, binaries: Path) -> None:
    """A refusal is shown in the provider's words, and asked for once."""
    words = "The scripted provider does not want to."
    upstream.play("agent", lambda talk: Failure(400, words, ("invalid_request_error", "invalid_request_error")))
    told = client.ask("Hello?", place, binaries=binaries)
    assert told.failed
    assert words in told.said

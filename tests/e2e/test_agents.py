"""Codex, Gemini CLI and opencode from npm, unmodified, doing real work through the gateway against each provider."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.agents import AGENTS, Place, two_files
from fakes.gateway import CLIENT_KEY, RunningGateway
from fakes.scripts import Act, Answer, Call, Conversation, Failure, Words
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


PATCH = '*** Begin Patch\n*** Add File: three.txt\n+three "quoted" é\n*** End Patch\n'
PROGRAM = """text(await tools.exec_command({ cmd: `printf 'three "quoted" é\\\\n' > three.txt` }));"""


@pytest.mark.parametrize(("client", "provider"), [("codex", "anthropic")])
@pytest.mark.parametrize(
    ("model", "tool", "text"), [("gpt-5.5", "apply_patch", PATCH), ("gpt-6-sol", "functions__exec", PROGRAM)]
)
def test_tool_without_a_schema(
    model: str, tool: str, text: str, client: str, place: Place, upstream: Upstream, binaries: Path
) -> None:
    """Codex gives models that it knows tools that take plain text, which other dialects have as a field.

    To the later ones it tells them in an item among the messages, each in a namespace.
    """
    offered: list[str] = []

    def script(talk: Conversation) -> Act:
        offered.extend(told["name"] for told in talk.body["tools"])
        if talk.rounds:
            return Answer((Words(f"It said: {' '.join(talk.results.values())}"),))
        return Answer((Call("call_0001", tool, json.dumps({"input": text})),), "calls")

    upstream.play("agent", script)
    told = AGENTS[client].ask("Make a file.", replace(place, model=model), binaries=binaries)
    assert tool in offered, told.said
    assert (place.folder / "three.txt").exists(), told.said
    assert (place.folder / "three.txt").read_text() == 'three "quoted" é\n', told.said
    assert not told.failed, told.said


@pytest.mark.parametrize("provider", ["openai"])
@pytest.mark.parametrize("client", ["codex", "gemini", "opencode (openai-compatible)"])
def test_refusal(client: str, place: Place, upstream: Upstream, binaries: Path) -> None:
    """A refusal is shown in the provider's words, and asked for once."""
    words = "The scripted provider does not want to."
    upstream.play("agent", lambda talk: Failure(400, words, ("invalid_request_error", "invalid_request_error")))
    told = AGENTS[client].ask("Hello?", place, binaries=binaries)
    assert told.failed
    assert words in told.said

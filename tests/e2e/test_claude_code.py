"""Claude Code from npm, unmodified, doing real work through the gateway against a provider of either dialect."""

import json
from pathlib import Path

import pytest

from fakes.claude_code import NO_AGENT, ClaudeCode
from fakes.clients import Door, through
from fakes.gateway import CLIENT_KEY, RunningGateway
from fakes.raw import send
from fakes.scripts import HELLO, TOKENS, Act, Answer, Call, Conversation, Failure, Script, Thought, Words
from fakes.upstream import Upstream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
ROUNDS = 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the agent works."""
    made = tmp_path / "work"
    made.mkdir()
    return made


@pytest.fixture
def claude(clients: Path, gateway: RunningGateway, tmp_path: Path) -> ClaudeCode:
    home = tmp_path / "home"
    home.mkdir()
    return ClaudeCode(clients / "node_modules" / ".bin" / "claude", gateway.root, CLIENT_KEY, home)


def call(name: str, number: int, **arguments: str) -> Call:
    return Call(f"toolu_{number:04}", name, json.dumps(arguments))


def two_files(folder: Path) -> Script:
    """A model that makes two files at once, reads one of them, and tells what it read."""

    def script(talk: Conversation) -> Act:
        match talk.rounds:
            case 0:
                return Answer(
                    (
                        Thought("Two files are wanted. Both can be made at once."),
                        Words("I make both."),
                        call("Bash", 1, command="printf 'one é\\n' > one.txt", description="Write one"),
                        call("Write", 2, file_path=str(folder / "two.txt"), content='two "quoted" \\ 🙂\n'),
                    ),
                    "calls",
                )
            case 1:
                return Answer((call("Read", 3, file_path=str(folder / "two.txt")),), "calls")
            case _:
                return Answer((Words(f"Read: {talk.results['toolu_0003']}"),))

    return script


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_a_tool_loop_does_its_work_and_adds_up_its_usage(
    claude: ClaudeCode, upstream: Upstream, folder: Path, provider: str
) -> None:
    upstream.play("agent", two_files(folder))
    before = len(upstream.requests)
    result = claude.ask(
        "Make two files.", "--dangerously-skip-permissions", model=f"agent-on-{provider}", folder=folder
    )
    assert (folder / "one.txt").read_text() == "one é\n"
    assert (folder / "two.txt").read_text() == 'two "quoted" \\ 🙂\n'
    assert result["is_error"] is False
    assert result["stop_reason"] == "end_turn"
    assert 'two "quoted" \\ 🙂' in result["result"], "the answer does not hold what the tool read"
    asked = [seen for seen in upstream.requests[before:] if seen.model.endswith("agent")]
    assert [seen.verdict for seen in asked] == [None] * ROUNDS, "the provider refused a turn, or was asked twice"
    usage = result["usage"]
    assert usage["input_tokens"] == ROUNDS * TOKENS.fresh
    assert usage["cache_read_input_tokens"] == ROUNDS * TOKENS.read
    assert usage["output_tokens"] == ROUNDS * (TOKENS.visible + TOKENS.thought)


@pytest.mark.parametrize("provider", ["deepseek", "responses", "gemini", "ollama", "bedrock"])
@pytest.mark.parametrize("client", ["claude code"])
def test_tool_loop(claude: ClaudeCode, upstream: Upstream, folder: Path, client: str, provider: str) -> None:
    upstream.play("agent", two_files(folder))
    before = len(upstream.requests)
    result = claude.ask(
        "Make two files.", "--dangerously-skip-permissions", model=f"agent-on-{provider}", folder=folder
    )
    asked = [seen for seen in upstream.requests[before:] if seen.model.endswith("agent")]
    assert [seen.verdict for seen in asked] == [None] * ROUNDS, "the provider refused a turn, or was asked twice"
    assert (folder / "one.txt").read_text() == "one é\n"
    assert (folder / "two.txt").read_text() == 'two "quoted" \\ 🙂\n'
    assert 'two "quoted" \\ 🙂' in result["result"], f"{client} did not tell what its tool read"


@pytest.mark.parametrize("provider", ["anthropic", "deepseek"])
def test_thoughts_come_back_to_the_provider_that_had_them(
    claude: ClaudeCode, upstream: Upstream, folder: Path, provider: str
) -> None:
    thoughts = []

    def watched(talk: Conversation) -> Act:
        thoughts.append(talk.thoughts)
        return two_files(folder)(talk)

    upstream.play("agent", watched)
    claude.ask("Make two files.", "--dangerously-skip-permissions", model=f"agent-on-{provider}", folder=folder)
    assert thoughts == [0, 1, 1]


def test_a_thinking_budget_and_its_key_header_are_taken(claude: ClaudeCode, upstream: Upstream, folder: Path) -> None:
    """A known model's name brings a budget in place of adaptive thinking; this time the key comes as `x-api-key`."""
    upstream.play("agent", two_files(folder))
    result = claude.ask(
        "Make two files.",
        "--dangerously-skip-permissions",
        model="claude-sonnet-4-5",
        folder=folder,
        header="ANTHROPIC_API_KEY",
    )
    assert result["is_error"] is False
    assert (folder / "two.txt").exists()
    assert all(seen.verdict is None for seen in upstream.asked("agent"))


def test_a_refusal_of_the_provider_is_shown_in_its_words(claude: ClaudeCode, upstream: Upstream, folder: Path) -> None:
    words = "The scripted provider does not want to."
    upstream.play("agent", lambda talk: Failure(400, words, ("invalid_request_error", "invalid_request_error")))
    for provider in ("anthropic", "openai"):
        result = claude.ask("Hello?", model=f"agent-on-{provider}", folder=folder)
        assert result["is_error"] is True
        assert words in result["result"]


def test_a_small_request_without_tools_is_answered(claude: ClaudeCode, folder: Path) -> None:
    for provider in ("anthropic", "openai"):
        result = claude.ask(
            "Hello?", *NO_AGENT, model=f"{provider}/says-hello", folder=folder, header="ANTHROPIC_API_KEY"
        )
        assert result["result"] == HELLO


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_the_probe_that_comes_before_everything_is_answered(gateway: RunningGateway, method: str) -> None:
    stranger = Door(gateway.root, "", "", "")
    assert send(stranger, method, "/").status == 200
    assert send(through(gateway, "openai"), method, "/").status == 200

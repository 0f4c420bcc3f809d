"""Claude Code, Codex and the SDKs, unmodified, through the gateway at a stand-in of the Codex backend of ChatGPT.

Two people have signed in, and the account that is asked runs out of quota in the middle of the work.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from fakes.agents import AGENTS, Place, two_files
from fakes.claude_code import ClaudeCode
from fakes.gateway import CLIENT_KEY
from fakes.scripts import Act, Answer, Call, Conversation, Script, Thought, Words
from support.codex import ADA, BEN, CodexPlace, open_codex_place

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
ROUNDS = 3
QUESTION: Any = [{"role": "user", "content": "What do you see?"}]
ANY: dict[str, Any] = {"type": "object", "properties": {}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    made.mkdir()
    return made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    return made


@pytest.fixture
def codex(tmp_path: Path) -> Iterator[CodexPlace]:
    """Both accounts, of which the first has one answer left."""
    with open_codex_place(tmp_path, [ADA, BEN]) as place:
        place.backend.plan(ADA.account).left = 1
        yield place


def claude_files(folder: Path) -> Script:
    """A model that makes two files with Claude Code's tools, reads one of them, and tells what it read."""

    def call(name: str, number: int, **arguments: str) -> Call:
        return Call(f"call_{number:04}", name, json.dumps(arguments))

    def script(talk: Conversation) -> Act:
        match talk.rounds:
            case 0:
                one = call("Bash", 1, command="printf 'one é\\n' > one.txt", description="Write one")
                two = call("Write", 2, file_path=str(folder / "two.txt"), content='two "quoted" \\ 🙂\n')
                return Answer((Thought("Both at once."), Words("I make both."), one, two), "calls")
            case 1:
                return Answer((call("Read", 3, file_path=str(folder / "two.txt")),), "calls")
            case _:
                return Answer((Words(f"Read: {' '.join(talk.results.values())}"),))

    return script


def looking(talk: Conversation) -> Act:
    """Looks twice, one after the other, and tells what it saw."""
    if talk.rounds < 2:
        return Answer((Thought("I look."), Call(f"call_{talk.rounds}", "look", "{}")), "calls")
    return Answer((Words(f"Seen: {' '.join(talk.results.values())}"),))


def check_switch(codex: CodexPlace) -> None:
    """The backend took every turn, but for the one that the first account had nothing left for, and all were told."""
    answered = [seen for seen in codex.backend.requests if seen.path.endswith("/responses")]
    assert [seen.verdict for seen in answered] == [None] * len(answered)
    assert codex.backend.who == [ADA.account] * 2 + [BEN.account] * (len(answered) - 2)
    said = codex.gateway.said_soon("quota_spent")
    lines = [json.loads(line) for line in said.splitlines() if '"event":"exchange"' in line]
    assert {line["status"] for line in lines} == {200}, "a request failed"
    tries = next(line["attempts"] for line in lines if "attempts" in line)
    assert [(one["key"], one.get("error")) for one in tries] == [(ADA.email, "quota_spent"), (BEN.email, None)]
    _, why = codex.ask("/v0/explain/v1/chat/completions", {"model": "gpt-5.2", "messages": QUESTION})
    assert "its quota is spent" in json.dumps(why)


def test_claude_code_does_its_work_while_the_account_changes(
    codex: CodexPlace, clients: Path, folder: Path, home: Path
) -> None:
    codex.backend.play("gpt-5.2", claude_files(folder))
    claude = ClaudeCode(clients / "node_modules" / ".bin" / "claude", codex.gateway.root, CLIENT_KEY, home)
    told = claude.ask("Make two files.", "--dangerously-skip-permissions", model="claude-sonnet-4-5", folder=folder)
    assert (folder / "one.txt").read_text() == "one é\n"
    assert (folder / "two.txt").read_text() == 'two "quoted" \\ 🙂\n'
    assert told["is_error"] is False
    assert 'two "quoted" \\ 🙂' in told["result"]
    check_switch(codex)


@pytest.mark.parametrize("model", ["gpt-5.2", "gpt-5.3-codex"])
def test_codex_does_its_work_while_the_account_changes(
    codex: CodexPlace, clients: Path, folder: Path, home: Path, model: str
) -> None:
    agent = AGENTS["codex"]
    codex.backend.play(model, two_files(agent, folder))
    place = Place(codex.gateway.root, CLIENT_KEY, home, folder, model)
    told = agent.ask("Make two files.", place, binaries=clients / "node_modules" / ".bin")
    assert not told.failed, told.said
    assert (folder / "one.txt").read_text() == "one é\n", told.said
    assert 'two "quoted" \\ 🙂' in told.text, told.said
    check_switch(codex)
    seen = codex.backend.last(model)
    assert seen.headers["originator"].startswith("codex"), "Codex is not named as what it is"


def test_the_openai_sdk_goes_round_its_tool_loop_by_chat(codex: CodexPlace) -> None:
    codex.backend.play("gpt-5.2", looking)
    tools: Any = [{"type": "function", "function": {"name": "look", "description": "Look.", "parameters": ANY}}]
    turns: Any = list(QUESTION)
    with openai.OpenAI(base_url=f"{codex.gateway.root}/v1", api_key=CLIENT_KEY, max_retries=0) as client:
        for _ in range(ROUNDS):
            with client.chat.completions.stream(model="gpt-5.2", messages=turns, tools=tools) as stream:
                message = stream.get_final_completion().choices[0].message
            turns.append(message.model_dump(exclude_none=True, exclude={"parsed"}))
            for call in message.tool_calls or []:
                turns.append({"role": "tool", "tool_call_id": call.id, "content": "a garden"})
    assert message.content == "Seen: a garden"
    check_switch(codex)


def test_the_openai_sdk_goes_round_its_tool_loop_by_responses(codex: CodexPlace) -> None:
    codex.backend.play("gpt-5.2", looking)
    tools: Any = [{"type": "function", "name": "look", "description": "Look.", "parameters": ANY, "strict": False}]
    items: Any = list(QUESTION)
    with openai.OpenAI(base_url=f"{codex.gateway.root}/v1", api_key=CLIENT_KEY, max_retries=0) as client:
        for _ in range(ROUNDS):
            with client.responses.stream(model="gpt-5.2", input=items, tools=tools) as stream:
                answer = stream.get_final_response()
            items += [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in answer.output]
            for item in answer.output:
                if item.type == "function_call":
                    items.append({"type": "function_call_output", "call_id": item.call_id, "output": "a garden"})
    assert answer.output_text == "Seen: a garden"
    check_switch(codex)


def test_the_anthropic_sdk_goes_round_its_tool_loop(codex: CodexPlace) -> None:
    codex.backend.play("gpt-5.3-codex", looking)
    tools: Any = [{"name": "look", "description": "Look.", "input_schema": ANY}]
    turns: Any = list(QUESTION)
    with anthropic.Anthropic(base_url=codex.gateway.root, api_key=CLIENT_KEY, max_retries=0) as client:
        for _ in range(ROUNDS):
            with client.messages.stream(
                model="claude-opus-4-6", max_tokens=99, messages=turns, tools=tools, system="Be brief."
            ) as stream:
                answer = stream.get_final_message()
            turns.append({"role": "assistant", "content": answer.content})
            calls = [block for block in answer.content if block.type == "tool_use"]
            results = [{"type": "tool_result", "tool_use_id": call.id, "content": "a garden"} for call in calls]
            turns.append({"role": "user", "content": results or "Thanks."})
    assert answer.model == "claude-opus-4-6"
    assert [block.text for block in answer.content if block.type == "text"] == ["Seen: a garden"]
    check_switch(codex)


def test_the_first_account_is_back_when_its_limit_resets(tmp_path: Path) -> None:
    with open_codex_place(tmp_path, [ADA, BEN], pool="fill-first") as place:
        place.backend.play("gpt-5.2", lambda _: Answer((Words("Here."),)))
        plan = place.backend.plan(ADA.account)
        plan.left, plan.lasts = 1, 4.0
        statuses = [place.ask("/v1/chat/completions", {"model": "gpt-5.2", "messages": QUESTION})[0]]
        while time.time() < plan.spent_until + 1.0:
            statuses.append(place.ask("/v1/chat/completions", {"model": "gpt-5.2", "messages": QUESTION})[0])
            time.sleep(0.2)
        who = place.backend.who
    assert set(statuses) == {200}
    assert who[:3] == [ADA.account, ADA.account, BEN.account], "the second request finds out, and is answered"
    assert who[-1] == ADA.account
    assert who.count(ADA.account) < len(who) / 2, "it was asked while it had nothing left"

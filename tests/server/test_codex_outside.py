"""The Codex backend behind a gateway that runs, asked in every dialect under accounts that somebody signed in to."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.gateway import CLIENT_KEY
from fakes.scripts import Act, Answer, Call, Conversation, Thought, Words
from isthmus.core.errors import NO_ACCOUNT_WORDS
from isthmus.wire.sse import SseSplitter
from support.asking import ask
from support.codex import ADA, BEN, CodexPlace, open_codex_place

TEXT = "Hello from Codex."
TURN = [{"role": "user", "content": "Hi"}]
CHAT = {"model": "gpt-5.2", "messages": TURN}
MESSAGES = {"model": "claude-sonnet-4-5", "max_tokens": 99, "messages": TURN}
RESPONSES = {"model": "gpt-5.2", "input": "Hi"}
HEADERS = {"authorization": f"Bearer {CLIENT_KEY}", "content-type": "application/json"}
LOOK = {"name": "look", "description": "Look.", "input_schema": {"type": "object", "properties": {}}}


def hello(_: Conversation) -> Act:
    return Answer((Thought("A greeting."), Words(TEXT)))


def looking(talk: Conversation) -> Act:
    """Looks once, and tells what it saw."""
    if talk.rounds == 0:
        return Answer((Call("call_1", "look", "{}"),), "calls")
    return Answer((Words(f"Seen: {talk.results['call_1']}"),))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodexPlace]:
    with open_codex_place(tmp_path_factory.mktemp("codex"), [ADA]) as place:
        yield place


@pytest.fixture
def codex(shared: CodexPlace) -> CodexPlace:
    shared.backend.requests.clear()
    shared.backend.play("gpt-5.2", hello)
    return shared


def events(body: bytes) -> list[Any]:
    return [json.loads(frame.data) for frame in SseSplitter().feed(body) if frame.data != b"[DONE]"]


def test_chat_is_answered_whole_from_a_stream(codex: CodexPlace) -> None:
    status, told = codex.ask("/v1/chat/completions", CHAT)
    assert (status, told["choices"][0]["message"]["content"], told["model"]) == (200, TEXT, "gpt-5.2")
    (seen,) = codex.backend.asked("gpt-5.2")
    assert seen.headers["chatgpt-account-id"] == ADA.account
    assert seen.headers["originator"] == "isthmus"


def test_a_name_of_claude_is_answered_under_that_name(codex: CodexPlace) -> None:
    status, told = codex.ask("/v1/messages", {**MESSAGES, "system": "Be brief."})
    assert (status, told["model"], told["stop_reason"]) == (200, "claude-sonnet-4-5", "end_turn")
    assert told["content"][-1] == {"type": "text", "text": TEXT}
    assert codex.backend.last("gpt-5.2").json["instructions"] == "Be brief."


def test_a_whole_response_is_folded_from_a_stream_that_leaves_its_items_out(codex: CodexPlace) -> None:
    status, told = codex.ask("/v1/responses", RESPONSES)
    assert (status, told["status"]) == (200, "completed")
    assert [item["type"] for item in told["output"]] == ["reasoning", "message"]


def test_the_end_of_a_stream_has_the_items_that_the_backend_left_out(codex: CodexPlace) -> None:
    body = json.dumps({**RESPONSES, "stream": True}).encode()
    status, told, _ = ask(codex.gateway.root + "/v1/responses", "POST", body, HEADERS)
    last = events(told)[-1]
    assert (status, last["type"]) == (200, "response.completed")
    assert last["response"]["output"][-1]["content"][0]["text"] == TEXT


def test_a_response_is_continued_although_the_backend_keeps_none(codex: CodexPlace) -> None:
    _, first = codex.ask("/v1/responses", RESPONSES)
    again = {**RESPONSES, "input": "And now?", "previous_response_id": first["id"]}
    assert codex.ask("/v1/responses", again)[0] == 200
    items = codex.backend.last("gpt-5.2").json["input"]
    assert [item.get("type", "message") for item in items] == ["message", "reasoning", "message", "message"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_loop_of_anthropics_clients_goes_round(codex: CodexPlace, stream: bool) -> None:
    codex.backend.play("gpt-5.2", looking)
    asked = {**MESSAGES, "tools": [LOOK], "temperature": 1, "metadata": {"user_id": "u"}}
    _, told = codex.ask("/v1/messages", asked)
    call = told["content"][-1]
    assert (call["type"], call["name"]) == ("tool_use", "look")
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": "a garden"}
    turns = [*TURN, {"role": "assistant", "content": told["content"]}, {"role": "user", "content": [result]}]
    body = json.dumps({**asked, "messages": turns, "stream": stream}).encode()
    status, said, _ = ask(codex.gateway.root + "/v1/messages", "POST", body, HEADERS)
    assert (status, "garden" in said.decode()) == (200, True)
    assert [seen.verdict for seen in codex.backend.asked("gpt-5.2")] == [None, None]


def test_what_the_backend_cannot_be_told_is_told_to_who_wants_to_know(codex: CodexPlace) -> None:
    body = json.dumps({**CHAT, "max_tokens": 9, "user": "u", "temperature": 0.5}).encode()
    status, _, headers = ask(codex.gateway.root + "/v1/chat/completions", "POST", body, HEADERS)
    assert (status, codex.backend.last("gpt-5.2").verdict) == (200, None)
    assert "max_output_tokens;dropped" in headers["x-isthmus-losses"]
    assert "user" not in headers["x-isthmus-losses"]


def test_a_model_that_the_plan_has_not_is_unknown(codex: CodexPlace) -> None:
    status, told = codex.ask("/v1/chat/completions", {**CHAT, "model": "gpt-6"})
    assert (status, told["error"]["code"]) == (404, "model_not_found")
    assert "not supported when using Codex" in told["error"]["message"]


def test_an_account_whose_token_is_refused_is_renewed_and_asked_again(codex: CodexPlace) -> None:
    assert codex.ask("/v1/chat/completions", CHAT)[0] == 200
    for family in codex.issuer.families:
        family.accesses.clear()
    before, codex.backend.who[:] = codex.issuer.refreshes(), []
    assert codex.ask("/v1/chat/completions", CHAT)[0] == 200
    assert codex.issuer.refreshes() == before + 1
    assert codex.backend.who == [ADA.account]
    assert [seen.verdict for seen in codex.backend.requests[-2:]] == ["a bad token", None]


def test_an_account_that_was_revoked_is_told_and_no_longer_asked_under(tmp_path: Path) -> None:
    with open_codex_place(tmp_path, [ADA]) as place:
        place.backend.play("gpt-5.2", hello)
        place.issuer.revoke(ADA)
        told = [place.ask("/v1/chat/completions", CHAT) for _ in range(3)]
        asked = len(place.backend.requests)
        _, accounts = place.manage("GET", "/admin/accounts")
    assert [(status, said["error"]["message"]) for status, said in told] == [(401, NO_ACCOUNT_WORDS)] * 3
    assert asked == 1, "it was asked under again"
    assert [account["state"] for account in accounts["accounts"]] == ["revoked"]


def test_a_plan_without_codex_is_left_for_another(tmp_path: Path) -> None:
    with open_codex_place(tmp_path, [ADA, BEN]) as place:
        place.backend.play("gpt-5.2", hello)
        words = {"type": "usage_not_included", "message": "Codex is not in this plan"}
        place.backend.plan(ADA.account).refusal = (429, words)
        assert [place.ask("/v1/chat/completions", CHAT)[0] for _ in range(2)] == [200, 200]
        assert place.backend.who == [ADA.account, BEN.account, BEN.account]


@pytest.mark.parametrize(("path", "asked"), [("/v1/messages", MESSAGES), ("/v1/responses", RESPONSES)])
@pytest.mark.parametrize("stream", [False, True])
def test_a_limit_that_is_told_inside_a_stream_leads_to_the_next_account(
    tmp_path: Path, path: str, asked: dict[str, Any], stream: bool
) -> None:
    with open_codex_place(tmp_path, [ADA, BEN]) as place:
        place.backend.play("gpt-5.2", hello)
        place.backend.plan(ADA.account).failure = {
            "code": "usage_limit_reached",
            "message": "The usage limit has been reached",
            "resets_in_seconds": 3000,
        }
        body = json.dumps({**asked, "stream": stream}).encode()
        status, told, _ = ask(place.gateway.root + path, "POST", body, HEADERS)
        _, rests = place.manage("GET", "/admin/rests")
    assert (status, b"Hello" in told, b"usage limit" in told) == (200, True, False)
    assert place.backend.who == [ADA.account, BEN.account]
    assert [(one["key"], one["kind"]) for one in rests["rests"]] == [(ADA.email, "quota_spent")]


def test_how_much_is_used_is_read_from_answers_and_where_it_is_asked_for(codex: CodexPlace) -> None:
    codex.ask("/v1/chat/completions", CHAT)
    _, accounts = codex.manage("GET", "/admin/accounts")
    identity = accounts["accounts"][0]["id"]
    status, told = codex.manage("GET", f"/admin/accounts/{identity}/quota?fresh=true")
    assert (status, told["plan"]) == (200, ADA.plan)
    assert [(one["measure"], one["used"]) for one in told["windows"]] == [("5 hours", 0.12), ("7 days", 0.03)]


def test_without_an_account_clients_are_told_to_sign_in(tmp_path: Path) -> None:
    with open_codex_place(tmp_path, []) as place:
        status, told = place.ask("/v1/messages", MESSAGES)
        _, why = place.ask("/v0/explain/v1/messages", MESSAGES)
    assert why["request"]["refusal"] == {"kind": "no_account", "message": NO_ACCOUNT_WORDS}
    words = {"type": "authentication_error", "message": "No active account with valid credentials"}
    assert (status, told["type"]) == (401, "error")
    assert words.items() <= told["error"].items()


def test_an_account_that_runs_out_is_followed_by_another_and_nobody_fails(tmp_path: Path) -> None:
    with open_codex_place(tmp_path, [ADA, BEN]) as place:
        place.backend.play("gpt-5.2", hello)
        place.backend.plan(ADA.account).left = 2
        answers = [place.ask("/v1/chat/completions", CHAT) for _ in range(5)]
        assert [status for status, _ in answers] == [200] * 5
        assert place.backend.who == [ADA.account] * 3 + [BEN.account] * 3
        _, why = place.ask("/v0/explain/v1/chat/completions", CHAT)
        said = place.gateway.said_soon(ADA.email)
    assert "its quota is spent" in json.dumps(why)
    line = next(json.loads(line) for line in said.splitlines() if ADA.email in line)
    assert [(one["key"], one.get("error")) for one in line["attempts"]] == [
        (ADA.email, "quota_spent"),
        (BEN.email, None),
    ]


def test_when_all_have_run_out_the_caller_is_told_for_how_long(tmp_path: Path) -> None:
    with open_codex_place(tmp_path, [ADA, BEN]) as place:
        place.backend.play("gpt-5.2", hello)
        for person in (ADA, BEN):
            plan = place.backend.plan(person.account)
            plan.left, plan.spent_until = 0, time.time() + 9000
        body = json.dumps(MESSAGES).encode()
        statuses = [ask(place.gateway.root + "/v1/messages", "POST", body, HEADERS) for _ in range(2)]
    for status, told, headers in statuses:
        assert (status, json.loads(told)["error"]["type"]) == (429, "rate_limit_error")
        assert int(headers["retry-after"]) > 0

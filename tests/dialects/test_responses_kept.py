"""Answers that can be asked for again: what is kept, what a conversation goes on from, what is listed and refused."""

from typing import Any

import pytest
from openai.types.responses import Response
from openai.types.responses.response_item_list import ResponseItemList

from isthmus.core.errors import GatewayError, Kind
from isthmus.dialects.openai.responses import CODEC
from isthmus.dialects.openai.responses.kept import (
    Kept,
    expand,
    list_input,
    make_record,
    previous_of,
    unknown_previous,
    unknown_response,
    wants_keeping,
    write_cancelled,
    write_deleted,
)
from isthmus.dialects.openai.responses.tap import ResponsesTap
from isthmus.wire import json
from support.specimens import bare, specimens

SAID = {
    "type": "message",
    "id": "msg_9",
    "status": "completed",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "Hi Ida.", "annotations": [], "logprobs": []}],
}


def asked(**fields: Any) -> bytes:
    return json.encode({"model": "m", "input": "I am Ida.", **fields})


def answer(id_: str, *output: dict[str, Any], status: str = "completed") -> bytes:
    return json.encode(
        {"id": id_, "object": "response", "created_at": 7, "model": "m", "status": status, "output": list(output)}
        | {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    )


FIRST = make_record(asked(), answer("resp_1", SAID))
SECOND = make_record(asked(input="Who am I?", previous_response_id="resp_1"), answer("resp_2", SAID))


def listed(*chain: Kept, **page: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.decode(list_input(chain, **page))
    return found


def words(page: dict[str, Any]) -> list[str]:
    return [item["content"][0]["text"] for item in page["data"]]


@pytest.mark.parametrize(("body", "kept"), [({}, True), ({"store": True}, True), ({"store": False}, False)])
def test_an_answer_is_kept_unless_its_caller_says_no(body: dict[str, Any], kept: bool) -> None:
    assert wants_keeping(asked(**body)) is kept


def test_the_response_that_a_request_goes_on_from_is_named() -> None:
    assert previous_of(asked(previous_response_id="resp_1")) == "resp_1"
    assert previous_of(asked()) is None


def test_an_id_that_is_no_string_is_refused() -> None:
    with pytest.raises(GatewayError) as caught:
        previous_of(asked(previous_response_id=7))
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID, "previous_response_id")


def test_what_is_kept_is_what_the_caller_was_told() -> None:
    assert FIRST.body == answer("resp_1", SAID)
    assert (SECOND.id, SECOND.previous) == ("resp_2", "resp_1")
    Response.model_validate_json(FIRST.body)


def test_a_conversation_goes_on_from_all_that_was_said() -> None:
    body = expand(asked(input="Who am I?", previous_response_id="resp_1", instructions="Be brief."), [FIRST])
    request = CODEC.read_request(body)
    assert [bare(part).text for turn in request.messages for part in turn.parts] == [
        "Be brief.",
        "I am Ida.",
        "Hi Ida.",
        "Who am I?",
    ]
    assert "previous_response_id" not in json.decode(body)


def test_a_conversation_may_go_on_without_a_word() -> None:
    body = expand(b'{"model":"m","previous_response_id":"resp_1"}', [FIRST])
    assert [item["role"] for item in json.decode(body)["input"]] == ["user", "assistant"]


def test_a_chain_is_said_from_its_beginning() -> None:
    body = expand(asked(input="And now?", previous_response_id="resp_2"), [FIRST, SECOND])
    texts = [
        item["content"] if isinstance(item["content"], str) else item["content"][0]["text"] for item in items(body)
    ]
    assert texts == ["I am Ida.", "Hi Ida.", "Who am I?", "Hi Ida.", "And now?"]


def items(body: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.decode(body)["input"]
    return found


def test_the_results_of_tools_go_on_from_their_calls() -> None:
    call = {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "c",
        "name": "f",
        "arguments": "{}",
        "status": "completed",
    }
    first = make_record(asked(), answer("resp_1", call))
    result = {"type": "function_call_output", "call_id": "c", "output": "done"}
    body = expand(asked(input=[result], previous_response_id="resp_1"), [first])
    assert [item["type"] for item in items(body)] == ["message", "function_call", "function_call_output"]


def test_the_newest_item_is_listed_first() -> None:
    assert words(listed(FIRST, SECOND)) == ["Who am I?", "Hi Ida.", "I am Ida."]
    assert words(listed(FIRST, SECOND, descending=False)) == ["I am Ida.", "Hi Ida.", "Who am I?"]


def test_a_list_is_told_page_by_page() -> None:
    first = listed(FIRST, SECOND, limit=2)
    assert (words(first), first["has_more"]) == (["Who am I?", "Hi Ida."], True)
    rest = listed(FIRST, SECOND, limit=2, after=first["last_id"])
    assert (words(rest), rest["has_more"]) == (["I am Ida."], False)
    assert rest["first_id"] == rest["last_id"] == rest["data"][0]["id"]


def test_a_list_that_is_empty_has_no_ids() -> None:
    empty = make_record(b'{"model":"m","prompt":{"id":"p"}}', answer("resp_3"))
    assert listed(empty) == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


@pytest.mark.parametrize("limit", [0, 101])
def test_a_page_has_1_to_100_items(limit: int) -> None:
    with pytest.raises(GatewayError, match="between 1 and 100"):
        listed(FIRST, limit=limit)


def test_an_item_that_is_not_there_is_nothing_to_go_on_behind() -> None:
    with pytest.raises(GatewayError) as caught:
        listed(FIRST, after="msg_none")
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID, "after")


def test_items_keep_their_ids_from_one_listing_to_the_next() -> None:
    again = make_record(asked(), answer("resp_1", SAID))
    assert listed(FIRST) == listed(again)


@pytest.mark.parametrize("specimen", [one for one in specimens() if CODEC.dialect in one.dialects], ids=str)
def test_whatever_was_asked_is_listed_as_the_sdk_expects(specimen: Any) -> None:
    asked_for, told = (specimen.file(CODEC.dialect, what) for what in ("request", "reply"))
    page = list_input([make_record(asked_for, told)])
    ResponseItemList.model_validate_json(page)


def test_a_deletion_is_confirmed() -> None:
    assert json.decode(write_deleted("resp_1")) == {"id": "resp_1", "object": "response", "deleted": True}


def test_only_a_response_in_the_background_can_be_cancelled() -> None:
    with pytest.raises(GatewayError) as caught:
        write_cancelled(FIRST)
    assert caught.value.kind is Kind.INVALID


@pytest.mark.parametrize(("status", "after"), [("queued", "cancelled"), ("completed", "completed")])
def test_what_is_over_stays_as_it_is(status: str, after: str) -> None:
    kept = make_record(asked(background=True), answer("resp_1", status=status))
    assert json.decode(write_cancelled(kept))["status"] == after


def test_a_response_that_is_gone_is_not_found() -> None:
    assert unknown_response("resp_1").status == 404
    missing = unknown_previous("resp_1")
    assert (missing.status, missing.param, missing.code) == (
        400,
        "previous_response_id",
        "previous_response_not_found",
    )


def test_a_record_knows_what_it_takes_to_keep() -> None:
    assert FIRST.size > len(FIRST.body)


def test_a_tap_holds_the_whole_answer_when_the_stream_is_over() -> None:
    (specimen,) = (one for one in specimens() if one.name == "plain_text")
    tap = ResponsesTap()
    tap.feed(specimen.file(CODEC.dialect, "stream"))
    assert tap.answer is not None
    told = CODEC.read_reply(bytes(tap.answer))
    assert bare(told) == bare(CODEC.read_reply(specimen.file(CODEC.dialect, "reply")))

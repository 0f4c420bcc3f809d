"""Answers of the Responses dialect can be asked for again, continued and deleted, whoever gave them."""

from typing import Any

import pytest

from fakes.transport import Scripted
from isthmus.wire import json
from support.asgi import Visit, application
from support.line import Line, provider

HELLO = {"model": "m", "input": "Hello!", "instructions": "Be brief."}


def answer(text: str) -> Scripted:
    return Scripted(
        b'{"id":"msg_%b","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"%b"}],'
        b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":2}}'
        % (text.encode(), text.encode())
    )


def line(*texts: str) -> Line:
    return Line([provider("one", "anthropic")], {"one": [answer(text) for text in texts]})


async def visit(made: Line, path: str, body: object = None, *, method: str = "POST", query: bytes = b"") -> Visit:
    sent = b"" if body is None else json.encode(body)
    return await Visit(application(made), path, sent, method=method, query=query).done()


async def ask(made: Line, **fields: object) -> Any:
    done = await visit(made, "/v1/responses", {**HELLO, **fields})
    assert done.status == 200, done.body
    return json.decode(done.body)


def said(made: Line, number: int) -> list[tuple[str, object]]:
    """The conversation as the provider got it."""
    return [(turn["role"], turn["content"]) for turn in json.decode(made.transport.sent[number].body)["messages"]]


async def test_an_answer_is_told_again_as_it_was() -> None:
    made = line("one")
    told = await ask(made)
    again = await visit(made, f"/v1/responses/{told['id']}", method="GET")
    assert (again.status, json.decode(again.body)) == (200, told)


async def test_a_streamed_answer_is_kept_too() -> None:
    made = line("one")
    done = await visit(made, "/v1/responses", {**HELLO, "stream": True})
    last = json.decode(done.body.rstrip().rsplit(b"data: ", 1)[1])
    assert last["type"] == "response.completed"
    again = await visit(made, f"/v1/responses/{last['response']['id']}", method="GET")
    assert json.decode(again.body) == last["response"]


async def test_a_conversation_goes_on_from_an_id_alone() -> None:
    made = line("one", "two", "three")
    first = await ask(made)
    second = await ask(made, input="And then?", previous_response_id=first["id"])
    await ask(made, input="And then?", previous_response_id=second["id"])
    assert [role for role, _ in said(made, 2)] == ["user", "assistant", "user", "assistant", "user"]
    assert "one" in str(said(made, 2)[1])
    assert "two" in str(said(made, 2)[3])


async def test_what_is_not_to_be_stored_is_not() -> None:
    made = line("one")
    told = await ask(made, store=False)
    assert (await visit(made, f"/v1/responses/{told['id']}", method="GET")).status == 404


async def test_nobody_can_go_on_from_what_is_not_kept() -> None:
    done = await visit(line(), "/v1/responses", {**HELLO, "previous_response_id": "resp_gone"})
    assert done.status == 400
    assert json.decode(done.body)["error"]["code"] == "previous_response_not_found"


async def test_a_provider_of_the_same_dialect_may_know_what_is_not_kept_here() -> None:
    told = (
        b'{"id":"resp_2","object":"response","status":"completed","model":"m","output":['
        b'{"id":"msg_1","type":"message","role":"assistant","status":"completed","content":['
        b'{"type":"output_text","text":"Hello.","annotations":[]}]}]}'
    )
    made = Line([provider("one", "openai_responses")], {"one": [Scripted(told)]})
    done = await visit(made, "/v1/responses", {**HELLO, "previous_response_id": "resp_theirs"})
    assert (done.status, done.body) == (200, told)
    assert json.decode(made.transport.sent[0].body)["previous_response_id"] == "resp_theirs"


async def test_input_items_are_listed_the_newest_first() -> None:
    made = line("one", "two")
    first = await ask(made)
    second = await ask(made, input="And then?", previous_response_id=first["id"])
    path = f"/v1/responses/{second['id']}/input_items"
    listed = json.decode((await visit(made, path, method="GET", query=b"limit=2")).body)
    assert [item["role"] for item in listed["data"]] == ["user", "assistant"]
    assert listed["has_more"] is True
    rest = json.decode((await visit(made, path, method="GET", query=b"after=" + listed["last_id"].encode())).body)
    assert [item["role"] for item in rest["data"]] == ["user"]


async def test_a_deleted_answer_is_gone() -> None:
    made = line("one")
    told = await ask(made)
    path = f"/v1/responses/{told['id']}"
    done = await visit(made, path, method="DELETE")
    assert json.decode(done.body) == {"id": told["id"], "object": "response", "deleted": True}
    assert (await visit(made, path, method="GET")).status == 404


async def test_what_its_provider_keeps_is_deleted_there_as_well() -> None:
    told = (
        b'{"id":"resp_1","object":"response","status":"completed","model":"m","output":['
        b'{"id":"msg_1","type":"message","role":"assistant","status":"completed","content":['
        b'{"type":"output_text","text":"Hello.","annotations":[]}]}]}'
    )
    made = Line([provider("one", "openai_responses")], {"one": [Scripted(told), Scripted(b"{}")]})
    await ask(made)
    await visit(made, "/v1/responses/resp_1", method="DELETE")
    assert (made.transport.sent[1].method, made.transport.sent[1].target) == ("DELETE", "/v1/answer/resp_1")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/responses/resp_x/cancel"), ("GET", "/v1/responses/resp_x/input_items")]
)
async def test_nothing_is_done_to_what_is_not_kept(method: str, path: str) -> None:
    done = await visit(line(), path, method=method)
    assert done.status == 404
    assert "resp_x" in json.decode(done.body)["error"]["message"]


async def test_only_a_response_in_the_background_can_be_cancelled() -> None:
    made = line("one")
    told = await ask(made)
    done = await visit(made, f"/v1/responses/{told['id']}/cancel")
    assert done.status == 400

"""Calls and their results, and system text, as a Gemini client sends them and as a Gemini provider takes them."""

from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import (
    Message,
    Role,
)
from isthmus.core.content import (
    CacheMark,
    FileRef,
    Media,
    MediaKind,
    Refusal,
    Signature,
    Text,
    ToolCall,
    ToolResult,
)
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Extra, Foreign
from support.gemini import ASKED, CALL, PICTURE, USER, asking, contents, turns, write


def calling(*names: str) -> dict[str, Any]:
    return {"role": "model", "parts": [{"functionCall": {"name": name, "args": {}}} for name in names]}


def answering(*names: str) -> dict[str, Any]:
    parts = [{"functionResponse": {"name": name, "response": {"output": str(n)}}} for n, name in enumerate(names)]
    return {"role": "user", "parts": parts}


def ids_in(messages: tuple[Message, ...]) -> list[str]:
    return [part.id for turn in messages for part in turn.parts if isinstance(part, ToolCall)]


def test_calls_without_ids_get_some_and_results_find_them_by_name_and_order() -> None:
    told = turns(USER, calling("a", "b", "a"), answering("a", "a", "b"))
    first, second, third = ids_in(told)
    assert len({first, second, third}) == 3
    answered = [part.call_id for part in told[2].parts if isinstance(part, ToolResult)]
    assert answered == [first, third, second]


def test_the_same_conversation_has_the_same_ids_however_it_goes_on() -> None:
    begun = (USER, calling("a"), answering("a"))
    assert ids_in(turns(*begun)) == ids_in(turns(*begun, calling("a"), answering("a")))[:1]


def test_an_invented_id_is_not_told_to_the_provider() -> None:
    body = [USER, calling("a"), answering("a")]
    told, losses = contents(*turns(*body))
    assert told == body
    assert losses == []


def test_a_result_without_a_call_still_has_an_id() -> None:
    (result,) = turns(answering("a"))[0].parts
    assert isinstance(result, ToolResult)
    assert result.call_id


@pytest.mark.parametrize(
    ("response", "words", "failed"),
    [
        ({"output": "3 degrees"}, ("3 degrees",), None),
        ({"error": "no such city"}, ("no such city",), True),
        ({"result": "3 degrees"}, ("3 degrees",), None),
        ({"name": "clock", "content": "3 degrees"}, ("3 degrees",), None),
        ({"return_value": "3 degrees"}, ("3 degrees",), None),
        ({"output": ["one", "two"]}, ("one", "two"), None),
        ({"output": {"n": 1}}, ('{"output":{"n":1}}',), None),
        ({"temperature": 3}, ('{"temperature":3}',), None),
        ({"name": "other", "content": "x"}, ('{"name":"other","content":"x"}',), None),
        ({}, (), None),
    ],
)
def test_plain_words_of_a_result_are_read_as_words(
    response: object, words: tuple[str, ...], failed: bool | None
) -> None:
    call = {"functionCall": {"id": "call_1", "name": "clock", "args": {}}}
    answer = {"functionResponse": {"id": "call_1", "name": "clock", "response": response}}
    body = [USER, {"role": "model", "parts": [call]}, {"role": "user", "parts": [answer]}]
    told = turns(*body)
    (result,) = told[2].parts
    assert isinstance(result, ToolResult)
    assert (result.parts, result.failed) == (tuple(map(Text, words)), failed)
    assert contents(*told) == (body, [])


def test_words_that_would_be_read_as_something_else_are_wrapped() -> None:
    words = '{"output": "x"}'
    body, _ = contents(
        ASKED, Message(Role.ASSISTANT, (CALL,)), Message(Role.USER, (ToolResult("call_1", (Text(words),)),))
    )
    assert body[2]["parts"][0]["functionResponse"]["response"] == {"output": words}


def test_pictures_in_a_result_follow_as_the_users_where_the_model_takes_words_only() -> None:
    shown = ToolResult("call_1", (Text("A view:"), PICTURE))
    talk = (ASKED, Message(Role.ASSISTANT, (CALL,)), Message(Role.USER, (shown,)))
    picture = {"inlineData": {"mimeType": "image/png", "data": "iVBO"}}
    body, losses = contents(*talk)
    assert body[2]["parts"][0]["functionResponse"]["parts"] == [picture]
    assert losses == []
    body, losses = contents(*talk, profile=ModelProfile(media_in_results=False))
    assert body[2]["parts"][1] == picture
    assert losses == [("messages[2].parts[0].parts", "rewritten")]


def test_pictures_in_a_result_are_read() -> None:
    answer = {
        "name": "clock",
        "response": {},
        "parts": [
            {"inline_data": {"mime_type": "image/png", "data": "iVBO"}},
            {"fileData": {"fileUri": "gs://a/b.pdf"}},
            {"novel": 1},
        ],
        "scheduling": "SILENT",
    }
    (result,) = turns({"parts": [{"functionResponse": answer}]})[0].parts
    assert isinstance(result, ToolResult)
    pdf = Media(MediaKind.DOCUMENT, FileRef("gemini", "gs://a/b.pdf"))
    assert result.parts == (PICTURE, pdf, Foreign("gemini", Raw(b'{"novel":1}')))
    assert result.extra == Extra("gemini", {"functionResponse.scheduling": Raw(b'"SILENT"')})


def test_results_and_the_words_behind_them_are_one_turn() -> None:
    told = turns(USER, calling("a"), answering("a"), USER, USER)
    assert [len(turn.parts) for turn in told] == [1, 1, 3]


def answer(identity: str) -> ToolResult:
    return ToolResult(identity, (Text(identity),))


def test_results_are_moved_behind_their_calls() -> None:
    body, losses = contents(
        ASKED,
        Message(Role.ASSISTANT, (CALL,)),
        Message(Role.USER, (Text("Wait."),)),
        Message(Role.ASSISTANT, (Text("I wait."),)),
        Message(Role.USER, (answer("call_1"),)),
    )
    assert [[next(iter(part)) for part in turn["parts"]] for turn in body] == [
        ["text"],
        ["functionCall"],
        ["functionResponse", "text"],
        ["text"],
    ]
    assert losses == [("messages[4].parts[0]", "rewritten")]


def test_a_run_of_turns_that_call_is_answered_behind_its_last() -> None:
    """Google takes this as it is."""
    second = replace(CALL, id="call_2")
    body, losses = contents(
        ASKED,
        Message(Role.ASSISTANT, (CALL,)),
        Message(Role.ASSISTANT, (second,)),
        Message(Role.USER, (answer("call_1"), answer("call_2"))),
    )
    assert [turn["role"] for turn in body] == ["user", "model", "model", "user"]
    assert losses == []


def test_all_that_the_model_said_before_its_call_is_one_turn_with_it() -> None:
    """A call must follow a turn of the user's."""
    said = Message(Role.ASSISTANT, (Text("I look."),))
    body, _ = contents(ASKED, said, said, Message(Role.ASSISTANT, (CALL,)))
    assert [(turn["role"], [next(iter(part)) for part in turn["parts"]]) for turn in body] == [
        ("user", ["text"]),
        ("model", ["text", "text", "functionCall"]),
    ]


def test_a_result_has_the_name_of_the_call_that_it_stands_behind() -> None:
    """Some hosts give the same ids again in every turn."""
    answered = Message(Role.USER, (answer("call_1"),))
    again = Message(Role.ASSISTANT, (replace(CALL, name="date"),))
    body, losses = contents(ASKED, Message(Role.ASSISTANT, (CALL,)), answered, again, answered)
    assert [body[place]["parts"][0]["functionResponse"]["name"] for place in (2, 4)] == ["clock", "date"]
    assert losses == []


def test_a_call_that_nobody_answered_is_answered_with_an_error() -> None:
    body, losses = contents(ASKED, Message(Role.ASSISTANT, (CALL,)), ASKED)
    response = body[2]["parts"][0]["functionResponse"]
    assert (response["id"], list(response["response"])) == ("call_1", ["error"])
    assert body[2]["parts"][1] == {"text": "Hello?"}
    assert losses == [("messages[1].parts[0]", "emulated")]


def test_a_last_call_may_be_open() -> None:
    assert contents(ASKED, Message(Role.ASSISTANT, (CALL,)))[1] == []


def test_a_result_without_its_call_is_told_in_words() -> None:
    result = ToolResult("call_9", (Text("3 degrees"), PICTURE), failed=True)
    body, losses = contents(Message(Role.USER, (result,)))
    assert body[0]["parts"][0] == {"text": "(A tool failed: 3 degrees)"}
    assert losses == [("messages[0].parts[0]", "rewritten")]


def test_a_call_may_not_open_a_conversation() -> None:
    body, losses = contents(Message(Role.ASSISTANT, (CALL,)), Message(Role.USER, (answer("call_1"),)))
    assert [turn["role"] for turn in body] == ["user", "model", "user"]
    assert losses == [("messages[0]", "emulated")]


def test_arguments_that_are_no_object_are_wrapped() -> None:
    broken = replace(CALL, arguments='{"city": "Os')
    body, losses = contents(ASKED, Message(Role.ASSISTANT, (broken,)))
    assert body[1]["parts"][0]["functionCall"]["args"] == {"_raw": '{"city": "Os'}
    assert losses == [("messages[1].parts[0].arguments", "rewritten")]


def test_the_first_call_of_each_turn_is_signed_for_models_that_insist() -> None:
    signed = replace(CALL, signature=Signature("google", "c2ln"))
    calls = (CALL, replace(CALL, id="call_2"))
    talk = (ASKED, Message(Role.ASSISTANT, calls), Message(Role.USER, (answer("call_1"), answer("call_2"))))
    body, losses = contents(*talk, profile=ModelProfile(signed_calls=True))
    marks = [part.get("thoughtSignature") for part in body[1]["parts"]]
    assert marks == ["c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=", None]
    assert losses == [("messages[1].parts[0].signature", "emulated")]
    body, losses = contents(ASKED, Message(Role.ASSISTANT, (signed,)), profile=ModelProfile(signed_calls=True))
    assert body[1]["parts"][0]["thoughtSignature"] == "c2ln"
    assert losses == []


def test_another_vendors_proof_of_a_call_is_lost() -> None:
    signed = replace(CALL, signature=Signature("openai", "x"), cache=CacheMark())
    _, losses = contents(ASKED, Message(Role.ASSISTANT, (signed,)))
    assert losses == [("messages[1].parts[0].signature", "dropped"), ("cache_control", "dropped")]


def test_system_text_in_the_middle_is_told_by_the_next_turn_behind_its_results() -> None:
    body, losses = contents(
        ASKED,
        Message(Role.ASSISTANT, (CALL,)),
        Message(Role.SYSTEM, (Text("Be brief."),)),
        Message(Role.USER, (answer("call_1"), Text("So?"))),
    )
    assert [next(iter(part)) for part in body[2]["parts"]] == ["functionResponse", "text", "text"]
    assert body[2]["parts"][1]["text"] == "<system>\nBe brief.\n</system>"
    assert losses == [("messages[2]", "rewritten")]


def test_system_text_at_the_end_is_told_by_the_turn_before_or_by_one_of_its_own() -> None:
    last = Message(Role.SYSTEM, (Text("Be brief."),))
    told = {"text": "<system>\nBe brief.\n</system>"}
    assert contents(ASKED, last)[0] == [{"role": "user", "parts": [{"text": "Hello?"}, told]}]
    assert contents(ASKED, Message(Role.ASSISTANT, (Text("Hi."),)), last)[0][2] == {"role": "user", "parts": [told]}


def test_where_only_the_system_speaks_the_user_says_it() -> None:
    body, losses = write(asking(Message(Role.DEVELOPER, (Text("Say hello."),), name="x")))
    assert body["contents"] == [{"role": "user", "parts": [{"text": "<system>\nSay hello.\n</system>"}]}]
    assert "systemInstruction" not in body
    assert losses == [("messages[0].role", "rewritten"), ("messages[0].name", "dropped"), ("messages[0]", "rewritten")]


def test_a_conversation_of_nothing_is_refused() -> None:
    with pytest.raises(GatewayError) as caught:
        write(asking(Message(Role.USER, ())))
    assert caught.value.kind is Kind.INVALID


def test_system_text_holds_no_calls() -> None:
    body, losses = write(asking(Message(Role.SYSTEM, (Refusal("No."), CALL)), ASKED))
    assert body["systemInstruction"] == {"parts": [{"text": "No."}]}
    assert losses == [("messages[0].parts[1]", "dropped")]

"""What an Ollama client may ask, in every spelling, and what a server is asked for callers of other dialects."""

from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import (
    ChatRequest,
    Message,
    OutputFormat,
    OutputKind,
    ReasoningMode,
    ReasoningOptions,
    Role,
    Sampling,
    Tool,
    ToolChoice,
    ToolMode,
)
from isthmus.core.content import CacheMark, Inline, Media, MediaKind, Reasoning, Text, ToolCall, ToolResult, Url
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import UNKNOWN, ModelProfile, ReasoningStyle
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.ollama.chat import CODEC
from isthmus.dialects.ollama.generate import CODEC as GENERATE
from isthmus.wire import json

USER = {"role": "user", "content": "Hello?"}
HELLO = Message(Role.USER, (Text("Hello?"),))
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
LEVELS = ModelProfile(efforts=("low", "medium", "high"))


def read(**fields: Any) -> ChatRequest:
    return CODEC.read_request(json.encode({"model": "m", "messages": [USER], **fields}))


def prompted(**fields: Any) -> ChatRequest:
    return GENERATE.read_request(json.encode({"model": "m", "prompt": "Hello?", **fields}))


def write(request: ChatRequest, profile: ModelProfile = UNKNOWN) -> tuple[dict[str, Any], set[str]]:
    """The body, and the paths of what was lost."""
    losses = Losses()
    body = CODEC.write_request(request, profile, losses)
    return json.decode(body), {loss.path for loss in losses.found}


def asked(*messages: Message, **fields: Any) -> ChatRequest:
    return ChatRequest(model="m", messages=messages or (HELLO,), **fields)


@pytest.mark.parametrize("codec", [CODEC, GENERATE], ids=["chat", "generate"])
@pytest.mark.parametrize(("said", "streams"), [({}, True), ({"stream": True}, True), ({"stream": False}, False)])
def test_an_answer_streams_unless_the_caller_says_otherwise(codec: Any, said: Any, *, streams: bool) -> None:
    body = json.encode({"model": "m", "messages": [USER], "prompt": "Hello?", **said})
    assert codec.peek(body).stream is streams
    assert codec.read_request(body).stream is streams


def test_the_writer_always_says_whether_to_stream() -> None:
    assert write(asked())[0]["stream"] is False
    assert write(asked(stream=True))[0]["stream"] is True


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "model"),
        ({"model": "", "messages": []}, "model"),
        ({"model": 7}, "model"),
        ({"model": "m", "stream": "yes"}, "stream"),
    ],
)
def test_a_body_that_nobody_could_answer_is_refused_at_the_door(body: Any, param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        CODEC.peek(json.encode(body))
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID, param)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": "x"}, "messages"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "images": [7]}]}, "messages[0].images"),
        ({"options": {"top_k": "x"}}, "options.top_k"),
        ({"options": []}, None),
    ],
)
def test_what_cannot_be_read_is_named(fields: Any, param: str | None) -> None:
    if param is None:
        assert read(**fields).extra == Extra("ollama", {"options": Raw(b"[]")})
        return
    with pytest.raises(GatewayError) as caught:
        read(**fields)
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID, param)


def test_options_steer_and_the_rest_of_them_is_kept() -> None:
    request = read(options={"temperature": 0, "top_k": 40, "stop": "END", "num_predict": 9, "num_ctx": 8192})
    assert request.sampling == Sampling(temperature=0.0, top_k=40, stop=("END",))
    assert request.max_output == 9
    assert request.extra == Extra("ollama", {"options.num_ctx": Raw(b"8192")})
    assert write(request)[0]["options"] == {
        "temperature": 0,
        "top_k": 40,
        "stop": ["END"],
        "num_predict": 9,
        "num_ctx": 8192,
    }


@pytest.mark.parametrize("endless", [-1, -2, 0])
def test_a_limit_that_is_none_is_kept_for_ollama_alone(endless: int) -> None:
    request = read(options={"num_predict": endless})
    assert request.max_output is None
    assert write(request)[0]["options"] == {"num_predict": endless}


def test_fields_that_say_nothing_come_back_and_are_no_loss() -> None:
    said = {"options": {}, "format": "", "keep_alive": None}
    request, losses = read(**said), Losses()
    assert write(request)[0].items() >= {"options": {}, "format": ""}.items()
    losses.drop_extra(request.extra, "")
    assert losses.found == []


@pytest.mark.parametrize(
    ("format_", "output"),
    [
        ("json", OutputFormat(OutputKind.JSON)),
        ({"type": "object"}, OutputFormat(OutputKind.SCHEMA, schema=Raw(b'{"type":"object"}'))),
    ],
)
def test_the_form_of_an_answer(format_: Any, output: OutputFormat) -> None:
    request = read(format=format_)
    assert request.output == output
    assert write(request)[0]["format"] == format_


@pytest.mark.parametrize(
    ("think", "reasoning"),
    [
        (True, ReasoningOptions(ReasoningMode.ON)),
        (False, ReasoningOptions(ReasoningMode.OFF)),
        ("high", ReasoningOptions(effort="high")),
    ],
)
def test_thinking_is_on_off_or_of_a_level(think: Any, reasoning: ReasoningOptions) -> None:
    assert read(think=think).reasoning == reasoning
    assert write(asked(reasoning=reasoning), LEVELS) == ({**write(asked())[0], "think": think}, set())


@pytest.mark.parametrize(
    ("reasoning", "profile", "think", "lost"),
    [
        (ReasoningOptions(effort="high"), UNKNOWN, True, {"reasoning.effort"}),
        (ReasoningOptions(effort="none"), UNKNOWN, False, set()),
        (ReasoningOptions(effort="xhigh"), LEVELS, "high", {"reasoning.effort"}),
        (ReasoningOptions(effort="minimal"), LEVELS, "low", {"reasoning.effort"}),
        (ReasoningOptions(budget=1024), LEVELS, "low", {"reasoning.budget"}),
        (ReasoningOptions(budget=8192), LEVELS, "medium", {"reasoning.budget"}),
        (ReasoningOptions(budget=9000), UNKNOWN, True, {"reasoning.budget", "reasoning.effort"}),
        (ReasoningOptions(ReasoningMode.ADAPTIVE), LEVELS, None, {"reasoning.mode"}),
        (ReasoningOptions(ReasoningMode.ON, show="omitted"), LEVELS, True, {"reasoning.show"}),
        (ReasoningOptions(effort="high"), ModelProfile(reasoning=ReasoningStyle.NONE), None, {"reasoning"}),
        (ReasoningOptions(ReasoningMode.OFF), ModelProfile(reasoning=ReasoningStyle.NONE), None, set()),
    ],
)
def test_other_ways_to_ask_for_thinking_come_as_near_as_the_model_allows(
    reasoning: ReasoningOptions, profile: ModelProfile, think: Any, lost: set[str]
) -> None:
    """A level is refused by every model that has none: github.com/ollama/ollama, server/routes.go."""
    body, found = write(asked(reasoning=reasoning), profile)
    assert (body.get("think"), found) == (think, lost)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (PNG, "image/png"),
        ("/9j/4AAQSkZJRg", "image/jpeg"),
        ("R0lGODlhAQABAAAAACw=", "image/gif"),
        ("UklGRiIAAABXRUJQ", "image/webp"),
        ("AAAA", "image/png"),
    ],
)
def test_the_type_of_an_image_is_read_off_its_first_bytes(data: str, media_type: str) -> None:
    (message,) = read(messages=[{**USER, "images": [data]}]).messages
    assert message.parts == (Media(MediaKind.IMAGE, Inline(media_type, data)), Text("Hello?"))


def test_a_data_url_is_taken_and_written_as_the_server_wants_it() -> None:
    request = read(messages=[{**USER, "images": [f"data:image/jpeg;base64,{PNG}"]}])
    assert request.messages[0].parts[0] == Media(MediaKind.IMAGE, Inline("image/jpeg", PNG))
    assert write(request)[0]["messages"] == [{**USER, "images": [PNG]}]


@pytest.mark.parametrize(
    "media",
    [
        Media(MediaKind.IMAGE, Url("https://example.com/a.png")),
        Media(MediaKind.AUDIO, Inline("audio/wav", "A")),
        Media(MediaKind.DOCUMENT, Inline("application/pdf", "A")),
    ],
)
def test_what_is_no_image_in_hand_is_left_out_and_told(media: Media) -> None:
    body, lost = write(asked(Message(Role.USER, (media, Text("Hello?")))))
    assert (body["messages"], lost) == ([USER], {"messages[0].parts[0]"})


def test_a_plain_text_document_becomes_words() -> None:
    paper = Media(MediaKind.DOCUMENT, Inline("text/plain", "2 + 2", plain=True), name="sum.txt")
    body, lost = write(asked(Message(Role.USER, (paper, Text("Well?")))))
    assert body["messages"] == [{"role": "user", "content": "sum.txt\n2 + 2\nWell?"}]
    assert lost == {"messages[0].parts", "messages[0].parts[0]"}


def test_a_model_that_sees_nothing_is_shown_nothing() -> None:
    picture = Media(MediaKind.IMAGE, Inline("image/png", PNG))
    body, lost = write(asked(Message(Role.USER, (picture, Text("Hello?")))), ModelProfile(images=False))
    assert (body["messages"], lost) == ([USER], {"messages[0].parts[0]"})


def call(name: str, city: str, **more: Any) -> dict[str, Any]:
    return {**more, "function": {"name": name, "arguments": {"city": city}}}


def called(*calls: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": "", "tool_calls": list(calls)}


def answered(content: str, **more: Any) -> dict[str, Any]:
    return {"role": "tool", "content": content, **more}


def pairs(request: ChatRequest) -> list[tuple[str, str]]:
    """The arguments of each call with the words that answer it, by their ids."""
    parts = [part for message in request.messages for part in message.parts]
    calls = {part.id: part.arguments for part in parts if isinstance(part, ToolCall)}
    results = [part for part in parts if isinstance(part, ToolResult)]
    return [(calls[one.call_id], "".join(p.text for p in one.parts if isinstance(p, Text))) for one in results]


OSLO, ROME = '{"city":"Oslo"}', '{"city":"Rome"}'


@pytest.mark.parametrize(
    "results",
    [
        [answered("3", tool_name="weather"), answered("21", tool_name="weather")],
        [answered("3"), answered("21")],
    ],
    ids=["by name", "by place"],
)
def test_two_results_of_one_tool_answer_its_calls_in_order(results: list[Any]) -> None:
    request = read(messages=[USER, called(call("weather", "Oslo"), call("weather", "Rome")), *results])
    assert pairs(request) == [(OSLO, "3"), (ROME, "21")]


def test_results_find_their_calls_by_the_tools_name() -> None:
    calls = called(call("weather", "Oslo"), call("clock", "Rome"))
    results = [answered("noon", tool_name="clock"), answered("3", tool_name="weather")]
    assert pairs(read(messages=[USER, calls, *results])) == [(ROME, "noon"), (OSLO, "3")]


def test_results_find_their_calls_by_id_where_there_are_ids() -> None:
    calls = called(call("weather", "Oslo", id="a"), call("weather", "Rome", id="b"))
    results = [answered("21", tool_call_id="b"), answered("3", tool_call_id="a", tool_name="weather")]
    assert pairs(read(messages=[USER, calls, *results])) == [(ROME, "21"), (OSLO, "3")]


def test_calls_of_different_turns_have_different_ids_and_keep_them() -> None:
    turn = [called(call("weather", "Oslo")), answered("3", tool_name="weather")]
    shorter, longer = read(messages=[USER, *turn]), read(messages=[USER, *turn, *turn])
    ids = [part.id for turn in longer.messages for part in turn.parts if isinstance(part, ToolCall)]
    assert len(set(ids)) == 2
    assert longer.messages[1] == shorter.messages[1]


def test_ids_that_were_never_said_are_not_said_to_ollama() -> None:
    messages = [USER, called(call("weather", "Oslo")), answered("3", tool_name="weather"), USER]
    assert write(read(messages=messages)) == (write(asked(stream=True))[0] | {"messages": messages}, set())


def test_a_result_without_a_call_is_kept() -> None:
    messages = [answered("3", tool_name="weather"), answered("4")]
    request = read(messages=messages)
    first, second = request.messages[0].parts
    assert isinstance(first, ToolResult)
    assert isinstance(second, ToolResult)
    assert first.call_id != second.call_id
    assert write(request)[0]["messages"] == messages


def test_a_result_and_the_words_behind_it_are_one_turn() -> None:
    request = read(messages=[USER, called(call("weather", "Oslo", id="a")), answered("3", tool_call_id="a"), USER])
    result, said = request.messages[2].parts
    assert isinstance(result, ToolResult)
    assert said == Text("Hello?")


def test_arguments_in_a_text_are_taken_and_written_as_an_object() -> None:
    said = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": OSLO}}
    request = read(messages=[USER, called(said)])
    assert request.messages[1].parts == (ToolCall("a", "weather", OSLO),)
    assert write(request)[0]["messages"][1] == called(call("weather", "Oslo", id="a"))


@pytest.mark.parametrize(("text", "written"), [("", {}), (" ", {}), ("[1]", {"_raw": "[1]"}), ('{"a', {"_raw": '{"a'})])
def test_arguments_that_are_no_object_are_put_into_one(text: str, written: Any) -> None:
    body, lost = write(asked(HELLO, Message(Role.ASSISTANT, (ToolCall("a", "f", text),))))
    assert body["messages"][1]["tool_calls"][0]["function"]["arguments"] == written
    assert lost == ({"messages[1].parts[0].arguments"} if written else set())


def test_results_stand_behind_their_calls_and_in_their_order() -> None:
    calls = Message(Role.ASSISTANT, (ToolCall("a", "weather", OSLO), ToolCall("b", "clock", ROME)))
    results = Message(Role.USER, (Text("So?"), ToolResult("b", (Text("noon"),)), ToolResult("a", (Text("3"),))))
    body, lost = write(asked(HELLO, calls, Message(Role.SYSTEM, (Text("Be brief."),)), results))
    assert [one["role"] for one in body["messages"]] == ["user", "assistant", "tool", "tool", "system", "user"]
    assert [one.get("tool_name") for one in body["messages"]][2:4] == ["weather", "clock"]
    assert lost == {"messages[3].parts", "messages[3].parts[1]", "messages[3].parts[2]"}


def test_thinking_goes_back_in_clear() -> None:
    request = read(messages=[USER, {"role": "assistant", "content": "Hi.", "thinking": "A greeting."}, USER])
    assert request.messages[1].parts == (Reasoning("A greeting."), Text("Hi."))
    assert write(request)[0]["messages"][1]["thinking"] == "A greeting."


def test_a_message_of_an_unknown_role_is_kept_whole() -> None:
    message = {"role": "control", "content": "thinking", "novel": 1}
    request = read(messages=[message, USER])
    assert request.messages[0] == Message(Role.USER, (Foreign("ollama", json.raw(message)),))
    assert write(request)[0]["messages"] == [message, USER]


def test_unknown_fields_of_messages_tools_and_calls_come_back() -> None:
    messages = [{**USER, "novel": 1}, called({**call("weather", "Oslo", id="a"), "novel": 2})]
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "novel": 3}}]
    body, lost = write(read(messages=messages, tools=tools, truncate=False))
    assert (body["messages"], body["tools"], body["truncate"], lost) == (messages, tools, False, set())


def test_a_tool_of_an_unknown_type_is_kept_whole() -> None:
    tools = [{"type": "web_search", "limit": 3}]
    request = read(tools=tools)
    assert request.tools == (Foreign("ollama", json.raw(tools[0])),)
    assert write(request)[0]["tools"] == tools


@pytest.mark.parametrize(
    ("fields", "lost"),
    [
        ({"sampling": Sampling(n=2)}, {"sampling.n"}),
        ({"sampling": Sampling(n=1)}, set()),
        ({"end_user": "ida"}, {"end_user"}),
        ({"parallel_tools": False}, {"parallel_tools"}),
        ({"parallel_tools": True}, set()),
        ({"tool_choice": ToolChoice(ToolMode.AUTO)}, set()),
        ({"tool_choice": ToolChoice(ToolMode.REQUIRED)}, {"tool_choice"}),
        ({"tool_choice": ToolChoice(ToolMode.NAMED, "f")}, {"tool_choice"}),
        ({"tool_choice": ToolChoice(ToolMode.NONE)}, {"tool_choice"}),
        ({"extra": Extra("openai_chat", {"store": Raw(b"true")})}, {"store"}),
    ],
)
def test_what_ollama_has_no_word_for_is_told(fields: Any, lost: set[str]) -> None:
    assert write(asked(tools=(Tool("f"),), **fields))[1] == lost


def test_tools_that_may_not_be_called_are_not_offered() -> None:
    body, _ = write(asked(tools=(Tool("f"),), tool_choice=ToolChoice(ToolMode.NONE)))
    assert "tools" not in body


def test_cache_marks_are_told_once() -> None:
    marked = Message(Role.USER, (Text("Hello?", CacheMark()),))
    assert write(asked(marked, replace(marked)))[1] == {"cache_control"}


def test_a_prompt_is_a_turn_behind_the_systems_words() -> None:
    request = prompted(system="Be brief.", images=[PNG])
    picture = Media(MediaKind.IMAGE, Inline("image/png", PNG))
    assert request.messages == (
        Message(Role.SYSTEM, (Text("Be brief."),)),
        Message(Role.USER, (picture, Text("Hello?"))),
    )


def test_what_only_a_prompt_has_comes_back_and_is_told_to_chat() -> None:
    said = {"suffix": "}", "template": "{{ .Prompt }}", "context": [1, 2], "raw": True}
    request, losses = prompted(**said), Losses()
    assert json.decode(GENERATE.write_request(request, UNKNOWN, losses)).items() >= said.items()
    assert losses.found == []
    body, lost = write(request)
    assert not body.keys() & said.keys()
    assert lost == said.keys()


def test_a_prompt_that_is_not_raw_loses_nothing_by_it() -> None:
    request = prompted(raw=False)
    assert json.decode(GENERATE.write_request(request, UNKNOWN, Losses()))["raw"] is False
    assert write(request)[1] == set()


def test_a_longer_conversation_is_read_aloud_in_a_prompt() -> None:
    losses = Losses()
    turns = (Message(Role.SYSTEM, (Text("Be brief."),)), HELLO, Message(Role.ASSISTANT, (Text("Hi."),)), HELLO)
    body = json.decode(GENERATE.write_request(asked(*turns), UNKNOWN, losses))
    assert (body["system"], body["prompt"]) == (
        "Be brief.",
        "User: Hello?\n\nAssistant: Hi.\n\nUser: Hello?\n\nAssistant:",
    )
    assert [(loss.path, loss.deed) for loss in losses.found] == [("messages", "emulated")]

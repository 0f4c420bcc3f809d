"""OpenAI requests: what is read, and how it is spelled for hosts that differ."""

import json
from typing import Any

import pytest
from msgspec import Raw

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
from isthmus.core.content import (
    CacheMark,
    FileRef,
    Inline,
    Media,
    MediaKind,
    Part,
    Reasoning,
    Signature,
    Text,
    ToolCall,
    ToolResult,
    Url,
)
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Deed, Losses
from isthmus.core.profile import UNKNOWN, ModelProfile, ReasoningStyle, SchemaStyle
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.openai.chat import CODEC

USER = {"role": "user", "content": "hi"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}


def read(*messages: dict[str, Any], **fields: Any) -> ChatRequest:
    body = {"model": "m", "messages": messages or (USER,), **fields}
    return CODEC.read_request(json.dumps(body).encode())


def write(request: ChatRequest, profile: ModelProfile = UNKNOWN) -> tuple[dict[str, Any], list[tuple[str, Deed]]]:
    losses = Losses()
    body = json.loads(CODEC.write_request(request, profile, losses))
    return body, [(loss.path, loss.deed) for loss in losses.found]


def again(*messages: dict[str, Any], profile: ModelProfile = UNKNOWN, **fields: Any) -> dict[str, Any]:
    """What is written of what was read, where nothing may be lost."""
    body, losses = write(read(*messages, **fields), profile)
    assert not losses
    return body


def said(*parts: Part, role: Role = Role.USER) -> ChatRequest:
    return ChatRequest(model="m", messages=(Message(role, parts),))


def test_the_newer_limit_outranks_the_older() -> None:
    assert read(max_tokens=5, max_completion_tokens=7).max_output == 7
    assert read(max_tokens=5).max_output == 5


def test_the_limit_is_written_where_the_host_reads_it() -> None:
    body, _ = write(read(max_tokens=5), ModelProfile(max_output_field="max_completion_tokens"))
    assert body["max_completion_tokens"] == 5
    assert "max_tokens" not in body


def test_a_limit_beyond_the_models_is_lowered_and_told() -> None:
    body, losses = write(read(max_tokens=900), ModelProfile(max_output_limit=100))
    assert body["max_tokens"] == 100
    assert losses == [("max_output", Deed.REWRITTEN)]


def test_a_stop_word_alone_is_a_list_of_one() -> None:
    assert read(stop="END").sampling.stop == read(stop=["END"]).sampling.stop == ("END",)


def test_fields_that_nobody_knows_come_back_word_for_word() -> None:
    body = again(USER, logit_bias={}, metadata={"a": "b"}, store=False, prompt_cache_key="k", verbosity="low")
    assert {name: body[name] for name in ("logit_bias", "metadata", "store", "prompt_cache_key", "verbosity")} == {
        "logit_bias": {},
        "metadata": {"a": "b"},
        "store": False,
        "prompt_cache_key": "k",
        "verbosity": "low",
    }


def test_fields_of_another_dialect_are_told_and_not_written() -> None:
    request = ChatRequest(
        model="m", messages=read().messages, extra=Extra("anthropic", {"container": Raw(b'"c"'), "betas": Raw(b"[]")})
    )
    body, losses = write(request)
    assert "container" not in body
    assert losses == [("container", Deed.DROPPED)]


def test_the_end_user_is_known_by_either_name() -> None:
    assert read(user="u").end_user == read(safety_identifier="u").end_user == "u"
    assert again(USER, safety_identifier="u")["safety_identifier"] == "u"
    assert "user" not in again(USER, safety_identifier="u")
    both = again(USER, user="a", safety_identifier="b")
    assert (both["user"], both["safety_identifier"]) == ("a", "b")


def test_a_stream_asks_for_usage_and_keeps_its_other_options() -> None:
    body = again(USER, stream=True, stream_options={"include_obfuscation": False})
    assert body["stream_options"] == {"include_usage": True, "include_obfuscation": False}


def test_options_of_a_stream_are_not_sent_without_one() -> None:
    assert "stream_options" not in again(USER, stream_options={"include_obfuscation": False})


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([{"content": "hi"}], "messages[0].role"),
        ([{"role": "user", "content": 7}], "messages[0].content"),
        ([USER, {"role": "user", "content": [{"type": "text"}]}], "messages[1].content[0].text"),
        ([{"role": "user", "content": ["hi"]}], "messages[0].content[0]"),
        ([{"role": "tool", "content": "x"}], "messages[0].tool_call_id"),
        ([{"role": "assistant", "tool_calls": [{"function": {"name": 1}}]}], "messages[0].tool_calls[0].function.name"),
    ],
)
def test_a_wrong_message_is_named_by_its_path(messages: list[dict[str, Any]], param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        read(*messages)
    assert caught.value.kind is Kind.INVALID
    assert caught.value.param == param


def test_a_message_of_an_unknown_role_is_kept_where_it_stood() -> None:
    old = {"role": "function", "name": "f", "content": "42"}
    assert again(USER, old, USER)["messages"] == [USER, old, USER]


def test_results_and_the_users_words_behind_them_are_one_turn() -> None:
    request = read(
        {"role": "assistant", "tool_calls": [CALL, {**CALL, "id": "call_2"}]},
        {"role": "tool", "tool_call_id": "call_2", "content": "two"},
        {"role": "tool", "tool_call_id": "call_1", "content": "one"},
        USER,
    )
    assert request.messages[1] == Message(
        Role.USER,
        (ToolResult("call_2", (Text("two"),)), ToolResult("call_1", (Text("one"),)), Text("hi")),
    )


def test_a_named_users_words_stay_a_turn_of_their_own() -> None:
    request = read({"role": "tool", "tool_call_id": "c", "content": "x"}, {**USER, "name": "ann"})
    assert [len(turn.parts) for turn in request.messages] == [1, 1]


def test_results_stand_behind_their_calls_wherever_they_were() -> None:
    request = ChatRequest(
        model="m",
        messages=(
            Message(Role.ASSISTANT, (ToolCall("a", "f", "{}"), ToolCall("b", "f", "{}"))),
            Message(Role.SYSTEM, (Text("note"),)),
            Message(Role.USER, (ToolResult("b", (Text("2"),)), ToolResult("a", (Text("1"),)), Text("go on"))),
        ),
    )
    body, losses = write(request)
    assert [one.get("tool_call_id") or one["role"] for one in body["messages"]] == [
        "assistant",
        "b",
        "a",
        "system",
        "user",
    ]
    assert losses == [("messages[2].parts[0]", Deed.REWRITTEN), ("messages[2].parts[1]", Deed.REWRITTEN)]


def test_a_failed_result_says_so_in_words() -> None:
    body, losses = write(said(ToolResult("a", (Text("no such file"),), failed=True)))
    assert body["messages"][0]["content"] == "Error: no such file"
    assert losses == [("messages[0].parts[0].failed", Deed.REWRITTEN)]


def test_an_image_in_a_result_follows_as_the_users() -> None:
    image = Media(MediaKind.IMAGE, Url("https://example.com/a.png"))
    body, losses = write(said(ToolResult("a", (Text("see"), image)), Text("well?")))
    tool, user = body["messages"]
    assert tool["content"] == "see"
    assert [part["type"] for part in user["content"]] == ["image_url", "text"]
    assert losses == [("messages[0].parts[0].parts", Deed.REWRITTEN)]


def test_a_long_id_is_shortened_alike_in_call_and_result() -> None:
    long = "x" * 41
    request = ChatRequest(
        model="m",
        messages=(
            Message(Role.ASSISTANT, (ToolCall(long, "f", ""),)),
            Message(Role.USER, (ToolResult(long, (Text("ok"),)),)),
        ),
    )
    call, result = write(request)[0]["messages"]
    assert call["tool_calls"][0]["id"] == result["tool_call_id"]
    assert len(result["tool_call_id"]) == 29
    assert call["tool_calls"][0]["function"]["arguments"] == "{}"
    assert call["content"] is None


def test_blank_texts_are_dropped_unless_they_are_all() -> None:
    assert read({"role": "user", "content": ""}).messages[0].parts == (Text(""),)
    blank = {"type": "text", "text": ""}
    assert read({"role": "user", "content": [blank, {"type": "text", "text": "a"}]}).messages[0].parts == (Text("a"),)
    assert read({"role": "assistant", "content": "", "tool_calls": [CALL]}).messages[0].parts == (
        ToolCall("call_1", "f", '{"a": 1}'),
    )


def test_media_are_read_for_what_they_are() -> None:
    parts = read(
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD", "detail": "low"}},
                {"type": "image_url", "image_url": "https://example.com/a.png"},
                {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,QUJD", "filename": "a.pdf"}},
                {"type": "file", "file": {"file_id": "file-1"}},
                {"type": "brand_new", "thing": 1},
            ],
        }
    )
    assert parts.messages[0].parts == (
        Media(MediaKind.IMAGE, Inline("image/png", "QUJD"), detail="low"),
        Media(MediaKind.IMAGE, Url("https://example.com/a.png")),
        Media(MediaKind.AUDIO, Inline("audio/mpeg", "QUJD")),
        Media(MediaKind.DOCUMENT, Inline("application/pdf", "QUJD"), name="a.pdf"),
        Media(MediaKind.DOCUMENT, FileRef("openai_chat", "file-1")),
        Foreign("openai_chat", Raw(b'{"type": "brand_new", "thing": 1}')),
    )


@pytest.mark.parametrize(
    ("part", "profile"),
    [
        (Media(MediaKind.IMAGE, Url("https://example.com/a.png")), ModelProfile(images=False)),
        (Media(MediaKind.DOCUMENT, Inline("application/pdf", "QUJD")), ModelProfile(documents=False)),
        (Media(MediaKind.AUDIO, Inline("audio/wav", "QUJD")), ModelProfile(audio=False)),
        (Media(MediaKind.DOCUMENT, FileRef("anthropic", "file_1")), UNKNOWN),
    ],
)
def test_what_a_model_cannot_see_is_dropped_and_told(part: Media, profile: ModelProfile) -> None:
    body, losses = write(said(Text("look"), part), profile)
    assert body["messages"][0]["content"] == "look"
    assert losses == [("messages[0].parts[1]", Deed.DROPPED)]


def test_a_plain_text_document_goes_as_text() -> None:
    body, losses = write(said(Media(MediaKind.DOCUMENT, Inline("text/plain", "the words", plain=True), name="a.txt")))
    assert body["messages"][0]["content"] == "a.txt\nthe words"
    assert losses == [("messages[0].parts[0]", Deed.REWRITTEN)]


def test_a_host_without_lists_is_given_one_string() -> None:
    image = Media(MediaKind.IMAGE, Url("https://example.com/a.png"))
    body, losses = write(said(Text("a"), Text("b"), image), ModelProfile(content_lists=False))
    assert body["messages"][0]["content"] == "a\nb"
    assert losses == [("messages[0].parts", Deed.DROPPED)]


def test_system_words_are_said_in_the_role_the_host_knows() -> None:
    request = read({"role": "system", "content": "a"}, {"role": "developer", "content": "b"}, USER)
    body, losses = write(request)
    assert [one["role"] for one in body["messages"]] == ["system", "system", "user"]
    assert losses == [("messages[1].role", Deed.REWRITTEN)]
    body, losses = write(request, ModelProfile(system_role="developer"))
    assert [one["role"] for one in body["messages"]] == ["developer", "developer", "user"]
    assert not losses


def test_system_words_move_in_front_for_a_host_that_reads_them_only_there() -> None:
    request = read({"role": "system", "content": "a"}, USER, {"role": "system", "content": "b"}, USER)
    body, losses = write(request, ModelProfile(system_in_place=False))
    assert [one["role"] for one in body["messages"]] == ["system", "user", "user"]
    assert [part["text"] for part in body["messages"][0]["content"]] == ["a", "b"]
    assert losses == [("messages[2]", Deed.REWRITTEN)]


def test_cache_marks_come_back_to_those_who_set_them_here() -> None:
    marked = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    request = read({"role": "user", "content": [marked]})
    part = request.messages[0].parts[0]
    assert isinstance(part, Text)
    assert part.cache is not None
    assert part.cache.ttl == "1h"
    assert write(request)[0]["messages"][0]["content"] == [marked]


def test_anothers_cache_marks_are_told_once() -> None:
    body, losses = write(said(Text("a", cache=CacheMark()), Text("b", cache=CacheMark("1h"))))
    assert b"cache_control" not in json.dumps(body).encode()
    assert losses == [("cache_control", Deed.DROPPED)]


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def test_tools_come_back_with_all_their_oddities() -> None:
    odd = {"type": "function", "function": {**TOOL["function"], "examples": [1]}, "defer": True}
    assert again(USER, tools=[odd, {"type": "web_search"}])["tools"] == [odd, {"type": "web_search"}]


@pytest.mark.parametrize("tools", [[], None])
def test_without_tools_nothing_is_said_of_their_use(tools: list[Any] | None) -> None:
    body = again(USER, tools=tools, tool_choice={"type": "custom", "custom": {"name": "x"}}, parallel_tool_calls=True)
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & body.keys()


@pytest.mark.parametrize(
    ("choice", "read_as"),
    [
        ("auto", ToolChoice(ToolMode.AUTO)),
        ("required", ToolChoice(ToolMode.REQUIRED)),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice(ToolMode.NAMED, "f")),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"name": "f"}]}},
            ToolChoice(ToolMode.REQUIRED),
        ),
        ({"type": "custom", "custom": {"name": "x"}}, None),
    ],
)
def test_a_choice_of_tools_comes_back_as_it_was(choice: Any, read_as: ToolChoice | None) -> None:
    assert read(tools=[TOOL], tool_choice=choice).tool_choice == read_as
    assert again(USER, tools=[TOOL], tool_choice=choice)["tool_choice"] == choice


def test_a_tool_of_another_vendor_is_dropped_and_told() -> None:
    request = ChatRequest(
        model="m",
        messages=read().messages,
        tools=(Foreign("anthropic", Raw(b'{"type":"bash"}')), Tool("f")),
        parallel_tools=True,
    )
    body, losses = write(request, ModelProfile(parallel_tools=False))
    assert body["tools"] == [{"type": "function", "function": {"name": "f"}}]
    assert losses == [("tools[0]", Deed.DROPPED), ("parallel_tools", Deed.DROPPED)]


def test_sampling_is_spelled_as_the_model_takes_it() -> None:
    request = read(temperature=1.5, top_p=0.5, top_k=3, seed=1, reasoning_effort="high")
    body, losses = write(request, ModelProfile(max_temperature=1.0))
    assert (body["temperature"], body["top_p"], body["seed"]) == (1.0, 0.5, 1)
    assert losses == [("sampling.temperature", Deed.REWRITTEN), ("sampling.top_k", Deed.DROPPED)]
    body, losses = write(request, ModelProfile(sampling_while_reasoning=False))
    assert not {"temperature", "top_p"} & body.keys()
    assert [path for path, _ in losses] == ["sampling.temperature", "sampling.top_p", "sampling.top_k"]


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({"reasoning_effort": "high"}, ReasoningOptions(effort="high")),
        ({"enable_thinking": False}, ReasoningOptions(mode=ReasoningMode.OFF)),
        ({"enable_thinking": True}, ReasoningOptions(mode=ReasoningMode.ON)),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2000, "display": "summarized"}},
            ReasoningOptions(mode=ReasoningMode.ON, budget=2000, show="summarized"),
        ),
        ({"thinking": {"type": "adaptive"}}, ReasoningOptions(mode=ReasoningMode.ADAPTIVE)),
        ({"thinking": True}, None),
    ],
)
def test_thinking_is_asked_for_in_many_ways(fields: dict[str, Any], options: ReasoningOptions | None) -> None:
    assert read(**fields).reasoning == options


@pytest.mark.parametrize(
    ("options", "profile", "written", "deeds"),
    [
        (ReasoningOptions(effort="xhigh"), UNKNOWN, {"reasoning_effort": "xhigh"}, []),
        (
            ReasoningOptions(effort="xhigh"),
            ModelProfile(efforts=("low", "medium", "high")),
            {"reasoning_effort": "high"},
            [("reasoning.effort", Deed.REWRITTEN)],
        ),
        (
            ReasoningOptions(effort="minimal"),
            ModelProfile(efforts=("none", "low", "high")),
            {"reasoning_effort": "low"},
            [("reasoning.effort", Deed.REWRITTEN)],
        ),
        (ReasoningOptions(mode=ReasoningMode.OFF), UNKNOWN, {"reasoning_effort": "none"}, []),
        (
            ReasoningOptions(mode=ReasoningMode.ON, budget=31999),
            UNKNOWN,
            {"reasoning_effort": "high"},
            [("reasoning.budget", Deed.REWRITTEN)],
        ),
        (
            ReasoningOptions(effort="high"),
            ModelProfile(reasoning=ReasoningStyle.NONE),
            {},
            [("reasoning", Deed.DROPPED)],
        ),
        (
            ReasoningOptions(effort="medium"),
            ModelProfile(reasoning=ReasoningStyle.BUDGET),
            {"thinking": {"type": "enabled", "budget_tokens": 8192}},
            [("reasoning.effort", Deed.REWRITTEN)],
        ),
        (
            ReasoningOptions(mode=ReasoningMode.ADAPTIVE, effort="low"),
            ModelProfile(reasoning=ReasoningStyle.ADAPTIVE),
            {"thinking": {"type": "adaptive"}, "reasoning_effort": "low"},
            [],
        ),
    ],
)
def test_thinking_is_asked_for_as_the_host_understands_it(
    options: ReasoningOptions, profile: ModelProfile, written: dict[str, Any], deeds: list[tuple[str, Deed]]
) -> None:
    body, losses = write(ChatRequest(model="m", messages=read().messages, reasoning=options), profile)
    assert {name: body[name] for name in ("reasoning_effort", "thinking") if name in body} == written
    assert losses == deeds


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning": {"effort": "low"}},
        {"reasoning": {"enabled": True, "exclude": True}},
        {"thinking": {"type": "enabled", "clear_thinking": False}, "reasoning_effort": "max"},
    ],
)
def test_a_hosts_own_words_for_thinking_come_back(fields: dict[str, Any]) -> None:
    body = again(USER, **fields)
    assert {name: body[name] for name in fields} == fields


def test_thoughts_go_back_only_where_the_host_takes_them() -> None:
    turn = {"role": "assistant", "content": "a", "reasoning_content": "hm"}
    request = read(USER, turn, USER)
    assert request.messages[1].parts == (Reasoning("hm"), Text("a"))
    assert "reasoning_content" not in write(request)[0]["messages"][1]
    assert write(request)[1] == [("messages[1].reasoning", Deed.DROPPED)]
    assert again(USER, turn, profile=ModelProfile(reasoning_field="reasoning_content"))["messages"][1] == turn


def test_our_own_signed_thought_comes_home() -> None:
    thought = Reasoning("hm", Signature("anthropic", "sig"))
    sealed = Reasoning("", Signature("anthropic", "data"), redacted=True)
    request = said(thought, sealed, Text("a"), role=Role.ASSISTANT)
    body, losses = write(request, ModelProfile(reasoning_field="reasoning"))
    assert not losses
    turn = body["messages"][0]
    assert turn.pop("reasoning") == "hm"
    turn["reasoning_content"] = "hm"
    assert read(turn).messages[0].parts == request.messages[0].parts


SCHEMA = OutputFormat(OutputKind.SCHEMA, name="n", schema=Raw(b'{"type":"object"}'), strict=True)


def test_a_schema_is_asked_for_natively() -> None:
    asked = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True}}
    assert read(response_format=asked).output == OutputFormat(
        OutputKind.SCHEMA, name="n", schema=Raw(b'{"type": "object"}'), strict=True
    )
    assert again(USER, response_format=asked)["response_format"] == asked


@pytest.mark.parametrize(
    ("style", "format_"), [(SchemaStyle.JSON_MODE, {"type": "json_object"}), (SchemaStyle.NONE, None)]
)
def test_a_schema_is_asked_for_in_words_where_it_must_be(style: SchemaStyle, format_: Any) -> None:
    system = {"role": "system", "content": "Be kind."}
    request = ChatRequest(model="m", messages=read(system, USER).messages, output=SCHEMA)
    body, losses = write(request, ModelProfile(schema=style))
    assert body.get("response_format") == format_
    assert [one["role"] for one in body["messages"]] == ["system", "system", "user"]
    assert '{"type":"object"}' in body["messages"][1]["content"]
    assert losses == [("output.schema", Deed.EMULATED)]


def test_geminis_signature_travels_with_its_call() -> None:
    call = {**CALL, "extra_content": {"google": {"thought_signature": "s"}}}
    turn = {"role": "assistant", "content": None, "tool_calls": [call]}
    part = read(turn).messages[0].parts[0]
    assert isinstance(part, ToolCall)
    assert part.signature == Signature("google", "s")
    assert again(turn, profile=ModelProfile(maker="google"))["messages"][0] == turn


def test_geminis_signature_is_told_to_no_other_makers_model() -> None:
    """Gemini CLI signs the calls of its history whoever made them, and OpenAI refuses fields that it does not know."""
    call = {**CALL, "extra_content": {"google": {"thought_signature": "s"}}}
    body, losses = write(read({"role": "assistant", "content": None, "tool_calls": [call]}))
    assert body["messages"][0]["tool_calls"] == [CALL]
    assert losses == [("messages[0].parts[0].signature", Deed.DROPPED)]


def test_what_was_not_said_is_not_written() -> None:
    assert again(USER) == {"model": "m", "messages": [USER]}
    assert read().sampling == Sampling()

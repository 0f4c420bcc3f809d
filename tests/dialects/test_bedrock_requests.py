"""How a request becomes one that Converse takes: what is moved, made up or left out, and who is told."""

from base64 import b64encode
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import (
    ChatRequest,
    Message,
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
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile, ReasoningStyle
from isthmus.core.value import Foreign
from isthmus.dialects.bedrock.converse import CODEC
from isthmus.wire import json

CLAUDE = ModelProfile(maker="anthropic", max_temperature=1.0)
NOVA = ModelProfile(maker="amazon", max_temperature=1.0, efforts=("low", "medium", "high"))
OSS = ModelProfile(maker="openai", efforts=("low", "medium", "high"))
OTHER = ModelProfile(cache_marks=False, system_in_place=False)
HELLO = Message(Role.USER, (Text("Hello"),))
CALLED = Message(Role.ASSISTANT, (ToolCall("call_1", "clock", "{}"),))
ANSWERED = Message(Role.USER, (ToolResult("call_1", (Text("noon"),)),))
NOVAS_LOW = {"type": "enabled", "maxReasoningEffort": "low"}
PDF = Inline("application/pdf", "JVBERi0=")


def asked(*messages: Message, **fields: Any) -> ChatRequest:
    return ChatRequest(model="m", messages=messages or (HELLO,), **fields)


def written(request: ChatRequest, profile: ModelProfile = CLAUDE) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The body, and path and deed of each loss."""
    losses = Losses()
    body = json.decode(CODEC.write_request(request, profile, losses))
    return body, [(loss.path, loss.deed.value) for loss in losses.found]


def user(*parts: Part) -> Message:
    return Message(Role.USER, parts)


def read(body: Any) -> ChatRequest:
    return CODEC.read_request(json.encode(body))


def content(*blocks: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(blocks)}]}


POINT = {"cachePoint": {"type": "default"}}


def test_a_cache_point_marks_the_block_before_it() -> None:
    body = content({"text": "a"}, {"cachePoint": {"type": "default", "ttl": "1h"}}, {"text": "b"})
    assert read(body).messages[0].parts == (Text("a", CacheMark("1h")), Text("b"))
    assert written(read(body)) == (body, [])


def test_one_that_marks_nothing_is_kept_where_it_stands() -> None:
    body = content(POINT, {"text": "a"}, POINT, POINT)
    assert written(read(body)) == (body, [])


def test_tools_have_theirs() -> None:
    spec = {"toolSpec": {"name": "clock", "inputSchema": {"json": {"type": "object"}}}}
    body = {**content({"text": "a"}), "toolConfig": {"tools": [spec, POINT]}}
    tool = (read(body).tools or ())[0]
    assert isinstance(tool, Tool)
    assert tool.cache == CacheMark()
    assert written(read(body)) == (body, [])


def test_nova_takes_none_on_tools_and_some_models_none_at_all() -> None:
    request = asked(user(Text("a", CacheMark())), tools=(Tool("clock", cache=CacheMark()),))
    assert written(request, NOVA)[1] == [("tools[0].cache", "dropped")]
    body, lost = written(request, OTHER)
    assert b"cachePoint" not in json.encode(body)
    assert lost == [("messages[0].parts[0].cache", "dropped"), ("tools[0].cache", "dropped")]


def test_a_history_with_calls_names_its_tools_even_if_the_caller_does_not() -> None:
    body, lost = written(asked(HELLO, CALLED, ANSWERED))
    (spec,) = body["toolConfig"]["tools"]
    assert spec["toolSpec"] == {"name": "clock", "inputSchema": {"json": {"type": "object", "properties": {}}}}
    assert lost == [("tools", "emulated")]


def test_forbidden_tools_stay_where_the_history_needs_them() -> None:
    request = asked(HELLO, CALLED, ANSWERED, tools=(Tool("clock"),), tool_choice=ToolChoice(ToolMode.NONE))
    body, lost = written(request)
    assert body["toolConfig"].keys() == {"tools"}
    assert lost == [("tool_choice", "dropped")]


def test_claude_is_told_to_call_one_at_a_time_in_its_own_words() -> None:
    request = asked(tools=(Tool("clock"),), tool_choice=ToolChoice(ToolMode.REQUIRED), parallel_tools=False)
    body, lost = written(request)
    assert body["additionalModelRequestFields"] == {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}}
    assert body["toolConfig"]["toolChoice"] == {"any": {}}
    assert lost == []
    assert written(request, NOVA)[1] == [("parallel_tools", "dropped")]


def test_that_is_a_choice_so_it_is_told_beside_tools_alone() -> None:
    forbidden = asked(tools=(Tool("clock"),), tool_choice=ToolChoice(ToolMode.NONE), parallel_tools=False)
    assert written(forbidden) == (content({"text": "Hello"}), [("tool_choice", "emulated")])
    unknown = asked(tools=(Foreign("openai_chat", Raw(b"{}")),), parallel_tools=False)
    assert written(unknown) == (content({"text": "Hello"}), [("tools[0]", "dropped")])


def test_made_up_tools_hold_none_that_was_chosen() -> None:
    named = ToolChoice(ToolMode.NAMED, "search")
    unknown = (Foreign("openai_chat", Raw(b"{}")),)
    body, _ = written(asked(HELLO, CALLED, ANSWERED, tools=unknown, tool_choice=named, parallel_tools=False))
    assert body["toolConfig"].keys() == {"tools"}
    assert body["additionalModelRequestFields"] == {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}


def test_a_result_that_is_json_reads_as_its_text_and_stays_json() -> None:
    result = {"toolUseId": "call_1", "content": [{"json": {"degrees": 3}}], "status": "error"}
    body = content({"toolResult": result})
    (part,) = read(body).messages[0].parts
    assert isinstance(part, ToolResult)
    assert part.failed
    (text,) = part.parts
    assert isinstance(text, Text)
    assert text.text == '{"degrees":3}'
    assert written(read(body))[0]["messages"] == body["messages"]


def test_a_mark_inside_a_result_is_told() -> None:
    result = ToolResult("call_1", (Text("noon", CacheMark()),))
    assert written(asked(HELLO, CALLED, user(result), tools=(Tool("clock"),)))[1] == [
        ("messages[2].parts[0].parts[0].cache", "dropped")
    ]


def test_calls_of_the_providers_own_tools_are_kept_whole() -> None:
    call = {"toolUse": {"toolUseId": "t", "name": "nova_code_interpreter", "input": {}, "type": "server_tool_use"}}
    body = {"messages": [{"role": "assistant", "content": [call]}]}
    assert read(body).messages[0].parts == (Foreign("bedrock", Raw(json.encode(call))),)


@pytest.mark.parametrize(
    ("profile", "options", "fields", "effort"),
    [
        (CLAUDE, ReasoningOptions(budget=2048), {"thinking": {"type": "enabled", "budget_tokens": 2048}}, None),
        (CLAUDE, ReasoningOptions(ReasoningMode.OFF), {"thinking": {"type": "disabled"}}, None),
        (CLAUDE, ReasoningOptions(ReasoningMode.ADAPTIVE, "high"), {"thinking": {"type": "adaptive"}}, "high"),
        (NOVA, ReasoningOptions(effort="low"), {"reasoningConfig": NOVAS_LOW}, None),
        (NOVA, ReasoningOptions(ReasoningMode.OFF), {"reasoningConfig": {"type": "disabled"}}, None),
        (OSS, ReasoningOptions(effort="high"), {"reasoning_effort": "high"}, None),
    ],
)  # fmt: skip
def test_each_maker_is_told_in_its_own_words(
    profile: ModelProfile, options: ReasoningOptions, fields: dict[str, Any], effort: str | None
) -> None:
    body, lost = written(asked(reasoning=options), profile)
    assert body["additionalModelRequestFields"] == fields
    assert body.get("outputConfig", {}).get("effort") == effort
    assert lost == []
    again = read(body).reasoning
    assert again is not None
    assert (again.budget, again.effort) == (options.budget, options.effort)


@pytest.mark.parametrize(
    ("profile", "options", "path"),
    [
        (OTHER, ReasoningOptions(effort="high"), "reasoning"),
        (replace(CLAUDE, reasoning=ReasoningStyle.NONE), ReasoningOptions(budget=2048), "reasoning"),
        (replace(CLAUDE, reasoning=ReasoningStyle.BUDGET), ReasoningOptions(effort="high"), "reasoning.effort"),
        (replace(CLAUDE, reasoning=ReasoningStyle.ADAPTIVE), ReasoningOptions(budget=9000), "reasoning.budget"),
        (NOVA, ReasoningOptions(budget=2000), "reasoning.budget"),
        (NOVA, ReasoningOptions(effort="max"), "reasoning.effort"),
        (OSS, ReasoningOptions(effort="none"), "reasoning"),
    ],
)
def test_what_a_model_cannot_be_told_is_a_loss(profile: ModelProfile, options: ReasoningOptions, path: str) -> None:
    assert [lost[0] for lost in written(asked(reasoning=options), profile)[1]] == [path]


def test_a_limit_holds_the_thinking_too_and_none_is_made_up() -> None:
    thinking = ReasoningOptions(budget=2048)
    assert "inferenceConfig" not in written(asked(reasoning=thinking))[0]
    body, lost = written(asked(reasoning=thinking, max_output=512))
    assert body["inferenceConfig"] == {"maxTokens": 2560}
    assert lost == [("max_output", "rewritten")]


def test_beside_thinking_words_are_not_chosen_otherwise() -> None:
    sampling = Sampling(temperature=0.5, top_p=0.5, top_k=7)
    body, lost = written(asked(reasoning=ReasoningOptions(budget=2048), sampling=sampling))
    assert "inferenceConfig" not in body
    assert {path for path, _ in lost} == {"sampling.temperature", "sampling.top_p", "sampling.top_k"}


def test_a_forced_tool_is_worth_more_than_a_thought() -> None:
    request = asked(
        tools=(Tool("clock"),), tool_choice=ToolChoice(ToolMode.REQUIRED), reasoning=ReasoningOptions(budget=2048)
    )
    body, lost = written(request)
    assert "additionalModelRequestFields" not in body
    assert lost == [("reasoning", "dropped")]


def test_calls_that_lost_their_thought_are_answered_without_thinking() -> None:
    lost = written(asked(HELLO, CALLED, ANSWERED, tools=(Tool("clock"),), reasoning=ReasoningOptions(budget=2048)))[1]
    assert lost == [("reasoning", "dropped")]


def test_thoughts_of_other_vendors_and_unsigned_ones_are_not_sent() -> None:
    thoughts = (
        Reasoning("a"),
        Reasoning("b", Signature("google", "x")),
        Reasoning("c", Signature("anthropic", "E")),
    )
    body, lost = written(asked(HELLO, Message(Role.ASSISTANT, (*thoughts, Text("Hi"))), HELLO))
    told = {"reasoningContent": {"reasoningText": {"text": "c", "signature": "E"}}}
    assert body["messages"][1]["content"] == [told, {"text": "Hi"}]
    assert [path for path, _ in lost] == ["messages[1].parts[0]", "messages[1].parts[1]"]


@pytest.mark.parametrize(
    ("maker", "fields"),
    [
        ("anthropic", {"top_k": 7}),
        ("amazon", {"inferenceConfig": {"topK": 7}}),
        ("cohere", {"k": 7}),
        ("mistral", {"top_k": 7}),
    ],
)
def test_top_k_stands_where_the_maker_takes_it(maker: str, fields: dict[str, Any]) -> None:
    body, lost = written(asked(sampling=Sampling(top_k=7)), ModelProfile(maker=maker))
    assert body["additionalModelRequestFields"] == fields
    assert lost == []


def test_a_maker_without_a_word_for_it_is_not_told() -> None:
    assert written(asked(sampling=Sampling(top_k=7)), OTHER)[1] == [("sampling.top_k", "dropped")]


def test_a_temperature_beyond_the_models_is_its_highest() -> None:
    body, lost = written(asked(sampling=Sampling(temperature=1.5)))
    assert body["inferenceConfig"] == {"temperature": 1.0}
    assert lost == [("sampling.temperature", "rewritten")]


def test_claude_is_asked_which_stop_sequence_it_met() -> None:
    request = asked(sampling=Sampling(stop=("END",)))
    assert written(request)[0]["additionalModelResponseFieldPaths"] == ["/stop_sequence"]
    assert "additionalModelResponseFieldPaths" not in written(request, NOVA)[0]


@pytest.mark.parametrize(
    ("name", "given", "deed"),
    [
        ("Invoice (3) [copy]-1", "Invoice (3) [copy]-1", None),
        ("invoice_3.pdf", "invoice 3 pdf", "rewritten"),
        ("Straße.pdf", "Stra e pdf", "rewritten"),
        ("…", "document", "rewritten"),
        (None, "document", None),
    ],
)
def test_documents_have_names_that_the_provider_takes(name: str | None, given: str, deed: str | None) -> None:
    body, lost = written(asked(user(Media(MediaKind.DOCUMENT, PDF, name), Text("What is it?"))))
    assert body["messages"][0]["content"][0]["document"]["name"] == given
    assert lost == ([("messages[0].parts[0].name", deed)] if deed else [])


def test_no_two_documents_have_the_same_name() -> None:
    papers = [Media(MediaKind.DOCUMENT, PDF, name) for name in ("a", "a", None, None)]
    body, lost = written(asked(user(*papers, Text("What are they?"))))
    names = [block["document"]["name"] for block in body["messages"][0]["content"][:4]]
    assert names == ["a", "a (2)", "document", "document (2)"]
    assert lost == [("messages[0].parts[1].name", "rewritten")]


def test_a_document_comes_with_words() -> None:
    body, lost = written(asked(user(Media(MediaKind.DOCUMENT, PDF, "a"))))
    assert body["messages"][0]["content"][1] == {"text": "See what is attached."}
    assert lost == [("messages[0]", "emulated")]


def test_what_lies_in_s3_is_a_file_of_bedrocks() -> None:
    block = {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://films/a.mp4", "bucketOwner": "7"}}}}
    (part,) = read(content(block)).messages[0].parts
    assert isinstance(part, Media)
    assert (part.kind, part.source) == (MediaKind.VIDEO, FileRef("bedrock", "s3://films/a.mp4"))
    assert written(read(content(block))) == (content(block), [])


def test_an_address_in_s3_is_taken_and_any_other_is_not() -> None:
    film = Media(MediaKind.VIDEO, Url("s3://films/a.mov"))
    body, lost = written(asked(user(film, Media(MediaKind.VIDEO, Url("https://example.com/a.mov")))))
    assert body["messages"][0]["content"] == [
        {"video": {"format": "mov", "source": {"s3Location": {"uri": "s3://films/a.mov"}}}}
    ]
    assert lost == [("messages[0].parts[1]", "dropped")]


def test_text_of_any_kind_is_a_document() -> None:
    paper = Media(MediaKind.DOCUMENT, Inline("application/json", '{"a":1}', plain=True), "a")
    body, lost = written(asked(user(paper, Text("What is it?"))))
    document = body["messages"][0]["content"][0]["document"]
    assert (document["format"], document["source"]) == ("txt", {"bytes": b64encode(b'{"a":1}').decode()})
    assert lost == [("messages[0].parts[0]", "rewritten")]


@pytest.mark.parametrize(
    "media",
    [
        Media(MediaKind.IMAGE, Inline("image/tiff", "AAAA")),
        Media(MediaKind.DOCUMENT, Inline("application/zip", "AAAA")),
        Media(MediaKind.IMAGE, FileRef("anthropic", "file_1")),
    ],
)
def test_what_the_provider_does_not_take_is_a_loss(media: Media) -> None:
    assert written(asked(user(media, Text("?"))))[1] == [("messages[0].parts[0]", "dropped")]


def test_a_format_that_is_no_format_of_ours_is_written_back() -> None:
    block = {"video": {"format": "video/mp4", "source": {"bytes": "AAAA"}}}
    assert written(read(content(block))) == (content(block), [])


def test_turns_of_one_role_are_one() -> None:
    body, lost = written(asked(HELLO, HELLO))
    assert body["messages"] == [{"role": "user", "content": [{"text": "Hello"}, {"text": "Hello"}]}]
    assert lost == []


def test_the_user_speaks_first_unless_the_model_is_claude() -> None:
    greeting = Message(Role.ASSISTANT, (Text("Welcome."),))
    assert written(asked(greeting, HELLO))[0]["messages"][0]["role"] == "assistant"
    body, lost = written(asked(greeting, HELLO), NOVA)
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert lost == [("messages[0]", "emulated")]


def test_system_text_between_turns_is_said_by_the_user_behind_the_results() -> None:
    aside = Message(Role.SYSTEM, (Text("Be brief."),))
    request = asked(HELLO, CALLED, aside, ANSWERED, tools=(Tool("clock"),))
    body, lost = written(request, OTHER)
    blocks = body["messages"][2]["content"]
    assert [next(iter(block)) for block in blocks] == ["toolResult", "text"]
    assert blocks[1]["text"] == "<system>\nBe brief.\n</system>"
    assert lost == [("messages[2]", "rewritten")]


def test_system_text_alone_is_said_by_the_user() -> None:
    body, lost = written(asked(Message(Role.SYSTEM, (Text("Speak."),))))
    assert body == {"messages": [{"role": "user", "content": [{"text": "Speak."}]}]}
    assert lost == [("messages[0]", "rewritten")]


def test_nothing_to_say_is_refused() -> None:
    with pytest.raises(GatewayError) as raised:
        written(asked(user(Text(""))))
    assert raised.value.kind is Kind.INVALID


def test_a_model_that_does_not_continue_is_asked_to_in_words() -> None:
    begun = Message(Role.ASSISTANT, (Text("It is "),))
    body, lost = written(asked(HELLO, begun), replace(CLAUDE, prefill=False))
    assert body["messages"][1]["content"] == [{"text": "It is"}]
    assert body["messages"][2]["role"] == "user"
    assert lost == [("messages[1]", "rewritten"), ("messages[1]", "emulated")]


def test_what_only_bedrock_knows_comes_back_word_for_word() -> None:
    body = {
        **content({"guardContent": {"text": {"text": "a"}}}, {"text": "b"}, {"searchResult": {"source": "c"}}),
        "guardrailConfig": {"guardrailIdentifier": "g"},
        "requestMetadata": {"user_id": "ida", "team": "blue"},
        "inferenceConfig": {"maxTokens": 7, "novel": 1},
        "outputConfig": {"effort": "low", "novel": 2},
        "additionalModelRequestFields": {"top_k": 7, "novel": 3},
        "toolConfig": {"toolChoice": {"novel": {}}},
    }
    request = read(body)
    assert request.end_user == "ida"
    assert written(request) == (body, [])


def test_a_name_that_no_log_takes_becomes_a_digest() -> None:
    body, lost = written(asked(end_user="Ida ☃"))
    assert body["requestMetadata"]["user_id"].startswith("user_")
    assert lost == [("end_user", "rewritten")]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "messages"),
        ({"messages": [{"content": []}]}, "messages[0].role"),
        ({"messages": [{"role": "tool", "content": []}]}, "messages[0].role"),
        (content({"toolUse": {"name": "clock"}}), "messages[0].content[0].toolUse.toolUseId"),
        (content({"text": 7}), "messages[0].content[0].text"),
    ],
)
def test_the_field_at_fault_is_named(body: Any, param: str) -> None:
    with pytest.raises(GatewayError) as raised:
        read(body)
    assert (raised.value.kind, raised.value.param) == (Kind.INVALID, param)


def test_a_cache_mark_behind_an_answer_to_be_continued_changes_nothing() -> None:
    begun = Message(Role.ASSISTANT, (Text("It is ", CacheMark()),))
    body, lost = written(asked(HELLO, begun))
    assert body["messages"][1]["content"] == [{"text": "It is"}, POINT]
    assert lost == [("messages[1]", "rewritten")]

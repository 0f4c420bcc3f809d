"""What is special to reading and writing an Anthropic request."""

import json
from typing import Any, get_args

import pytest

from fakes.anthropic_judge import judge
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
from isthmus.core.profile import ModelProfile, ReasoningStyle, SchemaStyle
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.anthropic.messages import CODEC
from isthmus.dialects.anthropic.messages.pen import WRITERS
from isthmus.wire.json import raw

ABLE = ModelProfile()
FOLDING = ModelProfile(system_in_place=False)
BUDGET = ModelProfile(reasoning=ReasoningStyle.BUDGET, max_temperature=1.0, system_in_place=False)
ADAPTIVE = ModelProfile(reasoning=ReasoningStyle.ADAPTIVE, efforts=("low", "medium", "high", "max"))
HELLO = Message(Role.USER, (Text("Hello"),))
CALL = ToolCall("call_1", "look", '{"at": "sky"}')
RESULT = ToolResult("call_1", (Text("blue"),))


def read(**fields: Any) -> ChatRequest:
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}], **fields}
    return CODEC.read_request(json.dumps(body).encode())


def said(*parts: Any, role: str = "user") -> ChatRequest:
    return read(messages=[{"role": role, "content": list(parts)}])


def write(*messages: Message, profile: ModelProfile = ABLE, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    """The body, and the paths of what was lost."""
    request = ChatRequest(model="m", messages=messages or (HELLO,), **{"max_output": 900, **fields})
    losses = Losses()
    body = CODEC.write_request(request, profile, losses)
    assert body == CODEC.write_request(request, profile, Losses()), "the same request gave other bytes"
    return json.loads(body), [loss.path for loss in losses.found]


def user(*parts: Any) -> Message:
    return Message(Role.USER, parts)


def assistant(*parts: Any) -> Message:
    return Message(Role.ASSISTANT, parts)


def system(text: str) -> Message:
    return Message(Role.SYSTEM, (Text(text),))


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"", None),
        (b"[]", None),
        (b'{"messages": [{}]}', "model"),
        (b'{"model": 3, "messages": [{}]}', "model"),
        (b'{"model": "", "messages": [{}]}', "model"),
        (b'{"model": "m"}', "messages"),
        (b'{"model": "m", "messages": {}}', "messages"),
        (b'{"model": "m", "messages": []}', "messages"),
        (b'{"model": "m", "messages": [{}], "stream": "yes"}', "stream"),
    ],
)
def test_a_body_nobody_could_answer_is_refused_at_a_glance(body: bytes, param: str | None) -> None:
    with pytest.raises(GatewayError) as caught:
        CODEC.peek(body)
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID, param)


def test_a_glance_takes_a_stream_flag_of_null() -> None:
    assert not CODEC.peek(b'{"model": "m", "messages": [{}], "stream": null}').stream


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"tools": [{"input_schema": {}}]}, "tools[0].name"),
        ({"tool_choice": {"type": "perhaps"}}, "tool_choice.type"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"thinking": {"type": "enabled", "budget_tokens": "much"}}, "thinking.budget_tokens"),
    ],
)
def test_a_refused_request_names_its_field(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        read(**fields)
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID, param)


def test_a_conversation_kept_by_the_provider_is_refused_so_that_sdks_send_it_whole() -> None:
    with pytest.raises(GatewayError) as caught:
        read(thread={"type": "continue", "previous_message_id": "msg_1"})
    assert caught.value.kind is Kind.UNSUPPORTED
    told = json.loads(CODEC.write_error(caught.value))
    assert told["error"]["details"] == {"error_code": "thread_unsupported_request"}


def test_system_text_is_a_message_in_front() -> None:
    assert read(system="Be kind.").messages == (system("Be kind."), HELLO)


def test_cache_marks_are_read_wherever_they_stand() -> None:
    mark = {"type": "ephemeral", "ttl": "1h"}
    result = {"type": "tool_result", "tool_use_id": "a", "content": "x", "cache_control": mark}
    request = read(
        messages=[{"role": "user", "content": [result, {"type": "text", "text": "y", "cache_control": mark}]}],
        tools=[{"name": "t", "input_schema": {}, "cache_control": mark}],
    )
    assert request.tools is not None
    marks = [part.cache for part in (*request.messages[0].parts, *request.tools)]  # type: ignore[union-attr]
    assert [found and found.ttl for found in marks] == ["1h", "1h", "1h"]


def test_arguments_keep_their_spelling() -> None:
    block = b'{"type":"tool_use","id":"a","name":"n","input":{"x": 1.50}}'
    body = b'{"model":"m","messages":[{"role":"assistant","content":[%b]}]}' % block
    (call,) = CODEC.read_request(body).messages[0].parts
    assert isinstance(call, ToolCall)
    assert call.arguments == '{"x": 1.50}'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"type": "base64", "media_type": "application/pdf", "data": "AA=="}, Inline("application/pdf", "AA==")),
        ({"type": "url", "url": "https://example.com/a.pdf"}, Url("https://example.com/a.pdf")),
        ({"type": "file", "file_id": "file_1"}, FileRef("anthropic", "file_1")),
        ({"type": "text", "media_type": "text/plain", "data": "words"}, Inline("text/plain", "words", plain=True)),
    ],
)
def test_a_document_is_read_from_every_source(source: dict[str, Any], expected: object) -> None:
    (part,) = said({"type": "document", "source": source, "title": "Paper"}).messages[0].parts
    assert part == Media(MediaKind.DOCUMENT, expected, "Paper")  # type: ignore[arg-type]


def test_a_document_of_blocks_gives_its_words_and_keeps_its_blocks() -> None:
    source = {"type": "content", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]}
    request = said({"type": "document", "source": source})
    (part,) = request.messages[0].parts
    assert isinstance(part, Media)
    assert part.source == Inline("text/plain", "one\ntwo", plain=True)
    body, lost = write(*request.messages)
    assert body["messages"][0]["content"][0]["source"] == source
    assert not lost


def test_a_tool_of_the_provider_is_kept_whole() -> None:
    tool = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
    request = read(tools=[tool])
    assert request.tools is not None
    assert isinstance(request.tools[0], Foreign)
    body, lost = write(HELLO, tools=request.tools)
    assert body["tools"] == [tool]
    assert not lost


@pytest.mark.parametrize("spelling", ["budget_tokens", "budgetTokens"])
def test_a_budget_is_read_in_both_spellings(spelling: str) -> None:
    reasoning = read(thinking={"type": "enabled", spelling: 2048}).reasoning
    assert reasoning == ReasoningOptions(ReasoningMode.ON, budget=2048)


def test_the_older_output_format_is_read_as_the_newer() -> None:
    wanted = {"type": "json_schema", "schema": {"type": "object"}}
    assert read(output_format=wanted).output == read(output_config={"format": wanted}).output


def test_what_only_this_dialect_knows_comes_back_in_its_place() -> None:
    fields = {
        "container": "box",
        "output_config": {"effort": "high", "task_budget": {"type": "tokens", "total": 9}},
        "metadata": {"user_id": "u", "team": "t"},
        "thinking": {"type": "between_tools"},
    }
    request = read(**fields)
    assert (request.end_user, request.reasoning) == ("u", ReasoningOptions(effort="high"))
    body = json.loads(CODEC.write_request(request, ABLE, Losses()))
    assert {name: body[name] for name in fields} == fields


def test_our_own_stand_in_signatures_are_undone() -> None:
    parts = [
        {"type": "thinking", "thinking": "hm", "signature": "isthmus:openai:abc"},
        {"type": "thinking", "thinking": "so", "signature": "isthmus::"},
        {"type": "thinking", "thinking": "ah", "signature": "EqQB"},
    ]
    request = said(*parts, role="assistant")
    signatures = [part.signature for part in request.messages[0].parts if isinstance(part, Reasoning)]
    assert signatures == [Signature("openai", "abc"), None, Signature("anthropic", "EqQB")]


def test_system_text_in_the_middle_stays_there_where_the_model_takes_it() -> None:
    body, lost = write(HELLO, assistant(Text("Hi")), system("Be brief."), profile=ABLE)
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "system"]
    assert not lost


def test_system_text_in_place_never_parts_a_call_from_its_result() -> None:
    body, _ = write(HELLO, assistant(CALL), system("Be brief."), user(RESULT))
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user", "system"]


@pytest.mark.parametrize(
    ("messages", "place", "expected"),
    [
        ((HELLO, assistant(Text("Hi")), system("S"), user(Text("B"))), 2, ["<system>\nS\n</system>", "B"]),
        ((HELLO, system("S")), 0, ["Hello", "<system>\nS\n</system>"]),
        ((HELLO, assistant(Text("Hi")), system("S")), 2, ["<system>\nS\n</system>"]),
    ],
)
def test_system_text_in_the_middle_is_told_by_the_neighbouring_user_turn(
    messages: tuple[Message, ...], place: int, expected: list[str]
) -> None:
    body, lost = write(*messages, profile=FOLDING)
    judge(body)
    content = body["messages"][place]["content"]
    assert (content if isinstance(content, str) else [block["text"] for block in content]) in (expected, expected[0])
    assert lost == [f"messages[{[m.role for m in messages].index(Role.SYSTEM)}]"]


def test_folded_system_text_stands_behind_the_results() -> None:
    body, _ = write(HELLO, assistant(CALL), system("S"), user(RESULT, Text("go on")), profile=FOLDING)
    judge({**body, "tools": [{"name": "look", "input_schema": {"type": "object"}}]})
    assert [block["type"] for block in body["messages"][2]["content"]] == ["tool_result", "text", "text"]


def test_leading_system_messages_are_the_system_text() -> None:
    body, lost = write(system("A"), Message(Role.DEVELOPER, (Text("B"),)), HELLO)
    assert [block["text"] for block in body["system"]] == ["A", "B"]
    assert lost == ["messages[1].role"]


def test_a_conversation_of_system_text_alone_is_told_by_the_user() -> None:
    body, lost = write(system("Say hello."))
    judge(body)
    assert body["messages"] == [{"role": "user", "content": "<system>\nSay hello.\n</system>"}]
    assert "system" not in body
    assert lost == ["messages[0]"]


def test_a_conversation_without_words_is_refused() -> None:
    with pytest.raises(GatewayError) as caught:
        write(user(Text(" ")))
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID, "messages")


def test_a_conversation_that_opens_with_the_assistant_gets_a_user_turn_in_front() -> None:
    body, lost = write(assistant(Text("Welcome.")), HELLO)
    judge(body)
    assert lost == ["messages[0]"]


def test_results_and_the_words_after_them_are_one_user_turn() -> None:
    body, lost = write(HELLO, assistant(CALL), user(RESULT), user(Text("and now?")))
    judge(body)
    assert [block["type"] for block in body["messages"][2]["content"]] == ["tool_result", "text"]
    assert not lost


def test_results_stand_before_words() -> None:
    body, _ = write(HELLO, assistant(CALL), user(Text("here"), RESULT))
    judge(body)


def test_blank_text_is_never_sent() -> None:
    body, lost = write(user(Text(" \n"), Text("")), user(Text("Hello")))
    assert body["messages"] == [{"role": "user", "content": "Hello"}]
    assert lost == ["messages[0].parts[0]", "messages[0]"]


def test_an_answer_to_be_continued_loses_its_last_white_space() -> None:
    body, lost = write(HELLO, assistant(Text("Once upon ")))
    judge(body)
    assert body["messages"][-1]["content"] == "Once upon"
    assert lost == ["messages[1]"]


def test_a_model_that_continues_no_answer_is_asked_to_in_words() -> None:
    body, lost = write(HELLO, assistant(Text("Once")), profile=ModelProfile(prefill=False))
    assert body["messages"][-1]["role"] == "user"
    assert lost == ["messages[1]"]


def test_a_strange_call_id_is_replaced_alike_in_call_and_result() -> None:
    call, result = ToolCall("functions.look:0", "look", "{}"), ToolResult("functions.look:0", ())
    body, lost = write(HELLO, assistant(call), user(result))
    judge(body)
    assert body["messages"][1]["content"][0]["id"] == body["messages"][2]["content"][0]["tool_use_id"]
    assert not lost


@pytest.mark.parametrize(
    ("arguments", "sent", "lost"),
    [
        ("", {}, []),
        ('{"a": 1}', {"a": 1}, []),
        ('{"a": ', {"_raw": '{"a": '}, ["messages[1].parts[0].arguments"]),
        ("[1]", {"_raw": "[1]"}, ["messages[1].parts[0].arguments"]),
    ],
)
def test_arguments_are_always_an_object(arguments: str, sent: dict[str, Any], lost: list[str]) -> None:
    body, losses = write(HELLO, assistant(ToolCall("a", "n", arguments)), user(ToolResult("a", ())))
    assert body["messages"][1]["content"][0]["input"] == sent
    assert losses == lost


def test_an_empty_result_stays_empty_text() -> None:
    body, lost = write(HELLO, assistant(CALL), user(ToolResult("call_1", (Text(""),), failed=False)))
    assert body["messages"][2]["content"][0] == {
        "type": "tool_result",
        "tool_use_id": "call_1",
        "content": "",
        "is_error": False,
    }
    assert not lost


def test_a_thought_that_the_provider_did_not_sign_is_not_sent() -> None:
    thoughts = (Reasoning("a"), Reasoning("b", Signature("openai", "x")), Reasoning("c", Signature("anthropic", "y")))
    body, lost = write(HELLO, assistant(*thoughts, Text("so")), HELLO)
    assert [block["type"] for block in body["messages"][1]["content"]] == ["thinking", "text"]
    assert lost == ["messages[1].parts[0]", "messages[1].parts[1]"]


@pytest.mark.parametrize(
    ("media", "source"),
    [
        (
            Media(MediaKind.IMAGE, Inline("image/jpg", "AA==")),
            {"type": "base64", "media_type": "image/jpeg", "data": "AA=="},
        ),
        (Media(MediaKind.DOCUMENT, Url("https://example.com/a")), {"type": "url", "url": "https://example.com/a"}),
        (
            Media(MediaKind.DOCUMENT, Inline("text/csv", "YSxi")),
            {"type": "text", "media_type": "text/plain", "data": "a,b"},
        ),
    ],
)
def test_media_are_written_as_the_provider_takes_them(media: Media, source: dict[str, Any]) -> None:
    body, _ = write(user(Text("see"), media))
    judge(body)
    assert body["messages"][0]["content"][1]["source"] == source


@pytest.mark.parametrize(
    "media",
    [
        Media(MediaKind.AUDIO, Inline("audio/wav", "AA==")),
        Media(MediaKind.DOCUMENT, Inline("application/zip", "AA==")),
        Media(MediaKind.DOCUMENT, FileRef("openai_chat", "file-1")),
    ],
)
def test_media_that_the_dialect_cannot_say_are_losses(media: Media) -> None:
    body, lost = write(user(Text("hear"), media))
    assert body["messages"][0]["content"] == "hear"
    assert lost == ["messages[0].parts[1]"]


def test_a_tool_without_a_schema_gets_an_empty_one() -> None:
    body, lost = write(HELLO, tools=(Tool("now"), Tool("then", schema=raw({}))))
    judge(body)
    assert not lost


def test_a_schema_goes_out_word_for_word() -> None:
    schema = b'{"type":"object",  "properties":{"n":{"type":"number","maximum":1.0}}}'
    request = CODEC.read_request(
        b'{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],"tools":[{"name":"t","input_schema":%b}]}'
        % schema
    )
    assert schema in CODEC.write_request(request, ABLE, Losses())


def test_an_empty_list_of_tools_takes_the_choice_with_it() -> None:
    body, _ = write(HELLO, tools=(), tool_choice=ToolChoice(ToolMode.AUTO), parallel_tools=False)
    assert not {"tools", "tool_choice"} & body.keys()


@pytest.mark.parametrize(
    ("choice", "parallel", "written"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice(ToolMode.REQUIRED), False, {"type": "any", "disable_parallel_tool_use": True}),
        (ToolChoice(ToolMode.NAMED, "t"), None, {"type": "tool", "name": "t"}),
        (ToolChoice(ToolMode.NONE), False, {"type": "none"}),
    ],
)
def test_the_choice_of_tools_is_written(choice: ToolChoice | None, parallel: bool | None, written: object) -> None:
    body, lost = write(HELLO, tools=(Tool("t"),), tool_choice=choice, parallel_tools=parallel)
    judge(body)
    assert body.get("tool_choice") == written
    assert not lost


def test_the_output_is_capped_and_has_a_default() -> None:
    profile = ModelProfile(default_max_output=500, max_output_limit=700)
    assert write(profile=profile, max_output=None)[0]["max_tokens"] == 500
    assert write(profile=profile, max_output=900) == (write(profile=profile, max_output=700)[0], ["max_output"])


@pytest.mark.parametrize(
    ("effort", "budget"),
    [("minimal", 1024), ("low", 1024), ("medium", 8192), ("high", 32768), ("xhigh", 65536), ("max", 131072)],
)
def test_an_effort_is_a_budget_beside_which_the_answer_keeps_its_room(effort: str, budget: int) -> None:
    body, lost = write(profile=BUDGET, reasoning=ReasoningOptions(effort=effort))
    judge(body)
    assert body["thinking"] == {"type": "enabled", "budget_tokens": budget}
    assert body["max_tokens"] == budget + 900
    assert lost == ["reasoning.effort", "max_output"]


def test_a_budget_yields_where_the_model_has_no_room_for_both() -> None:
    profile = ModelProfile(reasoning=ReasoningStyle.BUDGET, max_output_limit=8000)
    body, lost = write(profile=profile, reasoning=ReasoningOptions(budget=30000), max_output=2000)
    judge(body)
    assert (body["max_tokens"], body["thinking"]["budget_tokens"]) == (8000, 6000)
    assert lost == ["reasoning.budget", "max_output"]


def test_a_budget_is_at_least_what_the_provider_takes() -> None:
    body, lost = write(profile=BUDGET, reasoning=ReasoningOptions(budget=100), max_output=4000)
    judge(body)
    assert body["thinking"]["budget_tokens"] == 1024
    assert lost == ["reasoning.budget"]


@pytest.mark.parametrize(
    ("options", "effort", "lost"),
    [
        (ReasoningOptions(effort="high"), "high", []),
        (ReasoningOptions(effort="xhigh"), "max", ["reasoning.effort"]),
        (ReasoningOptions(effort="minimal"), "low", ["reasoning.effort"]),
        (ReasoningOptions(effort="colossal"), "colossal", []),
        (ReasoningOptions(ReasoningMode.ON, budget=8192), "medium", ["reasoning.budget"]),
        (ReasoningOptions(ReasoningMode.ADAPTIVE), None, []),
    ],
)
def test_an_adaptive_model_takes_an_effort(options: ReasoningOptions, effort: str | None, lost: list[str]) -> None:
    body, losses = write(profile=ADAPTIVE, reasoning=options)
    assert body["thinking"] == {"type": "adaptive"}
    assert body.get("output_config", {}).get("effort") == effort
    assert losses == lost


@pytest.mark.parametrize("profile", [ABLE, BUDGET, ADAPTIVE])
@pytest.mark.parametrize(
    "options", [ReasoningOptions(ReasoningMode.OFF), ReasoningOptions(effort="none"), ReasoningOptions(budget=0)]
)
def test_no_thinking_is_said_in_one_way(profile: ModelProfile, options: ReasoningOptions) -> None:
    body, lost = write(profile=profile, reasoning=options)
    assert body["thinking"] == {"type": "disabled"}
    assert not lost


def test_a_model_that_does_not_think_is_not_asked_to() -> None:
    body, lost = write(profile=ModelProfile(reasoning=ReasoningStyle.NONE), reasoning=ReasoningOptions(effort="high"))
    assert "thinking" not in body
    assert lost == ["reasoning"]


def test_a_host_nobody_described_is_told_what_the_caller_said() -> None:
    options = ReasoningOptions(ReasoningMode.ON, "high", 2048, "summarized")
    body, lost = write(reasoning=options, max_output=4000)
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 2048, "display": "summarized"}
    assert body["output_config"] == {"effort": "high"}
    assert not lost


@pytest.mark.parametrize(
    ("sampling", "sent", "lost"),
    [
        (Sampling(temperature=0.5), {}, ["sampling.temperature"]),
        (Sampling(temperature=1.7), {"temperature": 1}, ["sampling.temperature"]),
        (Sampling(top_p=0.5), {}, ["sampling.top_p"]),
        (Sampling(top_p=0.99), {"top_p": 0.99}, []),
        (Sampling(top_k=5), {}, ["sampling.top_k"]),
    ],
)
def test_what_may_not_stand_beside_thinking_is_left_out(
    sampling: Sampling, sent: dict[str, float], lost: list[str]
) -> None:
    body, losses = write(profile=BUDGET, reasoning=ReasoningOptions(budget=2048), max_output=4000, sampling=sampling)
    judge(body)
    assert {name: body[name] for name in ("temperature", "top_p", "top_k") if name in body} == sent
    assert losses == lost


def test_a_forced_tool_outranks_thinking() -> None:
    forced = {"tools": (Tool("t"),), "tool_choice": ToolChoice(ToolMode.REQUIRED), "max_output": 4000}
    body, lost = write(profile=BUDGET, reasoning=ReasoningOptions(budget=2048), **forced)
    judge(body)
    assert body["tool_choice"] == {"type": "any"}
    assert "thinking" not in body
    assert lost == ["reasoning"]
    assert "thinking" in write(profile=ADAPTIVE, reasoning=ReasoningOptions(effort="high"), **forced)[0]


def test_thinking_is_left_out_when_the_calls_have_lost_their_thought() -> None:
    turns = (HELLO, assistant(Reasoning("hm"), CALL), user(RESULT))
    options = {"reasoning": ReasoningOptions(budget=2048), "max_output": 4000}
    body, lost = write(*turns, profile=BUDGET, **options)
    judge(body)
    assert "thinking" not in body
    assert lost == ["messages[1].parts[0]", "reasoning"]


def test_thinking_stays_while_the_thought_is_signed() -> None:
    turns = (HELLO, assistant(Reasoning("hm", Signature("anthropic", "x")), CALL), user(RESULT))
    body, lost = write(*turns, profile=BUDGET, reasoning=ReasoningOptions(budget=2048), max_output=4000)
    assert body["thinking"]["type"] == "enabled"
    assert not lost


def test_thinking_is_left_out_before_an_answer_to_be_continued() -> None:
    turns = (HELLO, assistant(Text("Once")))
    body, lost = write(*turns, profile=BUDGET, reasoning=ReasoningOptions(budget=2048), max_output=4000)
    judge(body)
    assert lost == ["reasoning"]


def test_what_the_dialect_cannot_say_of_sampling_is_lost_by_name() -> None:
    sampling = Sampling(frequency_penalty=1.0, presence_penalty=0.5, seed=7, n=2, logprobs=True, stop=("end", " "))
    body, lost = write(sampling=sampling)
    judge(body)
    assert body["stop_sequences"] == ["end"]
    assert set(lost) == {
        f"sampling.{name}" for name in ("frequency_penalty", "presence_penalty", "seed", "n", "logprobs", "stop")
    }


def test_a_schema_is_held_to_natively_in_the_form_the_provider_compiles() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}}
    body, lost = write(output=OutputFormat(OutputKind.SCHEMA, "answer", schema=raw(schema)))
    judge(body)
    told = body["output_config"]["format"]["schema"]
    assert told["additionalProperties"] is False
    assert told["properties"]["n"] == {"type": "integer", "description": '{"minimum":1}'}
    assert lost == ["output.name", "output.schema"]


def test_a_property_called_like_a_bound_is_no_bound() -> None:
    schema = {"type": "object", "additionalProperties": False, "properties": {"maximum": {"type": "string"}}}
    body, lost = write(output=OutputFormat(OutputKind.SCHEMA, schema=raw(schema)))
    assert body["output_config"]["format"]["schema"] == schema
    assert not lost


@pytest.mark.parametrize(
    ("output", "profile"),
    [
        (OutputFormat(OutputKind.JSON), ABLE),
        (OutputFormat(OutputKind.SCHEMA, schema=raw({"type": "object"})), ModelProfile(schema=SchemaStyle.NONE)),
    ],
)
def test_json_is_asked_for_in_words_where_nothing_else_can_be_done(output: OutputFormat, profile: ModelProfile) -> None:
    body, lost = write(system("Be kind."), HELLO, output=output, profile=profile)
    judge(body)
    assert body["system"][0]["text"] == "Be kind."
    assert "JSON" in body["system"][1]["text"]
    assert lost == ["output"]


def test_a_user_named_by_address_is_told_as_a_digest() -> None:
    body, lost = write(end_user="ann@example.com")
    assert body["metadata"]["user_id"].startswith("user_")
    assert "example.com" not in json.dumps(body)
    assert lost == ["end_user"]


def test_what_another_dialect_alone_knows_is_a_loss() -> None:
    strange = Foreign("openai_chat", raw({"type": "custom"}))
    message = Message(Role.USER, (Text("Hello"), strange), name="ann", extra=Extra("openai_chat", {"x": raw(1)}))
    body, lost = write(message, tools=(strange,), extra=Extra("openai_chat", {"logit_bias": raw({"1": 2})}))
    judge(body)
    assert set(lost) == {"messages[0].parts[1]", "messages[0].name", "messages[0].x", "tools[0]", "logit_bias"}


def test_every_part_has_its_writer() -> None:
    assert set(WRITERS) == set(get_args(Part))

"""Requests for a response: what is read of them, what is written for a provider, and what is told of the rest."""

from typing import Any

import pytest
from msgspec import Raw

from isthmus.core.chat import ChatRequest, Message, OutputFormat, OutputKind, ReasoningOptions, Role, Sampling
from isthmus.core.content import (
    FileRef,
    Inline,
    Media,
    MediaKind,
    Part,
    Reasoning,
    Refusal,
    Signature,
    Text,
    ToolCall,
    ToolResult,
)
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile, ReasoningStyle, SchemaStyle
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.openai.responses import CODEC
from isthmus.wire import json
from support.specimens import bare

ABLE = ModelProfile()


def read(**said: Any) -> ChatRequest:
    return CODEC.read_request(json.encode({"model": "m", "input": "hello", **said}))


def parts_of(*items: dict[str, Any]) -> list[tuple[Part, ...]]:
    return [bare(turn).parts for turn in read(input=list(items)).messages]


def write(request: ChatRequest, profile: ModelProfile = ABLE) -> tuple[dict[str, Any], Losses]:
    losses = Losses()
    return json.decode(CODEC.write_request(request, profile, losses)), losses


def asked(*parts: Part, role: Role = Role.USER, **more: Any) -> ChatRequest:
    return ChatRequest(model="m", messages=(Message(role, parts or (Text("hello"),)),), **more)


def told(losses: Losses) -> set[tuple[str, str]]:
    return {(loss.path, loss.deed.value) for loss in losses.found}


# ---------------------------------------------------------------- reading


def test_a_string_is_what_the_user_says() -> None:
    assert read(input="hello").messages == (Message(Role.USER, (Text("hello"),)),)


def test_instructions_are_the_system_in_front() -> None:
    assert read(instructions="Be brief.").messages[0] == Message(Role.SYSTEM, (Text("Be brief."),))


def test_a_message_need_not_name_its_type() -> None:
    said = {"role": "user", "content": [{"type": "input_text", "text": "hello"}]}
    assert parts_of(said) == parts_of({"type": "message", **said}) == [(Text("hello"),)]


@pytest.mark.parametrize("role", ["system", "developer"])
def test_system_text_stays_where_it_was_said(role: str) -> None:
    request = read(input=[{"role": "user", "content": "a"}, {"role": role, "content": "b"}])
    assert request.messages[1].role is Role(role)


def test_what_a_model_said_in_several_items_is_one_turn() -> None:
    found = parts_of(
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"},
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "content": [{"type": "output_text", "text": "I look."}],
        },
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look", "arguments": "{}"},
    )
    thought = Reasoning("", Signature("openai", "sealed"), redacted=True)
    assert found == [(thought, Text("I look."), ToolCall("call_1", "look", "{}"))]


def test_results_and_the_users_words_behind_them_are_one_turn() -> None:
    found = parts_of(
        {"type": "function_call_output", "call_id": "call_2", "output": "two"},
        {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "one"}]},
        {"role": "user", "content": "go on"},
    )
    assert found == [(ToolResult("call_2", (Text("two"),)), ToolResult("call_1", (Text("one"),)), Text("go on"))]


def test_a_result_may_hold_a_picture() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "high"}
    ((result,),) = parts_of({"type": "function_call_output", "call_id": "call_1", "output": [image]})
    assert result == ToolResult("call_1", (Media(MediaKind.IMAGE, Inline("image/png", "AAAA"), detail="high"),))


def test_a_held_file_is_the_vendors_whichever_dialect_names_it() -> None:
    ((media,),) = parts_of({"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]})
    assert media == Media(MediaKind.DOCUMENT, FileRef("openai_chat", "file-1"))


@pytest.mark.parametrize(
    ("item", "role"),
    [
        ({"type": "web_search_call", "id": "ws_1", "status": "completed"}, Role.ASSISTANT),
        ({"type": "item_reference", "id": "msg_1"}, Role.ASSISTANT),
        ({"type": "computer_call_output", "call_id": "c", "output": {}}, Role.USER),
        ({"type": "mcp_approval_response", "approve": True}, Role.USER),
    ],
)
def test_an_item_that_only_this_dialect_knows_is_kept_whole(item: dict[str, Any], role: Role) -> None:
    (turn,) = read(input=[item]).messages
    assert (turn.role, turn.parts) == (role, (Foreign("openai_responses", json.raw(item)),))


def test_a_message_with_content_of_an_unknown_type_is_kept_whole() -> None:
    item = {"role": "user", "content": [{"type": "hologram"}]}
    assert parts_of(item) == [(Foreign("openai_responses", json.raw(item)),)]


def test_a_summary_is_the_thought_where_nothing_more_is_told() -> None:
    ((thought,),) = parts_of(
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": w} for w in ("a", "b")]}
    )
    assert thought == Reasoning("a\n\nb")


def test_a_thought_told_in_full_outranks_its_summary() -> None:
    full, short = {"type": "reasoning_text", "text": "all of it"}, {"type": "summary_text", "text": "it"}
    ((thought,),) = parts_of({"type": "reasoning", "summary": [short], "content": [full]})
    assert thought == Reasoning("all of it")


@pytest.mark.parametrize(
    ("proof", "thought"),
    [
        ("isthmus:anthropic:abc", Reasoning("hm", Signature("anthropic", "abc"))),
        ("isthmus-redacted:anthropic:abc", Reasoning("hm", Signature("anthropic", "abc"), redacted=True)),
        ("isthmus::", Reasoning("hm")),
        ("gAAAA", Reasoning("hm", Signature("openai", "gAAAA"))),
    ],
)
def test_a_mark_of_ours_gives_a_vendor_its_signature_back(proof: str, thought: Reasoning) -> None:
    summary = [{"type": "summary_text", "text": "hm"}]
    assert parts_of({"type": "reasoning", "summary": summary, "encrypted_content": proof}) == [(thought,)]


def test_a_body_with_a_mark_of_ours_is_not_passed_through() -> None:
    item = {"type": "reasoning", "summary": [], "encrypted_content": "isthmus:google:abc"}
    assert CODEC.peek(json.encode({"model": "m", "input": [item]})).marked
    assert not CODEC.peek(b'{"model":"m","input":"An isthmus: a neck of land."}').marked


def test_what_is_asked_for_the_gateway_alone_is_nobodys_loss() -> None:
    request = read(store=False, include=["reasoning.encrypted_content"])
    assert request.extra is not None
    assert request.extra.fields == {}


@pytest.mark.parametrize(
    "left",
    [
        {"previous_response_id": "resp_1"},
        {"prompt": {"id": "pmpt_1"}},
        {"truncation": "auto"},
        {"metadata": {"a": "b"}},
        {"background": True},
        {"include": ["web_search_call.action.sources"]},
        {"prompt_cache_key": "k"},
        {"client_metadata": {"x": "y"}},
        {"service_tier": "flex"},
        {"tool_choice": {"type": "file_search"}},
    ],
    ids=lambda left: next(iter(left)),
)
def test_a_field_without_a_word_in_the_core_is_left_for_this_dialect(left: dict[str, Any]) -> None:
    ((name, value),) = left.items()
    assert bare(read(**left).extra) == Extra("openai_responses", {name: json.raw(value)})


def test_verbosity_is_left_beside_the_format() -> None:
    request = read(text={"format": {"type": "json_object"}, "verbosity": "low"})
    assert request.output == OutputFormat(OutputKind.JSON)
    assert bare(request.extra) == Extra("openai_responses", {"text.verbosity": Raw(b'"low"')})


def test_log_probabilities_are_asked_for_by_name() -> None:
    request = read(include=["message.output_text.logprobs"], top_logprobs=2)
    assert request.sampling == Sampling(logprobs=True, top_logprobs=2)


def test_the_safety_identifier_is_the_end_user() -> None:
    assert read(safety_identifier="ida").end_user == "ida"
    assert read(user="ida", safety_identifier="olaf").end_user == "ida"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"input":"hello"}', "model"),
        (b'{"model":"m"}', "input"),
        (b'{"model":"m","input":[]}', "input"),
        (b'{"model":"m","input":7}', "input"),
        (b'{"model":"m","input":"a","stream":"yes"}', "stream"),
    ],
)
def test_the_field_at_fault_is_named(body: bytes, param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        CODEC.peek(body)
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID, param)


def test_a_fault_inside_an_item_is_named_by_its_path() -> None:
    with pytest.raises(GatewayError) as caught:
        read(input=[{"role": "user", "content": "a"}, {"type": "function_call_output", "output": "b"}])
    assert caught.value.param == "input[1].call_id"


def test_a_conversation_goes_on_without_a_word_where_a_response_stands_for_it() -> None:
    body = b'{"model":"m","previous_response_id":"resp_1"}'
    assert CODEC.peek(body).model == "m"
    assert CODEC.read_request(body).messages == ()


# ---------------------------------------------------------------- writing


def test_a_stranger_wants_nothing_kept_and_thoughts_proved() -> None:
    document, _ = write(asked())
    assert document["store"] is False
    assert document["include"] == ["reasoning.encrypted_content"]


def test_a_model_that_does_not_think_is_asked_for_no_proof() -> None:
    assert "include" not in write(asked(), ModelProfile(reasoning=ReasoningStyle.NONE))[0]


def test_what_this_dialect_said_of_keeping_is_said_again() -> None:
    document, losses = write(read(store=True, include=[]))
    assert (document["store"], document["include"], losses.found) == (True, [], [])


def test_a_first_system_text_goes_as_instructions() -> None:
    request = ChatRequest(
        model="m", messages=(Message(Role.SYSTEM, (Text("Be brief."),)), Message(Role.USER, (Text("hello"),)))
    )
    document, _ = write(request)
    assert document["instructions"] == "Be brief."
    assert document["input"] == [{"role": "user", "content": "hello"}]


def test_a_system_text_that_is_all_there_is_stays_in_the_input() -> None:
    document, _ = write(asked(Text("Be brief."), role=Role.SYSTEM))
    assert document["input"] == [{"role": "system", "content": "Be brief."}]


def test_a_system_text_that_was_an_item_stays_one() -> None:
    items = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
    assert write(read(input=items))[0]["input"] == items


def test_ids_and_states_of_items_come_back() -> None:
    items = [
        {
            "type": "message",
            "id": "msg_1",
            "status": "completed",
            "phase": "commentary",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "I look.", "annotations": []}],
        },
        {"type": "function_call", "id": "fc_1", "status": "completed", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "id": "fco_1", "call_id": "c", "output": "it"},
        {"type": "message", "id": "msg_2", "role": "user", "content": [{"type": "input_text", "text": "so?"}]},
    ]
    document, losses = write(read(input=items))
    assert document["input"] == items
    assert losses.found == []


def test_ids_of_items_are_no_loss_elsewhere() -> None:
    request = read(input=[{"type": "message", "id": "msg_1", "role": "user", "content": "hello"}])
    losses = Losses()
    losses.drop_extra(request.messages[0].parts[0].extra, "messages[0].parts[0]")
    assert losses.found == []


def test_a_thought_of_openais_goes_back_word_for_word() -> None:
    item = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]}
    sealed = {**item, "encrypted_content": "gAAAA"}
    assert write(read(input=[item]))[0]["input"] == [item]
    assert write(read(input=[sealed]))[0]["input"] == [sealed]


@pytest.mark.parametrize("vendor", ["anthropic", "google"])
def test_a_thought_of_another_vendor_is_not_sent(vendor: str) -> None:
    request = asked(Reasoning("hm", Signature(vendor, "abc")), Text("yes"), role=Role.ASSISTANT)
    document, losses = write(request)
    assert document["input"] == [{"role": "assistant", "content": "yes"}]
    assert told(losses) == {("messages[0].parts[0]", "dropped")}


def test_a_host_that_shows_its_thinking_is_given_it_back_in_clear() -> None:
    document, losses = write(asked(Reasoning("hm"), role=Role.ASSISTANT), ModelProfile(reasoning_field="reasoning"))
    content = [{"type": "reasoning_text", "text": "hm"}]
    assert document["input"] == [{"type": "reasoning", "summary": [], "content": content}]
    assert losses.found == []


def test_a_failed_call_is_told_in_words() -> None:
    document, losses = write(asked(ToolResult("c", (Text("no such city"),), failed=True)))
    assert document["input"] == [{"type": "function_call_output", "call_id": "c", "output": "Error: no such city"}]
    assert told(losses) == {("messages[0].parts[0].failed", "rewritten")}


def test_a_long_call_id_is_the_same_stand_in_for_call_and_result() -> None:
    long = "x" * 65
    call = Message(Role.ASSISTANT, (ToolCall(long, "f", "{}"),))
    document, _ = write(ChatRequest(model="m", messages=(call, Message(Role.USER, (ToolResult(long, ()),)))))
    first, second = document["input"]
    assert first["call_id"] == second["call_id"] == "call_" + first["call_id"].removeprefix("call_")
    assert len(first["call_id"]) == 29


def test_a_call_id_of_64_characters_passes_as_it_is() -> None:
    document, _ = write(asked(ToolCall("x" * 64, "f", "{}"), role=Role.ASSISTANT))
    assert document["input"][0]["call_id"] == "x" * 64


def test_a_refusal_stands_in_what_the_assistant_said() -> None:
    document, losses = write(asked(Refusal("No."), role=Role.ASSISTANT))
    assert document["input"] == [{"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}]
    assert losses.found == []


def test_sampling_that_the_dialect_lacks_is_told() -> None:
    sampling = Sampling(temperature=1, top_k=7, seed=3, stop=("END",), n=2, frequency_penalty=1, presence_penalty=1)
    document, losses = write(asked(sampling=sampling))
    assert document["temperature"] == 1
    lost = ("top_k", "seed", "stop", "n", "frequency_penalty", "presence_penalty")
    assert told(losses) == {(f"sampling.{name}", "dropped") for name in lost}


def test_fewer_tokens_than_openai_grants_become_the_fewest() -> None:
    document, losses = write(asked(max_output=1))
    assert document["max_output_tokens"] == 16
    assert told(losses) == {("max_output", "rewritten")}
    assert write(read(max_output_tokens=1))[0]["max_output_tokens"] == 1


def test_one_candidate_is_what_there_is_anyway() -> None:
    assert write(asked(sampling=Sampling(n=1)))[1].found == []


@pytest.mark.parametrize(
    ("show", "summary", "losses"),
    [
        ("detailed", "detailed", set()),
        ("omitted", None, set()),
        ("summarized", "auto", {("reasoning.show", "rewritten")}),
    ],
)
def test_how_much_thinking_is_shown(show: str, summary: str | None, losses: set[tuple[str, str]]) -> None:
    document, noted = write(asked(reasoning=ReasoningOptions(effort="high", show=show)))
    assert document["reasoning"].get("summary") == summary
    assert told(noted) == losses


def test_a_schema_that_the_model_cannot_be_held_to_joins_the_instructions() -> None:
    output = OutputFormat(OutputKind.SCHEMA, "answer", schema=Raw(b'{"type":"object"}'))
    document, losses = write(asked(output=output), ModelProfile(schema=SchemaStyle.NONE))
    assert "text" not in document
    assert document["instructions"].endswith('{"type":"object"}')
    assert ("output.schema", "emulated") in told(losses)


def test_a_conversation_of_which_nothing_can_be_told_is_refused() -> None:
    with pytest.raises(GatewayError) as caught:
        write(asked(Foreign("anthropic", Raw(b"{}"))))
    assert caught.value.kind is Kind.INVALID


def test_an_empty_list_of_tools_is_left_out_with_all_that_belongs_to_it() -> None:
    body = b'{"model":"m","input":"a","tools":[],"tool_choice":"auto","parallel_tool_calls":true}'
    assert CODEC.peek(body).refused == {"tools", "tool_choice", "parallel_tool_calls"}
    document, _ = write(CODEC.read_request(body))
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(document)

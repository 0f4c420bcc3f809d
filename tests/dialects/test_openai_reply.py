"""Whole OpenAI answers: what hosts add to them, and what clients are given."""

import json
from typing import Any

import pytest
from msgspec import Raw

from isthmus.core.content import Citation, Media, MediaKind, Part, Reasoning, Refusal, Signature, Text, ToolCall, Url
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Deed, Losses
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign
from isthmus.dialects.openai.chat import CODEC


def answer(message: dict[str, Any] | None = None, *, finish: str | None = "stop", **fields: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": "hi"} if message is None else {"role": "assistant", **message}
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 7,
        "model": "m",
        "choices": [choice],
        **fields,
    }


def read(body: dict[str, Any]) -> ChatReply:
    return CODEC.read_reply(json.dumps(body).encode())


def read_parts(message: dict[str, Any]) -> tuple[Part, ...]:
    return read(answer(message)).candidates[0].parts


def write(reply: ChatReply) -> tuple[dict[str, Any], list[tuple[str, Deed]]]:
    losses = Losses()
    body = json.loads(CODEC.write_reply(reply, losses))
    return body, [(loss.path, loss.deed) for loss in losses.found]


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def said(*parts: Part, finish: Finish | None = None, **fields: Any) -> ChatReply:
    return ChatReply(id="msg_1", model="m", candidates=(Candidate(parts, finish),), created=7, **fields)


@pytest.mark.parametrize(
    "message",
    [
        {"content": "hi", "annotations": []},
        {"content": "", "tool_calls": []},
        {"content": None, "refusal": "no"},
        {"content": "hi", "reasoning_content": "hm"},
        {"content": "hi", "reasoning": "hm"},
        {"content": "", "reasoning": "", "reasoning_content": "hm"},
        {"content": "hi", "reasoning_details": [{"type": "reasoning.encrypted", "data": "x", "id": "r", "index": 0}]},
        {
            "content": "hi",
            "reasoning": "a summary",
            "reasoning_details": [
                {"type": "reasoning.summary", "summary": "a summary", "format": "openai-responses-v1", "index": 0},
                {"type": "reasoning.encrypted", "data": "x", "format": "openai-responses-v1", "id": "r", "index": 1},
            ],
        },
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                {"type": "text", "text": "a"},
            ]
        },
        {"content": [{"type": "text", "text": "a"}, {"type": "reference", "reference_ids": [1]}]},
        {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"content": None, "audio": {"id": "a", "data": "QUJD", "transcript": "hi"}},
        {"content": None, "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "x", "input": "raw"}}]},
        {
            "content": None,
            "tool_calls": [{"id": "c", "index": 0, "type": "function", "function": {"name": "f", "arguments": "{"}}],
        },
        {
            "content": "hi",
            "annotations": [
                {"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 0, "end_index": 2}}
            ],
        },
    ],
)
def test_what_hosts_add_comes_back_as_it_was(message: dict[str, Any]) -> None:
    body = answer(message, system_fingerprint="fp", provider="somebody")
    assert without_nulls(write(read(body))[0]) == without_nulls(body)


def test_thoughts_come_first_then_words_then_calls() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    assert read_parts({"content": "a", "refusal": "b", "reasoning_content": "t", "tool_calls": [call]}) == (
        Reasoning("t"),
        Text("a"),
        Refusal("b"),
        ToolCall("c", "f", "{}"),
    )


def test_signatures_are_told_by_their_vendor() -> None:
    details = [
        {"type": "reasoning.text", "text": "t", "signature": "s", "format": "anthropic-claude-v1"},
        {"type": "reasoning.encrypted", "data": "d", "format": "google-gemini-v1"},
        {"type": "reasoning.encrypted", "data": "e"},
    ]
    assert read_parts({"reasoning_content": "t", "reasoning_details": details}) == (
        Reasoning("t", Signature("anthropic", "s")),
        Reasoning("", Signature("google-gemini-v1", "d"), redacted=True),
        Reasoning("", Signature("unknown", "e"), redacted=True),
    )


def test_a_signature_without_its_text_finds_it_in_the_clear_field() -> None:
    details = [{"type": "reasoning.text", "signature": "s", "format": "anthropic-claude-v1"}]
    assert read_parts({"reasoning_content": "t", "reasoning_details": details}) == (
        Reasoning("t", Signature("anthropic", "s")),
    )


def test_a_call_without_an_id_is_given_one_of_its_own() -> None:
    call = {"function": {"name": "f", "arguments": "{}"}}
    first, second = read_parts({"tool_calls": [call, call]})
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert first.id.startswith("call_")
    assert first.id != second.id


def test_arguments_that_came_as_an_object_are_its_text() -> None:
    call = {"id": "c", "function": {"name": "f", "arguments": {"a": 1}}}
    assert read_parts({"tool_calls": [call]}) == (ToolCall("c", "f", '{"a": 1}'),)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", Reason.STOP),
        ("length", Reason.LENGTH),
        ("tool_calls", Reason.TOOL_CALLS),
        ("content_filter", Reason.FILTERED),
        ("function_call", Reason.TOOL_CALLS),
        ("model_length", Reason.LENGTH),
        ("insufficient_system_resource", Reason.OTHER),
    ],
)
def test_a_reason_to_stop_is_understood_and_comes_back_as_it_was(word: str, reason: Reason) -> None:
    reply = read(answer(finish=word))
    assert reply.candidates[0].finish is not None
    assert reply.candidates[0].finish.reason is reason
    assert write(reply)[0]["choices"][0]["finish_reason"] == word


def test_an_empty_reason_is_none_and_comes_back_as_it_was() -> None:
    reply = read(answer(finish=""))
    assert reply.candidates[0].finish is None
    assert write(reply)[0]["choices"][0]["finish_reason"] == ""


def test_calls_that_ended_with_stop_are_told_as_the_caller_dialect_needs() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    finish = read(answer({"tool_calls": [call]})).candidates[0].finish
    assert finish == Finish(Reason.STOP, native=Foreign("openai_chat", Raw(b'"stop"')))
    body, _ = write(said(ToolCall("c", "f", "{}"), finish=Finish(Reason.STOP)))
    assert body["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_word_and_a_nearest_one_is_told(reason: Reason) -> None:
    body, losses = write(said(Text("a"), finish=Finish(reason)))
    assert body["choices"][0]["finish_reason"] in {"stop", "length", "tool_calls", "content_filter"}
    known = reason in {Reason.STOP, Reason.LENGTH, Reason.TOOL_CALLS, Reason.FILTERED}
    assert losses == ([] if known else [("candidates[0].finish", Deed.REWRITTEN)])


@pytest.mark.parametrize(
    ("native", "buckets"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, Usage(10, 0, 0, 5, 0)),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 15,
                "prompt_tokens_details": {"cached_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
            Usage(6, 4, 0, 2, 3),
        ),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
            },
            Usage(3, 4, 3, 5, 0),
        ),
        ({"prompt_tokens": 10, "completion_tokens": 1, "prompt_cache_hit_tokens": 8}, Usage(2, 8, 0, 1, 0)),
        ({"prompt_tokens": 10, "completion_tokens": 1, "cached_tokens": 8}, Usage(2, 8, 0, 1, 0)),
        (
            {
                "prompt_tokens": 12,
                "completion_tokens": 1,
                "total_tokens": 241,
                "completion_tokens_details": {"reasoning_tokens": 228},
            },
            Usage(12, 0, 0, 1, 228),
        ),
        ({"prompt_tokens": 12, "completion_tokens": 1, "total_tokens": 40}, Usage(12, 0, 0, 1, 27)),
        ({"prompt_tokens": None, "completion_tokens": None}, Usage()),
        ({"prompt_tokens": "many"}, Usage()),
    ],
    ids=["plain", "inside", "cache writes", "deepseek", "moonshot", "xai", "gemini", "nulls", "words"],
)
def test_usage_falls_into_buckets_that_do_not_overlap(native: dict[str, Any], buckets: Usage) -> None:
    usage = read(answer(usage=native)).usage
    assert usage is not None
    assert (usage.fresh_input, usage.cache_read, usage.cache_write, usage.output, usage.reasoning) == (
        buckets.fresh_input,
        buckets.cache_read,
        buckets.cache_write,
        buckets.output,
        buckets.reasoning,
    )
    assert write(said(usage=usage))[0]["usage"] == native
    assert CODEC.tap_reply(json.dumps(answer(usage=native)).encode()) == usage


def test_anothers_usage_is_counted_as_openai_counts() -> None:
    told = Usage(6, 4, 2, 2, 3, native=Foreign("anthropic", Raw(b"{}")))
    assert write(said(usage=told))[0]["usage"] == {
        "prompt_tokens": 12,
        "completion_tokens": 5,
        "total_tokens": 17,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }


def test_an_answer_from_elsewhere_looks_like_openais() -> None:
    thought = Reasoning("t", Signature("anthropic", "s"))
    finish = Finish(Reason.TOOL_CALLS)
    body, losses = write(said(thought, Text("a"), Text("b"), ToolCall("c", "f", ""), finish=finish))
    assert not losses
    assert body["id"] == "chatcmpl-1"
    assert (body["object"], body["created"]) == ("chat.completion", 7)
    message = body["choices"][0]["message"]
    assert message["content"] == "ab"
    assert message["reasoning_content"] == "t"
    assert message["reasoning_details"] == [
        {"type": "reasoning.text", "text": "t", "signature": "s", "format": "anthropic-claude-v1"}
    ]
    assert message["tool_calls"] == [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]


def test_the_content_is_null_where_only_tools_were_called() -> None:
    assert write(said(ToolCall("c", "f", "{}")))[0]["choices"][0]["message"]["content"] is None


def test_an_id_that_came_from_this_dialect_is_left_as_it_is() -> None:
    assert write(read(answer(id="gen-1")))[0]["id"] == "gen-1"


def test_citations_are_placed_in_the_whole_content() -> None:
    cited = Text("bcd", citations=(Citation(url="https://example.com", start=1, end=2), Citation(url="u", title="t")))
    annotations = write(said(Text("aa"), cited))[0]["choices"][0]["message"]["annotations"]
    assert [item["url_citation"] for item in annotations] == [
        {"url": "https://example.com", "title": "https://example.com", "start_index": 3, "end_index": 4},
        {"url": "u", "title": "t", "start_index": 2, "end_index": 5},
    ]


def test_what_clients_cannot_be_given_is_told() -> None:
    image = Media(MediaKind.IMAGE, Url("https://example.com/a.png"))
    foreign = Foreign("anthropic", Raw(b'{"type":"server_tool_use"}'))
    body, losses = write(said(image, foreign, Text("a", citations=(Citation(quote="q"),))))
    assert body["choices"][0]["message"]["content"] == "a"
    assert losses == [
        ("candidates[0].parts[0]", Deed.DROPPED),
        ("candidates[0].parts[1]", Deed.DROPPED),
        ("candidates[0].citations", Deed.DROPPED),
    ]


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"[]", b"{}", b'{"choices":7}', b'{"choices":["x"]}'])
def test_what_is_no_answer_is_garbled(body: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        CODEC.read_reply(body)
    assert caught.value.kind is Kind.GARBLED


@pytest.mark.parametrize("read_it", [CODEC.read_reply, CODEC.tap_reply], ids=["read", "tapped"])
def test_an_error_in_a_good_status_is_raised(read_it: Any) -> None:
    body = b'{"error":{"message":"filtered","code":"content_filter","status":400}}'
    with pytest.raises(GatewayError, match="filtered") as caught:
        read_it(body)
    assert (caught.value.kind, caught.value.upstream_status) == (Kind.REFUSED, 400)


def test_white_space_in_front_is_no_matter() -> None:
    assert CODEC.read_reply(b"\n\n   " + json.dumps(answer()).encode()).candidates[0].parts == (Text("hi"),)


def test_a_choice_without_a_message_says_nothing() -> None:
    body = answer()
    del body["choices"][0]["message"]
    assert read(body).candidates[0].parts == ()

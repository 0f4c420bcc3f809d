"""Whole answers of Gemini: read from a provider, written for a client."""

from typing import Any

import pytest
from msgspec import Raw

from isthmus.core.content import Citation, Inline, Media, MediaKind, Part, Reasoning, Refusal, Signature, Text, ToolCall
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.gemini.generate import CODEC
from isthmus.wire import json
from support.gemini import Lost


def read(**fields: Any) -> ChatReply:
    return CODEC.read_reply(json.encode({"candidates": [], "responseId": "r1", "modelVersion": "m", **fields}))


def candidate(*parts: object, **fields: Any) -> Candidate:
    content = {"role": "model", "parts": parts}
    return read(candidates=[{"content": content, "finishReason": "STOP", **fields}]).candidates[0]


def write(reply: ChatReply) -> tuple[dict[str, Any], Lost]:
    losses = Losses()
    body = json.decode(CODEC.write_reply(reply, losses))
    return body, [(loss.path, loss.deed.value) for loss in losses.found]


def told(*parts: Part, finish: Finish | None = None) -> tuple[dict[str, Any], Lost]:
    """The only candidate, as it is written."""
    body, losses = write(ChatReply("r1", "m", (Candidate(parts, finish),)))
    return body["candidates"][0], losses


def same(reply: bytes) -> None:
    """Read and written again it says the same, and nothing is lost."""
    body, losses = write(CODEC.read_reply(reply))
    assert body == json.decode(reply)
    assert losses == []


# ---------------------------------------------------------------- reasons


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("STOP", Reason.STOP),
        ("MAX_TOKENS", Reason.LENGTH),
        ("SAFETY", Reason.FILTERED),
        ("RECITATION", Reason.FILTERED),
        ("PROHIBITED_CONTENT", Reason.FILTERED),
        ("MODEL_ARMOR", Reason.FILTERED),
        ("MALFORMED_FUNCTION_CALL", Reason.OTHER),
        ("NOVEL", Reason.OTHER),
        (1, Reason.STOP),
        (2, Reason.LENGTH),
        (3, Reason.FILTERED),
        (9, Reason.OTHER),
        (None, None),
    ],
)
def test_every_reason_to_stop_is_read_and_told_again(word: object, reason: Reason | None) -> None:
    one = candidate({"text": "x"}, finishReason=word)
    assert (one.finish.reason if one.finish is not None else None) is reason
    written, losses = told(*one.parts, finish=one.finish)
    assert written["finishReason"] == ("STOP" if word is None else word)
    assert losses == []


def test_an_answer_that_calls_stops_because_of_that() -> None:
    one = candidate({"functionCall": {"id": "c", "name": "clock", "args": {}}})
    assert one.finish == Finish(Reason.TOOL_CALLS)
    assert told(*one.parts, finish=one.finish)[1] == []


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (Reason.STOP_SEQUENCE, "STOP"),
        (Reason.REFUSED, "SAFETY"),
        (Reason.PAUSED, "STOP"),
        (Reason.CONTEXT_FULL, "MAX_TOKENS"),
        (Reason.TOOL_CALLS, "STOP"),
    ],
)
def test_reasons_of_other_dialects_get_the_nearest_word(reason: Reason, word: str) -> None:
    written, losses = told(Text("x"), finish=Finish(reason))
    assert written["finishReason"] == word
    assert losses == [("candidates[0].finish", "rewritten")]


def test_a_refusal_is_text_and_a_matter_of_safety() -> None:
    written, losses = told(Refusal("No."), finish=Finish(Reason.STOP))
    assert (written["content"]["parts"], written["finishReason"]) == ([{"text": "No."}], "SAFETY")
    assert losses == [("candidates[0].parts[0]", "rewritten"), ("candidates[0].finish", "rewritten")]


def test_a_prompt_that_was_refused_has_no_candidate() -> None:
    body = json.encode(
        {
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7},
            "modelVersion": "m",
            "responseId": "r1",
        }
    )
    assert CODEC.read_reply(body).candidates == (Candidate((), Finish(Reason.FILTERED)),)
    same(body)


# ---------------------------------------------------------------- parts


def test_a_candidate_without_parts_says_nothing() -> None:
    reply = read(candidates=[{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}])
    assert reply.candidates == (Candidate((), Finish(Reason.LENGTH)),)
    assert write(reply)[0]["candidates"][0]["content"] == {"role": "model"}


def test_calls_without_ids_are_told_apart_and_the_same_each_time() -> None:
    call = {"functionCall": {"name": "clock", "args": {"zone": 1}}}
    one = candidate(call, call)
    first, second = one.parts
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert first.id != second.id
    assert candidate(call, call) == one
    parts = told(*one.parts)[0]["content"]["parts"]
    assert [part["functionCall"]["id"] for part in parts] == [first.id, second.id]


def test_another_answers_call_has_another_id() -> None:
    call = {"content": {"parts": [{"functionCall": {"name": "clock"}}]}}
    first, second = (read(candidates=[call], responseId=name).candidates[0].parts[0] for name in ("a", "b"))
    assert first != second


def test_signatures_and_unknown_fields_stay_where_they_stood() -> None:
    same(
        json.encode(
            {
                "candidates": [
                    {
                        "content": {
                            "parts": [
                                {"text": "Hm.", "thought": True, "thoughtSignature": "YQ=="},
                                {"text": "Yes.", "thoughtSignature": "Yg=="},
                                {"inlineData": {"mimeType": "image/png", "data": "iVBO"}},
                                {
                                    "functionCall": {"id": "c", "name": "clock", "args": {}, "novel": 1},
                                    "thoughtSignature": "Yw==",
                                    "partMetadata": {"a": 1},
                                },
                                {"toolCall": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "args": {}}},
                            ],
                            "role": "model",
                            "novel": True,
                        },
                        "finishReason": "UNEXPECTED_TOOL_CALL",
                        "finishMessage": "Unexpected tool call",
                        "avgLogprobs": -0.5,
                        "index": 0,
                    }
                ],
                "usageMetadata": {"promptTokenCount": 7, "trafficType": "ON_DEMAND"},
                "modelVersion": "m",
                "createTime": "2026-06-15T18:18:30.977177Z",
                "responseId": "r1",
                "modelStatus": {"stage": "STABLE"},
            }
        )
    )


def test_the_time_is_told_to_the_second() -> None:
    assert read(createTime="2026-06-15T18:18:30.977177Z").created == 1_781_547_510
    assert write(ChatReply("r1", "m", (), created=1_781_547_510))[0]["createTime"] == "2026-06-15T18:18:30Z"


@pytest.mark.parametrize("time", ["yesterday", 7])
def test_what_is_no_time_is_kept_all_the_same(time: object) -> None:
    reply = read(createTime=time)
    assert reply.created is None
    assert write(reply)[0]["createTime"] == time


def test_another_vendors_proof_is_told_in_disguise() -> None:
    clear = Reasoning("Hm.", Signature("anthropic", "ABC"))
    sealed = Reasoning("", Signature("anthropic", "DEF"), redacted=True)
    written, losses = told(clear, sealed, ToolCall("c", "clock", "{}", Signature("openai", "GHI")))
    assert losses == []
    again = candidate(*written["content"]["parts"])
    assert again.parts == (clear, sealed, ToolCall("c", "clock", "{}", Signature("openai", "GHI")))


def test_what_an_answer_of_this_dialect_cannot_hold_is_lost() -> None:
    call = ToolCall("c", "clock", "[", extra=Extra("openai_chat", {"x": Raw(b"1")}))
    _, losses = told(Foreign("anthropic", Raw(b"{}")), call, Media(MediaKind.IMAGE, Inline("image/png", "A"), "a.png"))
    assert losses == [
        ("candidates[0].parts[0]", "dropped"),
        ("candidates[0].parts[1].arguments", "rewritten"),
        ("candidates[0].parts[1].x", "dropped"),
        ("candidates[0].parts[2].name", "dropped"),
    ]


def test_probabilities_and_leftovers_of_others_are_lost() -> None:
    one = Candidate((), None, Foreign("openai_chat", Raw(b"{}")), Extra("anthropic", {"x": Raw(b"1")}))
    _, losses = write(ChatReply("chatcmpl-1", "m", (one,), extra=Extra("anthropic", {"y": Raw(b"1")})))
    assert losses == [("y", "dropped"), ("candidates[0].logprobs", "dropped"), ("candidates[0].x", "dropped")]


def test_an_id_loses_another_dialects_prefix() -> None:
    assert write(ChatReply("chatcmpl-1", "m", ()))[0]["responseId"] == "1"


# ---------------------------------------------------------------- sources


GROUNDED = {
    "groundingChunks": [
        {"web": {"uri": "https://example.com/a", "title": "A"}},
        {"maps": {"uri": "https://example.com/b", "title": "B"}},
        {"novel": {}},
    ],
    "groundingSupports": [
        {"segment": {"startIndex": 4, "endIndex": 7, "text": "åå"}, "groundingChunkIndices": [0, 1, 2, 9]},
        {"segment": {"partIndex": 5, "endIndex": 3}, "groundingChunkIndices": [0]},
        {"groundingChunkIndices": "none"},
    ],
}


def test_sources_are_citations_with_places_in_characters() -> None:
    text = candidate({"text": "år: åå!"}, groundingMetadata=GROUNDED).parts[0]
    assert isinstance(text, Text)
    found = [(one.url, one.title, one.start, one.end) for one in text.citations]
    assert found == [
        ("https://example.com/a", "A", 3, 5),
        ("https://example.com/b", "B", 3, 5),
        (None, None, 3, 5),
    ]


def test_what_citations_tell_whole_is_no_loss_elsewhere() -> None:
    bare = candidate({"text": "år: åå!"}, groundingMetadata=GROUNDED)
    more = candidate({"text": "år: åå!"}, groundingMetadata={**GROUNDED, "webSearchQueries": ["år"]})
    assert bare.extra is not None
    assert more.extra is not None
    assert (bare.extra.fields, list(more.extra.fields)) == ({}, ["groundingMetadata"])
    assert told(*bare.parts)[0].get("groundingMetadata") is None
    for one in (bare, more):
        assert write(ChatReply("r1", "m", (one,)))[0]["candidates"][0]["groundingMetadata"]["groundingChunks"]


@pytest.mark.parametrize("name", ["citations", "citationSources"])
def test_recitations_are_citations_too(name: str) -> None:
    sources = {name: [{"startIndex": 1, "endIndex": 2, "uri": "https://example.com", "license": "mit"}]}
    text = candidate({"text": "abc"}, citationMetadata=sources).parts[0]
    assert isinstance(text, Text)
    assert [(one.url, one.start, one.end) for one in text.citations] == [("https://example.com", 1, 2)]


def test_citations_of_others_are_told_as_sources() -> None:
    cited = Citation("https://example.com", "Å", "quote", start=1, end=3)
    page = Citation("https://example.com/page")
    written, losses = told(Text("plain"), Text("åbc", citations=(cited, cited, page)))
    assert losses == []
    assert written["groundingMetadata"] == {
        "groundingChunks": [
            {"retrievedContext": {"uri": "https://example.com", "title": "Å", "text": "quote"}},
            {"web": {"uri": "https://example.com/page"}},
        ],
        "groundingSupports": [
            {"segment": {"partIndex": 1, "startIndex": 2, "endIndex": 4, "text": "bc"}, "groundingChunkIndices": [0]},
            {"segment": {"partIndex": 1, "startIndex": 2, "endIndex": 4, "text": "bc"}, "groundingChunkIndices": [0]},
            {"segment": {"partIndex": 1, "endIndex": 4, "text": "åbc"}, "groundingChunkIndices": [1]},
        ],
    }


# ---------------------------------------------------------------- counts and errors


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"promptTokenCount": 9, "candidatesTokenCount": 4}, Usage(9, output=4)),
        ({"promptTokenCount": 9, "cachedContentTokenCount": 5, "thoughtsTokenCount": 3}, Usage(4, 5, reasoning=3)),
        ({"promptTokenCount": 9, "toolUsePromptTokenCount": 6}, Usage(15)),
        ({"prompt_token_count": 9, "candidatesTokenCount": "x"}, Usage(9)),
        ({"promptTokenCount": 3, "cachedContentTokenCount": 5}, Usage(0, 3)),
        ({"totalTokenCount": -1}, Usage()),
    ],
)
def test_counts_are_disjoint(counts: dict[str, object], usage: Usage) -> None:
    read_usage = read(usageMetadata=counts).usage
    assert read_usage is not None
    kept = (read_usage.fresh_input, read_usage.cache_read, read_usage.output, read_usage.reasoning)
    assert kept == (usage.fresh_input, usage.cache_read, usage.output, usage.reasoning)


@pytest.mark.parametrize("counts", [{"trafficType": "ON_DEMAND"}, 7, None])
def test_what_counts_nothing_is_no_usage(counts: object) -> None:
    body = json.encode({"candidates": [], "usageMetadata": counts})
    assert CODEC.read_reply(body).usage is None
    assert CODEC.tap_reply(body) is None


def test_a_count_is_written_as_google_adds_up() -> None:
    reply = ChatReply("r1", "m", (), Usage(10, 20, 30, 4, 5))
    body, losses = write(reply)
    assert body["usageMetadata"] == {
        "promptTokenCount": 60,
        "cachedContentTokenCount": 20,
        "candidatesTokenCount": 4,
        "thoughtsTokenCount": 5,
        "totalTokenCount": 69,
    }
    assert losses == [("usage.cache_write", "rewritten")]


@pytest.mark.parametrize("body", [b"no", b"{}", b'{"candidates":7}', b'{"candidates":[7]}', b"[]", b'{"a":"\xff"}'])
def test_what_is_no_answer_is_garbled(body: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        CODEC.read_reply(body)
    assert caught.value.kind is Kind.GARBLED


@pytest.mark.parametrize("body", [b"no", b"{}", b"[]", b'{"promptFeedback":{}}'])
def test_what_is_no_answer_is_not_passed_for_one(body: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        CODEC.tap_reply(body)
    assert caught.value.kind is Kind.GARBLED


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_error_under_a_good_status_is_one(wrapped: bool) -> None:
    body = b'{"error":{"code":503,"message":"Overloaded","status":"UNAVAILABLE"}}'
    for reader in (CODEC.read_reply, CODEC.tap_reply):
        with pytest.raises(GatewayError) as caught:
            reader(b"[" + body + b"]" if wrapped else body)
        assert caught.value.kind is Kind.OVERLOADED

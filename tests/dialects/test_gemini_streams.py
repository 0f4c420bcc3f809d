"""Gemini's streams: chunks into events."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import Raw

from isthmus.core.content import Inline, Media, MediaKind, Reasoning, Signature, Text, ToolCall
from isthmus.core.errors import Kind
from isthmus.core.events import (
    ForeignEvent,
    MessageStart,
    MessageStop,
    StreamError,
    UsageReport,
)
from isthmus.core.fold import fold
from isthmus.core.reply import Finish, Reason
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.gemini.generate import CODEC
from isthmus.wire import json
from isthmus.wire.sse import write_data
from support.gemini_chunks import DONE, chunk, read
from support.streams import events_of, frames_of


def parts_of(*chunks: object) -> Sequence[object]:
    return fold(read(*chunks)).candidates[0].parts


def test_pieces_of_text_are_one_block() -> None:
    assert parts_of(chunk({"text": "Hel"}), chunk({"text": "lo"}), chunk({"text": ""}, **DONE)) == (Text("Hello"),)


def test_a_thought_ends_where_the_text_begins() -> None:
    thought = {"text": "Hm", "thought": True}
    assert parts_of(chunk(thought), chunk(thought, {"text": "Yes"}), chunk(**DONE)) == (Reasoning("HmHm"), Text("Yes"))


def test_a_proof_at_the_end_belongs_to_the_open_thought_or_to_the_text_before_it() -> None:
    thought = {"text": "Hm", "thought": True}
    proof = {"text": "", "thoughtSignature": "YQ=="}
    parts = parts_of(chunk(thought), chunk({**proof, "thought": True}), chunk({"text": "Yes"}), chunk(proof, **DONE))
    signature = Signature("google", "YQ==")
    seal = Reasoning("", signature, redacted=True, extra=Extra("gemini", {}, {"text": Raw(b'""')}))
    assert parts == (Reasoning("Hm", signature), Text("Yes"), seal)


def test_text_behind_a_signed_text_is_another() -> None:
    parts = parts_of(chunk({"text": "a", "thoughtSignature": "YQ=="}), chunk({"text": "b"}), chunk(**DONE))
    assert parts == (Text("a"), Reasoning("", Signature("google", "YQ=="), redacted=True), Text("b"))


def test_a_call_comes_whole_and_without_an_id_gets_one() -> None:
    call = {"functionCall": {"name": "clock", "args": {"zone": 1}}, "thoughtSignature": "YQ=="}
    (found,) = parts_of(chunk(call, **DONE))
    assert isinstance(found, ToolCall)
    assert (found.name, found.arguments, found.signature) == ("clock", '{"zone":1}', Signature("google", "YQ=="))
    assert found.id


def test_an_answer_that_calls_stops_because_of_that() -> None:
    call = {"functionCall": {"id": "c", "name": "clock"}}
    assert fold(read(chunk(call), chunk({"text": ""}, **DONE))).candidates[0].finish == Finish(Reason.TOOL_CALLS)


def piece(path: str, more: bool = False, **value: object) -> dict[str, Any]:
    return {"functionCall": {"partialArgs": [{"jsonPath": path, "willContinue": more, **value}], "willContinue": True}}


BEGUN = {"functionCall": {"name": "book", "id": "c", "willContinue": True}, "thoughtSignature": "YQ=="}
ENDED: dict[str, Any] = {"functionCall": {}}


def arguments_of(*pieces: object) -> object:
    (call,) = parts_of(chunk(BEGUN), *map(chunk, pieces), chunk(ENDED, **DONE))
    assert isinstance(call, ToolCall)
    assert (call.id, call.name, call.signature) == ("c", "book", Signature("google", "YQ=="))
    return json.decode(call.arguments.encode())


def test_arguments_in_pieces_are_put_together() -> None:
    assert arguments_of(
        piece("$.city", more=True, stringValue="Bos"),
        piece("$.city", more=True, stringValue="ton"),
        piece("$.city", stringValue=""),
        piece("$.guests[0].name", stringValue="Ida"),
        piece("$.guests[0].age", numberValue=7.50),
        piece("$.guests[1]['first name']", stringValue="Olaf"),
        piece('$["paid"]', boolValue=False),
        piece("$.note", nullValue=None),
    ) == {
        "city": "Boston",
        "guests": [{"name": "Ida", "age": 7.5}, {"first name": "Olaf"}],
        "paid": False,
        "note": None,
    }


def test_a_value_told_again_replaces_the_first() -> None:
    assert arguments_of(piece("$.a", stringValue="x"), piece("$.a", numberValue=2)) == {"a": 2}


def test_a_call_in_pieces_ends_where_the_next_begins_or_all_ends() -> None:
    second = {"functionCall": {"name": "bell", "id": "d", "args": {"n": 1}, "willContinue": True}}
    calls = parts_of(chunk(BEGUN), chunk(piece("$.a", numberValue=1)), chunk(second), chunk(**DONE))
    assert [(call.name, call.arguments) for call in calls if isinstance(call, ToolCall)] == [
        ("book", '{"a":1}'),
        ("bell", '{"n":1}'),
    ]


@pytest.mark.parametrize(
    "path", ["", "city", "$", "$.a[1]", "$.a[9999999999]", "$..a", "$.a.b.c[0]x", "$" + ".a" * 65, "$.a[x]"]
)
def test_a_path_that_leads_nowhere_is_garbled(path: str) -> None:
    last = read(chunk(BEGUN), chunk(piece(path, stringValue="x")))[-1]
    assert isinstance(last, StreamError)
    assert last.error.kind is Kind.GARBLED


@pytest.mark.parametrize("steps", [("$.a", "$.a.b"), ("$.a.b", "$.a[0]"), ("$.a[0]", "$.a.b")])
def test_pieces_that_do_not_fit_together_are_garbled(steps: tuple[str, str]) -> None:
    first, second = (chunk(piece(step, stringValue="x")) for step in steps)
    last = read(chunk(BEGUN), first, second)[-1]
    assert isinstance(last, StreamError)
    assert last.error.kind is Kind.GARBLED


def test_a_piece_without_its_call_is_garbled() -> None:
    last = read(chunk(piece("$.a", stringValue="x")))[-1]
    assert isinstance(last, StreamError)
    assert last.error.kind is Kind.GARBLED


def test_media_and_parts_that_nobody_knows_come_whole() -> None:
    drawn = {"inlineData": {"mimeType": "image/png", "data": "iVBO"}}
    ran = {"executableCode": {"code": "1"}}
    parts = parts_of(chunk({"text": "a"}), chunk(drawn, ran), chunk({"text": "b"}, **DONE))
    picture = Media(MediaKind.IMAGE, Inline("image/png", "iVBO"))
    assert parts == (Text("a"), picture, Foreign("gemini", json.raw(ran)), Text("b"))


def test_a_text_with_more_to_it_begins_a_block() -> None:
    parts = parts_of(chunk({"text": "a"}), chunk({"text": "b", "novel": 1}), chunk(**DONE))
    assert parts == (Text("a"), Text("b", extra=Extra("gemini", {"novel": Raw(b"1")})))


GROUNDED = {
    "groundingChunks": [{"web": {"uri": "https://example.com", "title": "A"}}],
    "groundingSupports": [{"segment": {"startIndex": 2, "endIndex": 5}, "groundingChunkIndices": [0]}],
}


def test_sources_belong_to_the_text_that_is_open_at_the_end() -> None:
    proof = {"text": "", "thoughtSignature": "YQ=="}
    reply = fold(read(chunk({"text": "å b"}), chunk({"text": "cd"}), chunk(proof, groundingMetadata=GROUNDED, **DONE)))
    text, seal = reply.candidates[0].parts
    assert isinstance(text, Text)
    assert isinstance(seal, Reasoning)
    assert [(one.url, one.start, one.end) for one in text.citations] == [("https://example.com", 1, 4)]
    assert reply.candidates[0].extra is not None
    assert reply.candidates[0].extra.fields == {}


def test_sources_that_come_too_late_are_not_hidden() -> None:
    call = {"functionCall": {"id": "c", "name": "clock"}}
    extra = fold(read(chunk({"text": "a"}, call), chunk(groundingMetadata=GROUNDED, **DONE))).candidates[0].extra
    assert extra is not None
    assert list(extra.fields) == ["groundingMetadata"]


def test_candidates_come_in_turns() -> None:
    two = {
        "candidates": [
            {"content": {"parts": [{"text": "Tails"}]}, "index": 1, "finishReason": "MAX_TOKENS"},
            {"content": {"parts": [{"text": "s"}]}, "index": 0, "finishReason": "STOP"},
        ]
    }
    reply = fold(read(chunk({"text": "Head"}), two))
    assert [one.parts for one in reply.candidates] == [(Text("Heads"),), (Text("Tails"),)]
    assert [one.finish for one in reply.candidates] == [Finish(Reason.STOP), Finish(Reason.LENGTH)]


def test_a_refused_prompt_is_an_answer_without_words() -> None:
    reply = fold(read({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}}))
    assert reply.candidates[0].finish == Finish(Reason.FILTERED)
    assert reply.usage is not None
    assert reply.usage.fresh_input == 4


def test_the_input_is_counted_at_the_start_and_all_at_the_end() -> None:
    """Vertex AI's chunks in the middle count nothing."""
    events = read(
        chunk({"text": "a"}, usage={"promptTokenCount": 4}),
        chunk({"text": "b"}, usage={"trafficType": "ON_DEMAND"}),
        chunk(usage={"promptTokenCount": 4, "candidatesTokenCount": 2}, **DONE),
    )
    start = events[0]
    assert isinstance(start, MessageStart)
    assert start.usage is not None
    assert start.usage.fresh_input == 4
    assert [event.usage.output for event in events if isinstance(event, UsageReport)] == [2]


def test_a_stream_without_a_reason_was_cut_short_and_still_cost() -> None:
    *_, report, last = read(
        chunk({"text": "a"}, usage={"promptTokenCount": 4}), chunk({"text": "b"}, usage={"promptTokenCount": 5})
    )
    assert isinstance(report, UsageReport)
    assert isinstance(last, StreamError)
    assert last.error.kind is Kind.CUT_SHORT


def test_nothing_is_read_behind_the_end() -> None:
    reader = CODEC.stream_reader()
    (frame,) = frames_of([write_data(json.encode(chunk({"text": "a"}, **DONE)))])
    assert reader.read(frame)
    assert isinstance(reader.end()[-1], MessageStop)
    assert (list(reader.read(frame)), list(reader.end())) == ([], [])


def test_an_error_ends_the_stream() -> None:
    error = {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}}
    last = read(chunk({"text": "a"}), error, chunk(**DONE))[-1]
    assert isinstance(last, StreamError)
    assert (last.error.kind, last.error.status) == (Kind.UPSTREAM_LIMITED, 429)


@pytest.mark.parametrize("data", [b"no", b"[]", b'{"candidates":7}', b'{"candidates":[{"content":{"parts":[7]}}]}'])
def test_what_is_no_chunk_is_garbled(data: bytes) -> None:
    (last,) = events_of(CODEC, [write_data(data)])[-1:]
    assert isinstance(last, StreamError)
    assert last.error.kind is Kind.GARBLED


def test_an_object_that_is_no_answer_is_kept() -> None:
    events = read(chunk({"text": "a"}), {"novel": 1}, {**chunk(**DONE), "modelStatus": {}})
    assert [bytes(event.body) for event in events if isinstance(event, ForeignEvent)] == [
        b'{"novel":1}',
        b'{"modelStatus":{}}',
    ]

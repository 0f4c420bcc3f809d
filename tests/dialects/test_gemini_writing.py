"""Events into Gemini's chunks, as events of a page and as one array; and what a tap sees of them."""

from typing import Any

import pytest
from msgspec import Raw

from isthmus.core.content import Citation, Text
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import (
    ArgumentsDelta,
    BlockKind,
    BlockStart,
    BlockStop,
    CitationDelta,
    Event,
    ForeignEvent,
    LogprobsDelta,
    MessageStart,
    MessageStop,
    StreamError,
    TextDelta,
    UsageReport,
    WholePart,
)
from isthmus.core.fold import fold
from isthmus.core.losses import Losses
from isthmus.core.reply import Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.gemini.generate import ARRAY_CODEC, CODEC
from isthmus.dialects.gemini.generate.frames import ArrayFrames
from isthmus.wire import json
from isthmus.wire.sse import write_data
from support.gemini_chunks import DONE, HEAD, chunk, read
from support.streams import events_of, frames_of, stream_of, tapped


def write(*events: Event) -> tuple[list[dict[str, Any]], list[str]]:
    """The chunks, and the paths of what was lost."""
    losses = Losses()
    stream = stream_of(CODEC, HEAD, (MessageStart("chatcmpl-9", "m"), *events), losses)
    return [json.decode(frame.data) for frame in frames_of([stream])], [loss.path for loss in losses.found]


def text(index: int, *pieces: str, candidate: int = 0) -> list[Event]:
    start = BlockStart(index, BlockKind.TEXT, candidate=candidate)
    return [start, *(TextDelta(index, piece) for piece in pieces), BlockStop(index)]


STOP = MessageStop(Finish(Reason.STOP))


def test_every_chunk_names_the_answer_and_the_last_says_why_it_ended() -> None:
    chunks, losses = write(*text(0, "Hel", "", "lo"), STOP)
    assert [one["candidates"][0]["content"]["parts"] for one in chunks] == [
        [{"text": "Hel"}],
        [{"text": "lo"}],
        [{"text": ""}],
    ]
    assert all((one["responseId"], one["modelVersion"]) == ("9", "shown") for one in chunks)
    assert ["finishReason" in one["candidates"][0] for one in chunks] == [False, False, True]
    assert losses == []


def test_a_call_is_told_when_all_of_it_has_come() -> None:
    start = BlockStart(0, BlockKind.TOOL_CALL, "c", "clock")
    chunks, _ = write(start, ArgumentsDelta(0, '{"zo'), ArgumentsDelta(0, 'ne": 1}'), BlockStop(0), STOP)
    call = {"functionCall": {"id": "c", "name": "clock", "args": {"zone": 1}}}
    assert chunks[0]["candidates"][0]["content"]["parts"] == [call]
    assert len(chunks) == 2


def test_interleaved_calls_are_told_one_after_the_other() -> None:
    starts = [BlockStart(n, BlockKind.TOOL_CALL, f"c{n}", "clock") for n in (0, 1)]
    deltas = [ArgumentsDelta(0, "{"), ArgumentsDelta(1, "{}"), ArgumentsDelta(0, "}")]
    chunks, _ = write(*starts, *deltas, BlockStop(1), BlockStop(0), STOP)
    called = [one["candidates"][0]["content"]["parts"][0]["functionCall"]["id"] for one in chunks[:2]]
    assert called == ["c1", "c0"]


def test_the_end_of_every_candidate_stands_in_one_chunk() -> None:
    chunks, _ = write(
        *text(0, "a"),
        *text(1, "b", candidate=1),
        STOP,
        MessageStop(Finish(Reason.LENGTH), 1),
        UsageReport(Usage(1, output=2)),
    )
    last = chunks[-1]
    assert [(one["index"], one["finishReason"]) for one in last["candidates"]] == [(0, "STOP"), (1, "MAX_TOKENS")]
    assert last["usageMetadata"]["totalTokenCount"] == 3


def test_citations_count_from_the_beginning_of_the_answer() -> None:
    first = [*text(0, "å", "b")[:-1], CitationDelta(0, Citation("https://example.com/a")), BlockStop(0)]
    second = [*text(1, "cd")[:-1], CitationDelta(1, Citation("https://example.com/b", start=1, end=2)), BlockStop(1)]
    chunks, losses = write(*first, *second, STOP)
    supports = chunks[-1]["candidates"][0]["groundingMetadata"]["groundingSupports"]
    assert [support["segment"] for support in supports] == [
        {"endIndex": 3, "text": "åb"},
        {"startIndex": 4, "endIndex": 5, "text": "d"},
    ]
    assert losses == []


def test_what_google_has_no_word_for_is_lost() -> None:
    other = Extra("anthropic", {"x": Raw(b"1")})
    refusal = [BlockStart(1, BlockKind.REFUSAL), TextDelta(1, "No."), BlockStop(1)]
    _, losses = write(
        BlockStart(0, BlockKind.TEXT, extra=other),
        BlockStop(0),
        *refusal,
        WholePart(Foreign("anthropic", Raw(b"{}"))),
        LogprobsDelta(Foreign("openai_chat", Raw(b"{}"))),
        ForeignEvent("anthropic", Raw(b"{}")),
        MessageStop(Finish(Reason.STOP), extra=other),
    )
    assert losses == [
        "candidates[0].parts[0].x",
        "candidates[0].parts[1]",
        "candidates[0].parts[2]",
        "events",
        "candidates[0].finish",
        "candidates[0].logprobs",
        "candidates[0].x",
    ]


def test_what_only_google_knows_goes_on_as_it_came() -> None:
    body = chunk({"text": "a", "novel": 1}, {"toolCall": {"id": "t"}})
    end = {**chunk(avgLogprobs=-0.5, logprobsResult={"a": 1}, **DONE), "promptFeedback": {"safetyRatings": []}}
    events = read({**body, "promptFeedback": {"safetyRatings": []}}, {"novel": 2}, end)
    losses = Losses()
    stream = stream_of(CODEC, HEAD, events, losses)
    chunks = [json.decode(frame.data) for frame in frames_of([stream])]
    assert [part for one in chunks for part in one.get("candidates", [{}])[0].get("content", {}).get("parts", ())] == [
        {"text": "a", "novel": 1},
        {"toolCall": {"id": "t"}},
        {"text": ""},
    ]
    assert {"novel": 2} in chunks
    last = chunks[-1]
    assert last["promptFeedback"] == {"safetyRatings": []}
    assert (last["candidates"][0]["avgLogprobs"], last["candidates"][0]["logprobsResult"]) == (-0.5, {"a": 1})
    assert losses.found == []


def test_a_refused_prompt_is_told_without_a_candidate() -> None:
    events = read({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}})
    (only,) = (json.decode(frame.data) for frame in frames_of([stream_of(CODEC, HEAD, events, Losses())]))
    assert "candidates" not in only
    assert only["promptFeedback"] == {"blockReason": "SAFETY"}


def test_an_array_is_valid_from_beginning_to_end() -> None:
    stream = stream_of(ARRAY_CODEC, HEAD, (MessageStart("r1", "m"), *text(0, "a", "b"), STOP), Losses())
    told = json.decode(stream)
    assert [one["candidates"][0]["content"]["parts"][0]["text"] for one in told] == ["", "a", "b", ""]
    assert fold(events_of(ARRAY_CODEC, [stream])).candidates[0].parts == (Text("ab"),)


def test_an_array_without_a_chunk_is_empty() -> None:
    assert ArrayFrames().close() == b"[]"


def test_an_error_in_an_array_is_its_last_item() -> None:
    error = GatewayError(Kind.OVERLOADED, "busy")
    writer = ARRAY_CODEC.stream_writer(HEAD, Losses())
    begun = writer.write(MessageStart("r1", "m"))
    for end in (writer.write(StreamError(error)), ARRAY_CODEC.write_error_event(error)):
        assert json.decode(begun + end)[-1]["error"]["message"] == "busy"


def test_a_client_of_arrays_is_sent_no_pings() -> None:
    assert ARRAY_CODEC.ping == b""


def test_a_tap_watches_arrays_too() -> None:
    stream = json.encode([chunk({"text": "a"}, usage={"promptTokenCount": 4}), chunk(**DONE)])
    seen = tapped(ARRAY_CODEC.tap(False), [stream[:40], stream[40:]])
    assert seen.complete
    assert seen.usage is not None
    assert seen.usage.fresh_input == 4


@pytest.mark.parametrize(
    ("chunks", "complete", "started"),
    [
        ([{"usage_metadata": {"promptTokenCount": 4}}], False, False),
        ([chunk({"text": "a"}), {"candidates": [{"finish_reason": "STOP"}]}], True, True),
        ([{"promptFeedback": {"blockReason": "SAFETY"}}], True, True),
        ([chunk({"text": '"finishReason":"STOP"'})], False, True),
        ([{"novel": 1}], False, False),
        ([{"candidates": 7, "finishReason": 1}], False, False),
    ],
)
def test_a_tap_knows_the_end_in_either_spelling(chunks: list[Any], complete: bool, started: bool) -> None:
    seen = tapped(CODEC.tap(False), [write_data(json.encode(one)) for one in chunks])
    assert (seen.complete, seen.started) == (complete, started)

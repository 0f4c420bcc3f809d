"""Answers and streams of a response as clients are told them: every item whole, every event in its place."""

from collections.abc import Iterable
from typing import Any

import pytest
from msgspec import Raw

from isthmus.core.content import Citation, Inline, Media, MediaKind, Part, Reasoning, Refusal, Signature, Text, ToolCall
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import (
    ArgumentsDelta,
    BlockKind,
    BlockStart,
    BlockStop,
    Event,
    MessageStart,
    StreamError,
    TextDelta,
)
from isthmus.core.fold import unfold
from isthmus.core.losses import Losses
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.codec import ReplyHead
from isthmus.dialects.openai.responses import CODEC
from isthmus.wire import json
from support.specimens import bare
from support.streams import frames_of

HEAD = ReplyHead("m", 7)


def reply(*parts: Part, finish: Reason = Reason.STOP, **more: Any) -> ChatReply:
    return ChatReply("1", "m", (Candidate(parts, Finish(finish)),), created=7, **more)


def whole(answer: ChatReply) -> tuple[dict[str, Any], Losses]:
    losses = Losses()
    return json.decode(CODEC.write_reply(answer, losses)), losses


def told(events: Iterable[Event], losses: Losses | None = None) -> list[dict[str, Any]]:
    writer = CODEC.stream_writer(HEAD, losses or Losses())
    stream = b"".join([*map(writer.write, events), writer.end()])
    return [json.decode(frame.data) for frame in frames_of([stream])]


def kinds(events: Iterable[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def test_a_text_is_told_in_the_order_that_clients_expect() -> None:
    assert kinds(told(unfold(reply(Text("hi"))))) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]


def test_a_summary_is_told_in_the_order_that_clients_expect() -> None:
    assert kinds(told(unfold(reply(Reasoning("hm")))))[2:-1] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]


def test_a_thought_that_was_told_in_full_is_told_in_full() -> None:
    thought = Reasoning("hm", extra=Extra("openai_responses", {}, {"in_full": Raw(b"true")}))
    assert kinds(told(unfold(reply(thought))))[2:-1] == [
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.done",
        "content_part.done",
        "output_item.done",
    ]


def test_a_call_is_told_in_the_order_that_clients_expect() -> None:
    assert kinds(told(unfold(reply(ToolCall("c", "f", "{}")))))[2:-1] == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]


def test_a_refusal_is_told_in_the_order_that_clients_expect() -> None:
    assert kinds(told(unfold(reply(Refusal("No.")))))[3:7] == [
        "content_part.added",
        "refusal.delta",
        "refusal.done",
        "content_part.done",
    ]


def test_events_are_numbered_one_by_one() -> None:
    parts = (Reasoning("hm", Signature("google", "x")), Text("hi"), ToolCall("c", "f", "{}"), Text("ho"))
    numbers = [event["sequence_number"] for event in told(unfold(reply(*parts)))]
    assert numbers == list(range(len(numbers)))


def test_the_last_event_holds_what_the_whole_answer_says() -> None:
    answer = reply(Reasoning("hm"), Text("hi"), ToolCall("c", "f", "{}"), usage=Usage(3, 1, 0, 2, 1))
    assert told(unfold(answer))[-1]["response"] == whole(answer)[0]


def test_items_have_the_same_id_from_beginning_to_end() -> None:
    events = told(unfold(reply(Reasoning("hm"), Text("hi"), ToolCall("c", "f", "{}"))))
    final = [item["id"] for item in events[-1]["response"]["output"]]
    assert [id_.split("_")[0] for id_ in final] == ["rs", "msg", "fc"]
    for event in events:
        named = event.get("item_id") or event.get("item", {}).get("id")
        assert named is None or named == final[event["output_index"]]


def test_two_texts_stand_in_one_message() -> None:
    answer = reply(Text("a"), Text("b"))
    (item,) = whole(answer)[0]["output"]
    assert [part["text"] for part in item["content"]] == ["a", "b"]
    assert told(unfold(answer))[-1]["response"]["output"] == [item]


def test_a_call_between_two_texts_parts_them() -> None:
    events = told(unfold(reply(Text("a"), ToolCall("c", "f", "{}"), Text("b"))))
    assert [item["type"] for item in events[-1]["response"]["output"]] == ["message", "function_call", "message"]


def test_calls_that_take_turns_keep_their_places() -> None:
    start = MessageStart("1", "m")
    opened = [BlockStart(number, BlockKind.TOOL_CALL, f"c{number}", "f") for number in (0, 1)]
    pieces = [ArgumentsDelta(1, "{"), ArgumentsDelta(0, "{"), ArgumentsDelta(1, "}"), ArgumentsDelta(0, "}")]
    events = told([start, *opened, *pieces, BlockStop(1), BlockStop(0)])
    assert [event["output_index"] for event in events if event["type"].endswith("arguments.delta")] == [1, 0, 1, 0]
    assert [item["call_id"] for item in events[-1]["response"]["output"]] == ["c0", "c1"]


def test_a_call_without_arguments_has_an_empty_object() -> None:
    events = told(unfold(reply(ToolCall("c", "f", ""))))
    assert [event["delta"] for event in events if "delta" in event] == ["{}"]
    assert events[-1]["response"]["output"][0]["arguments"] == "{}"


@pytest.mark.parametrize(
    ("thought", "proof"),
    [
        (Reasoning("hm", Signature("openai", "gAAAA")), "gAAAA"),
        (Reasoning("hm", Signature("anthropic", "abc")), "isthmus:anthropic:abc"),
        (Reasoning("", Signature("anthropic", "abc"), redacted=True), "isthmus-redacted:anthropic:abc"),
        (Reasoning("hm"), "isthmus::"),
    ],
)
def test_a_thought_has_something_to_be_handed_back(thought: Reasoning, proof: str) -> None:
    (item,) = whole(reply(thought))[0]["output"]
    assert item["encrypted_content"] == proof
    assert told(unfold(reply(thought)))[-1]["response"]["output"] == [item]


def test_what_a_client_hands_back_is_what_it_was_given() -> None:
    parts = (Reasoning("hm", Signature("google", "abc")), Text("hi"), ToolCall("c", "f", '{"a":1}'))
    output = whole(reply(*parts))[0]["output"]
    (turn,) = CODEC.read_request(json.encode({"model": "m", "input": output})).messages
    assert bare(turn).parts == parts


def test_a_citation_is_an_event_and_a_part_of_its_text() -> None:
    events = told(unfold(reply(Text("hi there", citations=(Citation("https://example.com/a", "A", start=0, end=2),)))))
    (event,) = (one for one in events if one["type"].endswith("annotation.added"))
    cited = {"type": "url_citation", "url": "https://example.com/a", "title": "A", "start_index": 0, "end_index": 2}
    assert (event["annotation_index"], event["annotation"]) == (0, cited)
    assert events[-1]["response"]["output"][0]["content"][0]["annotations"] == [cited]


@pytest.mark.parametrize(
    ("reason", "status", "why", "lost"),
    [
        (Reason.STOP, "completed", None, False),
        (Reason.LENGTH, "incomplete", "max_output_tokens", False),
        (Reason.FILTERED, "incomplete", "content_filter", False),
        (Reason.CONTEXT_FULL, "incomplete", "max_output_tokens", True),
        (Reason.REFUSED, "incomplete", "content_filter", True),
        (Reason.STOP_SEQUENCE, "completed", None, True),
        (Reason.PAUSED, "completed", None, True),
        (Reason.OTHER, "completed", None, True),
    ],
)
def test_how_an_answer_ended(reason: Reason, status: str, why: str | None, lost: bool) -> None:
    answer, losses = whole(reply(Text("hi"), finish=reason))
    assert (answer["status"], answer["incomplete_details"]) == (status, why and {"reason": why})
    assert [loss.path for loss in losses.found] == (["candidates[0].finish"] if lost else [])
    last = told(unfold(reply(Text("hi"), finish=reason)))[-1]
    assert (last["type"], last["response"]["status"]) == (f"response.{status}", status)


def test_the_last_item_of_an_incomplete_answer_is_incomplete() -> None:
    answer = reply(Reasoning("hm"), Text("hi"), finish=Reason.LENGTH)
    assert whole(answer)[0]["output"][-1]["status"] == "incomplete"
    assert told(unfold(answer))[-1]["response"]["output"][-1]["status"] == "incomplete"


def test_a_refusal_in_words_needs_no_other_reason() -> None:
    assert whole(reply(Refusal("No."), finish=Reason.REFUSED))[0]["status"] == "completed"


def test_usage_has_a_total() -> None:
    usage = whole(reply(Text("hi"), usage=Usage(3, 2, 1, 4, 5)))[0]["usage"]
    assert usage == {
        "input_tokens": 6,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 15,
    }


@pytest.mark.parametrize(
    ("part", "path"),
    [
        (Media(MediaKind.IMAGE, Inline("image/png", "AAAA")), "candidates[0].parts[0]"),
        (Foreign("anthropic", Raw(b'{"type":"novel"}')), "candidates[0].parts[0]"),
        (ToolCall("c", "f", "{}", Signature("google", "x")), "candidates[0].parts[0].signature"),
    ],
    ids=["picture", "foreign item", "signed call"],
)
def test_what_an_answer_cannot_hold_is_told(part: Part, path: str) -> None:
    losses = Losses()
    told(unfold(reply(part)), losses)
    assert {loss.path for loss in losses.found} == {loss.path for loss in whole(reply(part))[1].found} == {path}


def test_a_second_candidate_is_told_as_lost() -> None:
    two = ChatReply("1", "m", (Candidate((Text("a"),)), Candidate((Text("b"),))), created=7)
    losses = Losses()
    events = told(unfold(two), losses)
    assert len(events[-1]["response"]["output"]) == 1
    assert {loss.path for loss in losses.found} == {loss.path for loss in whole(two)[1].found} == {"candidates[1]"}


def test_what_breaks_off_is_never_completed() -> None:
    begun = [MessageStart("1", "m"), BlockStart(0, BlockKind.TEXT), TextDelta(0, "a")]
    events = told([*begun, StreamError(GatewayError(Kind.UPSTREAM_LIMITED, "too fast"))])
    error, failed = events[-2:]
    assert kinds(events)[-2:] == ["error", "failed"]
    assert error["error"]["code"] == failed["response"]["error"]["code"] == "rate_limit_exceeded"
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["id"] == events[0]["response"]["id"]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


def test_an_error_before_anything_was_told_is_told_twice_over() -> None:
    frames = frames_of([CODEC.write_error_event(GatewayError(Kind.OVERLOADED, "busy"))])
    assert [frame.event for frame in frames] == [b"error", b"response.failed"]


def test_every_event_is_named_on_a_line_of_its_own() -> None:
    writer = CODEC.stream_writer(HEAD, Losses())
    stream = b"".join([*map(writer.write, unfold(reply(Text("hi")))), writer.end()])
    for frame in frames_of([stream]):
        assert frame.event.decode() == json.decode(frame.data)["type"]


def test_an_answer_of_this_dialect_keeps_its_id_and_what_it_repeats() -> None:
    body = json.encode(
        {"id": "bf3b", "object": "response", "created_at": 7, "model": "m", "status": "completed", "store": True}
        | {"output": [], "parallel_tool_calls": False, "tool_choice": "none", "tools": [], "novel": 1}
    )
    again, losses = whole(CODEC.read_reply(body))
    assert json.decode(body).items() <= again.items()
    assert losses.found == []


@pytest.mark.parametrize("id_", ["chatcmpl-1", "msg_1", "resp_1", "1"])
def test_an_id_has_this_dialects_prefix_in_place_of_anothers(id_: str) -> None:
    assert whole(ChatReply(id_, "m", (Candidate(()),)))[0]["id"] == "resp_1"


def test_an_answer_that_is_still_to_come_stays_so() -> None:
    body = {"id": "resp_1", "created_at": 7, "model": "m", "status": "queued", "output": []}
    read = CODEC.read_reply(json.encode(body))
    assert read.candidates[0].finish is None
    assert whole(read)[0]["status"] == "queued"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"error":{"code":"server_error","message":"oh"},"status":"failed","output":[]}', Kind.UPSTREAM_FAULT),
        (b'{"error":null,"status":"failed","output":[]}', Kind.UPSTREAM_FAULT),
        (b'{"id":"resp_1"}', Kind.GARBLED),
        (b"[]", Kind.GARBLED),
    ],
)
def test_what_is_no_answer_is_an_error_for_reader_and_tap(body: bytes, kind: Kind) -> None:
    for look in (CODEC.read_reply, CODEC.tap_reply):
        with pytest.raises(GatewayError) as caught:
            look(body)
        assert caught.value.kind is kind

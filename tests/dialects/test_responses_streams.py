"""Streams of a response, read from OpenAI and from hosts that leave out some of its events."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import Raw

from isthmus.core.content import Citation, Part, Reasoning, Refusal, Signature, Text, ToolCall
from isthmus.core.errors import Kind
from isthmus.core.events import Event, ForeignEvent, MessageStart, StreamError, TextDelta
from isthmus.core.fold import fold
from isthmus.core.grammar import Checker
from isthmus.core.losses import Losses
from isthmus.core.reply import ChatReply, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign
from isthmus.dialects.codec import ReplyHead
from isthmus.dialects.openai.responses import CODEC
from isthmus.wire import json
from support.specimens import bare
from support.streams import events_of, frames_of, stream_of

HEAD = {"id": "resp_1", "object": "response", "created_at": 7, "model": "m", "status": "in_progress", "output": []}
USAGE = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
CREATED = {"type": "response.created", "response": HEAD}
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}
COMPLETED = {"type": "response.completed", "response": {**HEAD, "status": "completed", "usage": USAGE}}


def wire(*events: dict[str, Any]) -> bytes:
    return b"".join(b"event: %b\ndata: %b\n\n" % (one["type"].encode(), json.encode(one)) for one in events)


def events(*told: dict[str, Any]) -> list[Event]:
    found = events_of(CODEC, [wire(*told)])
    checker = Checker()
    for event in found:
        checker.check(event)
    checker.end()
    return found


def answer(*told: dict[str, Any]) -> ChatReply:
    return bare(fold(events(CREATED, *told, COMPLETED)))


def parts(*told: dict[str, Any]) -> Sequence[Part]:
    return answer(*told).candidates[0].parts


def item(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "id": f"{kind}_1", **fields}


def added(what: dict[str, Any], place: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": place, "item": what}


def done(what: dict[str, Any], place: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": place, "item": what}


def of(name: str, place: int = 0, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{name}", "output_index": place, **fields}


def said(text: str, **more: Any) -> dict[str, Any]:
    return {**MESSAGE, "content": [{"type": "output_text", "text": text, **more}]}


def test_usage_and_time_are_told() -> None:
    read = answer(added(MESSAGE), of("output_text.delta", content_index=0, delta="hi"), done(said("hi")))
    assert (read.id, read.model, read.created) == ("1", "m", 7)
    assert read.usage == Usage(fresh_input=3, output=2)


@pytest.mark.parametrize(
    "told",
    [
        [done(said("hi there"))],
        [added(MESSAGE), of("output_text.delta", content_index=0, delta="hi"), done(said("hi there"))],
        [
            of("output_text.delta", content_index=0, delta="hi "),
            of("output_text.delta", content_index=0, delta="there"),
        ],
        [added(MESSAGE), of("output_text.done", content_index=0, text="hi there"), done(MESSAGE)],
        [added(MESSAGE), of("content_part.done", content_index=0, part=said("hi there")["content"][0])],
    ],
    ids=["only the item", "a piece and the item", "only pieces", "only the text", "only the part"],
)
def test_a_text_is_read_from_whatever_tells_it(told: list[dict[str, Any]]) -> None:
    assert parts(*told) == (Text("hi there"),)


def test_an_answer_that_comes_only_at_the_end_is_read() -> None:
    whole = {**HEAD, "status": "completed", "output": [said("hi")], "usage": USAGE}
    read = bare(fold(events({"type": "response.completed", "response": whole})))
    assert read.candidates[0].parts == (Text("hi"),)


def test_some_gateways_say_done_for_completed() -> None:
    last = {"type": "response.done", "response": {**HEAD, "status": "completed"}}
    assert not isinstance(events(CREATED, done(said("hi")), last)[-1], StreamError)


def test_a_stream_without_event_lines_is_read() -> None:
    stream = b"".join(b"data: %b\n\n" % json.encode(one) for one in (CREATED, done(said("hi")), COMPLETED))
    assert bare(fold(events_of(CODEC, [stream]))).candidates[0].parts == (Text("hi"),)


def test_two_parts_of_one_message_are_two_texts() -> None:
    first, second = ({"type": "output_text", "text": text} for text in ("a", "b"))
    told = [
        added(MESSAGE),
        *(
            event
            for place, part in enumerate((first, second))
            for event in (
                of("content_part.added", content_index=place, part={**part, "text": ""}),
                of("output_text.delta", content_index=place, delta=part["text"]),
                of("content_part.done", content_index=place, part=part),
            )
        ),
        done({**MESSAGE, "content": [first, second]}),
    ]
    assert parts(*told) == (Text("a"), Text("b"))


def test_a_citation_is_told_once_wherever_it_is_told() -> None:
    cited = {"type": "url_citation", "url": "https://example.com/a", "title": "A", "start_index": 0, "end_index": 2}
    whole = said("hi", annotations=[cited])
    piece = of("output_text.delta", content_index=0, delta="hi")
    event = of("output_text.annotation.added", content_index=0, annotation_index=0, annotation=cited)
    expected = (Text("hi", citations=(Citation("https://example.com/a", "A", start=0, end=2),)),)
    assert parts(added(MESSAGE), piece, event, done(whole)) == expected
    assert parts(added(MESSAGE), piece, of("content_part.done", content_index=0, part=whole["content"][0])) == expected


def test_a_refusal_is_read() -> None:
    refused = {**MESSAGE, "content": [{"type": "refusal", "refusal": "No."}]}
    assert parts(added(MESSAGE), of("refusal.delta", content_index=0, delta="No"), done(refused)) == (Refusal("No."),)


def test_the_parts_of_a_summary_stand_apart() -> None:
    told = [
        added(item("reasoning", summary=[])),
        of("reasoning_summary_part.added", summary_index=0, part={"type": "summary_text", "text": ""}),
        of("reasoning_summary_text.delta", summary_index=0, delta="a"),
        of("reasoning_summary_text.delta", summary_index=1, delta="b"),
        done(item("reasoning", summary=[], encrypted_content="gAAAA")),
    ]
    assert parts(*told) == (Reasoning("a\n\nb", Signature("openai", "gAAAA")),)


def test_a_thought_of_which_only_the_proof_is_told_is_redacted() -> None:
    told = [added(item("reasoning", summary=[])), done(item("reasoning", summary=[], encrypted_content="gAAAA"))]
    assert parts(*told) == (Reasoning("", Signature("openai", "gAAAA"), redacted=True),)


def test_a_thought_is_told_in_the_voice_that_began() -> None:
    found = events(
        CREATED,
        added(item("reasoning", summary=[])),
        of("reasoning_text.delta", content_index=0, delta="all of it"),
        of("reasoning_summary_text.delta", summary_index=0, delta="it"),
        COMPLETED,
    )
    assert bare(fold(found)).candidates[0].parts == (Reasoning("all of it"),)
    assert [event for event in found if isinstance(event, ForeignEvent)]


def test_a_call_is_read_from_its_pieces_or_from_the_item() -> None:
    begun = item("function_call", call_id="c", name="f", arguments="")
    ended = {**begun, "arguments": '{"a":1}'}
    pieces = [of("function_call_arguments.delta", delta=piece) for piece in ('{"a"', ":1}")]
    call = ToolCall("c", "f", '{"a":1}')
    assert (
        parts(added(begun), *pieces, done(ended)) == parts(done(ended)) == parts(added(begun), done(ended)) == (call,)
    )


def test_calls_may_take_turns() -> None:
    calls = [item("function_call", call_id=name, name=name, arguments="") for name in ("f", "g")]
    told = [added(call, place) for place, call in enumerate(calls)]
    told += [of("function_call_arguments.delta", place, delta="{") for place in (1, 0)]
    told += [done({**call, "arguments": "{}"}, place) for place, call in enumerate(calls)]
    assert parts(*told) == (ToolCall("f", "f", "{}"), ToolCall("g", "g", "{}"))


def test_a_custom_tools_input_becomes_arguments_as_it_comes() -> None:
    begun = item("custom_tool_call", call_id="c", name="f", input="")
    pieces = [of("custom_tool_call_input.delta", delta=piece) for piece in ('say "', 'hi"\n')]
    (call,) = parts(added(begun), *pieces, done({**begun, "input": 'say "hi"\n'}))
    assert call == ToolCall("c", "f", '{"input":"say \\"hi\\"\\n"}')


def test_what_a_hosted_tool_does_is_kept_for_this_dialect() -> None:
    search = item("web_search_call", status="completed")
    found = events(
        CREATED,
        added(search),
        of("web_search_call.searching", item_id="x"),
        done(search),
        done(said("hi"), 1),
        COMPLETED,
    )
    assert sum(isinstance(event, ForeignEvent) for event in found) == 2
    assert fold(found).candidates[0].parts[0] == Foreign("openai_responses", json.raw(search))


def test_hosted_tools_keep_their_place_when_told_again() -> None:
    search = item("web_search_call", status="completed")
    told = [added(search, 4), of("web_search_call.searching", 4), done(search, 4), done(said("hi"), 5)]
    again = stream_of(CODEC, ReplyHead("m", 7), events(CREATED, *told, COMPLETED), Losses())
    seen = [json.decode(frame.data) for frame in frames_of([again])]
    assert [event["sequence_number"] for event in seen] == list(range(len(seen)))
    assert {event["output_index"] for event in seen if "search" in event["type"] or event.get("item") == search} == {0}
    assert [one["type"] for one in seen[-1]["response"]["output"]] == ["web_search_call", "message"]


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, Reason.LENGTH),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, Reason.FILTERED),
        ({"status": "incomplete", "incomplete_details": {"reason": "steered"}}, Reason.OTHER),
        ({"status": "completed"}, Reason.STOP),
        ({}, Reason.STOP),
    ],
    ids=str,
)
def test_why_an_answer_ended(last: dict[str, Any], reason: Reason) -> None:
    end = {**HEAD, "status": None, **last, "usage": USAGE}
    found = fold(events(CREATED, done(said("hi")), {"type": "response.incomplete", "response": end}))
    assert found.candidates[0].finish is not None
    assert found.candidates[0].finish.reason is reason
    assert found.usage is not None


def test_an_answer_that_called_ended_for_the_call() -> None:
    read = answer(done(item("function_call", call_id="c", name="f", arguments="{}")))
    assert read.candidates[0].finish is not None
    assert read.candidates[0].finish.reason is Reason.TOOL_CALLS


FAILED = {**HEAD, "status": "failed", "error": {"code": "rate_limit_exceeded", "message": "too fast"}}


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "error", "error": {"type": "rate_limit_error", "code": "rate_limit_exceeded", "message": "too fast"}},
        {"type": "error", "code": "rate_limit_exceeded", "message": "too fast", "param": None},
        {"type": "response.failed", "response": FAILED},
        {"type": "response.completed", "response": FAILED},
    ],
    ids=["nested", "flat", "failed", "failed under a good name"],
)
def test_an_error_ends_the_stream(broken: dict[str, Any]) -> None:
    last = events(CREATED, broken, COMPLETED)[-1]
    assert isinstance(last, StreamError)
    assert (last.error.kind, last.error.message) == (Kind.UPSTREAM_LIMITED, "too fast")


def test_nothing_is_read_behind_an_error() -> None:
    told = [CREATED, added(MESSAGE), of("output_text.delta", content_index=0, delta="a")]
    broken = {"type": "error", "error": {"message": "no"}}
    later = of("output_text.delta", content_index=0, delta="b")
    assert isinstance(events(*told, broken, later)[-1], StreamError)


@pytest.mark.parametrize("tail", [b"", b"data: [DONE]\n\n"])
def test_a_stream_that_stops_before_its_end_is_cut_short(tail: bytes) -> None:
    last = events_of(CODEC, [wire(CREATED, done(said("hi"))) + tail])[-1]
    assert isinstance(last, StreamError)
    assert last.error.kind is Kind.CUT_SHORT


def test_what_follows_the_end_says_nothing() -> None:
    found = events_of(CODEC, [wire(CREATED, done(said("hi")), COMPLETED) + b"data: [DONE]\n\n"])
    assert bare(fold(found)).candidates[0].parts == (Text("hi"),)


def test_an_event_nobody_knows_is_kept_for_this_dialect() -> None:
    keepalive = {"type": "keepalive", "sequence_number": 3}
    found = events(CREATED, keepalive, done(said("hi")), COMPLETED)
    assert ForeignEvent("openai_responses", json.raw(keepalive)) in found


def test_the_answer_begins_even_where_nobody_said_so() -> None:
    first, *_ = events(done(said("hi")), COMPLETED)
    assert isinstance(first, MessageStart)


def test_plain_text_is_one_event_a_piece() -> None:
    pieces = [of("output_text.delta", content_index=0, delta=text) for text in ("a", "b", "c")]
    found = events(CREATED, added(MESSAGE), *pieces, done(said("abc")), COMPLETED)
    assert [event.text for event in found if isinstance(event, TextDelta)] == ["a", "b", "c"]


def test_log_probabilities_are_those_of_the_whole_answer() -> None:
    weighed = [{"token": "hi", "logprob": -0.5, "bytes": [104, 105], "top_logprobs": []}]
    read = answer(added(MESSAGE), done(said("hi", logprobs=weighed)))
    assert read.candidates[0].logprobs == Foreign("openai_chat", json.raw({"content": weighed, "refusal": None}))
    assert read.candidates[0].parts == (Text("hi"),)


def test_an_item_whose_number_is_absurd_makes_no_absurd_work() -> None:
    assert parts(done(said("hi"), 10**12)) == (Text("hi"),)


def test_raw_bytes_that_are_no_utf_8_break_the_stream() -> None:
    last = events_of(CODEC, [wire(CREATED) + b'data: {"type":"novel","x":"\xff"}\n\n'])[-1]
    assert isinstance(last, StreamError)
    assert last.error.kind is Kind.GARBLED


def test_a_novel_part_of_a_message_is_kept() -> None:
    novel = {"type": "output_hologram", "data": "x"}
    (part,) = parts(added(MESSAGE), done({**MESSAGE, "content": [novel]}))
    assert part == Foreign("openai_responses", Raw(json.encode(novel)))

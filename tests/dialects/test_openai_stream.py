"""Streamed OpenAI answers: blocks are invented, oddities of hosts are understood, and clients get clean chunks."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from msgspec import Raw

from isthmus.core.content import Citation, Media, MediaKind, Reasoning, Signature, Text, ToolCall, Url
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
    ReasoningDelta,
    SignatureDelta,
    StreamError,
    TextDelta,
    UsageReport,
    WholePart,
)
from isthmus.core.fold import fold, unfold
from isthmus.core.grammar import Checker
from isthmus.core.losses import Losses
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.codec import ReplyHead
from isthmus.dialects.openai.chat import CODEC
from isthmus.wire.frames import Frame
from isthmus.wire.sse import SseSplitter

DONE = b"[DONE]"
HELD = {"finish_reason": None, "logprobs": None}


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    choice = {
        "index": fields.pop("index", 0),
        "delta": delta or {},
        "finish_reason": finish,
        **fields.pop("choice", {}),
    }
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "m",
        "choices": [choice],
        **fields,
    }


def call(**fields: Any) -> dict[str, Any]:
    function = {name: fields.pop(name) for name in ("name", "arguments") if name in fields}
    return chunk({"tool_calls": [{**fields, "function": function}]})


def read(*chunks: dict[str, Any] | bytes, ends: bool = True) -> list[Event]:
    """The events of a stream, checked against the grammar."""
    reader, checker = CODEC.stream_reader(), Checker()
    events: list[Event] = []
    for one in chunks:
        events += reader.read(Frame(b"", one if isinstance(one, bytes) else json.dumps(one).encode()))
    events += reader.end() if ends else ()
    for event in events:
        checker.check(event)
    if ends:
        checker.end()
    return events


def parts(*chunks: dict[str, Any] | bytes) -> tuple[Any, ...]:
    return fold(read(*chunks, chunk(finish="stop"), DONE)).candidates[0].parts


def write(events: Iterable[Event], *, show_usage: bool = True) -> tuple[bytes, Losses]:
    losses = Losses()
    writer = CODEC.stream_writer(ReplyHead(model="shown", created=9, show_usage=show_usage), losses)
    return b"".join([*map(writer.write, events), writer.end()]), losses


def written(events: Iterable[Event], *, show_usage: bool = True) -> list[Any]:
    """The chunks that a client gets; the end mark as its text."""
    out, _ = write(events, show_usage=show_usage)
    frames = SseSplitter().feed(out)
    return [frame.data.decode() if frame.data == DONE else json.loads(frame.data) for frame in frames]


def deltas(chunks: Sequence[Any]) -> list[Any]:
    return [choice["delta"] for one in chunks if isinstance(one, dict) for choice in one["choices"]]


def test_a_plain_stream_is_one_block() -> None:
    told = [chunk({"role": "assistant", "content": ""}), chunk({"content": "a"}), chunk({"content": "b"})]
    assert read(*told, ends=False) == [
        MessageStart("chatcmpl-1", "m", 7),
        BlockStart(0, BlockKind.TEXT),
        TextDelta(0, "a"),
        TextDelta(0, "b"),
    ]


def test_the_end_is_told_when_the_stream_ends_and_usage_may_follow() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    events = read(chunk({"content": "a"}), chunk(finish="stop"), {"choices": [], "usage": usage}, DONE)
    assert [type(event) for event in events[3:]] == [BlockStop, UsageReport, MessageStop]
    assert events[-1] == MessageStop(Finish(Reason.STOP))


def test_usage_after_the_end_mark_is_still_told() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    events = read(chunk({"content": "a"}, "stop"), DONE, {"choices": [], "usage": usage})
    assert isinstance(events[-1], UsageReport)


@pytest.mark.parametrize(
    "late",
    [
        chunk(finish="stop", usage={"prompt_tokens": 1, "completion_tokens": 2}),
        chunk(finish="stop", x_groq={"id": "r", "usage": {"prompt_tokens": 1, "completion_tokens": 2}}),
        chunk(finish="stop", choice={"usage": {"prompt_tokens": 1, "completion_tokens": 2}}),
    ],
    ids=["beside choices", "x_groq", "in a choice"],
)
def test_usage_is_found_wherever_hosts_put_it(late: dict[str, Any]) -> None:
    usage = fold(read(chunk({"content": "a"}), late, DONE)).usage
    assert usage is not None
    assert (usage.fresh_input, usage.output) == (1, 2)


@pytest.mark.parametrize(
    ("chunks", "finish"),
    [
        ([chunk({"content": "a"}, "stop"), DONE], Finish(Reason.STOP)),
        ([chunk({"content": "a"}, "stop")], Finish(Reason.STOP)),
        ([chunk({"content": "a"}), DONE], None),
        ([chunk({"content": "a"}, "stop"), chunk({"content": ""}, "stop"), DONE], Finish(Reason.STOP)),
        ([chunk({"content": "a"}, "length"), DONE, DONE], Finish(Reason.LENGTH)),
    ],
    ids=["both", "no end mark", "no reason", "reason twice", "end mark twice"],
)
def test_an_end_of_either_kind_is_an_end(chunks: list[Any], finish: Finish | None) -> None:
    assert [event for event in read(*chunks) if isinstance(event, MessageStop)] == [MessageStop(finish)]


@pytest.mark.parametrize(
    "chunks",
    [[], [DONE], [chunk({"content": "a"})], [chunk({"content": "a"}, "stop"), chunk({"content": "b"}, index=1)]],
    ids=["nothing", "end mark alone", "no end", "one of two"],
)
def test_a_stream_without_an_end_was_cut_short(chunks: list[Any]) -> None:
    last = read(*chunks)[-1]
    assert isinstance(last, StreamError)
    assert last.error.kind is Kind.CUT_SHORT


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'{"error":{"message":"m","type":"server_error"}}', Kind.UPSTREAM_FAULT),
        (json.dumps(chunk({"content": ""}, error={"message": "m", "code": 429})).encode(), Kind.UPSTREAM_LIMITED),
        (b'{"error":"m"}', Kind.UPSTREAM_FAULT),
        (b'{"error":true}', Kind.UPSTREAM_FAULT),
        (b"not json", Kind.GARBLED),
        (b"[1]", Kind.GARBLED),
        (b'{"choices":[{"delta":{"content":7}}]}', Kind.GARBLED),
        (b'{"choices":[{"delta":{"content":["x"]}}]}', Kind.GARBLED),
    ],
)
def test_a_frame_that_tells_an_error_or_nothing_breaks_the_stream(data: bytes, kind: Kind) -> None:
    events = read(chunk({"content": "a"}), data, chunk({"content": "b"}), DONE)
    assert isinstance(events[-1], StreamError)
    assert events[-1].error.kind is kind
    assert TextDelta(0, "b") not in events


def test_an_event_named_error_is_one_whatever_it_holds() -> None:
    [event] = CODEC.stream_reader().read(Frame(b"error", b'{"message":"overloaded","type":"overloaded_error"}'))
    assert isinstance(event, StreamError)
    assert (event.error.kind, event.error.message) == (Kind.OVERLOADED, "overloaded")


def test_a_chunk_without_choices_is_kept_whole() -> None:
    filtered = {"id": "", "object": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}
    events = read(filtered, chunk({"content": "a"}, "stop"))
    assert isinstance(events[0], ForeignEvent)
    assert isinstance(events[1], MessageStart)


def test_a_delta_that_nobody_knows_is_kept_whole() -> None:
    events = read(chunk({"content": "a"}), chunk({"audio": {"data": "QUJD"}}), DONE)
    assert [event for event in events if isinstance(event, ForeignEvent)]


def test_what_is_blank_is_a_sign_of_life() -> None:
    assert read(b"", b"  ", chunk({"content": "a"}, "stop"))[0] == MessageStart("chatcmpl-1", "m", 7)


def test_the_leftovers_of_the_first_chunk_belong_to_the_answer() -> None:
    first = chunk({"content": "a"}, "stop", system_fingerprint="fp", obfuscation="xx")
    assert fold(read(first)).extra == Extra("openai_chat", {"system_fingerprint": Raw(b'"fp"')})


def test_thoughts_and_words_are_blocks_of_their_own() -> None:
    told = [chunk({"reasoning": "t"}), chunk({"reasoning": "u", "content": ""}), chunk({"content": "a"})]
    assert parts(*told) == (Reasoning("tu"), Text("a"))


def test_details_add_signatures_to_the_text_beside_them() -> None:
    item = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}
    told = [
        chunk({"reasoning": "t", "reasoning_details": [{**item, "text": "t"}]}),
        chunk({"reasoning": "u", "reasoning_details": [{**item, "text": "u"}]}),
        chunk({"reasoning": None, "reasoning_details": [{**item, "signature": "s"}]}),
        chunk({"content": "a"}),
    ]
    assert parts(*told) == (Reasoning("tu", Signature("anthropic", "s")), Text("a"))


def test_details_alone_are_thoughts() -> None:
    told = [
        chunk({"reasoning_details": [{"type": "reasoning.summary", "summary": "t", "index": 0}]}),
        chunk({"reasoning_details": [{"type": "reasoning.text", "text": "u", "index": 1}]}),
        chunk({"reasoning_details": [{"type": "reasoning.encrypted", "data": "d", "format": "f", "index": 2}]}),
    ]
    assert parts(*told) == (Reasoning("t"), Reasoning("u"), Reasoning("", Signature("f", "d"), redacted=True))


def test_a_sealed_thought_does_not_split_the_one_behind_it() -> None:
    sealed = {"type": "reasoning.encrypted", "data": "d", "format": "f", "index": 0}
    signed = {"type": "reasoning.text", "text": "t", "signature": "s", "format": "f", "index": 1}
    told = [
        chunk({"reasoning_details": [sealed]}),
        chunk({"reasoning_content": "t"}),
        chunk({"reasoning_details": [signed]}),
    ]
    assert parts(*told) == (Reasoning("", Signature("f", "d"), redacted=True), Reasoning("t", Signature("f", "s")))


def test_a_content_in_parts_is_understood() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}
    reference = {"type": "reference", "reference_ids": [1]}
    told = [chunk({"content": [thought]}), chunk({"content": [{"type": "text", "text": "a"}, reference]})]
    assert parts(*told) == (
        Reasoning("t"),
        Text("a"),
        Foreign("openai_chat", Raw(json.dumps(reference).encode())),
    )


ONE, TWO = ToolCall("a", "f", '{"x": 1}'), ToolCall("b", "g", "{}")


@pytest.mark.parametrize(
    "chunks",
    [
        [
            call(index=0, id="a", name="f", arguments=""),
            call(index=0, arguments='{"x"'),
            call(index=0, arguments=": 1}"),
            call(index=1, id="b", name="g", arguments="{}"),
        ],
        [
            call(index=0, id="a", name="f"),
            call(index=1, id="b", name="g"),
            call(index=0, arguments='{"x"'),
            call(index=1, arguments="{}"),
            call(index=0, arguments=": 1}"),
        ],
        [
            call(index=0, id="a", name="f", arguments='{"x"'),
            call(index=0, id="a", name="f", arguments=": 1}"),
            call(index=1, id="b", name="g", arguments="{}"),
        ],
        [call(index=0, id="a", name="f", arguments='{"x": 1}'), call(index=0, id="b", name="g", arguments="{}")],
        [call(id="a", name="f", arguments='{"x"'), call(arguments=": 1}"), call(id="b", name="g", arguments="{}")],
        [
            call(id="a", name="f", arguments='{"x"'),
            call(id="a", arguments=": 1}"),
            call(id="b", name="g", arguments="{}"),
        ],
        [
            call(index=0, id="a", arguments='{"x"'),
            call(index=0, name="f", arguments=": 1}"),
            call(index=1, id="b", name="g", arguments="{}"),
        ],
        [call(index=0, id="a", name="f", arguments={"x": 1}), call(index=1, id="b", name="g", arguments={})],
    ],
    ids=["in turn", "interleaved", "repeated", "one index", "no index", "id alone", "name later", "objects"],
)
def test_calls_are_told_apart_however_hosts_count_them(chunks: list[Any]) -> None:
    heard = [part for part in parts(*chunks) if isinstance(part, ToolCall)]
    assert [(one.id, one.name, json.loads(one.arguments or "{}")) for one in heard] == [
        ("a", "f", {"x": 1}),
        ("b", "g", {}),
    ]


def test_a_call_is_told_before_it_is_whole() -> None:
    events = read(call(index=0, id="a", name="f", arguments="{"), ends=False)
    assert events[1:] == [BlockStart(0, BlockKind.TOOL_CALL, "a", "f"), ArgumentsDelta(0, "{")]


def test_calls_without_ids_are_given_the_ids_of_the_whole_answer() -> None:
    whole = {"id": "chatcmpl-1", "choices": [{"message": {"tool_calls": [{"function": {"name": "f"}}]}}]}
    [expected] = CODEC.read_reply(json.dumps(whole).encode()).candidates[0].parts
    assert parts(call(index=0, name="f")) == (expected,)


def test_a_signature_on_a_call_is_kept() -> None:
    google = {"google": {"thought_signature": "s"}}
    assert parts(call(index=0, id="a", name="f", arguments="{}", extra_content=google)) == (
        ToolCall("a", "f", "{}", Signature("google", "s")),
    )


def test_a_stop_after_calls_keeps_its_word() -> None:
    finish = fold(read(call(index=0, id="a", name="f"), chunk(finish="stop"))).candidates[0].finish
    assert finish == Finish(Reason.STOP, native=Foreign("openai_chat", Raw(b'"stop"')))


def test_candidates_keep_their_own_blocks() -> None:
    told = [
        chunk({"content": "a"}),
        chunk({"content": "x"}, index=1),
        chunk({"content": "b"}),
        chunk({"content": "y"}, index=1),
    ]
    ends = [chunk(finish="stop"), chunk(finish="length", index=1), DONE]
    first, second = fold(read(*told, *ends)).candidates
    assert (first.parts, second.parts) == ((Text("ab"),), (Text("xy"),))
    assert second.finish == Finish(Reason.LENGTH)


def test_log_probabilities_are_told_together() -> None:
    def weighed(text: str) -> dict[str, Any]:
        return chunk({"content": text}, choice={"logprobs": {"content": [{"token": text}], "refusal": None}})

    [event] = [one for one in read(weighed("a"), weighed("b"), DONE) if isinstance(one, LogprobsDelta)]
    assert json.loads(bytes(event.logprobs.body)) == {"content": [{"token": "a"}, {"token": "b"}], "refusal": None}


def test_annotations_cite_the_text() -> None:
    item = {"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 0, "end_index": 1}}
    [part] = parts(chunk({"content": "a"}), chunk({"annotations": [item]}))
    assert [(one.url, one.start, one.end) for one in part.citations] == [("u", 0, 1)]


def test_the_fast_way_tells_what_the_slow_way_tells() -> None:
    odd = [{"refusal": ""}, {"role": "assistant"}, {"reasoning_content": ""}, {"tool_calls": []}, {"annotations": []}]
    for more in odd:
        assert read(chunk({"content": "a"}), chunk({"content": "b", **more}), ends=False)[-1] == TextDelta(0, "b")


# What clients get.


def started(*events: Event) -> list[Event]:
    return [MessageStart("msg_1", "upstream"), *events]


def test_a_client_gets_one_id_the_asked_name_and_every_index() -> None:
    chunks = written(
        started(BlockStart(0, BlockKind.TEXT), TextDelta(0, 'a"\n'), BlockStop(0), MessageStop(Finish(Reason.STOP)))
    )
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 9, "model": "shown"}
    assert chunks == [
        {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "", "refusal": None}, **HELD}]},
        {**head, "choices": [{"index": 0, "delta": {"content": 'a"\n'}, **HELD}]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "logprobs": None}]},
        "[DONE]",
    ]


@pytest.mark.parametrize(("asked", "count"), [(True, 1), (False, 0)])
def test_usage_comes_last_and_only_when_asked_for(asked: bool, count: int) -> None:
    chunks = written(started(UsageReport(Usage(1, output=2)), MessageStop(None)), show_usage=asked)
    told = [one for one in chunks if isinstance(one, dict) and "usage" in one]
    assert len(told) == count
    assert all(one["choices"] == [] and one["usage"]["total_tokens"] == 3 for one in told)
    assert chunks[-1] == "[DONE]"


def test_carried_json_never_breaks_a_line() -> None:
    native = Foreign("openai_chat", Raw(b'{\n  "prompt_tokens": 1\r\n}'))
    events = [
        MessageStart("chatcmpl-1", "m", extra=Extra("openai_chat", {"more": Raw(b"[\n1\n]")})),
        ForeignEvent("openai_chat", Raw(b'{\n"id": "x",\n"choices": []}')),
        LogprobsDelta(Foreign("openai_chat", Raw(b'{"content":\n[]}'))),
        UsageReport(Usage(1, native=native)),
        MessageStop(None),
    ]
    out, _ = write(events)
    assert all(json.loads(one.data) for one in SseSplitter().feed(out) if one.data != DONE)


def test_a_foreign_chunk_goes_on_under_the_name_of_this_stream() -> None:
    [_, kept, _] = written(started(ForeignEvent("openai_chat", Raw(b'{"id":"x","model":"y","choices":[1]}'))))
    assert (kept["id"], kept["model"], kept["choices"]) == ("chatcmpl-1", "shown", [1])


def test_calls_are_counted_by_candidate_and_never_by_block() -> None:
    events = started(
        BlockStart(0, BlockKind.TEXT),
        BlockStop(0),
        BlockStart(4, BlockKind.TOOL_CALL, "a", "f"),
        BlockStart(7, BlockKind.TOOL_CALL, "b", "g"),
        ArgumentsDelta(7, '{"y"'),
        ArgumentsDelta(4, "{}"),
        ArgumentsDelta(7, ":2}"),
        BlockStop(4),
        BlockStop(7),
        BlockStart(8, BlockKind.TOOL_CALL, "c", "h", candidate=1),
        BlockStop(8),
        MessageStop(Finish(Reason.TOOL_CALLS)),
        MessageStop(Finish(Reason.TOOL_CALLS), 1),
    )
    calls = [one["tool_calls"][0] for one in deltas(written(events)) if "tool_calls" in one]
    assert [one["index"] for one in calls] == [0, 1, 1, 0, 1, 0, 0]
    assert calls[0] == {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
    assert calls[-1]["function"]["arguments"] == "{}", "a call without arguments has empty ones"


def test_a_signed_thought_is_told_in_the_clear_and_then_whole() -> None:
    events = started(
        BlockStart(0, BlockKind.REASONING),
        ReasoningDelta(0, "t"),
        ReasoningDelta(0, "u"),
        SignatureDelta(0, Signature("anthropic", "s")),
        BlockStop(0),
        BlockStart(1, BlockKind.REASONING, redacted=True),
        SignatureDelta(1, Signature("anthropic", "d")),
        BlockStop(1),
    )
    told = deltas(written(events))[1:]
    format_ = "anthropic-claude-v1"
    assert told == [
        {"reasoning_content": "t"},
        {"reasoning_content": "u"},
        {
            "reasoning_details": [
                {"type": "reasoning.text", "text": "tu", "signature": "s", "format": format_, "index": 0}
            ]
        },
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "d", "format": format_, "index": 1}]},
    ]


def test_refusals_have_their_own_field() -> None:
    told = deltas(written(started(BlockStart(0, BlockKind.REFUSAL), TextDelta(0, "no"), BlockStop(0))))
    assert told[-1] == {"refusal": "no"}


def test_a_citation_covers_what_was_said() -> None:
    events = started(
        BlockStart(0, BlockKind.TEXT),
        TextDelta(0, "ab"),
        BlockStop(0),
        BlockStart(1, BlockKind.TEXT),
        TextDelta(1, "cde"),
        CitationDelta(1, Citation(url="u", title="t")),
        BlockStop(1),
    )
    [item] = deltas(written(events))[-1]["annotations"]
    assert item["url_citation"] == {"url": "u", "title": "t", "start_index": 2, "end_index": 5}


def test_an_error_ends_the_stream_and_nothing_follows() -> None:
    events = started(StreamError(GatewayError(Kind.CUT_SHORT, "cut")))
    out, _ = write(events)
    assert b"[DONE]" not in out
    assert json.loads(SseSplitter().feed(out)[-1].data)["error"]["message"] == "cut"


def test_what_a_stream_cannot_carry_is_told() -> None:
    events = started(
        WholePart(Media(MediaKind.IMAGE, Url("u"))),
        WholePart(Foreign("anthropic", Raw(b"{}"))),
        ForeignEvent("anthropic", Raw(b"{}")),
        LogprobsDelta(Foreign("gemini", Raw(b"{}"))),
        MessageStop(None),
    )
    _, losses = write(events)
    assert [loss.path for loss in losses.found] == ["candidates[0].parts", "events", "candidates[0].logprobs"]


def test_what_was_written_is_read_as_it_was() -> None:
    reply = ChatReply(
        id="chatcmpl-1",
        model="shown",
        candidates=(
            Candidate(
                (Reasoning("t", Signature("anthropic", "s")), Text("a"), ToolCall("a", "f", '{"x":1}')),
                Finish(Reason.TOOL_CALLS),
                Foreign("openai_chat", Raw(b'{"content":[{"token":"a"}]}')),
            ),
            Candidate((Text("b"),), Finish(Reason.LENGTH)),
        ),
        created=7,
    )
    out, losses = write(unfold(reply))
    assert not losses.found
    assert fold(read(*[frame.data for frame in SseSplitter().feed(out)])) == reply

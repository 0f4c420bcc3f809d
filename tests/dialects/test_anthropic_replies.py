"""What is special to Anthropic answers, whole and streamed, read and written."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from msgspec import Raw

from isthmus.core.content import Citation, Inline, Media, MediaKind, Reasoning, Refusal, Signature, Text, ToolCall
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
from isthmus.core.fold import fold
from isthmus.core.grammar import Checker
from isthmus.core.losses import Losses
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.anthropic.messages import CODEC
from isthmus.dialects.anthropic.words import STOP_WORDS
from isthmus.dialects.codec import ReplyHead
from isthmus.wire.frames import Frame
from isthmus.wire.json import decode, raw
from isthmus.wire.sse import SseSplitter

START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 4, "output_tokens": 1},
    },
}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}}
STOP = {"type": "message_stop"}


def begun(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def told(index: int, **delta: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def over(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def read(*bodies: dict[str, Any] | bytes, close: bool = True) -> list[Event]:
    """The events, which have been held against the grammar."""
    reader, events, checker = CODEC.stream_reader(), [], Checker()
    for body in bodies:
        events += reader.read(Frame(b"", body if isinstance(body, bytes) else json.dumps(body).encode()))
    if close:
        events += reader.end()
    for event in events:
        checker.check(event)
    return events


def write(events: Iterable[Event], losses: Losses | None = None, **head: Any) -> list[dict[str, Any]]:
    """The data of each event, whose names have been held against their types."""
    writer = CODEC.stream_writer(ReplyHead("shown", 0, **head), losses or Losses())
    out = b"".join(map(writer.write, events)) + writer.end()
    frames = SseSplitter().feed(out)
    bodies = [json.loads(frame.data) for frame in frames]
    assert [frame.event.decode() for frame in frames] == [body["type"] for body in bodies]
    return bodies


def reply(*parts: Any, finish: Finish | None = None, **fields: Any) -> ChatReply:
    return ChatReply("msg_1", "m", (Candidate(parts, finish),), **fields)


def written(answer: ChatReply) -> dict[str, Any]:
    return json.loads(CODEC.write_reply(answer, Losses()))  # type: ignore[no-any-return]


def whole(**fields: Any) -> ChatReply:
    body = {"id": "msg_1", "type": "message", "model": "m", "content": [], "stop_reason": "end_turn", **fields}
    return CODEC.read_reply(json.dumps(body).encode())


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"choices": []}', b'{"content": 3}'])
def test_what_is_no_answer_is_garbled(body: bytes) -> None:
    for reader in (CODEC.read_reply, CODEC.tap_reply):
        if reader is CODEC.tap_reply and body == b'{"content": 3}':
            continue  # a tap looks no deeper than it must
        with pytest.raises(GatewayError) as caught:
            reader(body)
        assert caught.value.kind is Kind.GARBLED


def test_an_error_in_a_200_is_told_as_what_it_is() -> None:
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    for reader in (CODEC.read_reply, CODEC.tap_reply):
        with pytest.raises(GatewayError) as caught:
            reader(body)
        assert (caught.value.kind, caught.value.message) == (Kind.OVERLOADED, "Overloaded")


def test_thinking_is_counted_apart_from_what_is_shown() -> None:
    counts = {"input_tokens": 5, "cache_creation_input_tokens": 2, "output_tokens": 9}
    usage = whole(usage={**counts, "output_tokens_details": {"thinking_tokens": 6}}).usage
    assert usage is not None
    assert (usage.fresh_input, usage.cache_write, usage.output, usage.reasoning) == (5, 2, 3, 6)


@pytest.mark.parametrize("usage", [{"input_tokens": None}, {"input_tokens": "many"}, {"output_tokens_details": 3}])
def test_odd_counts_are_nought_and_refuse_no_answer(usage: dict[str, Any]) -> None:
    found = whole(usage=usage).usage
    assert found is not None
    assert found.input == found.total_output == 0


def test_an_unknown_stop_reason_is_kept() -> None:
    answer = whole(stop_reason="compaction")
    finish = answer.candidates[0].finish
    assert finish is not None
    assert finish.reason is Reason.OTHER
    assert written(answer)["stop_reason"] == "compaction"


def test_every_reason_has_a_word() -> None:
    assert set(STOP_WORDS) == set(Reason)


@pytest.mark.parametrize(
    ("parts", "finish", "word"),
    [
        ((ToolCall("a", "n", "{}"),), Finish(Reason.STOP), "tool_use"),
        ((ToolCall("a", "n", "{}"),), None, "tool_use"),
        ((ToolCall("a", "n", "{}"),), Finish(Reason.STOP, native=Foreign("openai_chat", raw("stop"))), "tool_use"),
        ((Refusal("no"),), Finish(Reason.STOP), "refusal"),
        ((Text("x"),), Finish(Reason.FILTERED), "refusal"),
        ((Text("x"),), None, "end_turn"),
    ],
)
def test_clients_are_told_the_stop_reason_they_act_on(parts: tuple[Any, ...], finish: Finish, word: str) -> None:
    assert written(reply(*parts, finish=finish))["stop_reason"] == word


def test_a_refusal_is_told_in_words() -> None:
    assert written(reply(Refusal("I will not.")))["content"] == [{"type": "text", "text": "I will not."}]


@pytest.mark.parametrize("given", ["chatcmpl-x1", "msg_x1", "x1"])
def test_an_id_has_the_customary_prefix(given: str) -> None:
    assert written(ChatReply(given, "m", ()))["id"] == "msg_x1"


def test_every_answer_tells_four_counts() -> None:
    assert written(reply(Text("x")))["usage"] == {
        "input_tokens": 0,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 0,
    }


@pytest.mark.parametrize(
    ("signature", "shown"),
    [
        (None, "isthmus::"),
        (Signature("gemini", "abc"), "isthmus:gemini:abc"),
        (Signature("anthropic", "EqQB"), "EqQB"),
    ],
)
def test_each_thought_has_a_signature_that_comes_back(signature: Signature | None, shown: str) -> None:
    thought = Reasoning("hm", signature)
    (block,) = written(reply(thought))["content"]
    assert block == {"type": "thinking", "thinking": "hm", "signature": shown}
    assert whole(content=[block]).candidates[0].parts == (thought,)


def test_a_citation_of_another_dialect_is_told_as_a_web_result() -> None:
    citation = Citation("https://example.com", "Example", "quoted", 0, 5)
    (block,) = written(reply(Text("words", citations=(citation,))))["content"]
    assert block["citations"][0]["type"] == "web_search_result_location"
    assert block["citations"][0]["url"] == "https://example.com"


def test_only_one_candidate_is_told_and_the_others_are_lost() -> None:
    losses = Losses()
    body = CODEC.write_reply(ChatReply("a", "m", (Candidate((Text("x"),)), Candidate((Text("y"),)))), losses)
    assert len(json.loads(body)["content"]) == 1
    assert [loss.path for loss in losses.found] == ["candidates"]


def test_what_ends_a_stream_is_told_in_the_order_clients_expect() -> None:
    events = [
        MessageStart("chatcmpl-1", "m"),
        BlockStart(0, BlockKind.TEXT),
        TextDelta(0, "Hi"),
        BlockStop(0),
        MessageStop(Finish(Reason.STOP_SEQUENCE, "END")),
        UsageReport(Usage(3, 2, 1, 5, 4)),
    ]
    bodies = write(events, input_estimate=12)
    assert [body["type"] for body in bodies] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    message = bodies[0]["message"]
    assert (message["id"], message["model"], message["content"]) == ("msg_1", "shown", [])
    assert (message["usage"]["input_tokens"], message["usage"]["output_tokens"]) == (12, 0)
    assert bodies[-2]["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "END"}
    assert bodies[-2]["usage"] == {
        "input_tokens": 3,
        "cache_creation_input_tokens": 1,
        "cache_read_input_tokens": 2,
        "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 4},
    }


def test_an_empty_answer_is_one_empty_text() -> None:
    bodies = write([MessageStart("a", "m"), MessageStop(Finish(Reason.STOP))])
    assert [body["type"] for body in bodies[1:3]] == ["content_block_start", "content_block_stop"]
    assert bodies[1]["content_block"] == {"type": "text", "text": ""}


def test_blocks_that_grow_together_are_told_one_after_another() -> None:
    call = Foreign("anthropic", raw({"type": "server_tool_use", "id": "s", "name": "search", "input": {"q": "x"}}))
    events: list[Event] = [
        MessageStart("a", "m"),
        BlockStart(0, BlockKind.TOOL_CALL, "a", "one"),
        BlockStart(1, BlockKind.TOOL_CALL, "b", "two"),
        ArgumentsDelta(0, '{"x":'),
        ArgumentsDelta(1, '{"y":2}'),
        WholePart(call),
        BlockStop(1),
        BlockStart(2, BlockKind.REASONING),
        ReasoningDelta(2, "hm"),
        ArgumentsDelta(0, "1}"),
        BlockStop(0),
        ReasoningDelta(2, "!"),
        BlockStop(2),
        MessageStop(Finish(Reason.TOOL_CALLS)),
    ]
    bodies = write(events)
    open_index = None
    for body in bodies:
        if body["type"] == "content_block_start":
            assert open_index is None
            open_index = body["index"]
        elif body["type"].startswith("content_block"):
            assert body["index"] == open_index
            open_index = None if body["type"] == "content_block_stop" else open_index
    (candidate,) = fold(read(*bodies)).candidates
    assert candidate.parts[:2] == (ToolCall("a", "one", '{"x":1}'), ToolCall("b", "two", '{"y":2}'))
    assert decode(candidate.parts[2].body) == decode(call.body)  # type: ignore[union-attr]
    assert candidate.parts[3] == Reasoning("hm!")


def test_a_streamed_thought_is_signed_just_before_it_stops() -> None:
    events = [MessageStart("a", "m"), BlockStart(0, BlockKind.REASONING), ReasoningDelta(0, "hm"), BlockStop(0)]
    bodies = write([*events, MessageStop(None)])
    assert bodies[3]["delta"] == {"type": "signature_delta", "signature": "isthmus::"}
    assert bodies[4]["type"] == "content_block_stop"


def test_a_thought_that_is_signed_is_not_signed_again() -> None:
    start = [MessageStart("a", "m"), BlockStart(0, BlockKind.REASONING)]
    bodies = write([*start, SignatureDelta(0, Signature("anthropic", "x")), BlockStop(0), MessageStop(None)])
    assert [body["delta"]["signature"] for body in bodies if body["type"] == "content_block_delta"] == ["x"]


def test_a_hidden_thought_is_told_whole() -> None:
    start = [MessageStart("a", "m"), BlockStart(0, BlockKind.REASONING, redacted=True)]
    bodies = write([*start, SignatureDelta(0, Signature("anthropic", "x")), BlockStop(0), MessageStop(None)])
    assert bodies[1]["content_block"] == {"type": "redacted_thinking", "data": "x"}
    assert bodies[2]["type"] == "content_block_stop"


def test_a_block_from_a_pretty_printed_answer_stays_on_its_line() -> None:
    part = Foreign("anthropic", Raw(b'{\n  "type": "novel",\n  "inner": {\r\n "a": 1}\n}'))
    bodies = write([MessageStart("a", "m"), WholePart(part), MessageStop(None)])
    assert bodies[1]["content_block"] == {"type": "novel", "inner": {"a": 1}}


def test_other_candidates_media_and_probabilities_are_losses_of_a_stream() -> None:
    losses = Losses()
    bodies = write(
        [
            MessageStart("a", "m"),
            BlockStart(0, BlockKind.TEXT),
            BlockStart(1, BlockKind.TEXT, candidate=1),
            TextDelta(1, "other"),
            TextDelta(0, "mine"),
            LogprobsDelta(Foreign("openai_chat", raw([]))),
            WholePart(Media(MediaKind.IMAGE, Inline("image/png", "AA=="))),
            BlockStop(1),
            BlockStop(0),
            MessageStop(Finish(Reason.LENGTH), 1),
            MessageStop(Finish(Reason.STOP)),
        ],
        losses,
    )
    assert "other" not in json.dumps(bodies)
    assert bodies[-2]["delta"]["stop_reason"] == "end_turn"
    assert {loss.path for loss in losses.found} == {
        "candidates",
        "candidates[0].logprobs",
        "candidates[0].parts[1]",
    }


def test_an_error_is_an_event_of_its_own() -> None:
    writer = CODEC.stream_writer(ReplyHead("m", 0), Losses())
    out = writer.write(StreamError(GatewayError(Kind.OVERLOADED, "busy")))
    assert out == b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n'


def test_an_event_of_a_newer_dialect_is_passed_on() -> None:
    event = ForeignEvent("anthropic", raw({"type": "message_news", "x": 1}))
    assert write([MessageStart("a", "m"), event, MessageStop(None)])[1] == {"type": "message_news", "x": 1}


@pytest.mark.parametrize(
    "deltas", [(), (told(0, type="input_json_delta", partial_json=""),)], ids=["no delta", "an empty one"]
)
def test_a_call_without_arguments_has_an_empty_object(deltas: tuple[dict[str, Any], ...]) -> None:
    events = read(START, begun(0, type="tool_use", id="a", name="n", input={}), *deltas, over(0), END, STOP)
    assert fold(events).candidates[0].parts == (ToolCall("a", "n", "{}"),)


def test_a_call_that_stands_in_the_start_of_the_message_is_told() -> None:
    start = {
        **START,
        "message": {
            **START["message"],
            "content": [  # type: ignore[dict-item]
                {"type": "tool_use", "id": "a", "name": "n", "input": {"x": 1}}
            ],
        },
    }
    events = read(start, begun(0, type="text", text=""), told(0, type="text_delta", text="hi"), over(0), END, STOP)
    call, text = fold(events).candidates[0].parts
    assert isinstance(call, ToolCall)
    assert (json.loads(call.arguments), text) == ({"x": 1}, Text("hi"))


def test_a_block_the_core_has_no_word_for_is_gathered_and_given_whole() -> None:
    events = read(
        START,
        begun(0, type="server_tool_use", id="s", name="search", input={}),
        told(0, type="input_json_delta", partial_json='{"q":'),
        told(0, type="input_json_delta", partial_json=' "x"}'),
        over(0),
        begun(1, type="compaction", content=None),
        told(1, type="compaction_delta", content="What "),
        told(1, type="compaction_delta", content="was said."),
        over(1),
        END,
        STOP,
    )
    parts = [event.part for event in events if isinstance(event, WholePart)]
    assert [decode(part.body) for part in parts if isinstance(part, Foreign)] == [
        {"type": "server_tool_use", "id": "s", "name": "search", "input": {"q": "x"}},
        {"type": "compaction", "content": "What was said."},
    ]


def test_a_citation_comes_with_its_text() -> None:
    citation = {"type": "page_location", "cited_text": "so", "document_title": "Paper"}
    delta = told(0, type="citations_delta", citation=citation)
    events = read(START, begun(0, type="text", text="", citations=[]), delta, over(0), END, STOP)
    (found,) = [event.citation for event in events if isinstance(event, CitationDelta)]
    assert (found.title, found.quote) == ("Paper", "so")


def test_what_a_delta_of_the_message_tells_is_kept_at_its_end() -> None:
    end = {**END, "delta": {"stop_reason": "end_turn", "container": {"id": "c"}}, "context_management": {"x": []}}
    events = read(START, end, STOP)
    stop = events[-1]
    assert isinstance(stop, MessageStop)
    assert isinstance(stop.extra, Extra)
    assert write(events)[-2] == {
        **end,
        "delta": {**end["delta"], "stop_sequence": None},  # type: ignore[dict-item]
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 4, "output_tokens": 7},
    }


@pytest.mark.parametrize(
    ("last", "fresh"), [({"input_tokens": 25}, 25), ({"input_tokens": None}, 10), ({"input_tokens": 0}, 10), ({}, 10)]
)
def test_a_count_is_corrected_at_the_end_but_never_forgotten(last: dict[str, Any], fresh: int) -> None:
    events = read(START, {**END, "usage": {"output_tokens": 7, **last}}, STOP)
    usage = fold(events).usage
    assert usage is not None
    assert (usage.fresh_input, usage.cache_read, usage.output) == (fresh, 4, 7)


def test_a_stream_without_its_last_event_is_complete_once_it_has_said_why_it_stopped() -> None:
    assert isinstance(read(START, END)[-1], MessageStop)


@pytest.mark.parametrize("bodies", [(), (START,), (START, begun(0, type="text", text=""))])
def test_a_stream_that_breaks_off_says_so(bodies: tuple[dict[str, Any], ...]) -> None:
    last = read(*bodies)[-1]
    assert isinstance(last, StreamError)
    assert last.error.kind is Kind.CUT_SHORT


@pytest.mark.parametrize("data", [b"<html>", b"[1]", b'{"x": 1}', b'{"type":"content_block_stop"}'])
def test_what_is_no_event_is_garbled_and_ends_the_stream(data: bytes) -> None:
    events = read(START, begun(0, type="text", text=""), data, told(0, type="text_delta", text="late"), STOP)
    assert isinstance(events[-1], StreamError)
    assert events[-1].error.kind is Kind.GARBLED


def test_an_answer_without_a_start_is_garbled() -> None:
    (only,) = read(begun(0, type="text", text=""))
    assert isinstance(only, StreamError)
    assert only.error.kind is Kind.GARBLED


@pytest.mark.parametrize(
    ("word", "kind"), [("overloaded_error", Kind.OVERLOADED), ("rate_limit_error", Kind.UPSTREAM_LIMITED)]
)
def test_an_error_inside_a_stream_is_of_its_kind_and_ends_it(word: str, kind: Kind) -> None:
    error = {"type": "error", "error": {"type": word, "message": "no"}}
    events = read(START, error, begun(0, type="text", text="late"), STOP)
    assert isinstance(events[-1], StreamError)
    assert (events[-1].error.kind, len(events)) == (kind, 2)


def test_pings_and_the_end_mark_of_another_dialect_say_nothing() -> None:
    assert read({"type": "ping"}, START, {"type": "ping"}, END, STOP, b"[DONE]") == read(START, END, STOP)


def test_an_unknown_event_is_kept() -> None:
    (event,) = [event for event in read(START, {"type": "news"}, END, STOP) if isinstance(event, ForeignEvent)]
    assert decode(event.body) == {"type": "news"}


def test_a_text_that_nobody_opened_is_opened() -> None:
    events = read(START, told(0, type="text_delta", text="hi"), END, STOP)
    assert fold(events).candidates[0].parts == (Text("hi"),)


def test_blocks_left_open_are_closed_at_the_end() -> None:
    events = read(START, begun(0, type="text", text=""), told(0, type="text_delta", text="hi"), END, STOP)
    assert [type(event) for event in events[-3:]] == [BlockStop, UsageReport, MessageStop]


def test_a_message_that_starts_again_goes_on() -> None:
    events = read(START, begun(0, type="text", text="a"), START, begun(0, type="text", text="b"), over(0), END, STOP)
    assert fold(events).candidates[0].parts == (Text("a"), Text("b"))


def test_a_tool_call_keeps_what_only_this_dialect_knows() -> None:
    caller = {"type": "direct"}
    events = read(START, begun(0, type="tool_use", id="a", name="n", input={}, caller=caller), over(0), END, STOP)
    (call,) = fold(events).candidates[0].parts
    assert isinstance(call, ToolCall)
    assert call.extra is not None
    assert write(events)[1]["content_block"]["caller"] == caller

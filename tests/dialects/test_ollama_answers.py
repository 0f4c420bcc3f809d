"""What an Ollama server answers, whole and line by line, and what its clients are told."""

from typing import Any

import pytest
from msgspec import Raw

from isthmus.core.content import Citation, Inline, Media, MediaKind, Reasoning, Refusal, Signature, Text, ToolCall
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import (
    BlockKind,
    BlockStart,
    BlockStop,
    Event,
    ForeignEvent,
    MessageStart,
    MessageStop,
    StreamError,
    TextDelta,
    UsageReport,
)
from isthmus.core.fold import fold, unfold
from isthmus.core.losses import Losses
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.codec import Codec, ReplyHead
from isthmus.dialects.ollama.chat import CODEC
from isthmus.dialects.ollama.generate import CODEC as GENERATE
from isthmus.wire import json
from support.streams import events_of, pieces_of, stream_of, tapped

AT = "2026-11-21T10:00:00.123456789Z"
SECONDS = 1_795_255_200
HEAD = ReplyHead("m", SECONDS)
BOTH = pytest.mark.parametrize("codec", [CODEC, GENERATE], ids=["chat", "generate"])


def line(content: str = "", *, done: bool = False, **more: Any) -> dict[str, Any]:
    said = {name: more.pop(name) for name in ("thinking", "tool_calls", "images") if name in more}
    message = {"role": "assistant", "content": content, **said}
    return {"model": "m", "created_at": AT, "message": message, "done": done, **more}


def last(**more: Any) -> dict[str, Any]:
    return line(done=True, **{"done_reason": "stop", **more})


def stream(*lines: Any) -> bytes:
    return b"".join(json.encode(one) + b"\n" for one in lines)


def read(**more: Any) -> ChatReply:
    return CODEC.read_reply(json.encode(last(**more)))


def heard(*lines: Any) -> list[Event]:
    return events_of(CODEC, [stream(*lines)])


def call(name: str = "weather", **more: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": {"city": "Oslo"}}, **more}


def written(reply: ChatReply) -> tuple[dict[str, Any], set[tuple[str, str]]]:
    """The whole answer, and what was lost; a stream of it says and loses the same."""
    losses, streamed = Losses(), Losses()
    body = CODEC.write_reply(reply, losses)
    told = stream_of(CODEC, HEAD, unfold(reply), streamed)
    again = fold(events_of(CODEC, [told])).candidates[0]
    said = CODEC.read_reply(body).candidates[0]
    assert [type(part) for part in again.parts if part != Text("")] == [type(part) for part in said.parts]
    assert {(one.path, one.deed) for one in streamed.found} == {(one.path, one.deed) for one in losses.found}
    return json.decode(body), {(one.path, one.deed.value) for one in losses.found}


def answer(*parts: Any, finish: Finish | None = Finish(Reason.STOP), **more: Any) -> ChatReply:  # noqa: B008  a value
    return ChatReply("1", "m", (Candidate(parts, finish),), created=SECONDS, **more)


# ---------------------------------------------------------------- read


def test_an_answer_has_a_time_and_no_id() -> None:
    reply = read()
    assert (reply.id, reply.model, reply.created) == ("", "m", SECONDS)


@pytest.mark.parametrize("created_at", ["", "yesterday", None])
def test_a_time_that_is_none_is_none(created_at: str | None) -> None:
    assert read(created_at=created_at).created is None


@pytest.mark.parametrize(
    ("word", "called", "finish"),
    [
        ("stop", False, Finish(Reason.STOP)),
        ("stop", True, Finish(Reason.TOOL_CALLS)),
        ("length", False, Finish(Reason.LENGTH)),
        ("length", True, Finish(Reason.LENGTH)),
        ("load", False, Finish(Reason.OTHER, native=Foreign("ollama", Raw(b'"load"')))),
        ("", False, None),
        (None, False, None),
    ],
)
def test_why_it_ended(word: str | None, *, called: bool, finish: Finish | None) -> None:
    calls = {"tool_calls": [call(id="a")]} if called else {}
    assert read(done_reason=word, **calls).candidates[0].finish == finish
    assert fold(heard(last(done_reason=word, **calls))).candidates[0].finish == finish


def test_a_prompt_that_was_all_in_the_cache_has_no_count() -> None:
    usage = read(eval_count=7).usage
    assert usage is not None
    assert (usage.input, usage.output) == (0, 7)


def test_an_answer_that_counts_nothing_has_no_usage() -> None:
    assert read().usage is None


@pytest.mark.parametrize("odd", ["7", None, 1.5, [], -3])
def test_a_count_that_is_none_counts_as_nothing(odd: Any) -> None:
    usage = read(prompt_eval_count=odd, eval_duration=5).usage
    assert usage is not None
    assert usage.input == 0


def test_times_and_counts_come_back_as_they_were() -> None:
    told = {"total_duration": 9, "prompt_eval_count": 3, "eval_count": 4}
    body = json.encode(last(**told))
    assert json.decode(CODEC.write_reply(CODEC.read_reply(body), Losses())) == json.decode(body)


def test_invented_ids_are_those_of_the_place_and_come_to_nobody_of_the_family() -> None:
    reply = read(tool_calls=[call(), call()])
    first, second = reply.candidates[0].parts
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert first.id != second.id
    assert first.id.startswith("call_")
    again = json.decode(CODEC.write_reply(reply, Losses()))["message"]["tool_calls"]
    assert [one.keys() for one in again] == [{"function"}, {"function"}]


def test_calls_in_lines_of_their_own_are_the_calls_of_the_whole_answer() -> None:
    whole = read(tool_calls=[call(), call("clock")])
    told = heard(line(tool_calls=[call()]), line(tool_calls=[call("clock")]), last())
    assert fold(told).candidates[0] == whole.candidates[0]


def test_the_place_of_a_call_is_no_leftover() -> None:
    function = {"index": 1, "name": "f", "arguments": {}}
    told = heard(line(tool_calls=[call(id="a")]), line(tool_calls=[{"id": "b", "function": function}]), last())
    assert [event.extra for event in told if isinstance(event, BlockStart)] == [None, None]


def test_thinking_words_and_calls_are_blocks_of_their_own() -> None:
    told = heard(line(thinking="A."), line(thinking="B."), line("C."), line("D."), line(tool_calls=[call()]), last())
    kinds = [event.kind for event in told if isinstance(event, BlockStart)]
    assert kinds == [BlockKind.REASONING, BlockKind.TEXT, BlockKind.TOOL_CALL]
    assert fold(told).candidates[0].parts[:2] == (Reasoning("A.B."), Text("C.D."))


def test_words_after_a_call_are_a_block_of_their_own() -> None:
    told = heard(line("A."), line(tool_calls=[call(id="a")]), line("B."), last())
    assert fold(told).candidates[0].parts == (Text("A."), ToolCall("a", "weather", '{"city":"Oslo"}'), Text("B."))


def test_an_answer_in_one_line_is_a_stream_too() -> None:
    told = heard(line("Hi.", done=True, done_reason="stop", eval_count=2))
    assert [type(event) for event in told] == [MessageStart, BlockStart, TextDelta, BlockStop, UsageReport, MessageStop]


def test_what_nobody_knows_is_kept_with_the_candidate() -> None:
    extra = Extra("ollama", {"remote_model": Raw(b'"r"'), "message.novel": Raw(b"1")})
    body = last(remote_model="r")
    body["message"]["novel"] = 1
    assert CODEC.read_reply(json.encode(body)).candidates[0].extra == extra
    assert fold(heard(line("Hi."), body)).candidates[0].extra == extra


def test_images_in_an_answer_are_parts_of_it() -> None:
    picture = Media(MediaKind.IMAGE, Inline("image/png", "AAAA"))
    assert read(images=["AAAA"]).candidates[0].parts == (picture,)
    assert fold(heard(line("Look."), line(images=["AAAA"]), last())).candidates[0].parts == (Text("Look."), picture)
    assert written(answer(picture))[0]["message"]["images"] == ["AAAA"]


@BOTH
def test_an_error_under_a_good_status_is_told(codec: Codec) -> None:
    with pytest.raises(GatewayError) as caught:
        codec.read_reply(b'{"error":"model \\"m\\" not found"}')
    assert (caught.value.kind, caught.value.message) == (Kind.UNKNOWN_MODEL, 'model "m" not found')


@BOTH
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"no", b'{"choices":[]}'])
def test_what_is_no_answer_is_garbled(codec: Codec, body: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        codec.read_reply(body)
    assert caught.value.kind is Kind.GARBLED


def test_an_error_in_a_stream_ends_it() -> None:
    told = heard(line("Hi"), {"error": "llama runner process has terminated"}, line("x"), last())
    error = told[-1]
    assert isinstance(error, StreamError)
    assert (error.error.kind, error.error.message) == (Kind.UPSTREAM_FAULT, "llama runner process has terminated")


def test_a_stream_without_its_last_line_is_cut_short() -> None:
    error = heard(line("Hi"))[-1]
    assert isinstance(error, StreamError)
    assert error.error.kind is Kind.CUT_SHORT


def test_nothing_follows_the_last_line() -> None:
    assert heard(last(), line("x"), {"error": "late"}) == heard(last())


@pytest.mark.parametrize("spelled", [b'{"done": true}', b'{"done" :true, "message": {}}', b'{"done":true}'])
def test_a_tap_knows_the_last_line_however_it_is_spelled(spelled: bytes) -> None:
    seen = tapped(CODEC.tap(False), pieces_of(stream(line("Hi")) + spelled, 5))
    assert (seen.complete, seen.started, seen.error) == (True, True, None)


def test_a_tap_takes_no_text_for_the_end_or_an_error() -> None:
    seen = tapped(CODEC.tap(False), [stream(line('"done":true, "error"'), line('{"error":"x"}'))])
    assert (seen.complete, seen.started, seen.error) == (False, True, None)


# ---------------------------------------------------------------- written


def test_a_whole_answer_tells_counts_and_times() -> None:
    body, lost = written(answer(Text("Hi."), usage=Usage(3, output=2)))
    assert body == {
        "model": "m",
        "created_at": "2026-11-21T10:00:00Z",
        "message": {"role": "assistant", "content": "Hi."},
        "done": True,
        "done_reason": "stop",
        "total_duration": 0,
        "load_duration": 0,
        "prompt_eval_count": 3,
        "prompt_eval_duration": 0,
        "eval_count": 2,
        "eval_duration": 0,
    }
    assert lost == set()


def test_every_line_says_whose_words_it_holds_and_whether_it_is_the_last() -> None:
    """Ollama's clients read both from each line."""
    reply = answer(Reasoning("Hm."), Text("Hi."), ToolCall("a", "f", "{}"), usage=Usage(3, output=2))
    lines = [json.decode(one) for one in stream_of(CODEC, HEAD, unfold(reply), Losses()).splitlines()]
    assert [one["done"] for one in lines] == [False, False, False, True]
    assert {one["message"]["role"] for one in lines} == {"assistant"}
    assert {(one["model"], one["created_at"]) for one in lines} == {("m", "2026-11-21T10:00:00Z")}


def test_a_call_comes_whole_with_arguments_as_an_object() -> None:
    pieces = '{\n "city":', ' "Oslo"}'
    call_, end = ToolCall("a", "weather", "".join(pieces)), b'"done":true'
    told = stream_of(CODEC, HEAD, unfold(answer(call_)), Losses()).splitlines()
    assert json.decode(told[0])["message"]["tool_calls"] == [
        {"id": "a", "function": {"index": 0, "name": "weather", "arguments": {"city": "Oslo"}}}
    ]
    assert end in told[1]


@pytest.mark.parametrize(
    ("reason", "word", "lost"),
    [
        (Reason.STOP, "stop", False),
        (Reason.LENGTH, "length", False),
        (Reason.TOOL_CALLS, "stop", True),
        (Reason.STOP_SEQUENCE, "stop", True),
        (Reason.REFUSED, "stop", True),
        (Reason.FILTERED, "stop", True),
        (Reason.PAUSED, "stop", True),
        (Reason.CONTEXT_FULL, "length", True),
        (Reason.OTHER, "stop", True),
    ],
)
def test_each_reason_has_a_word(reason: Reason, word: str, *, lost: bool) -> None:
    body, found = written(answer(Text("Hi."), finish=Finish(reason)))
    assert body["done_reason"] == word
    assert found == ({("candidates[0].finish", "rewritten")} if lost else set())


def test_an_answer_that_never_said_why_it_ended_says_none() -> None:
    body, _ = written(answer(Text("Hi."), finish=None))
    assert body["done"] is True
    assert "done_reason" not in body


CITED = Text("Hi.", citations=(Citation("https://example.com/a"),))


@pytest.mark.parametrize(
    ("part", "lost"),
    [
        (Refusal("No."), ("candidates[0].parts[0]", "rewritten")),
        (CITED, ("candidates[0].citations", "dropped")),
        (Reasoning("A.", Signature("anthropic", "x")), ("candidates[0].reasoning.signature", "dropped")),
        (Reasoning("", Signature("anthropic", "x"), redacted=True), ("candidates[0].parts", "dropped")),
        (Foreign("openai_chat", Raw(b'{"id":"x"}')), ("candidates[0].parts", "dropped")),
        (Media(MediaKind.AUDIO, Inline("audio/wav", "A")), ("candidates[0].parts", "dropped")),
        (ToolCall("a", "f", "{}", Signature("google", "x")), ("candidates[0].parts.signature", "dropped")),
        (ToolCall("a", "f", "[]"), ("candidates[0].parts.arguments", "rewritten")),
    ],
)
def test_what_an_answer_cannot_hold_is_told_alike_whole_and_streamed(part: Any, lost: tuple[str, str]) -> None:
    assert written(answer(part, finish=None))[1] == {lost}


def test_counts_that_are_one_here_are_told() -> None:
    body, lost = written(answer(usage=Usage(1, 2, 4, 8, 16)))
    assert (body["prompt_eval_count"], body["eval_count"]) == (7, 24)
    assert lost == {(f"usage.{name}", "rewritten") for name in ("cache_read", "cache_write", "reasoning")}


def test_only_the_first_candidate_is_told() -> None:
    reply = ChatReply("1", "m", (Candidate((Text("A."),)), Candidate((Text("B."),), Finish(Reason.LENGTH))), created=0)
    body, lost = written(reply)
    assert body["message"]["content"] == "A."
    assert lost == {("candidates", "dropped")}


def test_leftovers_of_another_dialect_are_told() -> None:
    extra = Extra("openai_chat", {"service_tier": Raw(b'"flex"')})
    reply = ChatReply("1", "m", (Candidate((), None, extra=extra),), created=0, extra=extra)
    assert written(reply)[1] == {("service_tier", "dropped"), ("candidates[0].service_tier", "dropped")}


def test_a_line_holds_no_line_break_whatever_it_carries() -> None:
    call_ = ToolCall("a", "f", '{\r\n"x": 1\n}')
    told = stream_of(CODEC, HEAD, unfold(answer(call_, Text("a\nb\u2028c"))), Losses())
    assert all(json.decode(one) for one in told.splitlines() if one)
    assert told.count(b"\n") == 3
    assert b"\r" not in told


def test_nothing_is_written_after_an_error() -> None:
    writer = CODEC.stream_writer(HEAD, Losses())
    writer.write(MessageStart("1", "m"))
    assert writer.write(StreamError(GatewayError(Kind.OVERLOADED, "busy"))) == b'{"error":"busy"}\n'
    assert writer.end() == b""


def test_an_event_that_only_another_dialect_knows_is_told() -> None:
    losses = Losses()
    assert CODEC.stream_writer(HEAD, losses).write(ForeignEvent("anthropic", Raw(b"{}"))) == b""
    assert [loss.path for loss in losses.found] == ["events"]


@pytest.mark.parametrize("created", [10**18, -(10**18)])
def test_a_time_beyond_any_calendar_is_none(created: int) -> None:
    body = CODEC.write_reply(ChatReply("1", "m", (Candidate(()),), created=created), Losses())
    assert json.decode(body)["created_at"] == "1970-01-01T00:00:00Z"


def test_a_prompts_answer_holds_its_words_in_response() -> None:
    reply = answer(Reasoning("Hm."), Text("Hi."))
    body = json.decode(GENERATE.write_reply(reply, Losses()))
    assert (body["response"], body["thinking"], "message" in body) == ("Hi.", "Hm.", False)
    lines = [json.decode(one) for one in stream_of(GENERATE, HEAD, unfold(reply), Losses()).splitlines()]
    assert [(one["response"], one.get("thinking"), one["done"]) for one in lines] == [
        ("", "Hm.", False),
        ("Hi.", None, False),
        ("", None, True),
    ]


@BOTH
def test_a_ping_between_lines_disturbs_nobody(codec: Codec) -> None:
    """It is white space in front of the next line, which every reader of JSON passes over."""
    told = stream_of(codec, HEAD, unfold(answer(Text("Hi."))), Losses())
    pinged = b"".join(codec.ping + one for one in told.splitlines(keepends=True))
    assert events_of(codec, [pinged]) == events_of(codec, [told])
    assert [json.decode(one) for one in pinged.splitlines()] == [json.decode(one) for one in told.splitlines()]

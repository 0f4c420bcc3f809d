"""Answers of Converse, whole and streamed: what is read into the core, and what a client is told."""

from base64 import b64encode
from typing import Any

import pytest

from isthmus.core.content import Citation, Inline, Media, MediaKind, Reasoning, Refusal, Signature, Text, ToolCall
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import Event, MessageStop, StreamError, WholePart
from isthmus.core.fold import fold, unfold
from isthmus.core.losses import Losses
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign
from isthmus.dialects.bedrock.converse import CODEC
from isthmus.dialects.codec import ReplyHead
from isthmus.wire import json
from isthmus.wire.event_stream import write_event
from support.specimens import bare
from support.streams import events_of, stream_of

SEALED = b64encode(b"EmwKAhgBEgxUaG91Z2h0").decode()
"""A redacted thought of Claude's: a blob that holds the text that Anthropic's own API gives."""


def answer(*blocks: Any, **fields: Any) -> ChatReply:
    body = {"output": {"message": {"role": "assistant", "content": list(blocks)}}, "stopReason": "end_turn", **fields}
    return CODEC.read_reply(json.encode(body))


def part_of(block: Any) -> Any:
    (part,) = answer(block).candidates[0].parts
    return part


def stream(*events: tuple[str, Any]) -> list[Event]:
    return events_of(CODEC, [b"".join(write_event(name, json.encode(body)) for name, body in events)])


def delta(number: int, **piece: Any) -> tuple[str, Any]:
    return "contentBlockDelta", {"contentBlockIndex": number, "delta": piece, "p": "abc"}


def stopped(number: int) -> tuple[str, Any]:
    return "contentBlockStop", {"contentBlockIndex": number}


START = ("messageStart", {"role": "assistant"})
STOP = ("messageStop", {"stopReason": "end_turn"})


def folded(*events: tuple[str, Any]) -> Candidate:
    return fold(stream(START, *events, STOP)).candidates[0]


@pytest.mark.parametrize(
    ("value", "vendor"), [("EqQBCgIYAg==", "anthropic"), ("sig-of-another", "bedrock"), ("E with spaces", "bedrock")]
)
def test_claudes_proofs_are_known_by_how_they_begin(value: str, vendor: str) -> None:
    block = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": value}}}
    assert part_of(block) == Reasoning("Hm.", Signature(vendor, value))


def test_a_sealed_thought_of_claudes_is_what_anthropic_takes_back() -> None:
    sealed = Reasoning("", Signature("anthropic", "EmwKAhgBEgxUaG91Z2h0"), redacted=True)
    assert part_of({"reasoningContent": {"redactedContent": SEALED}}) == sealed


@pytest.mark.parametrize("data", [b64encode(b"\xff\x00").decode(), b64encode(b"no proof").decode(), "&"])
def test_one_of_another_maker_stays_as_it_is(data: str) -> None:
    assert part_of({"reasoningContent": {"redactedContent": data}}).signature == Signature("bedrock", data)


def test_cited_text_is_text_with_its_sources() -> None:
    web = {"location": {"web": {"url": "https://example.com/a"}}, "title": "A", "sourceContent": [{"text": "so"}]}
    page = {"location": {"documentPage": {"documentIndex": 0, "start": 1, "end": 2}}}
    block = {"citationsContent": {"content": [{"text": "It "}, {"text": "is."}], "citations": [web, page]}}
    part = part_of(block)
    assert bare(part.citations) == (Citation("https://example.com/a", "A", "so"), Citation())
    assert part.text == "It is."
    written = json.decode(CODEC.write_reply(answer(block), Losses()))
    assert written["output"]["message"]["content"] == [block]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("guardrail_intervened", Reason.FILTERED),
        ("content_filtered", Reason.FILTERED),
        ("malformed_tool_use", Reason.OTHER),
        ("model_context_window_exceeded", Reason.CONTEXT_FULL),
        ("word_of_tomorrow", Reason.OTHER),
    ],
)
def test_a_reason_keeps_its_own_word(word: str, reason: Reason) -> None:
    reply = answer({"text": "Hi"}, stopReason=word)
    finish = reply.candidates[0].finish
    assert finish is not None
    assert finish.reason is reason
    assert json.decode(CODEC.write_reply(reply, Losses()))["stopReason"] == word


def test_the_stop_sequence_that_was_met_is_told_where_it_was_asked_for() -> None:
    reply = answer(stopReason="stop_sequence", additionalModelResponseFields={"stop_sequence": "END"})
    assert reply.candidates[0].finish == Finish(Reason.STOP_SEQUENCE, "END")
    assert reply.candidates[0].extra is None


@pytest.mark.parametrize("usage", [{"inputTokens": "many"}, 7, []])
def test_no_answer_is_refused_for_its_bill(usage: Any) -> None:
    assert bare(answer(usage=usage).usage) == Usage()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"output":{}}', b'{"output":{"message":{"content":[{"text":7}]}}}']
)
def test_what_is_no_answer_is_garbled(body: bytes) -> None:
    for read in (CODEC.read_reply, CODEC.tap_reply):
        with pytest.raises(GatewayError) as raised:
            read(body)
        assert raised.value.kind is Kind.GARBLED


def test_text_begins_without_being_announced() -> None:
    said = folded(delta(0, text="It "), delta(0, text="is."), stopped(0))
    assert said.parts == (Text("It is."),)


def test_a_thought_and_its_proof_are_one_block_however_the_proof_is_cut() -> None:
    said = folded(
        delta(0, reasoningContent={"text": "Hm."}),
        delta(0, reasoningContent={"signature": "EqQB"}),
        delta(0, reasoningContent={"signature": "CgIY"}),
        stopped(0),
        delta(1, text="Yes."),
        stopped(1),
    )
    assert said.parts == (Reasoning("Hm.", Signature("anthropic", "EqQBCgIY")), Text("Yes."))


def test_sealed_thoughts_are_joined_as_the_bytes_that_they_are() -> None:
    halves = [b64encode(half).decode() for half in (b"EmwKAhgBEg", b"xUaG91Z2h0")]
    said = folded(*(delta(0, reasoningContent={"redactedContent": half}) for half in halves), stopped(0))
    assert said.parts == (Reasoning("", Signature("anthropic", "EmwKAhgBEgxUaG91Z2h0"), redacted=True),)


def test_a_call_without_arguments_has_none() -> None:
    start = ("contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "t", "name": "clock"}}})
    said = folded(start, delta(0, toolUse={"input": ""}), stopped(0))
    assert said.parts == (ToolCall("t", "clock", "{}"),)


def test_a_picture_comes_whole() -> None:
    start = ("contentBlockStart", {"contentBlockIndex": 0, "start": {"image": {"format": "png"}}})
    events = stream(START, start, delta(0, image={"source": {"bytes": "AAAA"}}), stopped(0), STOP)
    (whole,) = (event for event in events if isinstance(event, WholePart))
    assert whole.part == Media(MediaKind.IMAGE, Inline("image/png", "AAAA"))


def test_blocks_of_one_number_and_two_kinds_are_two() -> None:
    said = folded(delta(0, reasoningContent={"text": "Hm."}), delta(0, text="Yes."), stopped(0))
    assert said.parts == (Reasoning("Hm."), Text("Yes."))


def test_an_answer_without_a_bill_is_whole_all_the_same() -> None:
    events = stream(START, delta(0, text="Hi"), stopped(0), STOP)
    assert isinstance(events[-1], MessageStop)
    assert fold(events).usage is None


def test_one_without_a_reason_to_stop_is_cut_short() -> None:
    last = stream(START, delta(0, text="Hi"), stopped(0))[-1]
    assert isinstance(last, StreamError)
    assert last.error.kind is Kind.CUT_SHORT


def test_what_a_guardrail_says_stays_beside_the_answer() -> None:
    told = {"usage": {"inputTokens": 1}, "metrics": {"latencyMs": 7}, "trace": {"guardrail": {}}}
    extra = fold(stream(START, STOP, ("metadata", told))).candidates[0].extra
    assert extra is not None
    assert (list(extra.fields), list(extra.labels)) == (["trace"], ["metrics"])


def written(*parts: Any, finish: Reason = Reason.STOP) -> tuple[ChatReply, list[tuple[str, str]]]:
    """What a client reads of a stream, and what was lost on the way."""
    losses = Losses()
    reply = ChatReply("1", "m", (Candidate(tuple(parts), Finish(finish)),))
    stream = stream_of(CODEC, ReplyHead("m", 1), unfold(reply), losses)
    return fold(events_of(CODEC, [stream])), [(loss.path, loss.deed.value) for loss in losses.found]


@pytest.mark.parametrize(
    ("part", "path"),
    [
        (Refusal("No."), "candidates[0].parts[0]"),
        (Foreign("openai_chat", json.raw({})), "candidates[0].parts[0]"),
        (Foreign("bedrock", json.raw({"guardContent": {}})), "candidates[0].parts[0]"),
        (Media(MediaKind.AUDIO, Inline("audio/wav", "AAAA")), "candidates[0].parts[0]"),
        (Reasoning("", Signature("google", "x"), redacted=True), "candidates[0].parts[0]"),
        (ToolCall("t", "clock", "{}", Signature("google", "x")), "candidates[0].parts[0].signature"),
        (Text("Hi", citations=(Citation(title="A"),)), "candidates[0].parts[0].citations"),
    ],
    ids=["refusal", "foreign", "guard", "sound", "sealed", "signed call", "citation"],
)
def test_what_a_stream_cannot_say_is_told(part: Any, path: str) -> None:
    assert path in [lost for lost, _ in written(part)[1]]


def test_a_picture_is_streamed_whole() -> None:
    picture = Media(MediaKind.IMAGE, Inline("image/webp", "AAAA"))
    reply, lost = written(picture)
    assert (reply.candidates[0].parts, lost) == ((picture,), [])


@pytest.mark.parametrize(("reason", "word"), [(Reason.REFUSED, "content_filtered"), (Reason.PAUSED, "end_turn")])
def test_the_nearest_reason_is_told_as_such(reason: Reason, word: str) -> None:
    losses = Losses()
    body = CODEC.write_reply(ChatReply("1", "m", (Candidate((), Finish(reason)),)), losses)
    assert json.decode(body)["stopReason"] == word
    assert [loss.path for loss in losses.found] == ["candidates[0].finish"]

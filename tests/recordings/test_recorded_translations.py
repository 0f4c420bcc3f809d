"""Translated to another dialect and read there, recorded traffic says the same, or the ledger says what it does not.

Compared are the words, the thoughts, the calls (name and arguments), the tools, the reason to stop and the usage.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from isthmus.core.chat import ChatRequest, Tool
from isthmus.core.content import Media, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from isthmus.core.errors import GatewayError
from isthmus.core.events import StreamError
from isthmus.core.fold import fold
from isthmus.core.losses import Losses
from isthmus.core.reply import Candidate, ChatReply, Reason
from isthmus.core.value import Foreign
from isthmus.dialects.codec import ReplyHead
from isthmus.wire import json
from isthmus.wire.json import Malformed
from support.recordings import FILES, Record, check_each, records
from support.specimens import ABLE, CREATED, bare, codec_of, dated
from support.streams import events_of, stream_of

pytestmark = pytest.mark.recordings
Count = Callable[[str, int], None]
OTHER: Mapping[str, str] = {**dict.fromkeys(FILES, "openai_chat"), "openai_chat": "anthropic"}
DECLARED: Mapping[str, re.Pattern[str]] = {
    "words": re.compile(r"messages\[\d+\]|output"),
    "thoughts": re.compile(r"messages\[\d+\]\.parts\[\d+\]$"),
    "results": re.compile(r"messages\[\d+\]\.parts\[\d+\]\.(parts|failed)"),
    "items": re.compile(r"(messages|candidates)\[\d+\]\.parts"),
    "vendor tools": re.compile(r"tools\[\d+\]$"),
    "finish": re.compile(r"candidates\[0\]\.finish$"),
}
"""The path of a loss that must be told where one of these is said otherwise; nothing else may be."""


def test_requests_say_the_same_in_the_other_dialect(dialect: str, count: Count) -> None:
    codec, other, declared = codec_of(dialect), codec_of(OTHER[dialect]), Counter[str]()

    def check(record: Record) -> None:
        assert record.request is not None
        try:
            request = codec.read_request(record.request)
        except GatewayError:
            assert record.status == 400
            return
        losses = Losses()
        if all(part == Text("") for message in request.messages for part in message.parts):
            assert dialect in ("openai_chat", "openai_completions"), (
                "a request without a word, which Anthropic's writer refuses"
            )
            return
        written = other.write_request(request, ABLE[OTHER[dialect]], losses)
        compare(said_in_request(request), said_in_request(other.read_request(written)), losses, declared)

    count("requests translated", check_each((one for one in records(dialect) if one.request), check))
    count("losses declared of requests", declared.total())


def test_answers_say_the_same_in_the_other_dialect(dialect: str, count: Count) -> None:
    codec, other, declared = codec_of(dialect), codec_of(OTHER[dialect]), Counter[str]()
    chosen = (one for one in records(dialect) if one.whole and "error_in_200" not in one.features)

    def check(record: Record) -> None:
        reply, losses = dated(codec.read_reply(record.answer)), Losses()
        read = other.read_reply(other.write_reply(reply, losses))
        compare(said_in_reply(reply), said_in_reply(read), losses, declared)

    count("answers translated", check_each(chosen, check))
    count("losses declared of answers", declared.total())


def test_streams_say_the_same_in_the_other_dialect(dialect: str, count: Count) -> None:
    codec, other, declared = codec_of(dialect), codec_of(OTHER[dialect]), Counter[str]()

    def check(record: Record) -> None:
        events, losses = events_of(codec, [record.answer]), Losses()
        if isinstance(events[-1], StreamError):
            return
        reply = fold(events)
        written = stream_of(other, ReplyHead(reply.model, CREATED), events, losses)
        read = fold(events_of(other, [written]))
        compare(said_in_reply(reply), said_in_reply(read), losses, declared)

    count("streams translated", check_each((one for one in records(dialect) if one.streamed), check))
    count("losses declared of streams", declared.total())


def compare(said: Mapping[str, Any], kept: Mapping[str, Any], losses: Losses, declared: Counter[str]) -> None:
    declared.update(loss.path for loss in losses.found)
    for aspect, before in said.items():
        if aspect == "pieces" or kept[aspect] == before:
            continue
        assert aspect in DECLARED, f"{aspect}: {kept[aspect]!r:.300} is not {before!r:.300}"
        assert any(DECLARED[aspect].match(loss.path) for loss in losses.found), f"{aspect}: nothing is declared"
    assert all(piece in kept["words"] for piece in said["pieces"]), "words may be added, but none was ever lost"


def said_in_request(request: ChatRequest) -> Mapping[str, Any]:
    parts = [part for message in request.messages for part in message.parts]
    tools = request.tools or ()
    return {
        **said_in(parts),
        "results": [words_of(part.parts) for part in parts if isinstance(part, ToolResult)],
        "tools": [tool.name for tool in tools if isinstance(tool, Tool)],
        "vendor tools": [tool.body for tool in tools if isinstance(tool, Foreign)],
    }


def said_in_reply(reply: ChatReply) -> Mapping[str, Any]:
    """The first candidate: not every dialect has more."""
    first, counted = reply.candidates[0], bare(reply.usage)
    return {
        **said_in(first.parts),
        "finish": told_reason(first),
        "usage": None if counted is None or not counted.input + counted.total_output else counted,
    }


def told_reason(candidate: Candidate) -> Reason:
    """Clients are told of calls wherever there are some, and of a refusal; one dialect always gives a reason."""
    reason = candidate.finish.reason if candidate.finish is not None else Reason.STOP
    if reason is not Reason.STOP:
        return reason
    if any(isinstance(part, Refusal) for part in candidate.parts):
        return Reason.REFUSED
    return Reason.TOOL_CALLS if calls_in(candidate.parts) else Reason.STOP


def said_in(parts: Iterable[Part]) -> dict[str, Any]:
    every = list(parts)
    return {
        "words": words_of(every),
        "pieces": [part.text.strip() for part in every if isinstance(part, Text | Refusal)],
        "thoughts": "".join(part.text for part in every if isinstance(part, Reasoning)),
        "calls": calls_in(every),
        "items": sum(isinstance(part, Media | Foreign) for part in every),
    }


def words_of(parts: Iterable[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text | Refusal)).strip()


def calls_in(parts: Iterable[Part]) -> list[tuple[str, Any]]:
    return [(part.name, arguments_of(part)) for part in parts if isinstance(part, ToolCall)]


def arguments_of(call: ToolCall) -> Any:
    try:
        return json.decode(call.arguments.encode() or b"{}")
    except Malformed:
        return call.arguments

"""What a request or an answer says, apart from how it is spelled, and whether a translation of it says the same."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from isthmus.core.chat import ChatRequest, Tool
from isthmus.core.content import Media, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from isthmus.core.losses import Losses
from isthmus.core.reply import Candidate, ChatReply, Reason
from isthmus.core.value import Foreign
from isthmus.wire import json
from isthmus.wire.json import Malformed
from support.specimens import bare

DECLARED: Mapping[str, re.Pattern[str]] = {
    "words": re.compile(r"messages|output|candidates"),
    "thoughts": re.compile(r"(messages|candidates)\[\d+\]\.parts|output"),
    "results": re.compile(r"messages\[\d+\]"),
    "items": re.compile(r"(messages|candidates)\[\d+\]\.parts"),
    "calls": re.compile(r"(messages|candidates)\[\d+\]|output"),
    "tools": re.compile(r"tools|tool_choice"),
    "usage": re.compile(r"usage"),
    "vendor tools": re.compile(r"tools"),
    "finish": re.compile(r"candidates\[\d+\]\.(finish|parts)|output"),
}
"""The path of a loss that must be told where one of these is said otherwise; nothing else may be."""


def compare(said: Mapping[str, Any], kept: Mapping[str, Any], losses: Losses) -> None:
    """Fails where something is said otherwise and no loss declares it."""
    for aspect, before in said.items():
        if aspect == "pieces" or kept[aspect] == before:
            continue
        assert aspect in DECLARED, f"{aspect}: {kept[aspect]!r:.300} is not {before!r:.300}"
        assert any(DECLARED[aspect].match(loss.path) for loss in losses.found), f"{aspect} is not among {losses.found}"
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

"""What of a request costs tokens: its texts, which somebody must count, and what has a price of its own.

Source of the prices: https://platform.openai.com/docs/guides/token-counting and OpenAI's cookbook for the frame of
a message; pictures, pages, sounds and films cost what they are in the middle, for nobody looks into them here.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Raw

from isthmus.core.chat import ChatRequest, Message, Tool, ToolEntry
from isthmus.core.content import Media, MediaKind, Part, Reasoning, Refusal, Text, ToolCall, ToolResult

REPLY = 3
"""Tokens that begin an answer."""
TURN = 3
"""Tokens that frame one message, call or result."""
TOOL = 8
"""Tokens that frame one tool."""
MEDIA: Mapping[MediaKind, int] = {
    MediaKind.IMAGE: 255,
    MediaKind.DOCUMENT: 500,
    MediaKind.AUDIO: 300,
    MediaKind.VIDEO: 2000,
}


class Measure(NamedTuple):
    """`fixed` are tokens that are known; `tooled`: the request has tools, which some makers add words for."""

    texts: Sequence[str]
    fixed: int
    tooled: bool


def measure(request: ChatRequest) -> Measure:
    """Take the request apart."""
    texts: list[str] = []
    fixed = REPLY + sum(_turn(message, texts) for message in request.messages)
    tools = request.tools or ()
    fixed += sum(_tool(tool, texts) for tool in tools)
    if request.output is not None and request.output.schema is not None:
        texts.append(_words(request.output.schema))
    return Measure(texts, fixed, bool(tools))


def _turn(message: Message, texts: list[str]) -> int:
    return TURN + sum(_part(part, texts) for part in message.parts)


def _part(part: Part, texts: list[str]) -> int:
    """Put the part's texts to the others; the tokens it costs beside them."""
    match part:
        case Text() | Reasoning() | Refusal():
            texts.append(part.text)
        case ToolCall():
            texts.extend((part.name, part.arguments))
            return TURN
        case ToolResult():
            return TURN + sum(_part(inner, texts) for inner in part.parts)
        case Media():
            return MEDIA[part.kind]
        case _:
            texts.append(_words(part.body))
    return 0


def _tool(tool: ToolEntry, texts: list[str]) -> int:
    texts.extend(_tool_texts(tool))
    return TOOL


def _tool_texts(tool: ToolEntry) -> Iterator[str]:
    if isinstance(tool, Tool):
        yield tool.name
        yield tool.about or ""
        yield _words(tool.schema or b"")
    else:
        yield _words(tool.body)


def _words(body: Raw | bytes) -> str:
    return bytes(body).decode("utf-8", "replace")

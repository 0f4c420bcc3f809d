"""Requests and answers as they are most of the time: shapes that take a whole one, a turn or a tool in one decode.

They refuse first: what holds one field more, or one of another type, is None here and is read field by field by
whoever asked. What they accept gives the same values as that, to which tests hold them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from msgspec import Raw, Struct

from isthmus.core.chat import Message, Role, Tool
from isthmus.core.content import CacheMark, Inline, Media, MediaKind, Part, Reasoning, Text, ToolCall, ToolResult, Url
from isthmus.dialects.anthropic.messages.content import read_signature, spoken
from isthmus.wire import json


class Plain(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Holds what it names, and nothing else."""


class _Mark(Plain, frozen=True):
    type: str | None = None
    ttl: str | None = None


class _Block(Plain, frozen=True, tag_field="type"):
    pass


class _Text(_Block, frozen=True, tag="text"):
    text: str
    cache_control: _Mark | None = None
    citations: None = None


class _Source(Plain, frozen=True, tag_field="type"):
    pass


class _Base64(_Source, frozen=True, tag="base64"):
    media_type: str
    data: str


class _Link(_Source, frozen=True, tag="url"):
    url: str


class _Image(_Block, frozen=True, tag="image"):
    source: _Base64 | _Link
    cache_control: _Mark | None = None


class _Thinking(_Block, frozen=True, tag="thinking"):
    thinking: str
    signature: str | None = None


class _Call(_Block, frozen=True, tag="tool_use"):
    id: str
    name: str
    input: Raw = json.NULL
    cache_control: _Mark | None = None


class _Result(_Block, frozen=True, tag="tool_result"):
    tool_use_id: str
    content: str | list[_Text | _Image] | None = None
    is_error: bool | None = None
    cache_control: _Mark | None = None


PlainBlock: TypeAlias = _Text | _Image | _Thinking | _Call | _Result


class PlainTurn(Plain, frozen=True):
    role: Literal["user", "assistant", "system"]
    content: str | list[PlainBlock]


class PlainTool(Plain, frozen=True):
    name: str
    type: Literal["custom"] | None = None
    description: str | None = None
    input_schema: Raw = json.NULL
    strict: bool | None = None
    cache_control: _Mark | None = None


class _Choice(Plain, frozen=True):
    type: Literal["auto", "any", "none"]
    disable_parallel_tool_use: bool | None = None


class _Reasoning(Plain, frozen=True):
    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: int | None = None
    display: str | None = None


class _Config(Plain, frozen=True):
    effort: str | None = None


class _Metadata(Plain, frozen=True):
    user_id: str | None = None


class PlainRequest(Plain, frozen=True, kw_only=True):
    model: str
    messages: list[PlainTurn]
    system: str | list[PlainBlock] | None = None
    tools: list[PlainTool] | None = None
    tool_choice: _Choice | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: tuple[str, ...] | None = None
    thinking: _Reasoning | None = None
    output_config: _Config | None = None
    metadata: _Metadata | None = None
    stream: bool | None = None


class PlainReply(Plain, frozen=True, kw_only=True):
    """Providers tell null of what does not concern an answer."""

    content: list[PlainBlock]
    id: str | None = None
    type: Literal["message"] | None = None
    role: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: dict[str, Raw] | None = None
    container: None = None
    context_management: None = None
    stop_details: None = None


_decode_reply = json.decoder(PlainReply)
_decode_request = json.decoder(PlainRequest)
_decode_turn = json.decoder(PlainTurn)
_decode_tool = json.decoder(PlainTool)


def decode_request(body: bytes) -> PlainRequest | None:
    """A whole request; None for what is not plain."""
    try:
        said = _decode_request(body)
        for tool in said.tools or ():
            json.check_text(bytes(tool.input_schema))
    except (*json.DECODE_ERRORS, json.Malformed):
        return None
    return said


def decode_reply(body: bytes) -> PlainReply | None:
    """A whole answer; None for what is not plain."""
    try:
        json.check_text(body)
        return _decode_reply(body)
    except (*json.DECODE_ERRORS, json.Malformed):
        return None


def read_turn(item: Raw) -> Message | None:
    """The turn; None for what is not plain."""
    try:
        return turn_of(_decode_turn(item))
    except json.DECODE_ERRORS:
        return None


def read_tool(item: Raw) -> Tool | None:
    """The tool; None for what is not plain."""
    try:
        return tool_of(_decode_tool(item))
    except json.DECODE_ERRORS:
        return None


def turn_of(said: PlainTurn) -> Message:
    """Raises DECODE_ERRORS for text that is none."""
    return Message(_ROLES[said.role], asked(said.content))


def tool_of(said: PlainTool) -> Tool:
    schema = None if said.input_schema == json.NULL else said.input_schema
    return Tool(said.name, said.description, schema, said.strict, _cache(said.cache_control))


def asked(content: str | Sequence[PlainBlock] | None) -> tuple[Part, ...]:
    """The parts of a request's content. Raises DECODE_ERRORS for text that is none."""
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(content),)
    return spoken(parts_of(content))


def parts_of(content: Sequence[PlainBlock]) -> tuple[Part, ...]:
    """The part of each block. Raises DECODE_ERRORS for text that is none."""
    return tuple([_PARTS[type(block)](block) for block in content])


def _cache(mark: _Mark | None) -> CacheMark | None:
    return None if mark is None else CacheMark(mark.ttl)


def _text(block: _Text) -> Text:
    return Text(block.text, _cache(block.cache_control))


def _image(block: _Image) -> Media:
    source = block.source
    inner = Inline(source.media_type, source.data) if isinstance(source, _Base64) else Url(source.url)
    return Media(MediaKind.IMAGE, inner, cache=_cache(block.cache_control))


def _thought(block: _Thinking) -> Reasoning:
    return Reasoning(block.thinking, read_signature(block.signature))


def _call(block: _Call) -> ToolCall:
    arguments = "" if block.input == json.NULL else bytes(block.input).decode()
    return ToolCall(block.id, block.name, arguments, cache=_cache(block.cache_control))


def _result(block: _Result) -> ToolResult:
    # Texts and images read into nothing else.
    parts: tuple[Any, ...] = asked(block.content)
    return ToolResult(block.tool_use_id, parts, block.is_error, _cache(block.cache_control))


_ROLES: Mapping[str, Role] = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_PARTS: Mapping[type, Callable[[Any], Part]] = {
    _Text: _text,
    _Image: _image,
    _Thinking: _thought,
    _Call: _call,
    _Result: _result,
}

"""Requests and answers as they are most of the time: shapes that take a whole one, a message or a tool in one decode.

They refuse first: what holds one field more, or one of another type, is None here and is read field by field by
whoever asked. What they accept gives the same values as that, to which tests hold them.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Raw, Struct

from isthmus.core.chat import Message, Role, Tool
from isthmus.core.content import Media, MediaKind, Part, Reasoning, Text, ToolCall, ToolResult
from isthmus.dialects.openai.chat.content import source_of
from isthmus.wire import json

Full: TypeAlias = Annotated[str, Meta(min_length=1)]
"""A text that says something."""


NO_ITEMS = Raw(b"[]")


class Plain(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Holds what it names, and nothing else."""


class _Part(Plain, frozen=True, tag_field="type"):
    pass


class _Text(_Part, frozen=True, tag="text"):
    text: str


class _Link(Plain, frozen=True):
    url: str
    detail: str | None = None


class _Image(_Part, frozen=True, tag="image_url"):
    image_url: _Link


_Content: TypeAlias = str | list[_Text | _Image]


class _Function(Plain, frozen=True):
    name: str
    arguments: str


class Call(Plain, frozen=True):
    id: Full
    type: Literal["function"]
    function: _Function


class _Message(Plain, frozen=True, tag_field="role"):
    pass


class _System(_Message, frozen=True, tag="system"):
    content: _Content
    name: str | None = None


class _Developer(_Message, frozen=True, tag="developer"):
    content: _Content
    name: str | None = None


class _User(_Message, frozen=True, tag="user"):
    content: _Content
    name: str | None = None


class _Assistant(_Message, frozen=True, tag="assistant"):
    """Clients send an answer back as they got it, nulls and all."""

    content: _Content | None = None
    tool_calls: list[Call] | None = None
    reasoning_content: Full | None = None
    name: str | None = None
    refusal: None = None
    audio: None = None
    function_call: None = None


class _Result(_Message, frozen=True, tag="tool"):
    content: _Content
    tool_call_id: str


PlainMessage: TypeAlias = _System | _Developer | _User | _Assistant | _Result


class _Schema(Plain, frozen=True):
    name: str
    description: str | None = None
    parameters: Raw = json.NULL
    strict: bool | None = None


class PlainTool(Plain, frozen=True):
    type: Literal["function"]
    function: _Schema


class _StreamOptions(Plain, frozen=True):
    include_usage: bool | None = None


class PlainRequest(Plain, frozen=True, kw_only=True):
    model: str
    messages: Annotated[list[PlainMessage], Meta(min_length=1)]
    tools: list[PlainTool] | None = None
    tool_choice: Literal["auto", "none", "required"] | None = None
    parallel_tool_calls: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: str | tuple[str, ...] | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    reasoning_effort: str | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    user: str | None = None


class _Answer(Plain, frozen=True):
    role: Literal["assistant"] | None = None
    content: Full | None = None
    tool_calls: Annotated[list[Call], Meta(min_length=1)] | None = None
    reasoning_content: Full | None = None
    annotations: Raw = json.NULL
    refusal: None = None
    audio: None = None
    function_call: None = None
    reasoning: None = None


class PlainChoice(Plain, frozen=True):
    message: _Answer
    index: int | None = None
    finish_reason: Full | None = None
    logprobs: Raw = json.NULL


class PlainReply(Plain, frozen=True, kw_only=True):
    """Providers tell null of what does not concern an answer."""

    choices: list[PlainChoice]
    id: str | None = None
    object: str | None = None
    created: float | None = None
    model: str | None = None
    usage: Raw = json.NULL
    service_tier: Raw = json.NULL
    system_fingerprint: Raw = json.NULL
    error: None = None


_decode_reply = json.decoder(PlainReply)
_decode_request = json.decoder(PlainRequest)
_decode_message: Callable[[Raw], PlainMessage] = json.decoder(PlainMessage)  # type: ignore[arg-type]  # a union
_decode_tool = json.decoder(PlainTool)


def decode_request(body: bytes) -> PlainRequest | None:
    """A whole request; None for what is not plain."""
    try:
        said = _decode_request(body)
        for tool in said.tools or ():
            json.check_text(bytes(tool.function.parameters))
    except (*json.DECODE_ERRORS, json.Malformed):
        return None
    return said


def decode_reply(body: bytes) -> PlainReply | None:
    """A whole answer; None for what is not plain. Annotations are: the list of none that OpenAI sends is not."""
    try:
        json.check_text(body)
        said = _decode_reply(body)
    except (*json.DECODE_ERRORS, json.Malformed):
        return None
    if said.usage != json.NULL and not is_object(said.usage):
        return None
    return said if all(choice.message.annotations in (json.NULL, NO_ITEMS) for choice in said.choices) else None


def is_object(body: Raw) -> bool:
    """Is this JSON an object?"""
    return memoryview(body)[0] == ord("{")


def read_message(item: Raw) -> Message | ToolResult | None:
    """The turn, or the result that is part of one; None for what is not plain."""
    try:
        return message_of(_decode_message(item))
    except json.DECODE_ERRORS:
        return None


def read_tool(item: Raw) -> Tool | None:
    """The tool; None for what is not plain."""
    try:
        return tool_of(_decode_tool(item))
    except json.DECODE_ERRORS:
        return None


def message_of(said: PlainMessage) -> Message | ToolResult:
    return _MESSAGES[type(said)](said)


def tool_of(said: PlainTool) -> Tool:
    inner = said.function
    schema = None if inner.parameters == json.NULL else inner.parameters
    return Tool(inner.name, inner.description, schema, inner.strict)


def answer_of(said: _Answer) -> tuple[Part, ...]:
    thought = (Reasoning(said.reasoning_content),) if said.reasoning_content else ()
    text = (Text(said.content),) if said.content else ()
    return (*thought, *text, *_calls(said.tool_calls))


def _calls(calls: list[Call] | None) -> tuple[Part, ...]:
    return tuple([ToolCall(call.id, call.function.name, call.function.arguments) for call in calls]) if calls else ()


def _content(said: _Content) -> tuple[Text | Media, ...]:
    if isinstance(said, str):
        return (Text(said),)
    parts = [Text(one.text) if isinstance(one, _Text) else _image(one.image_url) for one in said]
    return tuple([part for part in parts if type(part) is not Text or part.text] or parts[:1])


def _image(link: _Link) -> Media:
    return Media(MediaKind.IMAGE, source_of(link.url), detail=link.detail)


def _spoken(role: Role) -> Callable[[_System | _Developer | _User], Message]:
    return lambda said: Message(role, _content(said.content), said.name)


def _assistant(said: _Assistant) -> Message:
    parts: tuple[Part, ...] = () if said.content is None else _content(said.content)
    if said.tool_calls or said.reasoning_content:
        thought = (Reasoning(said.reasoning_content),) if said.reasoning_content else ()
        parts = (*thought, *(() if parts == _BLANK else parts), *_calls(said.tool_calls))
    return Message(_MODEL, parts, said.name)


def _result(said: _Result) -> ToolResult:
    parts = _content(said.content)
    return ToolResult(said.tool_call_id, () if parts == _BLANK else parts)


_MODEL = Role.ASSISTANT
_BLANK = (Text(""),)
_MESSAGES: Mapping[type, Callable[[Any], Message | ToolResult]] = {
    _System: _spoken(Role.SYSTEM),
    _Developer: _spoken(Role.DEVELOPER),
    _User: _spoken(Role.USER),
    _Assistant: _assistant,
    _Result: _result,
}

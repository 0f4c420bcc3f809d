"""A small chat model made to look as if it knew tools: it is held to a JSON schema and its answer becomes a call.

For models whose template knows nothing but plain text turns. What the caller said with
tools, results or media is retold in words; everything done for the model is recorded.
"""

import hashlib
from collections.abc import Iterator, Sequence

from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, OutputFormat, OutputKind, Role, Tool, ToolChoice, ToolMode
from isthmus.core.content import Inline, Media, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from isthmus.core.events import (
    ArgumentsDelta,
    BlockKind,
    BlockStart,
    BlockStop,
    CitationDelta,
    Event,
    LogprobsDelta,
    MessageStart,
    MessageStop,
    TextDelta,
)
from isthmus.core.losses import Losses
from isthmus.core.reply import Finish, Reason
from isthmus.core.value import Foreign
from isthmus.providers.reduce_schema import reduce_schema
from isthmus.wire import json

SYSTEM = "You are a helpful assistant."
"""Said when the caller says nothing: without a system prompt the bundled model answers in French."""
MAX_OUTPUT = 1024
"""Tokens of an answer whose caller named no limit: a small model does not always find an end by itself."""
TOOLS = 32
"""Tools offered at most; each makes the grammar larger."""
ABOUT = 160
"""Characters told of what one tool does."""
_ROLES = {Role.SYSTEM: Role.SYSTEM, Role.DEVELOPER: Role.SYSTEM, Role.USER: Role.USER, Role.ASSISTANT: Role.ASSISTANT}


class SmallModel:
    """An Emulator for one request."""

    def __init__(self) -> None:
        self._calling = False
        self._id = ""
        self._blocks: dict[int, tuple[BlockStart, list[str]]] = {}

    def prepare(self, request: ChatRequest, losses: Losses) -> ChatRequest:
        """The request in plain turns, with a schema in place of tools."""
        messages = tuple(_retell(request.messages, losses))
        if not any(message.role is Role.SYSTEM for message in messages):
            messages = (Message(Role.SYSTEM, (Text(SYSTEM),)), *messages)
            losses.emulate("messages", "this model needs a system prompt, and was given one")
        if request.max_output is None:
            losses.emulate("max_output", f"limited to {MAX_OUTPUT} tokens, since the caller named no limit")
        sampling = request.sampling
        if sampling.temperature is None:
            sampling = replace(sampling, temperature=0.0)
            losses.emulate("sampling.temperature", "0, since the caller named none: warmer, this model rambles")
        plain = replace(
            request,
            messages=messages,
            sampling=sampling,
            tools=None,
            tool_choice=None,
            parallel_tools=None,
            max_output=MAX_OUTPUT if request.max_output is None else request.max_output,
            output=_bounded(request.output),
        )
        tools = _offered(request, losses)
        if not tools:
            return plain
        self._calling = True
        losses.emulate("tools", "this model calls no tools; a JSON schema makes it choose one")
        return replace(plain, messages=_with_tools(plain.messages, tools), output=_one_call(tools))

    def read(self, event: Event) -> Sequence[Event]:
        """The same event, or the parts of a call once its text is complete."""
        if not self._calling:
            return (event,)
        match event:
            case MessageStart():
                self._id = event.id
            case BlockStart(kind=BlockKind.TEXT):
                self._blocks[event.index] = (event, [])
                return ()
            case TextDelta() if event.index in self._blocks:
                self._blocks[event.index][1].append(event.text)
                return ()
            case BlockStop() | CitationDelta() if event.index in self._blocks:
                return ()
            case LogprobsDelta():
                return ()
            case MessageStop():
                return self._finish(event)
            case _:
                pass
        return (event,)

    def _finish(self, stop: MessageStop) -> Sequence[Event]:
        events: list[Event] = []
        called = False
        for start, pieces in [held for held in self._blocks.values() if held[0].candidate == stop.candidate]:
            del self._blocks[start.index]
            call = _read_call("".join(pieces))
            called = called or call is not None
            events.extend(self._told(start, pieces) if call is None else self._called(start, *call))
        return [*events, replace(stop, finish=Finish(Reason.TOOL_CALLS)) if called else stop]

    def _called(self, start: BlockStart, name: str, arguments: str) -> Iterator[Event]:
        digest = hashlib.sha256(f"{self._id}:{start.index}".encode()).hexdigest()
        yield BlockStart(start.index, BlockKind.TOOL_CALL, f"call_{digest[:24]}", name, candidate=start.candidate)
        yield ArgumentsDelta(start.index, arguments)
        yield BlockStop(start.index)

    def _told(self, start: BlockStart, pieces: Sequence[str]) -> Iterator[Event]:
        """What was cut off before it was a call is shown as the words it is."""
        yield start
        yield from (TextDelta(start.index, piece) for piece in pieces)
        yield BlockStop(start.index)


def _read_call(text: str) -> tuple[str, str] | None:
    """The tool's name and its arguments as the model wrote them; None for what is no whole call."""
    try:
        fields = json.Fields(text.encode())
        name, arguments = fields.text("name"), fields.raw("arguments")
        if name is None or arguments is None:
            return None
        json.read_fields(arguments)
    except json.Malformed:
        return None
    return name, bytes(arguments).decode()


def _offered(request: ChatRequest, losses: Losses) -> Sequence[Tool]:
    """The tools the model must choose from; none when it shall answer in words."""
    choice = request.tool_choice or ToolChoice(ToolMode.AUTO)
    tools = [tool for tool in request.tools or () if isinstance(tool, Tool)]
    for number, entry in enumerate(request.tools or ()):
        if isinstance(entry, Foreign):
            losses.drop(f"tools[{number}]", f"a tool that only {entry.dialect} has")
    match choice.mode:
        case ToolMode.NONE:
            return ()
        case ToolMode.NAMED:
            return [tool for tool in tools if tool.name == choice.name]
        case ToolMode.AUTO if tools and _answered(request.messages):
            losses.emulate("tools", "left out, so that this model tells what the tools answered")
            return ()
        case _:
            if len(tools) > TOOLS:
                losses.drop(f"tools[{TOOLS}:]", f"this model is offered {TOOLS} tools at most")
            return tools[:TOOLS]


def _answered(messages: Sequence[Message]) -> bool:
    return bool(messages) and any(isinstance(part, ToolResult) for part in messages[-1].parts)


def _one_call(tools: Sequence[Tool]) -> OutputFormat:
    calls = [_call_schema(tool) for tool in tools]
    schema = calls[0] if len(calls) == 1 else {"anyOf": calls}
    return OutputFormat(OutputKind.SCHEMA, name="tool_call", schema=json.raw(schema), strict=True)


def _call_schema(tool: Tool) -> dict[str, object]:
    arguments = dict(reduce_schema(_schema(tool.schema)))
    if arguments.get("type") != "object" and "anyOf" not in arguments:
        arguments = dict(reduce_schema({"type": "object"}))
    return {
        "type": "object",
        "properties": {"name": {"const": tool.name}, "arguments": arguments},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def _bounded(output: OutputFormat | None) -> OutputFormat | None:
    if output is None or output.schema is None:
        return output
    return replace(output, schema=json.raw(reduce_schema(_schema(output.schema))))


def _schema(schema: Raw | None) -> object:
    """The schema as plain values; of one that is absent or nested without end, that it is an object."""
    try:
        return json.decode(schema) if schema is not None else {"type": "object"}
    except json.Malformed:
        return {"type": "object"}


def _with_tools(messages: tuple[Message, ...], tools: Sequence[Tool]) -> tuple[Message, ...]:
    """The tools in words, behind the system prompt."""
    lines = [f"- {tool.name}: {(tool.about or '')[:ABOUT]}".rstrip(": ") for tool in tools]
    words = "Answer with a call of one of these tools:\n" + "\n".join(lines)
    at = next(number for number, message in enumerate(messages) if message.role is Role.SYSTEM)
    system = messages[at]
    told = replace(system, parts=(Text(f"{_text(system)}\n\n{words}"),))
    return (*messages[:at], told, *messages[at + 1 :])


def _text(message: Message) -> str:
    return "\n\n".join(part.text for part in message.parts if isinstance(part, Text))


def _retell(messages: Sequence[Message], losses: Losses) -> Iterator[Message]:
    """Each turn as one plain text; a turn of which nothing is left is left out."""
    names = {part.id: part.name for message in messages for part in message.parts if isinstance(part, ToolCall)}
    for number, message in enumerate(messages):
        if all(isinstance(part, Text) for part in message.parts):
            yield replace(message, role=_ROLES[message.role])
            continue
        words = []
        for index, part in enumerate(message.parts):
            words.append(_words(part, f"messages[{number}].parts[{index}]", names, losses))
        text = "\n\n".join(piece for piece in words if piece)
        if any(getattr(part, "cache", None) is not None for part in message.parts):
            losses.drop("cache_control", "this model caches by itself")
        if text:
            yield replace(message, role=_ROLES[message.role], parts=(Text(text),))


def _words(part: Part, path: str, names: dict[str, str], losses: Losses) -> str:
    match part:
        case Text() | Refusal():
            return part.text
        case ToolCall():
            losses.emulate(path, "a tool call is retold in words")
            return f'{{"name": {json.encode(part.name).decode()}, "arguments": {part.arguments or "{}"}}}'
        case ToolResult():
            losses.emulate(path, "a tool's answer is retold in words")
            told = [_words(item, f"{path}.parts[{number}]", names, losses) for number, item in enumerate(part.parts)]
            says = "failed" if part.failed else "answered"
            return f"The tool {names.get(part.call_id, part.call_id)} {says}: " + "\n".join(told)
        case Media(source=Inline(plain=True, data=data)):
            return data
        case Media():
            losses.drop(path, "this model reads nothing but text")
            return f"({part.kind} left out)"
        case Reasoning():
            losses.drop(path, "this model takes no thoughts back")
        case Foreign():
            losses.drop(path, f"an item that only {part.dialect} has")
    return ""
